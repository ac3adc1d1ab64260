"""REST for webhooks: made, listed, executed, and their messages. What an interaction's own one does is in `rest_answers`."""

import hashlib
import unicodedata
from secrets import compare_digest, token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.discord import payloads, places, posting, refusals, rest_answers
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.records import EPHEMERAL, LOADING, Channel, Json, Kind, Message, User, Webhook
from tests.fakes.discord.routes import NOTHING, Answer, Call, Routes
from tests.fakes.discord.world import Event, World

WEBHOOKS = Routes()
PER_CHANNEL = 15
FORBIDDEN = ("clyde", "discord")
INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Cs"}
WITH_TOKEN = "/webhooks/{webhook}/{token}"  # noqa: S105 the name of a part of a path
MESSAGE = f"{WITH_TOKEN}/messages/{{message}}"


def checked_name(field: str, value: Any) -> str:
    """A name of 1 to 80 characters that Discord lets a webhook have. Raises Refusal for any other."""
    name = str(value or "").strip()
    if not 1 <= len(name) <= 80:
        raise refusals.invalid(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    for word in FORBIDDEN:
        if word in name.lower():
            raise refusals.invalid(field, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{word}"')
    if all(unicodedata.category(each) in INVISIBLE or each.isspace() for each in name):
        raise refusals.invalid(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    return name


def make(world: World, channel: Channel, name: str, application_id: int, user: User) -> Webhook:
    """A webhook of this application on a channel. Raises Refusal where the channel has as many as it may have."""
    if sum(each.channel is channel for each in world.webhooks.values()) >= PER_CHANNEL:
        raise refusals.too_many_webhooks()
    webhook = Webhook(world.new_id(), token_urlsafe(51), name, channel, application_id, user)
    world.webhooks[webhook.id] = webhook
    changed(world, channel)
    return webhook


def changed(world: World, channel: Channel) -> None:
    """Tell that a channel's webhooks changed; which of them, Discord does not say."""
    assert channel.guild is not None
    told = {"guild_id": str(channel.guild.id), "channel_id": str(channel.id)}
    world.emit(Event("WEBHOOKS_UPDATE", told, channel.guild, channel))


@WEBHOOKS.on("POST", "/channels/{channel}/webhooks")
def create(call: Call) -> Answer:
    world, channel = call.world, call.channel
    if channel.is_thread or channel.guild is None:
        raise refusals.wrong_kind()
    world.require(channel, Permission.MANAGE_WEBHOOKS)
    webhook = make(world, channel, checked_name("name", call.body.get("name")), world.application_id, world.bot)
    webhook.avatar = _hash(call.body.get("avatar"))
    return 200, payloads.webhook(webhook, with_token=True)


def _hash(data: str | None) -> str | None:
    return None if not data else hashlib.sha256(data.encode()).hexdigest()[:32]


@WEBHOOKS.on("GET", "/channels/{channel}/webhooks")
def of_channel(call: Call) -> Answer:
    call.world.require(call.channel, Permission.MANAGE_WEBHOOKS)
    return 200, _listed(call.world, [each for each in call.world.webhooks.values() if each.channel is call.channel])


@WEBHOOKS.on("GET", "/guilds/{guild}/webhooks")
def of_guild(call: Call) -> Answer:
    guild = call.world.guild(call.id("guild"))
    found = [each for each in call.world.webhooks.values() if each.channel.guild is guild]
    for each in found:
        call.world.require(each.channel, Permission.MANAGE_WEBHOOKS)
    return 200, _listed(call.world, found)


def _listed(world: World, found: list[Webhook]) -> list[Json]:
    return [payloads.webhook(each, with_token=each.application_id == world.application_id) for each in found]


def _by_id(call: Call) -> Webhook:
    webhook = call.world.webhooks.get(call.id("webhook"))
    if webhook is None:
        raise refusals.unknown("Webhook")
    return webhook


def _by_token(call: Call) -> Webhook:
    """The webhook of the path. Raises Refusal for an unknown one, and for a token that is not its own."""
    webhook = _by_id(call)
    if not compare_digest(webhook.token, call.parameters["token"]):
        raise refusals.wrong_webhook_token()
    return webhook


@WEBHOOKS.on("GET", "/webhooks/{webhook}")
def get(call: Call) -> Answer:
    webhook = _by_id(call)
    call.world.require(webhook.channel, Permission.MANAGE_WEBHOOKS)
    return 200, _listed(call.world, [webhook])[0]


@WEBHOOKS.on("PATCH", "/webhooks/{webhook}")
def patch(call: Call) -> Answer:
    webhook = _by_id(call)
    call.world.require(webhook.channel, Permission.MANAGE_WEBHOOKS)
    if "channel_id" in call.body:
        webhook.channel = call.world.channel(int(call.body["channel_id"]))
    return _patched(call, webhook)


@WEBHOOKS.on("PATCH", WITH_TOKEN, needs_token=False)
def patch_with_token(call: Call) -> Answer:
    return _patched(call, _by_token(call))


def _patched(call: Call, webhook: Webhook) -> Answer:
    webhook.name = checked_name("name", call.body["name"]) if "name" in call.body else webhook.name
    webhook.avatar = _hash(call.body["avatar"]) if "avatar" in call.body else webhook.avatar
    changed(call.world, webhook.channel)
    return 200, _listed(call.world, [webhook])[0]


@WEBHOOKS.on("DELETE", "/webhooks/{webhook}")
def delete(call: Call) -> Answer:
    webhook = _by_id(call)
    call.world.require(webhook.channel, Permission.MANAGE_WEBHOOKS)
    return _deleted(call, webhook)


@WEBHOOKS.on("DELETE", WITH_TOKEN, needs_token=False)
def delete_with_token(call: Call) -> Answer:
    return _deleted(call, _by_token(call))


def _deleted(call: Call, webhook: Webhook) -> Answer:
    del call.world.webhooks[webhook.id]
    changed(call.world, webhook.channel)
    return NOTHING


@WEBHOOKS.on("GET", WITH_TOKEN, needs_token=False)
def get_with_token(call: Call) -> Answer:
    return 200, payloads.webhook(_by_token(call), with_token=True)


def speaker(world: World, webhook: Webhook, body: Json) -> tuple[User, str | None]:
    """Who a webhook's message shows as its author, and the address of the face it was asked to show. Raises Refusal."""
    name = checked_name("username", body["username"]) if body.get("username") else webhook.name
    url, avatar = body.get("avatar_url"), webhook.avatar
    if url:
        if len(url) > 2048 or urlsplit(url).scheme not in {"http", "https"}:
            raise refusals.invalid("avatar_url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('http', 'https').")
        avatar = _hash(url) if loads(world, url) else None
    return User(webhook.id, name, is_bot=True, avatar=avatar, discriminator="0000"), url


def loads(world: World, url: str) -> bool:
    """Whether an address leads to an image: one of the loopback's own content server has to be there and not lapsed."""
    parts = urlsplit(url)
    return (
        parts.hostname not in {"cdn.discordapp.com", "media.discordapp.net"}
        or content(world, parts.path, parts.query) is not None
    )


def content(world: World, path: str, query: str) -> tuple[bytes, str] | None:
    """The bytes behind a path of the content server and their type; None for what is not there or has lapsed."""
    if (file := world.attachments.get(path)) is not None:
        signed = dict(each.partition("=")[::2] for each in query.split("&"))
        return (file.data, file.content_type) if int(signed.get("ex", "0"), 16) > world.clock.now() else None
    number = path.removeprefix("/emojis/").partition(".")[0]
    emoji = world.emojis.get(int(number)) if path.startswith("/emojis/") and number.isdecimal() else None
    return None if emoji is None else (emoji.image, emoji.content_type)


def _place(call: Call, webhook: Webhook) -> Channel:
    """Where the request posts or looks: the webhook's channel or a thread of it. Raises Refusal for any other place."""
    if "thread_id" not in call.exchange.query:
        return webhook.channel
    thread = call.world.channels.get(call.number("thread_id", 0))
    if thread is None or thread.parent is not webhook.channel:
        raise refusals.unknown("Channel")
    return thread


@WEBHOOKS.on("POST", WITH_TOKEN, needs_token=False)
def execute(call: Call) -> Answer:
    if (asked := rest_answers.of_interaction(call)) is not None:
        return rest_answers.follow(call, asked)
    world, webhook, body = call.world, _by_token(call), call.body
    place, title = _place(call, webhook), body.get("thread_name")
    if webhook.channel.kind is not Kind.FORUM and title:
        raise refusals.Refusal(400, 220003, "Webhooks can only create threads in forum channels")
    if place.kind is Kind.FORUM and not title:
        raise refusals.Refusal(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
    if place.is_thread and title:
        raise refusals.Refusal(400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
    if place.archived and place.locked:
        raise refusals.archived()
    author, url = speaker(world, webhook, body)
    about: Json = {"webhook_id": webhook.id, "application_id": webhook.application_id, "avatar_url": url}
    said = body | {"flags": (body.get("flags") or 0) & ~(EPHEMERAL | LOADING)}
    if title:
        opened = {"name": title, "applied_tags": body.get("applied_tags"), "message": said}
        message = places.open_post(world, place, author, opened, call.files, **about)
    else:
        message = Message(world.new_id(), place, author, **about)
        posting.fill(world, message, said, call.files)
        posting.create(world, message)
    waits = call.exchange.query.get("wait") in {"1", "true"}
    return (200, payloads.message(world, message)) if waits else NOTHING


def _message(call: Call) -> Message:
    """A message that this webhook posted in the place that the request names. Raises Refusal."""
    webhook = _by_token(call)
    message = _place(call, webhook).messages.get(call.id("message"))
    if message is None or message.webhook_id != webhook.id:
        raise refusals.unknown("Message")
    return message


@WEBHOOKS.on("GET", MESSAGE, needs_token=False)
def get_message(call: Call) -> Answer:
    if (asked := rest_answers.of_interaction(call)) is not None:
        return rest_answers.get(call, asked)
    return 200, payloads.message(call.world, _message(call))


@WEBHOOKS.on("PATCH", MESSAGE, needs_token=False)
def edit_message(call: Call) -> Answer:
    if (asked := rest_answers.of_interaction(call)) is not None:
        return rest_answers.edit(call, asked)
    message = _message(call)
    if message.channel.archived:
        raise refusals.archived()
    posting.edit(call.world, message, call.body, call.files)
    return 200, payloads.message(call.world, message)


@WEBHOOKS.on("DELETE", MESSAGE, needs_token=False)
def delete_message(call: Call) -> Answer:
    if (asked := rest_answers.of_interaction(call)) is not None:
        return rest_answers.delete(call, asked)
    posting.delete(call.world, [_message(call)])
    return NOTHING
