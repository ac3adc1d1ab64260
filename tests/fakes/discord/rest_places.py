"""REST for guilds, channels and threads: who may, under which rules. What then happens is in `places`."""

from typing import Any

from tests.fakes.discord import payloads, places, refusals
from tests.fakes.discord.permissions import Permission, in_channel
from tests.fakes.discord.records import Channel, Json, Kind
from tests.fakes.discord.rest_messages import ONE, shown
from tests.fakes.discord.routes import NOTHING, Answer, Call, Routes
from tests.fakes.discord.world import Event, World

PLACES = Routes()
CHANNEL = "/channels/{channel}"
OF_OWNER = {"name", "archived", "auto_archive_duration", "applied_tags"}
"""What the owner of a thread may change without a permission."""


@PLACES.on("GET", CHANNEL)
def get(call: Call) -> Answer:
    return 200, payloads.channel(call.channel)


@PLACES.on("PATCH", CHANNEL)
def patch(call: Call) -> Answer:
    world, channel, body = call.world, call.channel, call.body
    if channel.is_thread:
        _may_change(world, channel, body)
        places.update_thread(world, channel, world.bot, body)
    else:
        world.require(channel, Permission.MANAGE_CHANNELS)
        places.update_channel(world, channel, body)
    return 200, payloads.channel(channel)


def _may_change(world: World, thread: Channel, body: Json) -> None:
    """Raises Refusal where the bot may not change this of the thread. Waking one is allowed to whoever may write in it."""
    manages = Permission.MANAGE_THREADS in in_channel(world.bot.id, thread)
    if thread.archived and (body.get("archived") is not False or (thread.locked and not manages)):
        raise refusals.archived(400 if manages or not thread.locked else 403)
    if manages:
        return
    wakes = body == {"archived": False}
    if wakes:
        world.require(thread, Permission.SEND_MESSAGES_IN_THREADS)
    elif thread.owner_id != world.bot.id or body.keys() - OF_OWNER:
        raise refusals.no_permission()


@PLACES.on("DELETE", CHANNEL)
def delete(call: Call) -> Answer:
    world, channel = call.world, call.channel
    if channel.guild is not None:
        world.require(channel, Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS)
        places.delete(world, channel)
    return 200, payloads.channel(channel)


def _thread(call: Call, thread: Channel) -> Json:
    """A thread with the bot's own membership, where it is in it."""
    found = payloads.channel(thread)
    joined = call.world.bot.id in thread.thread_members
    return found | ({"member": payloads.thread_member(thread, call.world.bot.id)} if joined else {})


@PLACES.on("POST", f"{CHANNEL}/threads")
def open_thread(call: Call) -> Answer:
    world, parent, body = call.world, call.channel, call.body
    if parent.kind is Kind.FORUM:
        world.require(parent, Permission.SEND_MESSAGES)
        if not isinstance(body.get("message"), dict):
            raise refusals.invalid("message", "BASE_TYPE_REQUIRED", "This field is required")
        message = places.open_post(world, parent, world.bot, body, call.files)
        return 201, _thread(call, message.channel) | {"message": shown(world, message)}
    if parent.kind not in (Kind.TEXT, Kind.ANNOUNCEMENT):
        raise refusals.wrong_kind()
    private = body.get("type", Kind.PRIVATE_THREAD) == Kind.PRIVATE_THREAD
    world.require(parent, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS)
    kind = {"type": Kind.PRIVATE_THREAD if private else Kind.PUBLIC_THREAD}
    return 201, _thread(call, places.open_without_message(world, parent, world.bot, body | kind))


@PLACES.on("POST", f"{ONE}/threads")
def open_at_message(call: Call) -> Answer:
    world, message = call.world, call.message
    if message.channel.kind not in (Kind.TEXT, Kind.ANNOUNCEMENT):
        raise refusals.wrong_kind()
    world.require(message.channel, Permission.CREATE_PUBLIC_THREADS, Permission.READ_MESSAGE_HISTORY)
    return 201, _thread(call, places.open_at_message(world, message, world.bot, call.body))


def _listed(call: Call, threads: list[Channel], *, more: bool = False) -> Json:
    own = call.world.bot.id
    members = [payloads.thread_member(each, own) for each in threads if own in each.thread_members]
    return {"threads": [payloads.channel(each) for each in threads], "members": members, "has_more": more}


@PLACES.on("GET", "/guilds/{guild}/threads/active")
def active(call: Call) -> Answer:
    found = call.world.threads(guild=call.world.guild(call.id("guild")))
    sees = [each for each in found if Permission.VIEW_CHANNEL in in_channel(call.world.bot.id, each)]
    return 200, _listed(call, [each for each in reversed(sees) if not each.archived])


@PLACES.on("GET", f"{CHANNEL}/threads/archived/public")
def archived(call: Call) -> Answer:
    return _archived(call, Kind.PUBLIC_THREAD)


@PLACES.on("GET", f"{CHANNEL}/threads/archived/private")
def archived_private(call: Call) -> Answer:
    return _archived(call, Kind.PRIVATE_THREAD)


def _archived(call: Call, kind: Kind) -> Answer:
    channel, limit = call.channel, call.number("limit", 50)
    call.world.require(channel, Permission.READ_MESSAGE_HISTORY)
    before = call.exchange.query.get("before", "9999")
    found = [each for each in call.world.threads(channel) if each.archived and each.kind is kind]
    found = [each for each in found if payloads.moment(each.archive_time) < before]
    found.sort(key=lambda each: -each.archive_time)
    return 200, _listed(call, found[:limit], more=len(found) > limit)


@PLACES.on("PUT", f"{CHANNEL}/thread-members/@me")
def join(call: Call) -> Answer:
    return _joined(call, is_member=True)


@PLACES.on("DELETE", f"{CHANNEL}/thread-members/@me")
def leave(call: Call) -> Answer:
    return _joined(call, is_member=False)


def _joined(call: Call, *, is_member: bool) -> Answer:
    thread, own = call.channel, call.world.bot.id
    if thread.archived:
        raise refusals.archived()
    (thread.thread_members.add if is_member else thread.thread_members.discard)(own)
    return NOTHING


@PLACES.on("PUT", f"{CHANNEL}/thread-members/{{user}}")
def invite(call: Call) -> Answer:
    call.channel.thread_members.add(call.world.user(call.id("user")).id)
    return NOTHING


@PLACES.on("GET", "/guilds/{guild}")
def get_guild(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild"))
    counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": 1}
    return 200, payloads.guild(guild) | (counts if call.exchange.query.get("with_counts") in {"1", "true"} else {})


@PLACES.on("PATCH", "/guilds/{guild}")
def patch_guild(call: Call) -> Answer:
    world, guild = call.world, call.world.guild(call.id("guild"))
    if Permission.MANAGE_GUILD not in _own(call):
        raise refusals.no_permission()
    guild.name = str(call.body.get("name") or guild.name)
    world.emit(Event("GUILD_UPDATE", payloads.told_guild(guild), guild))
    return 200, payloads.guild(guild)


def _own(call: Call) -> Permission:
    listed = payloads.own_guild(call.world, call.world.guild(call.id("guild")))
    return Permission(int(listed["permissions"]))


@PLACES.on("GET", "/guilds/{guild}/channels")
def channels(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild"))
    return 200, [payloads.channel(each) for each in call.world.channels.values() if each.guild is guild and not each.is_thread]


@PLACES.on("GET", "/guilds/{guild}/roles")
def roles(call: Call) -> Answer:
    return 200, [payloads.role(each) for each in call.world.guild(call.id("guild")).roles.values()]


@PLACES.on("GET", "/guilds/{guild}/members/{user}")
def member(call: Call) -> Answer:
    guild, user = call.world.guild(call.id("guild")), call.world.user(call.id("user"))
    if user.id not in guild.members:
        raise refusals.unknown("Member")
    return 200, payloads.member(user, guild)


@PLACES.on("GET", "/users/@me")
def me(call: Call) -> Answer:
    own: dict[str, Any] = {"mfa_enabled": False, "locale": "en-US", "premium_type": 0, "email": None, "verified": True}
    return 200, payloads.user(call.world.bot) | own


@PLACES.on("GET", "/users/@me/guilds")
def my_guilds(call: Call) -> Answer:
    return 200, [payloads.own_guild(call.world, each) for each in call.world.guilds.values()]


@PLACES.on("POST", "/users/@me/channels")
def open_dm(call: Call) -> Answer:
    user = call.world.user(int(call.body["recipient_id"]))
    return 200, payloads.channel(dm_with(call.world, user))


@PLACES.on("GET", "/users/{user}")
def user(call: Call) -> Answer:
    return 200, payloads.user(call.world.user(call.id("user")))


def dm_with(world: World, user: Any) -> Channel:
    """The direct messages of the bot and this person; there is one such channel."""
    for each in world.channels.values():
        if each.kind is Kind.DM and each.recipients == (user,):
            return each
    channel = Channel(world.new_id(), Kind.DM, recipients=(user,))
    world.channels[channel.id] = channel
    return channel
