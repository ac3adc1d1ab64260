"""What is wrong in a configuration, as sentences for whoever wrote it. The one place that knows pydantic's error codes."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic_core import ErrorDetails

from adapters.config.lines import Keys, line_of
from adapters.config.secrets import SECRETS

KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list in square brackets",
    "literal_error": "one of {expected}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "less_than": "below {lt}",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length} characters long",
    "finite_number": "a number that is neither infinite nor nan",
}
UNKNOWN = {"unexpected_keyword_argument", "extra_forbidden"}
NO_TABLE = {"dataclass_type", "dataclass_exact_type", "dict_type"}
_WORD = "a word of up to 64 letters, digits, dots, dashes and underscores, a letter or digit first"
_USER = 'a user id, such as "@you:example.org"'
PATTERNS = {
    ("character", "name"): "one line without a colon, because the model reads it as `Name:`",
    ("player", "name"): "one line without a colon, because the model reads it as `Name:`",
    ("model", "adapters", "name"): _WORD,
    ("story", "adapter"): _WORD,
    ("matrix", "operators"): _USER,
    ("matrix", "users"): _USER,
    ("matrix", "servers"): 'the name of a homeserver, such as "example.org", or "*" for all of them',
    ("matrix", "rooms"): 'the id of a room, which begins with "!" (no alias, which begins with "#")',
    ("matrix", "prefix"): "letters, digits and signs without a space between them, at most 16",
    ("engine", "session_header"): "the name of a header, of letters, digits and dashes, or empty",
}
"""What a text has to look like, by its keys. Any other text only has to hold something."""

UNSHOWN = {each.keys for each in SECRETS} | {("engine", "url"), ("discord", "http_proxy"), ("matrix", "http_proxy")}
"""Keys whose values are shown to nobody, wrong ones included."""

LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Source:
    """Where a configuration was read: its name, the lines of its keys, and the keys that the environment set instead."""

    name: str
    lines: Mapping[Keys, int]
    environment: Mapping[Keys, str]

    def place(self, keys: Keys) -> str:
        """Where these keys stand, for the beginning of a sentence."""
        if keys in self.environment:
            return self.environment[keys]
        line = line_of(keys, self.lines)
        return f"{self.name}, line {line}" if line else self.name


def sentences(errors: Iterable[ErrorDetails], known: type, source: Source) -> Iterator[tuple[int, str]]:
    """One sentence for each error, with its line for sorting. `known` is the dataclass that was to be read."""
    for error in errors:
        keys = tuple(str(part) for part in error["loc"])
        sentence = _sentence(error, keys, known)
        stop = "" if sentence.endswith("?") else "."
        yield line_of(keys, source.lines) or 0, f"{source.place(keys)}: {sentence}{stop}"


def suggestion(word: str, words: Iterable[str]) -> str:
    """The known word that was probably meant, as the end of a sentence."""
    words = sorted(words)
    close = difflib.get_close_matches(word, words, 1)
    return f'did you mean "{close[0]}"?' if close else f"known are {', '.join(words)}"


def _sentence(error: ErrorDetails, keys: Keys, known: type) -> str:
    kind = error["type"]
    if kind in UNKNOWN:
        what = f"there is no section [{keys[0]}]" if len(keys) == 1 else f'{_section(keys)} has no key "{keys[-1]}"'
        return f"{what}; {suggestion(keys[-1], _names(known, keys[:-1]))}"
    if kind in NO_TABLE and isinstance(error["loc"][-1], int):
        written = f"written [[{'.'.join(keys[:-1])}]]"
        return f"{_section(keys[:-1])} {keys[-2]} holds {_shown(error['input'])}; each must be a section, {written}"
    if kind in NO_TABLE:
        return f"{keys[-1]} has to be a section of its own, written [{'.'.join(keys)}]"
    if kind == "missing":
        return f"the section [{keys[0]}] is missing" if len(keys) == 1 else f'{_section(keys)} needs the key "{keys[-1]}"'
    is_in_list = isinstance(error["loc"][-1], int)
    subject = f"{_section(keys[:-1])} {keys[-2]}" if is_in_list else f"{_section(keys)} {keys[-1]}"
    if kind == "value_error":
        return f"{subject} {error['ctx']['error']}"
    shown = "not usable" if keys in UNSHOWN else _shown(error["input"])
    verb, which = ("holds", "each") if is_in_list else ("is", "it")
    return f"{subject} {verb} {shown}; {which} must be {_wanted(error, keys)}"


def _wanted(error: ErrorDetails, keys: Keys) -> str:
    context = {name: f"{value:g}" if isinstance(value, float) else value for name, value in error.get("ctx", {}).items()}
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS.get(tuple(key for key in keys if not key.isdigit()), "some text")
    return KINDS[error["type"]].format(**context) if error["type"] in KINDS else error["msg"]


def _section(keys: Keys) -> str:
    if len(keys) > 2 and keys[-2].isdigit():  # noqa: PLR2004  one of several tables: its number is the line's to tell
        return f"[[{'.'.join(keys[:-2])}]]"
    return f"[{'.'.join(keys[:-1])}]"


def _shown(value: Any) -> str:  # noqa: ANN401  whatever a TOML file can hold
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a section"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _names(known: type, keys: Keys) -> list[str]:
    for key in keys:
        if key.isdigit():
            continue
        hint = get_type_hints(known)[key]
        known = next((each for each in (hint, *get_args(hint)) if isinstance(each, type) and is_dataclass(each)), known)
    return [each.name for each in fields(known)]
