"""What a lorebook entry asks for in the lines `@@name value` at the head of its content. It decides nothing by them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.story.lorebook import LorePosition

_LINE = re.compile(r"(@@@?)([A-Za-z_][A-Za-z0-9_]*)(?:[ \t]+(.*))?")
_NUMBER = re.compile(r"(-?[0-9]{1,9})(?:\.[0-9]*)?")
_POSITIONS = MappingProxyType({"before_desc": LorePosition.BEFORE_CHARACTER, "after_desc": LorePosition.AFTER_CHARACTER})
SURE = 100


@dataclass(frozen=True, slots=True)
class Decorators:
    """The decorators of one entry that are understood, from the character card specification (V3).

    `depth` and `scan_depth` count turns from the end; `only_after` and `only_every` count turns from the beginning, all of
    them, as RisuAI does. `greeting` counts from 0, the first greeting. `is_forced` is `@@activate`, `is_never`
    `@@dont_activate`, `is_constant` `@@constant`, `is_kept` `@@keep_activate_after_match`, `yields` `@@ignore_on_max_context`.
    `probability`, in percent, is RisuAI's own.
    """

    depth: int | None = None
    scan_depth: int | None = None
    position: LorePosition | None = None
    only_after: int = 0
    only_every: int = 1
    greeting: int | None = None
    probability: int = SURE
    additional_keys: tuple[str, ...] = ()
    exclude_keys: tuple[str, ...] = ()
    is_forced: bool = False
    is_never: bool = False
    is_constant: bool = False
    is_kept: bool = False
    yields: bool = False

    @property
    def is_unconditional(self) -> bool:
        """Whether nothing in here depends on how far the story has come, on its words or on chance."""
        hangs_on_the_story = self.only_after > 0 or self.only_every > 1 or self.additional_keys or self.exclude_keys
        return self.is_forced or not (hangs_on_the_story or self.probability < SURE)


def read_decorators(content: str) -> tuple[Decorators, str]:
    """The decorators at the head of an entry's content, and the content without them and without white space around it.

    Of two with one name the first counts. One that is not known, or whose value makes no sense, is left out, and the first
    understood of the `@@@` lines right below takes its place. Not known here, because a story knows no such thing:
    `role`, `instruct_depth` and what else counts tokens, `reverse_depth`, `is_user_icon`, `disable_ui_prompt`, and
    `dont_activate_after_match`, which would need to know what was told in earlier turns.
    """
    lines = content.split("\n")
    chosen: dict[str, Any] = {}
    is_waiting = False
    begins = len(lines)
    for place, line in enumerate(lines):
        found = _LINE.fullmatch(line.strip())
        if found is None and line.strip():
            begins = place
            break
        if found is None or (found[1] == "@@@" and not is_waiting):
            continue
        setting = _setting(found[2].lower(), (found[3] or "").strip())
        is_waiting = setting is None
        if setting:
            chosen.setdefault(*setting)
    return Decorators(**chosen), "\n".join(lines[begins:]).strip()


def _setting(name: str, value: str) -> tuple[str, Any] | None:
    """The field and the value that a decorator sets; nothing where it is not understood."""
    field, reader = _READERS.get(name, ("", _nothing))
    understood = reader(value)
    return None if understood is None else (field, understood)


def _nothing(_: str) -> None:
    return None


def _number(value: str) -> int | None:
    found = _NUMBER.fullmatch(value)
    return max(0, int(found[1])) if found else None


def _step(value: str) -> int | None:
    return _number(value) or None


def _percent(value: str) -> int | None:
    number = _number(value)
    return None if number is None else min(number, SURE)


def _flag(value: str) -> bool | None:
    return None if value.lower() == "false" else True


def _keys(value: str) -> tuple[str, ...] | None:
    return tuple(key for each in value.split(",") if (key := each.strip())) or None


_READERS: Mapping[str, tuple[str, Callable[[str], object]]] = MappingProxyType(
    {
        "depth": ("depth", _number),
        "scan_depth": ("scan_depth", _number),
        "position": ("position", _POSITIONS.get),
        "activate_only_after": ("only_after", _number),
        "activate_only_every": ("only_every", _step),
        "is_greeting": ("greeting", _number),
        "probability": ("probability", _percent),
        "additional_keys": ("additional_keys", _keys),
        "exclude_keys": ("exclude_keys", _keys),
        "activate": ("is_forced", _flag),
        "dont_activate": ("is_never", _flag),
        "constant": ("is_constant", _flag),
        "keep_activate_after_match": ("is_kept", _flag),
        "ignore_on_max_context": ("yields", _flag),
    }
)
