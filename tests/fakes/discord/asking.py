"""What people ask of the application, as a client offers it: commands, completions, buttons, forms, a message's menu."""

from collections.abc import Iterator, Mapping, Sequence
from secrets import token_urlsafe
from typing import Any

from tests.fakes.discord import payloads, posting
from tests.fakes.discord.interactions import Asks, Interaction
from tests.fakes.discord.permissions import Permission, in_channel, named
from tests.fakes.discord.players import Players
from tests.fakes.discord.records import Attachment, Channel, Json, Message, Type, User, parts
from tests.fakes.discord.world import Event

SUB, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 10, 11
BUTTON, TEXT_INPUT, LABEL, UPLOAD = 2, 4, 18, 19
UNRESOLVED = {"deaf", "mute", "permission_overwrites"}
"""What members and channels lack where an option names them."""
Files = Mapping[str, tuple[str, bytes]]
"""Files by the name of the option or field that they are for: file name and bytes."""


class NotOffered(Exception):
    """A person's client does not offer this: no such command, option, button or field, or not for them, or not here."""


class Asking(Players):
    """The part of the loopback Discord that asks. Each question comes back as its Interaction, which records the answers."""

    async def slash(  # noqa: PLR0913 what a person can say of a command
        self,
        player: User,
        channel: Channel,
        command: str,
        options: Mapping[str, Any] | None = None,
        *,
        attachments: Files | None = None,
        permissions: Sequence[str] | None = None,
    ) -> Interaction:
        """A command as `rp start`, with values by the names of its options: a User, a Channel, or what JSON has.

        `permissions` are the player's by name, in place of their true ones. Raises NotOffered.
        """
        found, path, known = self._offered(player, channel, command, permissions)
        given = dict(options or {}) | {name: self._upload(channel, each) for name, each in (attachments or {}).items()}
        missing = [name for name, each in known.items() if each.get("required") and name not in given]
        if missing or given.keys() - known.keys():
            raise NotOffered(f"/{command}: lacks {missing}, does not know {sorted(given.keys() - known.keys())}")
        filled = [_option(known[name], value) for name, value in given.items()]
        data = _of_command(found) | {"options": _nested(path, filled)} | _resolved(self, channel, given.values())
        return self._ask(Asks.COMMAND, player, channel, data, Type.SLASH, permissions=permissions)

    async def autocomplete(  # noqa: PLR0913 what a person can say of a command
        self,
        player: User,
        channel: Channel,
        command: str,
        focused: str,
        value: str,
        *,
        options: Mapping[str, Any] | None = None,
        seconds: float = 10.0,
    ) -> list[Json]:
        """The choices for an option that is being typed, each with `name` and `value`. Raises NotOffered, TimeoutError."""
        found, path, known = self._offered(player, channel, command, None)
        if not known.get(focused, {}).get("autocomplete"):
            raise NotOffered(f"/{command} completes no {focused}")
        filled = [_option(known[name], each) for name, each in (options or {}).items()]
        filled.append(_option(known[focused], value) | {"focused": True})
        data = _of_command(found) | {"options": _nested(path, filled)}
        asked = self._ask(Asks.AUTOCOMPLETE, player, channel, data, Type.SLASH)
        await asked.wait_for_callback(seconds)
        return asked.choices()

    async def press(self, player: User, message: Message, custom_id: str, values: Sequence[str] = ()) -> Interaction:
        """A button that is pressed, or a menu in which these values are chosen. Raises NotOffered."""
        found = next((each for each in parts(message.components) if each.get("custom_id") == custom_id), None)
        if found is None or found.get("disabled") or message.is_deleted:
            raise NotOffered(f"no {custom_id!r} that could be pressed; there are {message.custom_ids}")
        data: Json = {"custom_id": custom_id, "component_type": found["type"]}
        data |= {} if found["type"] == BUTTON else {"values": list(values)}
        return self._ask(Asks.COMPONENT, player, message.channel, data, Type.REPLY, source=message)

    async def submit(
        self, player: User, asked: Interaction, fields: Mapping[str, Any], *, files: Files | None = None, seconds: float = 10.0
    ) -> Interaction:
        """A form that was the answer to `asked`, with texts by the custom id or the label of their fields.

        It waits for the form first. What is not named keeps the text that the form came with. Raises NotOffered, TimeoutError.
        """
        await asked.wait_for_callback(seconds)
        form, uploads = asked.modal(), {name: self._upload(asked.channel, each) for name, each in (files or {}).items()}
        left = dict(fields) | uploads
        data: Json = {"custom_id": form["custom_id"], "components": [_filled(each, left) for each in form["components"]]}
        if left:
            raise NotOffered(f"the form has no {sorted(left)}")
        data |= _resolved(self, asked.channel, uploads.values())
        return self._ask(Asks.MODAL, player, asked.channel, data, Type.REPLY, source=asked.source, after=asked)

    async def context_menu(self, player: User, message: Message, name: str) -> Interaction:
        """An entry of a message's menu. Raises NotOffered."""
        command = self._registered(player, message.channel, name, 3, None)
        shown = {"messages": {str(message.id): payloads.message(self.world, message)}}
        data = _of_command(command) | {"target_id": str(message.id), "resolved": shown}
        return self._ask(Asks.COMMAND, player, message.channel, data, Type.CONTEXT_MENU)

    def commands(self, channel: Channel | None = None) -> list[Json]:
        """The commands that are registered: globally, and in the channel's guild."""
        guild = None if channel is None or channel.guild is None else channel.guild.id
        own = [] if guild is None else self.world.commands.get(guild, [])
        return [*own, *self.world.commands[None]]

    def _registered(self, player: User, channel: Channel, name: str, kind: int, permissions: Sequence[str] | None) -> Json:
        for each in self.commands(channel):
            if each["name"] != name or each["type"] != kind:
                continue
            needs = Permission(int(each["default_member_permissions"] or 0) & int(sum(Permission)))
            held = in_channel(player.id, channel) if permissions is None else named(*permissions)
            if channel.guild is not None and needs not in held:
                raise NotOffered(f"{name} is not offered to {player.name}, who lacks {needs & ~held}")
            if channel.guild is None and (not each["dm_permission"] or 1 not in (each["contexts"] or (1,))):
                raise NotOffered(f"{name} is not offered in direct messages")
            if each["nsfw"] and not (channel.guild is None or (channel.parent or channel).nsfw):
                raise NotOffered(f"{name} is offered in age-restricted channels only")
            return each
        raise NotOffered(f"no command {name!r}; there are {[each['name'] for each in self.commands(channel)]}")

    def _offered(
        self, player: User, channel: Channel, command: str, permissions: Sequence[str] | None
    ) -> tuple[Json, list[Json], dict[str, Json]]:
        """A registered command, the parts below it that are named, and the options of the last of them by name."""
        name, *below = command.split(" ")
        found = part = self._registered(player, channel, name, 1, permissions)
        path: list[Json] = []
        for each in below:
            inner = {one["name"]: one for one in part.get("options", ()) if one["type"] in (SUB, GROUP)}
            if each not in inner:
                raise NotOffered(f"no command {command!r}; there are {sorted(inner)}")
            part = inner[each]
            path.append(part)
        known = {each["name"]: each for each in part.get("options", ())}
        if any(each["type"] in (SUB, GROUP) for each in known.values()):
            raise NotOffered(f"{command!r} is a group; there are {sorted(known)}")
        return found, path, known

    def _upload(self, channel: Channel, file: tuple[str, bytes]) -> Attachment:
        return posting.attach(self.world, channel, *file)

    def _ask(  # noqa: PLR0913 an interaction has this many sides
        self,
        asks: Asks,
        player: User,
        channel: Channel,
        data: Json,
        kind: Type,
        *,
        source: Message | None = None,
        after: Interaction | None = None,
        permissions: Sequence[str] | None = None,
    ) -> Interaction:
        world = self.world
        asked = Interaction(world, world.new_id(), token_urlsafe(90), asks, player, channel, kind, data, source=source)
        asked.asked, asked.moved = world.clock.now(), world.clock.moved
        asked.metadata = _metadata(asked, after)
        world.interactions[asked.token] = asked
        world.emit(Event("INTERACTION_CREATE", _told(asked, permissions), channel.guild))
        return asked


def _owners(asked: Interaction) -> dict[str, str]:
    return {"0": "0" if asked.channel.guild is None else str(asked.channel.guild.id)}


def _metadata(asked: Interaction, after: Interaction | None) -> Json:
    found: Json = {
        "id": str(asked.id),
        "type": int(asked.asks),
        "user": payloads.user(asked.user),
        "authorizing_integration_owners": _owners(asked),
    }
    if after is not None:
        return found | {"triggering_interaction_metadata": after.metadata}
    if asked.source is not None:
        return found | {"interacted_message_id": str(asked.source.id)}
    target = asked.data.get("target_id")
    return found | ({} if target is None else {"target_message_id": target})


def _told(asked: Interaction, permissions: Sequence[str] | None) -> Json:
    world, channel = asked.world, asked.channel
    own = payloads.permissions(in_channel(world.bot.id, channel))
    held = in_channel(asked.user.id, channel) if permissions is None else named(*permissions)
    found: Json = {
        "id": str(asked.id),
        "application_id": str(world.application_id),
        "type": int(asked.asks),
        "data": asked.data,
        "channel": payloads.channel(channel) | {"permissions": payloads.permissions(held)},
        "channel_id": str(channel.id),
        "token": asked.token,
        "version": 1,
        "app_permissions": own,
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": _owners(asked),
        "context": 1 if channel.guild is None else 0,
        "attachment_size_limit": posting.MAX_FILE,
    }
    if asked.source is not None:
        found["message"] = payloads.message(world, asked.source)
    guild = channel.guild
    if guild is None:
        return found | {"user": payloads.user(asked.user)}
    member = payloads.member(asked.user, guild) | {"permissions": payloads.permissions(held)}
    about = {"id": str(guild.id), "locale": "en-US", "features": []}
    return found | {"guild": about, "guild_id": str(guild.id), "guild_locale": "en-US", "member": member}


def _of_command(command: Json) -> Json:
    found: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
    return found | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})


def _nested(path: list[Json], filled: list[Json]) -> list[Json]:
    for part in reversed(path):
        filled = [{"name": part["name"], "type": part["type"], "options": filled}]
    return filled


def _option(known: Json, value: Any) -> Json:
    """One option with its value. Raises NotOffered for what a client would not take."""
    choices = [each["value"] for each in known.get("choices", ())]
    if choices and value not in choices:
        raise NotOffered(f"{known['name']} cannot be {value!r}; it can be {choices}")
    if known["type"] == STRING and not known.get("min_length", 0) <= len(value) <= known.get("max_length", 6000):
        raise NotOffered(f"{known['name']} cannot have {len(value)} characters")
    is_number = known["type"] in (INTEGER, NUMBER) and not isinstance(value, str)
    if is_number and not known.get("min_value", value) <= value <= known.get("max_value", value):
        raise NotOffered(f"{known['name']} cannot be {value}")
    given = str(value.id) if isinstance(value, User | Channel | Attachment) else value
    return {"name": known["name"], "type": known["type"], "value": given}


def _resolved(asking: Asking, channel: Channel, values: Any) -> Json:
    """What the values of options stand for, by their ids."""
    found: dict[str, Json] = {}
    for value in values:
        if isinstance(value, Attachment):
            found.setdefault("attachments", {})[str(value.id)] = payloads.attachment(asking.world, value)
        elif isinstance(value, Channel):
            found.setdefault("channels", {})[str(value.id)] = _resolved_channel(asking, value)
        elif isinstance(value, User):
            found.setdefault("users", {})[str(value.id)] = payloads.user(value)
            if channel.guild is not None:
                member = payloads.member(value, channel.guild, with_user=False) | {"permissions": "0"}
                found.setdefault("members", {})[str(value.id)] = {key: member[key] for key in member if key not in UNRESOLVED}
    return {"resolved": found} if found else {}


def _resolved_channel(asking: Asking, channel: Channel) -> Json:
    told = payloads.channel(channel) | {"permissions": payloads.permissions(in_channel(asking.world.bot.id, channel))}
    return {key: value for key, value in told.items() if key not in UNRESOLVED}


def _filled(component: Json, left: dict[str, Any]) -> Json:
    """A part of a form as it comes back; what it uses of `left` it takes out. Raises NotOffered."""
    inner = [component["component"]] if "component" in component else component.get("components", [])
    label = component.get("label")
    filled = [_field(each, left, label) for each in inner]
    found: Json = {"type": component["type"], "id": component.get("id", 0)}
    if "component" in component:
        return found | {"component": filled[0]}
    return found | ({"components": filled} if "components" in component else {})


def _field(field: Json, left: dict[str, Any], label: str | None) -> Json:
    keys = [key for key in (field["custom_id"], field.get("label"), label) if key in left]
    value = left.pop(keys[0]) if keys else field.get("value") or ""
    found: Json = {"type": field["type"], "id": field.get("id", 0), "custom_id": field["custom_id"]}
    if field["type"] == TEXT_INPUT:
        _check_text(field, value)
        return found | {"value": value}
    return found | {"values": list(_chosen(value))}


def _chosen(value: Any) -> Iterator[str]:
    for each in [value] if isinstance(value, str | Attachment) and value else value:
        yield str(each.id) if isinstance(each, Attachment) else each


def _check_text(field: Json, value: str) -> None:
    fewest = field.get("min_length") or (1 if field.get("required", True) else 0)
    most = field.get("max_length") or 4000
    if not (fewest <= len(value) <= most or (not value and not field.get("required", True))):
        raise NotOffered(f"the form takes {fewest} to {most} characters, not {len(value)}")
