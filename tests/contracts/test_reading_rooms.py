"""What whoever reads Matrix rooms promises: the fake of the commands' tests, and what is real before a homeserver."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from adapters.matrix.commands.walls import Sealed
from adapters.matrix.ears.reading import SEALED
from adapters.matrix.heard import Said
from adapters.matrix.posting import looking
from adapters.matrix.words import place_of
from tests.contracts.reading_rooms import NotedRooms, Rooms, real_rooms
from tests.homeserver.contents import edit, message, reaction

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN: list[tuple[Mapping[str, Any], str | None]] = [
    ({"msgtype": "m.text", "body": "One.", "m.relates_to": "nothing"}, "One."),
    ({"msgtype": "m.text", "body": "Two.", "m.relates_to": {"rel_type": 5, "event_id": ["$1"]}}, "Two."),
    ({"msgtype": "m.text", "body": 5}, ""),
    ({"msgtype": {}, "body": "Three."}, None),
    ({"msgtype": "m.location", "body": "Here.", "geo_uri": "geo:0,0"}, None),
    ({"body": "Four."}, None),
]
"""What clients send, and what it says: nothing where it is no message."""

KINDS = pytest.mark.parametrize("encrypted", [False, True], ids=["in clear", "encrypted"])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["noted", "homeserver"])
async def rooms(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Rooms, None]:
    if request.param == "noted":
        yield NotedRooms()
        return
    async with real_rooms(request.getfixturevalue("homeserver"), tmp_path_factory.mktemp("bot")) as made:
        yield made


async def text(rooms: Rooms, room: str, event: str) -> str | None:
    """What a message says now; None where it is none, "sealed" where it cannot be read."""
    found = await rooms.past.message(room, event)
    if found is None:
        return None
    return found.text if isinstance(found, Said) else "sealed"


async def standing(rooms: Rooms, room: str, root: str = "") -> list[str]:
    """The messages of a place as they are handed out, by their texts, and those that cannot be read by their events."""
    found = [each async for each in rooms.past.of(place_of(room, root))]
    return [each.text if isinstance(each, Said) else each.event for each in found]


@KINDS
async def test_a_message_is_found_as_it_was_said(rooms: Rooms, *, encrypted: bool) -> None:
    room = await rooms.room(encrypted=encrypted)
    first = await rooms.send(room, message("Tobias knocks."))
    emote = await rooms.send(room, message("waves.", msgtype="m.emote", reply_to=first), "mirela")
    found = await rooms.past.message(room, first)
    assert isinstance(found, Said)
    assert (found.room, found.event, found.sender, found.text) == (room, first, rooms.user("tobias"), "Tobias knocks.")
    assert found.at > 0
    answer = await rooms.past.message(room, emote)
    assert isinstance(answer, Said)
    assert (answer.sender, answer.text, answer.is_emote, answer.answers) == (rooms.user("mirela"), "waves.", True, first)


@KINDS
async def test_a_message_reads_as_the_newest_edit_of_its_author(rooms: Rooms, *, encrypted: bool) -> None:
    room = await rooms.room(encrypted=encrypted)
    event = await rooms.send(room, message("Tobias nocks."))
    await rooms.send(room, edit(event, message("Tobias knocks.")))
    newest = await rooms.send(room, edit(event, message("knocks twice.", msgtype="m.emote")))
    found = await rooms.past.message(room, event)
    assert isinstance(found, Said)
    assert (found.event, found.text, found.is_emote) == (event, "knocks twice.", True)
    assert await standing(rooms, room) == ["knocks twice."]
    assert await text(rooms, room, newest) is None


async def test_an_edit_by_somebody_else_does_not_count(rooms: Rooms) -> None:
    room = await rooms.room()
    event = await rooms.send(room, message("Tobias knocks."))
    await rooms.send(room, edit(event, message("Tobias flees.")), "mirela")
    assert await standing(rooms, room) == [await text(rooms, room, event)] == ["Tobias knocks."]


async def test_an_edit_that_was_taken_away_counts_no_longer(rooms: Rooms) -> None:
    room = await rooms.room()
    event = await rooms.send(room, message("One."))
    await rooms.send(room, edit(event, message("Two.")))
    await rooms.redact(room, await rooms.send(room, edit(event, message("Three."))))
    assert await standing(rooms, room) == [await text(rooms, room, event)] == ["Two."]


async def test_an_edit_of_no_shape_leaves_the_message_as_it_was(rooms: Rooms) -> None:
    room = await rooms.room()
    misshapen: list[dict[str, Any]] = [
        {},
        {"m.new_content": "nothing"},
        {"m.new_content": {}},
        {"m.new_content": {"msgtype": ["m.text"], "body": "Two."}},
    ]
    for new in misshapen:
        event = await rooms.send(room, message("One."))
        about = {"m.relates_to": {"rel_type": "m.replace", "event_id": event}}
        await rooms.send(room, {"msgtype": "m.text", "body": "* Two."} | about | new)
        assert await text(rooms, room, event) == "One."
    assert await standing(rooms, room) == ["One."] * 4


@KINDS
async def test_a_message_that_was_taken_away_is_none(rooms: Rooms, *, encrypted: bool) -> None:
    room = await rooms.room(encrypted=encrypted)
    root = await rooms.send(room, message("Evening."))
    event, answer = await rooms.send(room, message("One.")), await rooms.send(room, message("Two.", thread=root))
    await rooms.send(room, edit(event, message("Another one.")))
    for each in (event, answer):
        await rooms.redact(room, each)
        assert await text(rooms, room, each) is None
    assert await standing(rooms, room) == await standing(rooms, room, root) == ["Evening."]


@KINDS
async def test_a_thread_whose_root_was_taken_away_is_read_without_it(rooms: Rooms, *, encrypted: bool) -> None:
    room = await rooms.room(encrypted=encrypted)
    root = await rooms.send(room, message("Evening."))
    await rooms.send(room, message("One.", thread=root))
    await rooms.redact(room, root)
    assert await standing(rooms, room, root) == ["One."]


async def test_what_is_not_there_is_no_message(rooms: Rooms) -> None:
    room, other = await rooms.room(), await rooms.room()
    elsewhere = await rooms.send(other, message("Elsewhere."))
    sign = await rooms.send(room, reaction(await rooms.send(room, message("One.")), "🔄"), kind="m.reaction")
    for event in (elsewhere, sign, "$nothing", "$nothing/of:this?kind"):
        assert await text(rooms, room, event) is None
    assert await standing(rooms, room) == ["One."]


async def test_whatever_a_client_sends_is_a_message_or_none(rooms: Rooms) -> None:
    # Encrypted: a homeserver refuses some of it where it sees it.
    room = await rooms.room(encrypted=True)
    sent = [await rooms.send(room, content) for content, _ in FOREIGN]
    assert [await text(rooms, room, each) for each in sent] == [said for _, said in FOREIGN]
    assert await standing(rooms, room) == [said for _, said in reversed(FOREIGN) if said is not None]


async def test_state_is_no_message_whatever_it_calls_itself(rooms: Rooms) -> None:
    room = await rooms.room()
    events = [await rooms.set_state(room, kind, message("One.")) for kind in ("m.room.message", SEALED)]
    assert [await text(rooms, room, each) for each in events] == [None, None]
    assert await standing(rooms, room) == []


async def test_a_place_is_read_page_by_page_from_its_newest_message_to_its_first(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PAGE", 2)
    room = await rooms.room()
    root = await rooms.send(room, message("Evening."))
    for number in range(5):
        await rooms.send(room, message(f"Below {number}.", thread=root), "mirela")
        event = await rooms.send(room, message(f"Beside {number}."))
        await rooms.send(room, reaction(event, "🔄"), kind="m.reaction")
    await rooms.send(room, edit(event, message("Beside, at last.")))
    beside = ["Beside, at last.", *(f"Beside {number}." for number in (3, 2, 1, 0)), "Evening."]
    assert await standing(rooms, room) == beside
    assert await standing(rooms, room, root) == [*(f"Below {number}." for number in (4, 3, 2, 1, 0)), "Evening."]


@KINDS
async def test_the_bots_own_posts_stand_under_their_names(rooms: Rooms, *, encrypted: bool) -> None:
    room = await rooms.room(encrypted=encrypted)
    root = await rooms.send(room, message("Evening."))
    await rooms.post(room, "Beside: it rains.")
    await rooms.post(room, "Below: it rains.", root)
    [beside, _] = [each async for each in rooms.past.of(place_of(room))]
    [below, _] = [each async for each in rooms.past.of(place_of(room, root))]
    assert isinstance(beside, Said)
    assert isinstance(below, Said)
    assert (beside.sender, beside.as_name, beside.text) == (rooms.bot, "Mira", "Beside: it rains.")
    assert (below.as_name, below.text, below.root) == ("Mira", "Below: it rains.", root)


async def test_a_message_that_cannot_be_read_is_told_in_its_place_alone(rooms: Rooms) -> None:
    room, other = await rooms.room(encrypted=True), await rooms.room(encrypted=True)
    root = await rooms.send(room, message("Evening."))
    beside = await rooms.seal(room, {})
    below = await rooms.seal(room, message("", thread=root))
    assert await standing(rooms, room) == [beside, "Evening."]
    assert await standing(rooms, room, root) == [below, "Evening."]
    assert await standing(rooms, other) == []
    found = await rooms.past.message(room, below)
    assert isinstance(found, Sealed)
    assert (found.event, found.root) == (below, root)
    assert found.at > 0


async def test_an_edit_that_cannot_be_read_is_no_message_of_its_own(rooms: Rooms) -> None:
    room = await rooms.room(encrypted=True)
    event = await rooms.send(room, message("One."))
    changed = await rooms.seal(room, {"m.relates_to": {"rel_type": "m.replace", "event_id": event}})
    assert await text(rooms, room, changed) is None
    assert await standing(rooms, room) == ["One."]


async def test_a_message_that_could_not_be_read_and_was_taken_away_is_none(rooms: Rooms) -> None:
    room = await rooms.room(encrypted=True)
    event = await rooms.seal(room, {})
    await rooms.redact(room, event)
    assert await text(rooms, room, event) is None
    assert await standing(rooms, room) == []


async def test_what_is_not_for_the_bot_to_see_is_none(rooms: Rooms) -> None:
    room, event = await rooms.before_it_came("A secret.")
    await rooms.send(room, message("Hello."))
    assert await text(rooms, room, event) is None
    assert await standing(rooms, room) == ["Hello."]


async def test_what_is_said_once_the_bot_was_put_out_of_a_room_is_not_seen(rooms: Rooms) -> None:
    room = await rooms.room()
    await rooms.send(room, message("One."))
    await rooms.send_away(room)
    assert await text(rooms, room, await rooms.send(room, message("A secret."))) is None
    assert await standing(rooms, room) == ["One."]
