"""What became of everything that players wrote: what stands in a place, held against its story. Pure; it knows no platform."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.ids import EventId
from bot.story.turn import Role, Turn, VariantState
from tests.walks.quoting import NUMBER

QUOTED = re.compile(r"line 1 to ([\d and]+),")
QUOTED_ANYWHERE = re.compile(r"line \d+ to ([\d and]+),")
NUMBERS = re.compile(r"\d+")


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
class Stands:
    """A message that stands in a place."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One place as its platform shows it, in that order, and its story as the store knows it."""

    name: str
    posts: Sequence[Stands]
    replies: Sequence[Stands]
    turns: Sequence[Turn]

    def about(self, what: object) -> str:
        return f"{self.name}: {what}"


def hold(scene: Scene, found: Reckoning) -> None:
    """Hold what stands against the story; what is wrong is added to what was found."""
    _posts(scene, found)
    _answers(scene, found)
    _replies(scene, found)


def _posts(scene: Scene, found: Reckoning) -> None:
    """Every post of a player is in one turn, in order, as it reads now; and nothing else is."""
    standing = {each.id: each for each in scene.posts}
    made = Counter(source for turn in scene.turns for source in turn.sources)
    found.counts["posts"] += len(standing)
    found.lost += [scene.about(f"no turn of {each.text!r}") for id_, each in standing.items() if not made[EventId(id_)]]
    found.doubled += [scene.about(f"two turns of message {source}") for source, times in made.items() if times > 1]
    order = [source for turn in scene.turns for source in turn.sources if source in standing]
    if order != [each for each in standing if each in made]:
        found.disordered.append(scene.about("turns stand in another order than their posts"))
    for turn in scene.turns:
        says = "\n\n".join(standing[source].text for source in turn.sources if source in standing)
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


def _replies(scene: Scene, found: Reckoning) -> None:
    """What stands as the character's is what the store says, in order, each post once."""
    wanted = [post.strip() for turn in scene.turns if turn.role is Role.CHARACTER for post in turn.posts]
    stands = [each.text for each in scene.replies]
    found.counts["reply posts"] += len(stands)
    missing, extra = Counter(wanted) - Counter(stands), Counter(stands) - Counter(wanted)
    found.lost += [scene.about(f"the post {text[:60]!r} does not stand") for text in missing]
    found.doubled += [scene.about(f"the post {text[:60]!r} stands too often") for text in extra]
    if not missing and not extra and wanted != stands:
        found.disordered.append(scene.about("posts of replies stand in another order"))
