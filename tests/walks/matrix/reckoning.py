"""What became of everything that players wrote on Matrix: the rooms' own timelines, held against the store."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from adapters.matrix.words import place_of
from bot.ports.store import Store
from tests.homeserver.people import Person
from tests.homeserver.shown import PROFILE, Event, Shown, relation
from tests.walks.quoting import NUMBER
from tests.walks.reckoning import NUMBERS, QUOTED_ANYWHERE, Reckoning, Scene, Stands, hold

MESSAGES = frozenset({"m.room.message", "m.room.encrypted"})
BeforeRedaction = Callable[[str], Mapping[str, Any]]
"""What an event held before it was redacted."""


async def reckon(reader: Person, bot: str, store: Store, rooms: Iterable[str]) -> Reckoning:
    """Hold every room, as a person in it sees it, against its story."""
    found = Reckoning()
    for room in rooms:
        await _room(reader, bot, store, room, found)
    for what, open_ones in (("waits", await store.waiting()), ("is undelivered", await store.outstanding())):
        found.lost += [f"{each} {what}" for each in open_ones]
    return found


async def ever_doubled(reader: Person, bot: str, rooms: Iterable[str], held: BeforeRedaction) -> list[str]:
    """Texts that the bot posted in a character's name while they stood already, also those that it took away afterwards."""
    return [
        f"{room}: {text[:60]!r} was posted while it stood" for room in rooms for text in await _doubled(reader, bot, room, held)
    ]


async def _doubled(reader: Person, bot: str, room: str, held: BeforeRedaction) -> list[str]:
    stood, doubled = dict[str, str](), list[str]()
    for event in [each for each in await reader.timeline(room) if each["sender"] == bot]:
        if event["type"] == "m.room.redaction":
            stood.pop(event["content"].get("redacts", event.get("redacts")), None)
        elif event["type"] in MESSAGES and PROFILE in (said := _said(reader, room, event, held)):
            text = str(said.get("m.new_content", said)["body"])
            changed = relation({"content": said}).get("event_id") if "m.new_content" in said else None
            doubled += [text] if changed is None and text in stood.values() else []
            stood[changed or event["event_id"]] = text
    return doubled


def _said(reader: Person, room: str, event: Event, held: BeforeRedaction) -> Mapping[str, Any]:
    whole = event if event["content"] else reader.opened(room, {**event, "content": held(event["event_id"])})
    return dict(whole["content"])


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
    found.strange += [scene.about(f"{each.event_id} cannot be read") for each in messages if not each.is_readable]
    gone = [each for each in events if each["sender"] == bot and each["type"] in MESSAGES and not each["content"]]
    found.counts["messages that the bot took away"] += len(gone)
    _refusals(scene, bot, messages, events, found)
    _before_answers(scene, bot, messages, found)


def _refusals(scene: Scene, bot: str, messages: Iterable[Shown], events: Iterable[Event], found: Reckoning) -> None:
    """Beside its posts, the bot says no more than one sentence to each command or sign; below it, if it is refused at once."""
    signs = [each for each in events if each["type"] == "m.reaction" and each["sender"] != bot]
    asked = Counter(each.event_id for each in messages if each.sender != bot and each.text.startswith("!rp "))
    asked += Counter(str(relation(each).get("event_id")) for each in signs)
    said = [each for each in messages if each.sender == bot and each.name is None and each.is_readable]
    found.counts["refusals"] += len(said)
    often = Counter(each.reply_to for each in said if each.reply_to is not None) - asked
    found.doubled += [scene.about(f"the bot answered {asked[event]} times and {times} more") for event, times in often.items()]
    if len(said) > asked.total():
        found.strange.append(scene.about(f"nobody asked for all of {[each.text for each in said]}"))


def _before_answers(scene: Scene, bot: str, messages: Sequence[Shown], found: Reckoning) -> None:
    """Every post of a reply stands after all posts of players that it answers, those aside that were taken away."""
    stands = {
        number: place for place, each in enumerate(messages) if each.sender != bot for number in NUMBER.findall(each.text)
    }
    for place, each in enumerate(messages):
        if each.sender == bot and (quoted := QUOTED_ANYWHERE.search(each.text)):
            early = {number for number in NUMBERS.findall(quoted[1]) if stands.get(number, -1) > place}
            found.disordered += [scene.about(f"a reply to post {number} stands before it") for number in sorted(early)]


def _standing(messages: Iterable[Shown]) -> Sequence[Stands]:
    return [Stands(each.event_id, each.text) for each in messages]
