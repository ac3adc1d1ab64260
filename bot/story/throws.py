"""One throw of like dice: which are kept, thrown again, or bring another. It knows no expression around it."""

import random
from dataclasses import dataclass, replace

from bot.errors import Refused

MOST_DICE = 100
FACES_MOST = 1000


@dataclass(frozen=True, slots=True)
class Keep:
    """Which dice of a throw count: the `number` highest (or lowest) of them are kept, or else dropped."""

    is_kept: bool
    is_highest: bool
    number: int

    @classmethod
    def best(cls, *, is_highest: bool) -> "Keep":
        """The one highest, or the one lowest."""
        return cls(True, is_highest, 1)

    @classmethod
    def read(cls, word: str, number: int) -> "Keep":
        """What `kh`, `k`, `kl`, `dh` or `dl` and a number mean."""
        return cls(word[0] == "k", word in ("k", "kh", "dh"), number)

    @property
    def text(self) -> str:
        """How it is written: "kh3"."""
        return f"{'k' if self.is_kept else 'd'}{'h' if self.is_highest else 'l'}{self.number}"

    def left_of(self, dice: int) -> int:
        """How many of so many dice count."""
        return min(self.number, dice) if self.is_kept else max(dice - self.number, 0)


@dataclass(frozen=True, slots=True)
class Reroll:
    """Which dice are thrown once more: those that stand so to `value`. The second throw counts, whatever it shows."""

    comparison: str
    value: int

    @property
    def text(self) -> str:
        """How it is written: "r<2"."""
        return f"r{self.comparison}{self.value}"

    def meets(self, face: int) -> bool:
        """Whether a die that shows this is thrown again."""
        if face == self.value:
            return "=" in self.comparison
        return ("<" if face < self.value else ">") in self.comparison


@dataclass(frozen=True, slots=True)
class Throw:
    """`count` dice with the faces from `low` to `high`, and what becomes of them."""

    count: int
    low: int
    high: int
    keep: Keep | None = None
    explodes: bool = False
    reroll: Reroll | None = None

    @property
    def is_fate(self) -> bool:
        """Whether these are Fate dice, with faces from -1 to 1."""
        return self.low < 0

    @property
    def text(self) -> str:
        """How it is written: "4d6kh3"."""
        again = self.reroll.text if self.reroll else ""
        kept = self.keep.text if self.keep else ""
        return f"{self.count}d{'F' if self.is_fate else self.high}{again}{'!' if self.explodes else ''}{kept}"

    @property
    def reach(self) -> tuple[int, int]:
        """The least and the greatest total."""
        fewest, most = (self._counting(dice) for dice in (self.count, MOST_DICE if self.explodes else self.count))
        return min(fewest * self.low, most * self.low), most * self.high

    def with_keep(self, keep: Keep) -> "Throw":
        """This throw, of which only some dice count. Raises Refused when that was said before or leaves none."""
        if self.keep:
            raise Refused("Say only once which dice are kept or dropped.")
        if not keep.left_of(self.count):
            raise Refused(f"{self.text}{keep.text} leaves no die to count; keep at least one.")
        return replace(self, keep=keep)

    def exploding(self) -> "Throw":
        """This throw with one more die for each highest face. Raises Refused for dice that would never stop."""
        if self.is_fate or self.high == self.low:
            raise Refused("Only dice with two sides or more can explode, and Fate dice cannot.")
        return replace(self, explodes=True)

    def with_reroll(self, reroll: Reroll) -> "Throw":
        """This throw with some faces thrown once more. Raises Refused when that was said before, and for Fate dice."""
        if self.reroll or self.is_fate:
            raise Refused("Say only once which dice are thrown again; Fate dice never are.")
        return replace(self, reroll=reroll)

    def _counting(self, dice: int) -> int:
        return self.keep.left_of(dice) if self.keep else dice


@dataclass(frozen=True, slots=True)
class Thrown:
    """What a throw came to, with every die in words: "6!, 5, 1→4, 2 dropped"."""

    total: int
    detail: str


def thrown(throw: Throw, chance: random.Random) -> Thrown:
    """Throw the dice. Those that explode bring no more than `MOST_DICE` in all."""
    faces: list[int] = []
    notes: list[str] = []
    wanted = throw.count
    while len(faces) < wanted:
        face = chance.randint(throw.low, throw.high)
        again = ""
        if throw.reroll and throw.reroll.meets(face):
            again, face = f"{face}→", chance.randint(throw.low, throw.high)
        explodes = throw.explodes and face == throw.high and wanted < MOST_DICE
        wanted += explodes
        faces.append(face)
        notes.append(f"{again}{f'{face:+d}' if throw.is_fate and face else face}{'!' if explodes else ''}")
    counting = _counting(throw.keep, faces)
    words = [note if at in counting else f"{note} dropped" for at, note in enumerate(notes)]
    return Thrown(sum(faces[at] for at in counting), ", ".join(words))


def _counting(keep: Keep | None, faces: list[int]) -> set[int]:
    """The places of the dice that count."""
    upwards = sorted(range(len(faces)), key=faces.__getitem__)
    if keep is None:
        return set(upwards)
    left = keep.left_of(len(faces))
    # The highest are kept at the end of the row; dropped ones leave the other end.
    return set(upwards[-left:] if keep.is_kept == keep.is_highest else upwards[:left])
