"""The dates of SillyTavern's files, in every spelling it has used. It knows no chat."""

import math
import re
from datetime import UTC, datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}), (\d{4}) (\d{1,2}):(\d{2}) ?([AaPp])\.?[Mm]\.?")
_HUMANISED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2}) ?@ ?(\d{1,2})h ?(\d{1,2})m ?(\d{1,2})s(?: ?(\d{1,3})ms)?")
_NOON = 12
_LONGEST = 64


def read_date(value: object) -> datetime | None:
    """The moment that a date of a chat means; None when it says nothing that is understood.

    Read are "June 19, 2023 2:20pm", "2023-6-19 @14h 20m 13s 123ms", ISO 8601 and milliseconds since 1970, as a
    number or as digits. A date without a zone was the local time of a machine that nobody knows: it is taken as UTC.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_milliseconds(value)
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _from_milliseconds(int(text))
    try:
        return _from_words(text) or _from_humanised(text) or _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def written_date(moment: datetime) -> str:
    """A moment as newer builds write it: ISO 8601 in UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _from_milliseconds(value: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(value / 1_000, UTC) if math.isfinite(value) else None
    except (OverflowError, ValueError, OSError):
        return None


def _from_words(text: str) -> datetime | None:
    found = _WORDS.fullmatch(text)
    if found is None or found[1][:3].lower() not in _MONTHS:
        return None
    hour = int(found[4]) % _NOON + (_NOON if found[6] in "pP" else 0)
    return datetime(int(found[3]), _MONTHS.index(found[1][:3].lower()) + 1, int(found[2]), hour, int(found[5]), tzinfo=UTC)


def _from_humanised(text: str) -> datetime | None:
    found = _HUMANISED.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    return datetime(year, month, day, hour, minute, second, int(found[7] or 0) * 1_000, tzinfo=UTC)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
