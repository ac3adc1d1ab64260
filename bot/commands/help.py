"""What players are told about the commands, made from the catalogue. It knows no platform: the prefix comes in."""

from collections.abc import Sequence

from bot.commands.catalogue import GROUPS, find, members, nearest, visible
from bot.commands.spec import CommandSpec, Option, OptionKind, Topic, Who, usage
from bot.errors import Refused

_CIRCLES = {
    Who.PLAYER: "For players with a part in the story.",
    Who.TABLE: "For the owner of the story and the moderators of the place.",
    Who.OPERATOR: "For the operator of this program.",
}


def help_text(spec: CommandSpec | None, prefix: str, who: Who = Who.OPERATOR) -> str:
    """One command in detail; without one, what somebody of this circle may use. `prefix` is what a line begins with."""
    return _detail(spec, prefix) if spec is not None else _overview(prefix, who)


def help_about(topic: str, prefix: str, who: Who = Who.OPERATOR) -> str:
    """The help that a player asked for by a command's name or a group's; with neither, the overview.

    Raises Refused when there is no such command.
    """
    spec = find(topic)
    if spec is not None or not topic.strip():
        return help_text(spec, prefix, who)
    if group := members(topic):
        return "\n".join([f"{GROUPS[group[0].group]}:", *(f"{prefix}{usage(each)}: {each.help}." for each in group)])
    near = nearest(topic)
    hint = f'the nearest is "{near.name}"' if near else "help alone lists them all"
    raise Refused(f"There is no such command; {hint}.")


def _overview(prefix: str, who: Who) -> str:
    lines = [f"{topic}: {_names([spec for spec in visible(who) if spec.topic is topic])}" for topic in Topic]
    return "\n".join([f"Write {prefix}help and a command to read more about it.", *lines])


def _names(specs: Sequence[CommandSpec]) -> str:
    """Names in their order, a group's in one: "retry, character (show, list)"."""
    groups: dict[str, list[str]] = {}
    for spec in specs:
        group, _, own = spec.name.partition(" ")
        groups.setdefault(group, []).extend([own] if own else [])
    return ", ".join(f"{group} ({', '.join(own)})" if own else group for group, own in groups.items())


def _detail(spec: CommandSpec, prefix: str) -> str:
    lines = [f"{prefix}{usage(spec)}", f"{spec.help}.", *(_option(option) for option in spec.options)]
    if spec.who in _CIRCLES:
        lines.append(_CIRCLES[spec.who])
    if spec.private:
        lines.append("Only you see the answer.")
    return "\n".join([*lines, *(f"Example: {prefix}{example}" for example in spec.examples)])


def _option(option: Option) -> str:
    parts = [f"- {option.name}: {option.help}."]
    if option.kind is OptionKind.CHOICE:
        parts.append(f"One of {', '.join(option.choices)}.")
    if option.by_name:
        parts.append(f'Write it first, as {option.name}:"…".' if option.kind.is_free else f"Write it as {option.name}:….")
    if not option.required:
        parts.append("May be left out.")
    return " ".join(parts)
