"""How a line of text becomes a command with its options, and which values an option takes. It carries nothing out.

A line is a command's name and its options, in this order: options by name (`length:short`, `name="two words"`), then one word
or quoted text for each placed option, and the rest for the last one. Numbers and choices may also stand by name at the end. A
file is never named in a line: it is what the platform took in with it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from bot.commands.catalogue import find, members, nearest
from bot.commands.spec import CommandSpec, Option, OptionKind, usage
from bot.errors import Refused

Values = Mapping[str, str | int]

_WORDS = re.compile(r"\s*(\S+)(?:\s+(\S+))?")
_NAMED = re.compile(r"([a-z_-]{1,32})[:=][^\S\n]*")
_QUOTED = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|\u201c([^\u201d]*)\u201d)(?=\s|\Z)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_WORD = re.compile(r"\S+")
_TURN = re.compile(r"#?([0-9]{1,9})")
_NUMBER = re.compile(r"([+-]?[0-9]{1,9})")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that was asked for, with values that are all of the kinds and within the bounds of its options.

    Numbers and turns are whole numbers, all else is text; what was left out is missing.
    """

    spec: CommandSpec
    values: Values


def parse(line: str, replied_to: int | None = None, attached: str = "") -> Asked:
    """The command that a line of text without its prefix asks for.

    `replied_to` is the number of the turn that the line answers: it fills an option for a turn, which then need not be
    written. `attached` is what the platform calls the file that came with it. Raises Refused, with how the command is written.
    """
    spec, rest = _command(line)
    around = _around(spec, replied_to, attached)
    read = _read(spec, rest.strip(), around.keys())
    return Asked(spec, check(spec, {**around, **read}))


def check(spec: CommandSpec, values: Mapping[str, object]) -> Values:
    """The values of a command's options, checked and in the form that `Asked` promises; None and empty text are left out.

    Raises Refused when one is missing, unknown, of another kind, too long or out of bounds.
    """
    unknown = values.keys() - {option.name for option in spec.options}
    if unknown:
        _refuse(spec, f'"{_shown(min(unknown))}" is no option of this command')
    checked: dict[str, str | int] = {}
    for option in spec.options:
        value = values.get(option.name)
        clean = "" if value is None else _checked(spec, option, value)
        if clean != "":
            checked[option.name] = clean
        elif option.required:
            _refuse(spec, _missing(option))
    return checked


def _command(line: str) -> tuple[CommandSpec, str]:
    words = _WORDS.match(line)
    if words is None:
        raise Refused("Say which command; help lists them all.")
    if words[2] and (spec := find(f"{words[1]} {words[2]}")):
        return spec, line[words.end() :]
    if spec := find(words[1]):
        return spec, line[words.end(1) :]
    if group := members(words[1]):
        raise Refused(f"Say which: {', '.join(each.name for each in group)}.")
    near = nearest(words[1])
    hint = f"the nearest is: {usage(near)}" if near else "help lists them all"
    raise Refused(f'There is no command "{_shown(words[1])}"; {hint}.')


def _around(spec: CommandSpec, replied_to: int | None, attached: str) -> dict[str, object]:
    """What a line need not say, because it answers a post or brings a file."""
    values: dict[str, object] = {}
    for option in spec.options:
        if option.kind is OptionKind.TURN and replied_to is not None:
            values[option.name] = replied_to
        elif option.kind is OptionKind.FILE and attached:
            values[option.name] = attached
    return values


def _read(spec: CommandSpec, text: str, around: Collection[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    while text:
        option, at = _named(spec, text, values)
        is_named = option is not None
        if option is None:
            option = _placed(spec, text, {*around, *values})
        if option is spec.rest:
            values[option.name], text = _rest(spec, option, text[at:], is_named=is_named)
        else:
            values[option.name], text = _word(spec, option, text[at:])
    return values


def _named(spec: CommandSpec, text: str, values: Mapping[str, str]) -> tuple[Option | None, int]:
    """The option that a text begins to name, and where its value begins."""
    found = _NAMED.match(text)
    option = _typed(spec, found[1]) if found else None
    if found is None or option is None:
        return None, 0
    if option.name in values:
        _refuse(spec, f"{option.name} is said twice")
    return option, found.end()


def _typed(spec: CommandSpec, name: str) -> Option | None:
    return next((each for each in spec.options if each.name == name and each.kind is not OptionKind.FILE), None)


def _placed(spec: CommandSpec, text: str, filled: Collection[str]) -> Option:
    option = next((each for each in spec.placed if each.name not in filled), None)
    if option is None:
        _refuse(spec, f'it is not clear what "{_shown(text)}" is for')
    return option


def _word(spec: CommandSpec, option: Option, text: str) -> tuple[str, str]:
    """The value that a text begins with, a word or in quotes, and what follows it."""
    if quoted := _QUOTED.match(text):
        return _unquoted(quoted), text[quoted.end() :].lstrip()
    word = _WORD.match(text)
    if word is None:
        _refuse(spec, f"say what {option.name} is after its name")
    return word[0], text[word.end() :].lstrip()


def _rest(spec: CommandSpec, option: Option, text: str, *, is_named: bool) -> tuple[str, str]:
    """The value of the option that takes the rest of a line, and the options by name that end the line."""
    quoted = _QUOTED.match(text)
    if quoted and is_named:
        return _unquoted(quoted), text[quoted.end() :].lstrip()
    body, tail = _without_tail(spec, text)
    # Prose keeps its quotes: a post can be nothing but speech.
    whole = _QUOTED.fullmatch(body) if option.kind is not OptionKind.LONG_TEXT else None
    return (_unquoted(whole) if whole else body), tail


def _without_tail(spec: CommandSpec, text: str) -> tuple[str, str]:
    """A text apart from the numbers and choices that are given by name at its end."""
    names = {each.name for each in spec.options if each.by_name and not each.kind.is_free}
    tail: list[str] = []
    while text:
        before, last = _split_last(text)
        found = _NAMED.match(last)
        if found is None or found[1] not in names:
            break
        tail.insert(0, last)
        text = before
    return text, " ".join(tail)


def _split_last(text: str) -> tuple[str, str]:
    parts = text.rsplit(maxsplit=1)
    return (parts[0], parts[1]) if len(parts) > 1 else ("", text.strip())


def _unquoted(found: re.Match[str]) -> str:
    return _ESCAPED.sub(r"\1", found[1]) if found[1] is not None else found[2]


def _missing(option: Option) -> str:
    if option.kind is OptionKind.FILE:
        return f"send the file with the command ({option.help[:1].lower()}{option.help[1:]})"
    if option.kind is OptionKind.TURN:
        return "answer the post that you mean, or write its number"
    return f"{option.name} is missing"


def _checked(spec: CommandSpec, option: Option, value: object) -> str | int:
    if option.kind.is_whole:
        return _whole(spec, option, value)
    if not isinstance(value, str):
        _refuse(spec, f"{option.name} must be text")
    if option.kind is OptionKind.CHOICE:
        return _choice(spec, option, value)
    if option.kind is OptionKind.FILE:
        return value
    clean = value.strip() if option.kind is OptionKind.LONG_TEXT else " ".join(value.split())
    if len(clean) > option.most_length:
        _refuse(spec, f"{option.name} has {len(clean)} characters, and at most {option.most_length} are taken")
    return clean


def _whole(spec: CommandSpec, option: Option, value: object) -> int:
    pattern = _TURN if option.kind is OptionKind.TURN else _NUMBER
    found = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    number = int(found[1]) if found else value
    if not isinstance(number, int) or isinstance(number, bool) or not option.least <= number <= option.most:
        _refuse(spec, f"{option.name} must be a whole number from {option.least} to {option.most}")
    return number


def _choice(spec: CommandSpec, option: Option, value: str) -> str:
    wanted = "_".join(value.replace("-", " ").split()).casefold()
    if wanted and wanted not in option.choices:
        _refuse(spec, f"{option.name} must be one of {', '.join(option.choices)}")
    return wanted


def _refuse(spec: CommandSpec, mistake: str) -> NoReturn:
    raise Refused(f"{mistake[:1].upper()}{mistake[1:]}; write: {usage(spec)}.")


def _shown(text: str) -> str:
    plain = " ".join(text[: _SHOWN + 1].split())
    return plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"
