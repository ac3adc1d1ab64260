"""JSON as chat files hold it, one object a line: parsed within bounds, spelled without loss. It knows no chat."""

import json
import math
import re

from bot.transcripts.sillytavern.chat import Json

DEEPEST = 64
"""How far the objects of a line may nest."""

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def parsed(line: bytes) -> Json | None:
    """The object that a line spells; None when it is none, is no UTF-8, or nests too deep to be touched safely."""
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    # Most lines have too few brackets to nest deep: only the others are walked through.
    if not isinstance(value, dict) or (line.count(b"{") + line.count(b"[") > DEEPEST and _nests_too_deep(value)):
        return None
    return value


def spelled(value: object) -> str:
    """The JSON text of a value, on one line and without spaces, that every store and file can hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Halves of letters cannot be written as UTF-8, only escaped.
    return json.dumps(value, separators=(",", ":"), allow_nan=False) if _SURROGATES.search(text) else text


def plain(text: str) -> str:
    """A text as the story keeps it: newlines of one kind, no control characters but tab, no halves of letters.

    Bidirectional embeddings, overrides and isolates are removed, as they are from posts.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)))


def _nests_too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inner if isinstance(each, dict | list)]


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> float:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
