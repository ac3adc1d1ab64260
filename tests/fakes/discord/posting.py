"""What happens to messages, whoever makes it happen: created, edited, deleted, reacted to. It checks no permission."""

import mimetypes
from copy import copy
from dataclasses import fields
from typing import Any

from tests.fakes.discord import payloads, refusals
from tests.fakes.discord.permissions import Permission, in_channel
from tests.fakes.discord.records import EPHEMERAL, Attachment, Change, Channel, Json, Message, User, parts
from tests.fakes.discord.world import Event, World

LONGEST = 2000
EMBED_LIMITS = {"title": 256, "description": 4096}
EMBED_TOTAL = 6000
MAX_FILES, MAX_FILE = 10, 10 * 1024 * 1024
COMPONENTS_V2 = 1 << 15
ACTION_ROW, MAX_COMPONENTS = 1, 40


def checked_content(value: Any) -> str:
    """Content as Discord keeps it: trimmed, and counted in code points. Raises Refusal for too long a one."""
    content = "" if value is None else str(value).strip()
    if len(content) > LONGEST:
        raise refusals.invalid("content", "BASE_TYPE_MAX_LENGTH", f"Must be {LONGEST} or fewer in length.")
    return content


def checked_embeds(value: Any) -> list[Json]:
    """Embeds as Discord keeps them. Raises Refusal where they are too many or too long."""
    embeds = [{"type": "rich"} | each for each in value or ()]
    if len(embeds) > 10:
        raise refusals.invalid("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    for number, each in enumerate(embeds):
        if len(each.get("fields") or ()) > 25:
            raise refusals.invalid(f"embeds.{number}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for field, limit in EMBED_LIMITS.items():
            if len(each.get(field) or "") > limit:
                raise refusals.invalid(
                    f"embeds.{number}.{field}", "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length."
                )
    if sum(_size(each) for each in embeds) > EMBED_TOTAL:
        raise refusals.invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
    return embeds


def _size(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [(embed.get("author") or {}).get("name")]
    texts += [each[key] for each in embed.get("fields") or () for key in ("name", "value")]
    return sum(len(each or "") for each in texts)


def checked_components(components: list[Json]) -> list[Json]:
    """Components that Discord takes. Raises Refusal for too many rows or buttons, long labels, or a custom id used twice."""
    rows = [each for each in components if each["type"] == ACTION_ROW]
    if len(rows) > 5 or any(not 1 <= len(each["components"]) <= 5 for each in rows):
        raise refusals.invalid("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    found = parts(components)
    ids = [each["custom_id"] for each in found if "custom_id" in each]
    if len(found) > MAX_COMPONENTS or len(set(ids)) != len(ids):
        raise refusals.invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
    if any(not 1 <= len(each) <= 100 for each in ids):
        raise refusals.invalid("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if any(len(each.get("label") or "") > 80 for each in found):
        raise refusals.invalid("components", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    return components


def attach(world: World, channel: Channel, name: str, data: bytes, description: str | None = None) -> Attachment:
    """Keep a file where the loopback's content server finds it. Raises Refusal for too large a one."""
    if len(data) > MAX_FILE:
        raise refusals.too_large()
    id_ = world.new_id()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    found = Attachment(id_, name, data, f"/attachments/{channel.id}/{id_}/{name}", kind, description)
    world.attachments[found.path] = found
    return found


def create(world: World, message: Message) -> Message:
    """Put a message in its place and tell of it; an ephemeral one is neither kept in the channel nor told of."""
    message.created = world.clock.now()
    if message.ephemeral:
        for each in message.attachments:
            each.ephemeral = True
        world.touch()
        return message
    channel = message.channel
    if channel.archived:
        channel.archived, channel.archive_time = False, world.clock.now()
        world.emit(Event("THREAD_UPDATE", payloads.channel(channel), channel.guild, channel))
    channel.messages[message.id] = message
    channel.last_message_id = message.id
    channel.sent += 1
    _note(world, "create", message)
    told = payloads.posted(world, message) | ({} if message.nonce is None else {"nonce": message.nonce})
    world.emit(Event("MESSAGE_CREATE", told, channel.guild, channel, message))
    return message


def edited(world: World, message: Message) -> None:
    """Note that a message has been edited, and tell of it."""
    message.edited = world.clock.now()
    if not message.ephemeral:
        _note(world, "edit", message)
    updated(world, message)


def updated(world: World, message: Message) -> None:
    """Tell that a message changed; where nobody edited it, as when a thread starts at it, it is not marked as edited."""
    if message.ephemeral:
        world.touch()
        return
    world.emit(Event("MESSAGE_UPDATE", payloads.posted(world, message), message.channel.guild, message.channel, message))


def delete(world: World, messages: list[Message], *, bulk: bool = False) -> None:
    """Take messages away and tell of it, one by one or as one deletion of many."""
    standing = [each for each in messages if not each.is_deleted]
    for message in standing:
        message.is_deleted = True
        if message.channel.messages.pop(message.id, None) is not None:
            _note(world, "delete", message)
    told = [each for each in standing if not each.ephemeral]
    if not told:
        world.touch()
        return
    channel = told[0].channel
    place = {"channel_id": str(channel.id)} | ({} if channel.guild is None else {"guild_id": str(channel.guild.id)})
    if bulk:
        ids = {"ids": [str(each.id) for each in told]}
        world.emit(Event("MESSAGE_DELETE_BULK", ids | place, channel.guild, channel))
        return
    for each in told:
        world.emit(Event("MESSAGE_DELETE", {"id": str(each.id)} | place, channel.guild, channel))


def react(world: World, message: Message, who: User, emoji: str) -> None:
    """Add a reaction and tell of it; a second one of the same person changes nothing."""
    standing = message.reactions.setdefault(emoji, [])
    if who.id in standing:
        return
    standing.append(who.id)
    told = _reaction(message, who, emoji)
    told["message_author_id"] = str(message.author.id)
    if (guild := message.channel.guild) is not None:
        told["member"] = payloads.member(who, guild)
    _tell_reaction(world, "MESSAGE_REACTION_ADD", told | {"burst": False, "type": 0}, message)


def unreact(world: World, message: Message, who: User, emoji: str) -> None:
    """Take a reaction away and tell of it, where there is one."""
    standing = message.reactions.get(emoji, [])
    if who.id not in standing:
        return
    standing.remove(who.id)
    if not standing:
        del message.reactions[emoji]
    _tell_reaction(world, "MESSAGE_REACTION_REMOVE", _reaction(message, who, emoji) | {"burst": False, "type": 0}, message)


def clear_reactions(world: World, message: Message, emoji: str | None = None) -> None:
    """Take everybody's reactions away, all or those of one emoji."""
    place = _place_of(message)
    if emoji is None:
        message.reactions.clear()
        _tell_reaction(world, "MESSAGE_REACTION_REMOVE_ALL", place, message)
    elif message.reactions.pop(emoji, None) is not None:
        _tell_reaction(world, "MESSAGE_REACTION_REMOVE_EMOJI", place | {"emoji": payloads.emoji_key(emoji)}, message)


def _place_of(message: Message) -> Json:
    guild = message.channel.guild
    place = {"channel_id": str(message.channel.id), "message_id": str(message.id)}
    return place | ({} if guild is None else {"guild_id": str(guild.id)})


def _reaction(message: Message, who: User, emoji: str) -> Json:
    return _place_of(message) | {"user_id": str(who.id), "emoji": payloads.emoji_key(emoji)}


def _tell_reaction(world: World, name: str, told: Json, message: Message) -> None:
    world.emit(Event(name, told, message.channel.guild, message.channel))


def _note(world: World, kind: str, message: Message) -> None:
    message.channel.history.append(Change(kind, message.id, message.content, world.clock.now()))


def typing(world: World, who: User, channel: Channel) -> None:
    """Tell that somebody types."""
    told: Json = {"channel_id": str(channel.id), "user_id": str(who.id), "timestamp": int(world.clock.now())}
    if channel.guild is not None:
        told |= {"guild_id": str(channel.guild.id), "member": payloads.member(who, channel.guild)}
    world.emit(Event("TYPING_START", told, channel.guild, channel))


def edit(world: World, message: Message, body: Json, files: "Files") -> Message:
    """Edit as a request says, and tell of it. Raises Refusal, and then nothing has changed."""
    before = copy(message)
    try:
        fill(world, message, body, files)
    except refusals.Refusal:
        for each in fields(before):
            setattr(message, each.name, getattr(before, each.name))
        raise
    edited(world, message)
    return message


def fill(world: World, message: Message, body: Json, files: "Files") -> None:
    """Take over what a request says of a message's text, embeds, components, flags and files. Raises Refusal.

    What it does not say stays as it is, which is what an edit means; a null takes away.
    """
    if "content" in body:
        message.content = checked_content(body["content"])
    if {"content", "allowed_mentions"} & body.keys():
        allowed, may = body.get("allowed_mentions"), in_channel(message.author.id, message.channel)
        message.mentions = payloads.allowed_mentions(world, message.content, allowed)
        everyone = payloads.mentions_everyone(message.content, allowed)
        message.mentions_everyone = everyone and Permission.MENTION_EVERYONE in may
    if "embeds" in body:
        message.embeds = checked_embeds(body["embeds"])
    if "components" in body:
        message.components = payloads.numbered(checked_components(body["components"] or []))
    if body.get("flags") is not None:
        message.flags = body["flags"] | (message.flags & ~(1 << 2))
    if files or "attachments" in body:
        message.attachments = _attachments(world, message, body, files)
    if message.flags & COMPONENTS_V2 and (message.content or message.embeds):
        raise refusals.invalid("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not beside these components.")
    if not (message.content or message.embeds or message.attachments or message.components):
        raise refusals.empty_message()


Files = dict[str, tuple[str, bytes]]
"""Files of a request by the number that `attachments` has for them: name and bytes."""


def _attachments(world: World, message: Message, body: Json, files: Files) -> list[Attachment]:
    named: list[Json] = body.get("attachments") or []
    kept = {each.id: each for each in message.attachments}
    found = [kept[int(each["id"])] for each in named if int(each["id"]) in kept]
    about = {str(each["id"]): each for each in named if int(each["id"]) not in kept}
    if len(found) + len(files) > MAX_FILES:
        raise refusals.invalid("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    for number, (name, data) in files.items():
        said = about.get(number, {})
        found.append(attach(world, message.channel, said.get("filename") or name, data, said.get("description")))
    for each in found:
        each.ephemeral = bool(message.flags & EPHEMERAL)
    return found
