"""How long a reply may become, and which modifier asks for how much. It measures nothing: figures come as a table.

No table of the modifiers' lengths was ever published, and a model follows them on average only. So a table belongs to the one
model that it was measured with; without one, only the context limits a reply, which can be continued when it was cut.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.story.settings import Length

SHARE_OF_CONTEXT = 4
"""A reply takes at most this part of the context: the rest is the story's."""

MOST_TOKENS = 1_000_000
"""No figure of a table is larger."""

FIGURES = "the two figures of a length must be whole numbers from 1, the median no larger than the most"

_SCALE = tuple(Length)
_BESIDE_NO_MODIFIER = MappingProxyType({-1: Length.SHORT, 1: Length.LONG})
_MATCHED = tuple(length for length in Length if length is not Length.UNLIMITED)

# By the sound of the words, each about one and a half times the one before; measured with nothing.
_WORDS: Mapping[Length, int] = MappingProxyType(
    {
        Length.MICRO: 10,
        Length.TINY: 20,
        Length.SHORT: 45,
        Length.MEDIUM: 90,
        Length.LONG: 160,
        Length.MASSIVE: 250,
        Length.HUGE: 380,
        Length.ENORMOUS: 550,
        Length.HUMONGOUS: 800,
    }
)


@dataclass(frozen=True, slots=True)
class LengthTable:
    """What one model makes of the modifiers, in its own tokens: the median of its replies, and the most that one may have.

    A modifier that was not measured is missing in both. One whose longest replies were cut in the measuring is missing in
    `most`: how long they would have become is not known.
    """

    median: Mapping[Length, int]
    most: Mapping[Length, int]


def reply_budget(length: Length | None, context: int, table: LengthTable | None = None) -> int:
    """The most tokens that a reply may have: what the table says of its modifier, and never more than a quarter of the context.

    Without a table, without a modifier, and where the table says nothing of it, the context alone counts.
    """
    room = max(1, context // SHARE_OF_CONTEXT)
    most = table.most.get(length) if table is not None and length is not None else None
    return room if most is None else min(most, room)


def match_length(size: int, table: LengthTable | None) -> Length:
    """The modifier that asks for about as much as a post of this size has: the one whose median is nearest, by ratio.

    `size` is in the model's tokens where there is a table, and in words without one: the fallback takes "medium" for 90
    words, "short" for half and "long" for nearly twice as many. "Unlimited" asks for no length and is never the answer.
    """
    medians = {} if table is None else {length: table.median[length] for length in _MATCHED if length in table.median}
    known = medians or _WORDS
    return min(known, key=lambda length: abs(math.log(max(size, 1) / known[length])))


def shorter(length: Length | None) -> Length:
    """The next shorter modifier; the shortest stays. Replies that come as they come (None) are next asked to be short."""
    return _beside(length, -1)


def longer(length: Length | None) -> Length:
    """The next longer modifier; the longest stays. Replies that come as they come (None) are next asked to be long."""
    return _beside(length, 1)


def table_of(document: object) -> tuple[str, LengthTable]:
    """The model's fingerprint and its table, from what a table's file holds as JSON. Raises ValueError with what is wrong.

    The file is ours: `{"fingerprint": "...", "lengths": {"short": {"median": 49, "most": 90}, ...}}`, with any other keys
    beside these; `most` may be left out.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - a wrong file, not a wrong call
    fingerprint, lengths = document.get("fingerprint"), document.get("lengths")
    if not isinstance(fingerprint, str) or not fingerprint:
        raise ValueError('it names no "fingerprint" of a model')
    if not isinstance(lengths, dict) or not lengths or not set(lengths) <= set(Length):
        raise ValueError('its "lengths" must have the modifiers as keys, at least one of them')
    medians = {Length(name): _figure(of, "median") for name, of in lengths.items()}
    most = {Length(name): _figure(of, "most") for name, of in lengths.items() if "most" in of}
    if any(most[length] < medians[length] for length in most):
        raise ValueError(FIGURES)
    return fingerprint, LengthTable(MappingProxyType(medians), MappingProxyType(most))


def _figure(figures: object, name: str) -> int:
    found = figures.get(name) if isinstance(figures, dict) else None
    if type(found) is not int or not 0 < found <= MOST_TOKENS:
        raise ValueError(FIGURES)
    return found


def _beside(length: Length | None, step: int) -> Length:
    if length is None:
        return _BESIDE_NO_MODIFIER[step]
    return _SCALE[min(max(_SCALE.index(length) + step, 0), len(_SCALE) - 1)]
