"""Modals: what a command asks for that was not said with it, and what comes back. Pure; it stores nothing.

A modal carries in its id what it is about, so that it is understood whenever it is sent off, also after a restart.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import discord

from adapters.discord.commands.tree import FIELD_TEXT
from bot.commands.catalogue import find
from bot.commands.spec import CommandSpec, Option, OptionKind
from bot.ids import MessageId

ASK = "us:ask:"
POST = "us:post:"
WAS = "was"
"""What the text that was shown was: when the story holds another one by now, nothing is overwritten."""

ASKED_FOR_TOO = frozenset({"persona set", "note"})
"""Commands that do without their text, and ask for it all the same: leaving the field empty says as much."""

TITLE, LABEL, HELP = 45, 45, 100
POST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What a modal brought: the command, its values, and the mark of the text that was shown in it (empty: none)."""

    spec: CommandSpec
    values: Mapping[str, str | int]
    was: str = ""


def asks_for(spec: CommandSpec) -> Option | None:
    """The long text that a command asks for when it is not given."""
    option = next((each for each in spec.options if each.kind is OptionKind.LONG_TEXT), None)
    return option if option and (option.required or spec.name in ASKED_FOR_TOO) else None


def mark(text: str) -> str:
    """What tells a text from another one that came into its place."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def form(spec: CommandSpec, values: Mapping[str, str | int], present: str, title: str, *, was: str = "") -> discord.ui.Modal:
    """The modal that asks for a command's text, with what was said with the command in it, and the present text."""
    kept = {name: value for name, value in values.items() if not _is_typed(spec, name)}
    query = urlencode({**kept, **({WAS: was} if was else {})})
    modal = discord.ui.Modal(title=title[:TITLE], custom_id=f"{ASK}{spec.name}?{query}")
    for option in spec.options:
        if option.kind is OptionKind.LONG_TEXT:
            modal.add_item(_field(option, present, discord.TextStyle.paragraph))
        elif _is_typed(spec, option.name) and (option.required or option.name in values):
            modal.add_item(_field(option, str(values.get(option.name, "")), discord.TextStyle.short))
    return modal


def filled(custom_id: str, fields: Mapping[str, str]) -> Filled | None:
    """What a modal of a command brought; None when it is none that is known."""
    name, _, query = custom_id.removeprefix(ASK).partition("?")
    spec = find(name)
    if spec is None or not custom_id.startswith(ASK):
        return None
    kept = dict(parse_qsl(query))
    was = kept.pop(WAS, "")
    return Filled(spec, {**kept, **fields}, was)


def post_form(message: MessageId, text: str, whose: str) -> discord.ui.Modal:
    """The modal that asks for the new text of one post."""
    modal = discord.ui.Modal(title=f"Edit this post of {whose}"[:TITLE], custom_id=f"{POST}{message}:{mark(text)}")
    field = discord.ui.TextInput[discord.ui.Modal](
        custom_id="text", style=discord.TextStyle.paragraph, default=text, max_length=FIELD_TEXT
    )
    modal.add_item(
        discord.ui.Label(text="Its text", description="The other posts of the reply stay as they are", component=field)
    )
    return modal


def post_of(custom_id: str) -> tuple[MessageId, str] | None:
    """The message that a modal for one post is about, and the mark of its text; None when it is no such modal."""
    message, colon, was = custom_id.removeprefix(POST).partition(":")
    return (MessageId(message), was) if custom_id.startswith(POST) and colon else None


def _is_typed(spec: CommandSpec, name: str) -> bool:
    """Whether an option is text, which has a field of its own in the modal: an id has no room for it."""
    return any(option.name == name and option.kind.is_free for option in spec.options)


def _field(option: Option, present: str, style: discord.TextStyle) -> discord.ui.Label[discord.ui.Modal]:
    most = min(option.most_length, FIELD_TEXT)
    field = discord.ui.TextInput[discord.ui.Modal](
        custom_id=option.name, style=style, default=present[:most] or None, required=option.required, max_length=most
    )
    label = option.name[:1].upper() + option.name[1:]
    return discord.ui.Label(text=label[:LABEL], description=option.help[:HELP], component=field)
