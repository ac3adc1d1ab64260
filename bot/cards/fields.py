"""Single values of a JSON object as what our values hold: mended where that is clear, left out and told where it is not.

It knows no card and no lorebook.
"""

import math
from dataclasses import dataclass, field

from bot.cards.jsontext import Object
from bot.cards.limits import LARGEST_NUMBER, TEXT_LENGTH
from bot.cleaning import LINE_ENDS, without_traps
from bot.errors import Refused

TRAPS = "Invisible control characters in its texts were taken out."


@dataclass(frozen=True, slots=True)
class Notes:
    """What was left out or mended in one file so far, one plain sentence each, none of them twice."""

    _sentences: dict[str, None] = field(default_factory=dict)

    def add(self, sentence: str) -> None:
        """One more sentence, unless it was said before."""
        self._sentences[sentence] = None

    def all(self) -> tuple[str, ...]:
        """The sentences in the order they came."""
        return tuple(self._sentences)


def text(holder: Object, key: str, notes: Notes, limit: int = TEXT_LENGTH) -> str:
    """A text without what could harm and without outer white space. Raises Refused when it is longer than `limit`."""
    return whole_text(holder, key, notes, limit).strip()


def whole_text(holder: Object, key: str, notes: Notes, limit: int = TEXT_LENGTH) -> str:
    """The same with its outer white space."""
    value = holder.get(key, "")
    if isinstance(value, str):
        return _clean(value, key, notes, limit)
    if value is not None:
        notes.add(f'"{key}" is not a text and was left out.')
    return ""


def texts(holder: Object, key: str, notes: Notes, most: int, limit: int = TEXT_LENGTH) -> tuple[str, ...]:
    """A list of such texts, the empty ones left out. Raises Refused when there are more than `most`."""
    value = holder.get(key) or []
    if not isinstance(value, list):
        notes.add(f'"{key}" is not a list and was left out.')
        return ()
    if len(value) > most:
        raise Refused(f'"{key}" has {len(value):,} texts and at most {most:,} are taken; take some out.')
    if not all(isinstance(each, str) for each in value):
        notes.add(f'Something in "{key}" is not a text and was left out.')
    cleaned = (_clean(each, key, notes, limit).strip() for each in value if isinstance(each, str))
    return tuple(each for each in cleaned if each)


def flag(holder: Object, key: str, *, default: bool = False) -> bool:
    """A yes or no; anything else is the default."""
    value = holder.get(key)
    return value if isinstance(value, bool) else default


def number(holder: Object, key: str, default: int) -> int:
    """A whole number within our largest; a fraction is cut, and what is no number is the default."""
    found = whole(holder.get(key))
    return default if found is None else max(-LARGEST_NUMBER, min(found, LARGEST_NUMBER))


def amount(holder: Object, key: str) -> int | None:
    """A whole number from 0 to our largest, or None when there is no such number."""
    found = whole(holder.get(key))
    return None if found is None or found < 0 else min(found, LARGEST_NUMBER)


def whole(value: object) -> int | None:
    """A number of JSON as a whole one; None for anything else."""
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _clean(value: str, key: str, notes: Notes, limit: int) -> str:
    if len(value) > limit:
        raise Refused(f'"{key}" has {len(value):,} characters and at most {limit:,} are taken; shorten it.')
    if value.isascii() and value.isprintable():
        return value
    lines = LINE_ENDS.sub("\n", value)
    cleaned = without_traps(lines)
    if cleaned != lines:
        notes.add(TRAPS)
    return cleaned
