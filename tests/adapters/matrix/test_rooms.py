"""Rooms as their state events tell of them: what cannot be read counts as what is safe."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.matrix.rooms import Member, Room, Rooms, told
from adapters.matrix.words import MATRIX, place_of
from bot.errors import ChannelGone, StoreUnavailable
from tests.fakes.store import MemoryStore

ROOM, MIRA, ALED, TOBIAS = "!room:matrix.test", "@mira:matrix.test", "@aled:matrix.test", "@tobias:matrix.test"


def state(kind: str, content: object, key: str = "", sender: str = MIRA, at: object = 1000) -> dict[str, Any]:
    return {"type": kind, "state_key": key, "sender": sender, "content": content, "origin_server_ts": at}


def made(version: str, **content: object) -> dict[str, Any]:
    return state("m.room.create", {"room_version": version, **content})


def room(*events: dict[str, Any]) -> Room:
    return told(Room(ROOM), events)


@pytest.mark.parametrize("version", ["12", "13", "org.example.new"])
def test_whoever_made_a_room_of_version_12_or_later_has_power_without_end(version: str) -> None:
    new = room(made(version, additional_creators=[ALED]), state("m.room.power_levels", {"users": {TOBIAS: 100}}))
    assert new.level_of(MIRA) == new.level_of(ALED) == float("inf")
    assert new.level_of(TOBIAS) == 100
    assert new.is_administrator(MIRA)
    assert new.is_administrator(TOBIAS)


@pytest.mark.parametrize("version", ["1", "10", "11"])
def test_whoever_made_an_older_room_has_the_power_that_its_levels_say(version: str) -> None:
    assert room(made(version)).is_administrator(MIRA)
    old = room(made(version), state("m.room.power_levels", {"users": {ALED: 50}}))
    assert not old.is_moderator(MIRA)
    assert old.is_moderator(ALED)
    assert not old.is_administrator(ALED)


def test_levels_that_are_not_said_have_the_values_of_matrix() -> None:
    levels = {"users_default": 5, "events": {"m.room.name": 60}, "events_default": 10, "invite": 20}
    new = room(made("11"), state("m.room.power_levels", levels))
    assert new.level_of(ALED) == 5
    needed = [new.needs(kind) for kind in ("redact", "kick", "ban", "invite", "m.room.name", "m.room.message")]
    assert needed == [50, 50, 50, 20, 60, 10]


@pytest.mark.parametrize(
    ("level", "read"),
    [(50, 50), ("50", 50), (" -5 ", -5), ("+-5", 0), ("5" * 5000, 0), (True, 0), (1.5, 0), (None, 0), ([], 0), ("\u0665", 0)],
)
def test_a_level_that_is_no_number_is_the_usual_one(level: object, read: int) -> None:
    assert room(made("10"), state("m.room.power_levels", {"users": {ALED: level}})).level_of(ALED) == read


def test_a_room_in_which_everybody_may_redact_makes_nobody_a_moderator() -> None:
    assert not room(made("11"), state("m.room.power_levels", {"redact": 0})).is_moderator(ALED)


@pytest.mark.parametrize(
    ("rule", "history", "is_closed"),
    [
        ("invite", "shared", True),
        ("invite", "joined", True),
        ("knock", "invited", True),
        ("private", "shared", True),
        ("public", "shared", False),
        ("restricted", "shared", False),
        ("knock_restricted", "shared", False),
        ("invite", "world_readable", False),
        ("invite", None, False),
        (5, "shared", False),
    ],
)
def test_only_a_room_that_lets_in_by_hand_and_shows_nothing_outside_is_closed(
    rule: object, history: object, *, is_closed: bool
) -> None:
    new = room(
        state("m.room.join_rules", {"join_rule": rule}), state("m.room.history_visibility", {"history_visibility": history})
    )
    assert new.is_closed is is_closed


def test_a_room_of_which_nothing_is_known_is_open_and_gives_nobody_power() -> None:
    assert not Room(ROOM).is_closed
    assert Room(ROOM).level_of(MIRA) == 0


def test_members_come_rename_themselves_and_go() -> None:
    came = state("m.room.member", {"membership": "join", "displayname": "Mira"}, MIRA, at=1000)
    renamed = state("m.room.member", {"membership": "join", "displayname": "Captain"}, MIRA, at=9000)
    assert room(came).members == {MIRA: Member("Mira", 1.0)}
    assert room(came, renamed).members == {MIRA: Member("Captain", 1.0)}
    for gone in ("leave", "ban", "knock", "invite", None):
        assert not room(came, state("m.room.member", {"membership": gone}, MIRA)).members


def test_somebody_without_a_name_is_called_by_their_id() -> None:
    nameless = room(state("m.room.member", {"membership": "join", "displayname": ["odd"]}, MIRA))
    assert nameless.name_of(MIRA) == "mira"
    assert nameless.name_of(ALED) == "aled"


def test_its_name_and_its_successor_are_known() -> None:
    new = room(state("m.room.name", {"name": "Tavern"}), state("m.room.tombstone", {"replacement_room": "!new"}))
    assert (new.name, new.successor) == ("Tavern", "!new")


def test_state_under_another_key_or_of_no_shape_changes_nothing() -> None:
    before = room(made("12"), state("m.room.name", {"name": "Tavern"}))
    odd: list[dict[str, Any]] = [
        state("m.room.name", {"name": "Odd"}, key="odd"),
        state("m.room.name", "Odd"),
        {"type": ["m.room.name"], "state_key": "", "content": {"name": "Odd"}},
        {"type": "m.room.name", "content": {"name": "Odd"}},
        {},
    ]
    assert told(before, odd) == before


JSON = st.recursive(
    st.text(max_size=8)
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats()
    | st.sampled_from(["join", MIRA, "12", "invite"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
USERS = st.dictionaries(st.just(MIRA), JSON, max_size=1) | JSON
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("membership", "displayname", "room_version", "join_rule", "history_visibility", "redact"), JSON),
        **dict.fromkeys(("name", "replacement_room", "additional_creators", "users_default", "events_default"), JSON),
        "users": USERS,
        "events": st.dictionaries(st.just("m.room.message"), JSON, max_size=1) | JSON,
    },
)
KINDS = ["create", "power_levels", "join_rules", "history_visibility", "encryption", "name", "tombstone", "member"]
EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from([f"m.room.{kind}" for kind in KINDS]) | JSON,
        "state_key": st.sampled_from(["", MIRA]) | JSON,
        "content": CONTENT | JSON,
    },
    optional={"sender": st.just(MIRA) | JSON, "origin_server_ts": JSON},
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=6))
def test_no_state_whatever_makes_it_raise(events: list[dict[str, Any]]) -> None:
    new = room(*events)
    assert new.is_moderator(MIRA) is (new.level_of(MIRA) >= max(new.needs("redact"), 1))
    assert isinstance(new.is_closed, bool)
    assert isinstance(new.name_of(MIRA) + new.name + new.version + new.successor, str)
    assert new.needs("m.room.message") < float("inf")


async def loaded(store: MemoryStore) -> Rooms:
    rooms = Rooms(store)
    await rooms.load()
    return rooms


async def test_a_room_that_was_encrypted_once_is_so_for_ever() -> None:
    store = MemoryStore()
    rooms = await loaded(store)
    await rooms.tell(ROOM, [made("12"), state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})])
    assert rooms.of(ROOM).is_encrypted
    again = await loaded(store)
    await again.tell(ROOM, [made("12")], is_whole=True)
    assert again.of(ROOM).is_encrypted


async def test_what_could_not_be_stored_is_not_taken_for_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    rooms = await loaded(store)
    events = [state("m.room.encryption", {})]
    with monkeypatch.context() as away:
        away.setattr(MemoryStore, "bookmark", fails)
        with pytest.raises(StoreUnavailable):
            await rooms.tell(ROOM, events)
    await rooms.tell(ROOM, events)
    again = await loaded(store)
    await again.tell(ROOM, [])
    assert again.of(ROOM).is_encrypted


async def fails(*_: object) -> None:
    raise StoreUnavailable("away")


async def test_what_an_administrator_said_of_a_room_is_remembered_and_can_be_taken_back() -> None:
    store = MemoryStore()
    rooms = await loaded(store)
    await rooms.tell(ROOM, [made("12")])
    assert not rooms.of(ROOM).is_for_adults
    await rooms.mark_for_adults(ROOM, is_for_adults=True)
    again = await loaded(store)
    await again.tell(ROOM, [made("12")])
    assert again.of(ROOM).is_for_adults
    await again.mark_for_adults(ROOM, is_for_adults=False)
    assert not again.of(ROOM).is_for_adults


async def test_a_room_that_was_left_is_gone_and_begins_anew() -> None:
    rooms = await loaded(MemoryStore())
    await rooms.tell(ROOM, [state("m.room.name", {"name": "Tavern"})])
    assert rooms.joined == {ROOM}
    rooms.left(ROOM)
    assert not rooms.joined
    with pytest.raises(ChannelGone):
        rooms.of(ROOM)
    await rooms.tell(ROOM, [])
    assert not rooms.of(ROOM).name


async def test_its_whole_state_takes_the_place_of_what_was_known() -> None:
    rooms = await loaded(MemoryStore())
    await rooms.tell(ROOM, [state("m.room.name", {"name": "Tavern"})])
    await rooms.tell(ROOM, [made("12")], is_whole=True)
    assert not rooms.of(ROOM).name


@pytest.mark.parametrize("mark", ["", "no JSON", "[]", '{"encrypted": "yes"}'])
async def test_what_was_remembered_wrongly_is_nothing(mark: str) -> None:
    store = MemoryStore()
    await store.bookmark(place_of(ROOM), mark)
    rooms = await loaded(store)
    await rooms.tell(ROOM, [])
    assert not rooms.of(ROOM).is_encrypted
    assert set(await store.bookmarks(MATRIX)) <= {place_of(ROOM).channel}
