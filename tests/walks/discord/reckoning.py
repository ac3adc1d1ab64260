"""What became of everything that players wrote: Discord's own record, held against the store. It changes nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.discord.words import ids_of, place_of
from bot.ids import EventId
from bot.ports.store import Shown, Store
from bot.story.turn import Role, Turn, VariantState
from tests.fakes.discord import Channel, LoopbackDiscord, Message
from tests.walks.discord.fault_actor import NUMBER

QUOTED = re.compile(r"line 1 to ([\d and]+),")
NUMBERS = re.compile(r"\d+")
SIGN, GOES_ON = "-# ⏳ ", "-# ↪ "


@dataclass(slots=True)
class Reckoning:
    """Sentences about all that is wrong, and how much there was of everything."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.disordered, *self.strange]


@dataclass(frozen=True, slots=True)
class Scene:
    """One thread as Discord shows it, and as the store knows it."""

    name: str
    posts: Sequence[Message]
    replies: Sequence[Message]
    said: Sequence[Message]
    turns: Sequence[Turn]
    shown: Sequence[Shown]

    def about(self, what: object) -> str:
        return f"{self.name}: {what}"


async def reckon(discord: LoopbackDiscord, store: Store, threads: Iterable[Channel]) -> Reckoning:
    """Hold every thread against its story."""
    found = Reckoning()
    for thread in threads:
        scene = await _scene(discord, store, thread)
        _posts(scene, found)
        _answers(scene, found)
        _shown(scene, found)
        _ever_doubled(discord, thread, found)
    for what, open_ones in (("waits", await store.waiting()), ("is undelivered", await store.outstanding())):
        found.lost += [f"{each} {what}" for each in open_ones]
    found.strange += [f"a request {each.route}" for each in discord.strange]
    return found


async def _scene(discord: LoopbackDiscord, store: Store, thread: Channel) -> Scene:
    place, messages = place_of(thread.id), discord.messages(thread)
    session = await store.session_at(place)
    assert session is not None
    turns, page = await store.turns(session.id), await store.page(place, limit=10_000)
    posts = [each for each in messages if not each.author.is_bot and each.id != thread.id]
    replies = [each for each in messages if each.webhook_id is not None]
    said = [each for each in messages if each.author.id == discord.bot_id and each.webhook_id is None]
    return Scene(thread.name, posts, replies, said, turns, page.shown)


def _posts(scene: Scene, found: Reckoning) -> None:
    """Every post of a player is in one turn, in order, as it reads now; and nothing else is."""
    standing = {str(each.id): each for each in scene.posts}
    made = Counter(source for turn in scene.turns for source in turn.sources)
    found.counts["posts"] += len(standing)
    found.lost += [scene.about(f"no turn of {each.content!r}") for id_, each in standing.items() if not made[EventId(id_)]]
    found.doubled += [scene.about(f"two turns of message {source}") for source, times in made.items() if times > 1]
    order = [int(source) for turn in scene.turns for source in turn.sources]
    if order != sorted(order):
        found.disordered.append(scene.about("turns stand in another order than their posts"))
    for turn in scene.turns:
        says = "\n\n".join(standing[source].content for source in turn.sources if source in standing)
        if turn.role is Role.PLAYER and turn.text != says:
            found.strange.append(scene.about(f"the turn says {turn.text!r}, its posts {says!r}"))


def _answers(scene: Scene, found: Reckoning) -> None:
    """Every post of a player is answered by the reply after its turn, and by no other one."""
    quoted = [(turn.number, set(NUMBERS.findall(first[1]))) for turn in scene.turns if (first := QUOTED.search(turn.text))]
    times = Counter(number for _, numbers in quoted for number in numbers)
    for turn in scene.turns:
        after = next((numbers for number, numbers in quoted if number > turn.number), set())
        asked = NUMBER.findall(turn.text) if turn.role is Role.PLAYER else []
        found.lost += [scene.about(f"no reply to post {number}") for number in asked if number not in after]
        found.doubled += [scene.about(f"{times[number]} replies to post {number}") for number in asked if times[number] > 1]
        if turn.variant.state is not VariantState.WHOLE:
            found.lost.append(scene.about(f"turn {turn.number} is {turn.variant.state}"))
    found.counts["replies"] += len(quoted)


def _shown(scene: Scene, found: Reckoning) -> None:
    """What stands as the character's is what the store says, in order, each post once, under the ids that it has noted."""
    wanted = [post.strip() for turn in scene.turns if turn.role is Role.CHARACTER for post in turn.posts]
    stands = [each.content for each in scene.replies]
    found.counts["reply posts"] += len(stands)
    missing, extra = Counter(wanted) - Counter(stands), Counter(stands) - Counter(wanted)
    found.lost += [scene.about(f"the post {text[:60]!r} does not stand") for text in missing]
    found.doubled += [scene.about(f"the post {text[:60]!r} stands too often") for text in extra]
    if not missing and not extra and wanted != stands:
        found.disordered.append(scene.about("posts of replies stand in another order"))
    noted = {ids_of(each.message)[1] for each in scene.shown if each.post.position is not None}
    if noted != {each.id for each in scene.replies}:
        found.strange.append(scene.about("the store has noted other messages than those that stand"))
    for each in scene.said:
        found.counts["lines where replies go on"] += each.content.startswith(GOES_ON)
        if not each.content.startswith(GOES_ON):
            found.strange.append(scene.about(f"the bot said {each.content!r}"))


def _ever_doubled(discord: LoopbackDiscord, thread: Channel, found: Reckoning) -> None:
    """No text was ever posted while the same text stood already."""
    stood: dict[int, str] = {}
    for change in discord.history(thread):
        if change.kind == "create" and change.content in stood.values() and not change.content.startswith(SIGN):
            found.doubled.append(f"{thread.name}: {change.content[:60]!r} was posted while it stood")
        stood[change.id] = change.content
        if change.kind == "delete":
            del stood[change.id]
