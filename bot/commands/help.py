"""What players are told about the commands, made from the catalogue. It knows no platform: how a line is written comes in."""

from collections.abc import Callable, Sequence

from bot.commands.catalogue import GROUPS, find, members, nearest, visible
from bot.commands.spec import CommandSpec, Option, OptionKind, Topic, Who, usage
from bot.errors import Refused

Written = Callable[[str], str]
"""Makes a line as a platform writes it of a line without a prefix: "retry short" is "/retry short", or "!rp retry short"."""

_CIRCLES = {
    Who.PLAYER: "For players with a part in the story.",
    Who.TABLE: "For the owner of the story and the moderators of the place.",
    Who.OPERATOR: "For the operator of this program.",
}


def after(prefix: str) -> Written:
    """How a platform writes lines that puts something in front of them."""
    return lambda line: f"{prefix}{line}"


def help_text(spec: CommandSpec | None, written: Written, who: Who = Who.OPERATOR) -> str:
    """One command in detail; without one, what somebody of this circle may use."""
    return _detail(spec, written) if spec is not None else _overview(written, who)


def help_about(topic: str, written: Written, who: Who = Who.OPERATOR) -> str:
    """The help that a player asked for by a command's name or a group's; with neither, the overview.

    Raises Refused when there is no such command.
    """
    spec = find(topic)
    if spec is not None or not topic.strip():
        return help_text(spec, written, who)
    if group := members(topic):
        return "\n".join([f"{GROUPS[group[0].group]}:", *(f"{written(usage(each))}: {each.help}." for each in group)])
    near = nearest(topic)
    hint = f'the nearest is "{near.name}"' if near else "help alone lists them all"
    raise Refused(f"There is no such command; {hint}.")


def _overview(written: Written, who: Who) -> str:
    topics = [(topic, _names([spec for spec in visible(who) if spec.topic is topic], written)) for topic in Topic]
    lines = [f"{topic}: {names}" for topic, names in topics if names]
    return "\n".join([f"Write {written('help')} and a command to read more about it.", *lines])


def _names(specs: Sequence[CommandSpec], written: Written) -> str:
    """Names in their order, a group's in one: "/retry, /character (show, list)"."""
    groups: dict[str, list[str]] = {}
    for spec in specs:
        group, _, own = written(spec.name).rpartition(" ")
        groups.setdefault(group or own, []).extend([own] if group else [])
    return ", ".join(f"{group} ({', '.join(own)})" if own else group for group, own in groups.items())


def _detail(spec: CommandSpec, written: Written) -> str:
    lines = [written(usage(spec)), f"{spec.help}.", *(_option(option) for option in spec.options)]
    if spec.who in _CIRCLES:
        lines.append(_CIRCLES[spec.who])
    if spec.private:
        lines.append("Only you see the answer.")
    return "\n".join([*lines, *(f"Example: {written(example)}" for example in spec.examples)])


def _option(option: Option) -> str:
    parts = [f"- {option.name}: {option.help}."]
    if option.kind is OptionKind.CHOICE:
        parts.append(f"One of {', '.join(option.choices)}.")
    if option.by_name:
        parts.append(f'Write it first, as {option.name}:"…".' if option.kind.is_free else f"Write it as {option.name}:….")
    if not option.required:
        parts.append("May be left out.")
    return " ".join(parts)
