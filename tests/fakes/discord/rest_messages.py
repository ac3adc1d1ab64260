"""REST for messages and reactions: who may, under which rules. What then happens is in `posting`."""

from urllib.parse import unquote

from tests.fakes.discord import payloads, posting, refusals
from tests.fakes.discord.permissions import Permission, in_channel
from tests.fakes.discord.places import reference_to
from tests.fakes.discord.records import EPHEMERAL, Channel, Json, Kind, Message, Type
from tests.fakes.discord.routes import NOTHING, Answer, Call, Routes, snowflake
from tests.fakes.discord.world import World

MESSAGES = Routes()
NONCE_S = 300.0
OLDEST_BULK_S = 14 * 86_400
PLACE = "/channels/{channel}/messages"
ONE = f"{PLACE}/{{message}}"


@MESSAGES.on("POST", PLACE)
def create(call: Call) -> Answer:
    world, channel, body = call.world, call.channel, call.body
    may_write(world, channel)
    nonce = body.get("nonce")
    if len(str(nonce or "")) > 25:
        raise refusals.invalid("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer in length.")
    if nonce is not None and body.get("enforce_nonce") and (first := _same(world, nonce)):
        return 200, shown(world, world.message(first.channel, first.id)) | {"nonce": nonce}
    message = Message(world.new_id(), channel, world.bot, nonce=nonce)
    allowed = in_channel(world.bot.id, channel)
    if call.files and Permission.ATTACH_FILES not in allowed:
        raise refusals.no_permission()
    _refer(world, message, body)
    dropped: Json = {} if Permission.EMBED_LINKS in allowed else {"embeds": []}
    posting.fill(world, message, body | dropped | {"flags": (body.get("flags") or 0) & ~EPHEMERAL}, call.files)
    world.nonces.append(message)
    posting.create(world, message)
    return 200, shown(world, message) | ({} if nonce is None else {"nonce": nonce})


def _same(world: World, nonce: str | int) -> Message | None:
    """The bot's message that had this nonce first, in the past few minutes; also one that was deleted since."""
    earliest = world.clock.now() - NONCE_S
    return next((each for each in world.nonces if each.nonce == nonce and each.created >= earliest), None)


def _refer(world: World, message: Message, body: Json) -> None:
    reference = body.get("message_reference")
    if not reference:
        return
    found = message.channel.messages.get(int(reference["message_id"]))
    if found is None and reference.get("fail_if_not_exists", True):
        raise refusals.invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    if found is not None:
        world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
        message.type, message.referenced, message.reference = Type.REPLY, found, reference_to(found)


def may_write(world: World, channel: Channel) -> None:
    """Raises Refusal where the bot may not write in this channel."""
    if channel.kind is Kind.FORUM:
        raise refusals.Refusal(400, 50008, "Cannot send messages in a non-text channel")
    if channel.kind is Kind.DM and not all(each.accepts_dms for each in channel.recipients):
        raise refusals.no_dm()
    if channel.guild is not None:
        world.require(channel, Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES)
    if channel.locked and Permission.MANAGE_THREADS not in in_channel(world.bot.id, channel):
        raise refusals.archived(403) if channel.archived else refusals.locked()


def not_archived(channel: Channel) -> None:
    """Raises Refusal for an archived thread, in which nothing can be edited."""
    if channel.archived:
        raise refusals.archived()


def shown(world: World, message: Message) -> Json:
    """A message as the application may read it over REST."""
    found = payloads.message(world, message)
    return found if world.reads_content or payloads.may_read(world, message) else payloads.blanked(found)


@MESSAGES.on("GET", PLACE)
def history(call: Call) -> Answer:
    world, channel, query = call.world, call.channel, call.exchange.query
    if channel.guild is not None and Permission.READ_MESSAGE_HISTORY not in in_channel(world.bot.id, channel):
        return 200, []
    limit = call.number("limit", 50)
    if not 1 <= limit <= 100:
        raise refusals.invalid("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    standing = sorted(channel.messages.values(), key=lambda each: each.id)
    bound = {name: snowflake(name, query[name]) for name in ("around", "before", "after") if name in query}
    if "around" in bound:
        half = limit // 2
        before = [each for each in standing if each.id < bound["around"]][-half:] if half else []
        found = before + [each for each in standing if each.id >= bound["around"]][: limit - len(before)]
    elif "after" in bound:
        found = [each for each in standing if each.id > bound["after"]][:limit]
    else:
        found = [each for each in standing if each.id < bound.get("before", 1 << 64)][-limit:]
    return 200, [shown(world, each) for each in reversed(found)]


@MESSAGES.on("POST", f"{PLACE}/bulk-delete")
def bulk_delete(call: Call) -> Answer:
    world, channel = call.world, call.channel
    if channel.guild is None:
        raise refusals.Refusal(400, 50003, "Cannot execute action on a DM channel")
    world.require(channel, Permission.MANAGE_MESSAGES)
    ids = {int(each) for each in call.body["messages"]}
    if not 2 <= len(ids) <= 100:
        raise refusals.invalid("messages", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    found = [channel.messages[each] for each in sorted(ids) if each in channel.messages]
    if any(each.created < world.clock.now() - OLDEST_BULK_S for each in found):
        raise refusals.Refusal(400, 50034, "You can only bulk delete messages that are under 14 days old.")
    posting.delete(world, found, bulk=True)
    return NOTHING


@MESSAGES.on("GET", ONE)
def get(call: Call) -> Answer:
    message = call.message
    if message.channel.guild is not None:
        call.world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    return 200, shown(call.world, message)


@MESSAGES.on("PATCH", ONE)
def edit(call: Call) -> Answer:
    message, body = call.message, call.body
    not_archived(message.channel)
    if message.author is not call.world.bot:
        raise refusals.not_the_author()
    posting.edit(call.world, message, body, call.files)
    return 200, shown(call.world, message)


@MESSAGES.on("DELETE", ONE)
def delete(call: Call) -> Answer:
    message = call.message
    if message.author is not call.world.bot:
        if message.channel.guild is None:
            raise refusals.Refusal(403, 50003, "Cannot execute action on a DM channel")
        call.world.require(message.channel, Permission.MANAGE_MESSAGES)
    posting.delete(call.world, [message])
    return NOTHING


@MESSAGES.on("POST", "/channels/{channel}/typing")
def typing(call: Call) -> Answer:
    may_write(call.world, call.channel)
    posting.typing(call.world, call.world.bot, call.channel)
    return NOTHING


def _emoji(call: Call) -> str:
    """The emoji of the path. Raises Refusal for a custom one that nobody made."""
    key = unquote(call.parameters["emoji"])
    name, _, id_ = key.partition(":")
    if not name or (id_ and int(id_) not in call.world.emojis):
        raise refusals.Refusal(400, 10014, "Unknown Emoji")
    return key


@MESSAGES.on("PUT", f"{ONE}/reactions/{{emoji}}/@me")
def react(call: Call) -> Answer:
    message, emoji = call.message, _emoji(call)
    not_archived(message.channel)
    if message.channel.guild is not None:
        call.world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    if message.channel.guild is not None and emoji not in message.reactions:
        call.world.require(message.channel, Permission.ADD_REACTIONS)
    posting.react(call.world, message, call.world.bot, emoji)
    return NOTHING


@MESSAGES.on("DELETE", f"{ONE}/reactions/{{emoji}}/@me")
def unreact(call: Call) -> Answer:
    message = call.message
    not_archived(message.channel)
    posting.unreact(call.world, message, call.world.bot, _emoji(call))
    return NOTHING


@MESSAGES.on("DELETE", f"{ONE}/reactions/{{emoji}}/{{user}}")
def unreact_other(call: Call) -> Answer:
    message = call.message
    call.world.require(message.channel, Permission.MANAGE_MESSAGES)
    posting.unreact(call.world, message, call.world.user(call.id("user")), _emoji(call))
    return NOTHING


@MESSAGES.on("DELETE", f"{ONE}/reactions/{{emoji}}")
def clear_emoji(call: Call) -> Answer:
    message = call.message
    call.world.require(message.channel, Permission.MANAGE_MESSAGES)
    posting.clear_reactions(call.world, message, _emoji(call))
    return NOTHING


@MESSAGES.on("DELETE", f"{ONE}/reactions")
def clear(call: Call) -> Answer:
    message = call.message
    call.world.require(message.channel, Permission.MANAGE_MESSAGES)
    posting.clear_reactions(call.world, message)
    return NOTHING


@MESSAGES.on("GET", f"{ONE}/reactions/{{emoji}}")
def reactions(call: Call) -> Answer:
    who = call.message.reactions.get(_emoji(call), [])
    return 200, [payloads.user(call.world.user(each)) for each in who]
