"""What is kept in the store comes back as it was; what cannot be kept or read is no reason to stop."""

from typing import Any

import pytest

from adapters.matrix.ears.arriving import Came, Gap, Gone, Invited, Item, came, invitations, kept, name_of, restored
from adapters.matrix.words import author_of, place_of
from bot.ids import AuthorId, ChannelKey, EventId
from bot.ports.arrivals import Arrival

ROOM, ME, MIRA = "!room:matrix.test", "@bot:matrix.test", "@mira:matrix.test"
SAID: dict[str, Any] = {"type": "m.room.message", "event_id": "$1", "sender": MIRA, "content": {"body": "a\ud83d \x00"}}
ITEMS: tuple[Item, ...] = (
    Came(ROOM, SAID),
    Gap(ROOM, "t2", "s1", 1700.5),
    Invited(ROOM, MIRA, "s1"),
    Gone(ROOM, "s1"),
)


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_comes_back_as_it_was_kept(item: Item) -> None:
    arrival = kept(item)
    assert restored(arrival) == item
    assert (arrival.event, arrival.channel) == (name_of(item), place_of(ROOM).channel)


def test_an_event_is_kept_under_its_own_id_and_for_its_author() -> None:
    arrival = kept(Came(ROOM, SAID))
    assert (arrival.event, arrival.author) == (EventId("$1"), author_of(MIRA))


def test_what_has_no_id_gets_one_that_no_event_has_and_the_same_each_time() -> None:
    names = [name_of(item) for item in ITEMS[1:]]
    assert len(set(names)) == 3
    assert names == [name_of(item) for item in ITEMS[1:]]
    assert not any(name.startswith("$") for name in names)


def test_two_invitations_into_the_same_room_are_two() -> None:
    assert name_of(Invited(ROOM, MIRA, "$2")) != name_of(Invited(ROOM, MIRA, "$3"))


def test_no_words_are_seen_where_an_item_is_shown() -> None:
    assert "body" not in repr(ITEMS[0])
    assert "body" not in repr(kept(ITEMS[0]))


@pytest.mark.parametrize(
    ("payload", "channel"),
    [
        ("", ROOM),
        ("[]", ROOM),
        ('{"event": {}}', ROOM),
        ('{"gap": {}}', ROOM),
        ("[" * 100_000, ROOM),
        ('{"gone": {"mark": "s"}}', "?"),
    ],
)
def test_what_this_program_did_not_write_is_nothing(payload: str, channel: str) -> None:
    assert restored(Arrival(EventId("$1"), ChannelKey(channel), AuthorId(""), payload)) is None


@pytest.mark.parametrize(
    "event",
    [
        {**SAID, "sender": ME},
        {**SAID, "sender": None},
        {**SAID, "event_id": "1"},
        {**SAID, "type": "m.call.invite"},
        {**SAID, "type": "m.room.topic", "state_key": ""},
        {**SAID, "type": "m.room.member", "state_key": MIRA, "content": {"membership": "leave"}},
        {},
    ],
)
def test_what_cannot_matter_is_left_out(event: dict[str, Any]) -> None:
    assert came(ROOM, event, ME) is None


@pytest.mark.parametrize(
    "event",
    [
        SAID,
        {**SAID, "type": "m.room.encrypted"},
        {**SAID, "type": "m.reaction"},
        {**SAID, "type": "m.room.redaction"},
    ],
)
def test_what_may_matter_is_taken(event: dict[str, Any]) -> None:
    assert came(ROOM, event, ME) == Came(ROOM, event)


@pytest.mark.parametrize(
    ("event", "content"),
    [
        (
            {**SAID, "type": "m.room.tombstone", "state_key": "", "content": {"replacement_room": "!next", "body": {"a": {}}}},
            {"membership": "", "replacement_room": "!next"},
        ),
        (
            {**SAID, "type": "m.room.member", "state_key": ME, "content": {"membership": "leave", "reason": {"a": {}}}},
            {"membership": "leave", "replacement_room": ""},
        ),
    ],
)
def test_of_state_nothing_is_kept_but_what_matters(event: dict[str, Any], content: dict[str, str]) -> None:
    item = came(ROOM, {**event, "unsigned": {"prev_content": {"deep": {}}}}, ME)
    names = ("type", "state_key", "event_id", "sender")
    assert item == Came(ROOM, {**{name: event[name] for name in names}, "content": content})


def membership(user: str, sender: object, kind: object) -> dict[str, Any]:
    return {"type": "m.room.member", "state_key": user, "sender": sender, "content": {"membership": kind}}


def test_whoever_invited_the_bot_is_who_the_last_of_the_events_names_whatever_another_homeserver_puts_before() -> None:
    state = [
        {"type": "m.room.create", "state_key": "", "sender": "@eve:elsewhere.test", "content": {}},
        membership(MIRA, MIRA, "join"),
        membership(ME, MIRA, "invite"),
        membership(ME, "@eve:elsewhere.test", "invite"),
    ]
    assert invitations(ROOM, state, ME, "s1") == (Invited(ROOM, "@eve:elsewhere.test", "s1"),)


@pytest.mark.parametrize(
    "last",
    [
        membership(ME, MIRA, "join"),
        membership(ME, 5, "invite"),
        membership(ME, MIRA, ["invite"]),
        membership(MIRA, MIRA, "join"),
    ],
)
def test_what_does_not_end_with_an_invitation_is_none(last: dict[str, Any]) -> None:
    assert invitations(ROOM, [last], ME, "s1") == ()
