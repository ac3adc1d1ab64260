"""JSON from outside as values, within limits, and values as JSON of one form. It knows no card.

Rule: the text is measured before Python's parser sees it, because that one stops for neither depth nor memory.
"""

import json
import math
import re
from typing import TypeAlias

from bot.cards.limits import JSON_BYTES, JSON_DEPTH, JSON_VALUES
from bot.cleaning import without_surrogates
from bot.errors import Refused

Object: TypeAlias = dict[str, object]

# Possessive, and without the need of a closing quote: whatever the text, it is walked through once.
_STRING_OR_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_object(data: bytes) -> Object:
    """The one JSON object that these bytes are; of a key that stands twice, the last one counts.

    Numbers are finite, and strings hold no lone surrogates. Raises Refused.
    """
    if len(data) > JSON_BYTES:
        raise _too_long(len(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("The JSON is not written in UTF-8; save it as UTF-8 and send it again.") from error
    return parse_object(text)


def parse_object(text: str) -> Object:
    """The same for a text that is decoded already."""
    measure(text)
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except ValueError as error:
        raise Refused("The JSON is damaged or cut off; export it once more and send it again.") from error
    if not isinstance(value, dict):
        raise Refused("The JSON is not an object in braces; send the file as the other program exported it.")
    if _SURROGATE.search(text):
        repaired: Object = json.loads(without_surrogates(canonical(value)))
        return repaired
    return value


def measure(text: str) -> None:
    """Raises Refused when a JSON text is too long or too deep, or holds too many values."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    if size > JSON_BYTES:
        raise _too_long(size)
    depth = 0
    for values, found in enumerate(_STRING_OR_MARK.finditer(text), 1):
        mark = text[found.start()]
        depth += (mark in "[{") - (mark in "]}")
        if depth > JSON_DEPTH:
            raise Refused(f"The JSON is nested more than {JSON_DEPTH} deep, which no card needs; export it once more.")
        if values > JSON_VALUES:
            raise Refused(f"The JSON holds more than {JSON_VALUES:,} values; take entries out of its lorebook.")


def canonical(value: object) -> str:
    """A value as JSON in one line without needless spaces; keys stay in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def object_at(holder: Object, key: str) -> Object | None:
    """The object under this key, if there is one and it is an object."""
    value = holder.get(key)
    return value if isinstance(value, dict) else None


def _too_long(size: int) -> Refused:
    return Refused(f"The JSON has {size:,} bytes and at most {JSON_BYTES:,} are read; take entries out of its lorebook.")


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
