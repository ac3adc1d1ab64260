"""What became of everything that players wrote on Matrix: the rooms' own timelines, held against the store."""

from collections.abc import Iterable, Sequence

from adapters.matrix.words import place_of
from bot.ports.store import Store
from tests.homeserver.people import Person
from tests.homeserver.shown import Shown
from tests.walks.quoting import NUMBER
from tests.walks.reckoning import NUMBERS, QUOTED_ANYWHERE, Reckoning, Scene, Stands, hold

MESSAGES = frozenset({"m.room.message", "m.room.encrypted"})


async def reckon(reader: Person, bot: str, store: Store, rooms: Iterable[str]) -> Reckoning:
    """Hold every room, as a person in it sees it, against its story."""
    found = Reckoning()
    for room in rooms:
        await _room(reader, bot, store, room, found)
    for what, open_ones in (("waits", await store.waiting()), ("is undelivered", await store.outstanding())):
        found.lost += [f"{each} {what}" for each in open_ones]
    return found


async def _room(reader: Person, bot: str, store: Store, room: str, found: Reckoning) -> None:
    """Hold a room against its story: what stands, under the ids that the store has noted, and nothing else."""
    place, messages, events = place_of(room), await reader.shown_everywhere(room), await reader.timeline(room)
    session = await store.session_at(place)
    assert session is not None
    posts = [each for each in messages if each.sender != bot and NUMBER.match(each.text)]
    replies = [each for each in messages if each.sender == bot and each.name is not None]
    scene = Scene(room, _standing(posts), _standing(replies), await store.turns(session.id))
    hold(scene, found)
    page = await store.page(place, limit=10_000)
    if [each.message for each in page.shown if each.post.position is not None] != [each.event_id for each in replies]:
        found.strange.append(scene.about("the store has noted other messages than those that stand, or in another order"))
    others = [each for each in messages if each.sender == bot and each.name is None]
    found.strange += [scene.about(f"the bot said {each.text!r}") for each in others if each.is_readable]
    found.strange += [scene.about(f"{each.event_id} cannot be read") for each in messages if not each.is_readable]
    gone = [each for each in events if each["sender"] == bot and each["type"] in MESSAGES and not each["content"]]
    found.doubled += [scene.about(f"the bot took its message {each['event_id']} away") for each in gone]
    _before_answers(scene, bot, messages, found)


def _before_answers(scene: Scene, bot: str, messages: Iterable[Shown], found: Reckoning) -> None:
    """Every post of a reply stands after all posts of players that it answers."""
    asked = set[str]()
    for each in messages:
        if each.sender != bot:
            asked |= set(NUMBER.findall(each.text))
        elif quoted := QUOTED_ANYWHERE.search(each.text):
            early = set(NUMBERS.findall(quoted[1])) - asked
            found.disordered += [scene.about(f"a reply to post {number} stands before it") for number in sorted(early)]


def _standing(messages: Iterable[Shown]) -> Sequence[Stands]:
    return [Stands(each.event_id, each.text) for each in messages]
