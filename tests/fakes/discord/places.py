"""What happens to channels and threads, whoever makes it happen: opened, changed, deleted. It checks no permission."""

from typing import Any

from tests.fakes.discord import payloads, posting, refusals
from tests.fakes.discord.records import HAS_THREAD, REQUIRES_TAG, Channel, Json, Kind, Message, Type, User
from tests.fakes.discord.world import Event, World

ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


def checked_name(value: Any) -> str:
    """A name of 1 to 100 characters. Raises Refusal for any other."""
    name = str(value or "").strip()
    if not 1 <= len(name) <= 100:
        raise refusals.invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name


def checked_tags(parent: Channel, value: Any) -> tuple[int, ...]:
    """Tags of this forum. Raises Refusal for foreign ones, for too many, and for none where one is required."""
    tags = tuple(int(each) for each in value or ())
    if len(tags) > 5:
        raise refusals.invalid("applied_tags", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    if any(each not in parent.tags.values() for each in tags):
        raise refusals.invalid("applied_tags", "TAG_NOT_FOUND", "Unknown tag.")
    if parent.flags & REQUIRES_TAG and not tags:
        raise refusals.Refusal(400, 40067, "A tag is required to create a forum post in this channel")
    return tags


def new_thread(world: World, parent: Channel, owner_id: int, body: Json, id_: int | None = None) -> Channel:
    """A thread that nobody sees yet. One that starts at a message has that message's id. Raises Refusal for bad values."""
    minutes = body.get("auto_archive_duration") or 4320
    if minutes not in ARCHIVE_MINUTES:
        raise refusals.invalid("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {set(ARCHIVE_MINUTES)}.")
    return Channel(
        world.new_id() if id_ is None else id_,
        Kind.PRIVATE_THREAD if body.get("type") == Kind.PRIVATE_THREAD else Kind.PUBLIC_THREAD,
        checked_name(body.get("name")),
        parent.guild,
        parent,
        owner_id=owner_id,
        archive_minutes=minutes,
        archive_time=world.clock.now(),
        created=world.clock.now(),
        applied_tags=checked_tags(parent, body.get("applied_tags")) if parent.kind is Kind.FORUM else (),
        thread_members={owner_id},
    )


def show(world: World, thread: Channel) -> Channel:
    """Put a new thread in its place and tell of it."""
    world.channels[thread.id] = thread
    told = payloads.channel(thread) | {"newly_created": True}
    world.emit(Event("THREAD_CREATE", told, thread.guild, thread))
    return thread


def open_at_message(world: World, message: Message, owner: User, body: Json) -> Channel:
    """A thread that starts at a message. Raises Refusal where the message has one already."""
    parent = message.channel
    if message.thread is not None or message.id in world.channels:
        raise refusals.second_thread()
    thread = show(world, new_thread(world, parent, owner.id, body, message.id))
    message.thread, message.flags = thread, message.flags | HAS_THREAD
    posting.updated(world, message)
    started = Message(world.new_id(), thread, message.author, type=Type.THREAD_STARTER, referenced=message)
    started.reference = _reference(parent, message.id)
    posting.create(world, started)
    return thread


def open_without_message(world: World, parent: Channel, owner: User, body: Json) -> Channel:
    """A thread in a text channel that starts at no message; the channel then shows a line that it was opened."""
    thread = show(world, new_thread(world, parent, owner.id, body))
    if thread.kind is Kind.PUBLIC_THREAD:
        line = Message(world.new_id(), parent, owner, thread.name, Type.THREAD_CREATED, thread=thread)
        line.reference = _reference(thread)
        posting.create(world, line)
    return thread


def open_post(world: World, parent: Channel, author: User, body: Json, files: posting.Files, **about: Any) -> Message:
    """A post in a forum: a thread whose first message has its id. Raises Refusal, and then nothing was opened.

    `body` has the thread's values and in `message` those of the message; `about` are fields of the message.
    """
    thread = new_thread(world, parent, author.id, body)
    message = Message(thread.id, thread, author, **about)
    posting.fill(world, message, body["message"], files)
    show(world, thread)
    return posting.create(world, message)


def _reference(channel: Channel, message_id: int | None = None) -> Json:
    found: Json = {"type": 0, "channel_id": str(channel.id)}
    found |= {} if message_id is None else {"message_id": str(message_id)}
    return found | ({} if channel.guild is None else {"guild_id": str(channel.guild.id)})


def reference_to(message: Message) -> Json:
    """The reference of a reply to this message."""
    return _reference(message.channel, message.id)


def update_thread(world: World, thread: Channel, who: User, body: Json) -> None:
    """Archive, wake, lock, rename or tag a thread, and tell of it. Raises Refusal for values that Discord refuses."""
    name = checked_name(body["name"]) if "name" in body else thread.name
    if "applied_tags" in body and thread.parent is not None:
        thread.applied_tags = checked_tags(thread.parent, body["applied_tags"])
    is_renamed, thread.name = name != thread.name, name
    if "archived" in body:
        thread.archived, thread.archive_time = bool(body["archived"]), world.clock.now()
    thread.locked = bool(body.get("locked", thread.locked))
    thread.archive_minutes = body.get("auto_archive_duration") or thread.archive_minutes
    world.emit(Event("THREAD_UPDATE", payloads.channel(thread), thread.guild, thread))
    if is_renamed and not thread.archived:
        posting.create(world, Message(world.new_id(), thread, who, name, Type.RENAMED))


def update_channel(world: World, channel: Channel, body: Json) -> None:
    """Rename a channel, change its topic or its age restriction, and tell of it. Raises Refusal for a bad name."""
    channel.name = checked_name(body["name"]) if "name" in body else channel.name
    channel.topic = body.get("topic", channel.topic)
    channel.nsfw = bool(body.get("nsfw", channel.nsfw))
    world.emit(Event("CHANNEL_UPDATE", payloads.channel(channel), channel.guild, channel))


def delete(world: World, channel: Channel) -> None:
    """Take a channel or thread away, with its threads and webhooks, and tell of it."""
    for thread in world.threads(channel):
        _forget(world, thread)
    for each in [each for each in world.webhooks.values() if each.channel is channel]:
        del world.webhooks[each.id]
    _forget(world, channel)
    if not channel.is_thread:
        world.emit(Event("CHANNEL_DELETE", payloads.channel(channel), channel.guild, channel))
        return
    assert channel.guild is not None
    assert channel.parent is not None
    place = {"id": channel.id, "guild_id": channel.guild.id, "parent_id": channel.parent.id}
    told = {key: str(value) for key, value in place.items()} | {"type": int(channel.kind)}
    world.emit(Event("THREAD_DELETE", told, channel.guild, channel.parent))


def _forget(world: World, channel: Channel) -> None:
    channel.is_deleted = True
    world.channels.pop(channel.id, None)
