"""How well the check on minors tells the labelled sentences apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.safety.minors import find_minor
from tests.safety.labelled import Labelled


@dataclass(frozen=True, slots=True)
class Score:
    """How many sentences there were, and those that were judged wrongly."""

    total: int
    wrong: tuple[Labelled, ...]

    @property
    def share_right(self) -> float:
        """1 where nothing was judged wrongly."""
        return 1 - self.share_wrong

    @property
    def share_wrong(self) -> float:
        """0 where nothing was judged wrongly."""
        return len(self.wrong) / self.total if self.total else 0.0


def score(sentences: Iterable[Labelled], *, is_minor: bool) -> Score:
    """Of the sentences with this label. For minors, `share_right` is the recall; else `share_wrong` is the false positives."""
    asked = [each for each in sentences if each.is_minor is is_minor]
    return Score(len(asked), tuple(each for each in asked if (find_minor(each.text) is not None) is not is_minor))


def by_category(sentences: Iterable[Labelled], *, is_minor: bool) -> dict[str, Score]:
    """The same for each category."""
    kept = tuple(sentences)
    names = sorted({each.category for each in kept if each.is_minor is is_minor})
    return {name: score((each for each in kept if each.category == name), is_minor=is_minor) for name in names}
