"""How records look in Discord's JSON. Pure: it reads records and changes nothing."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.discord.permissions import Permission, in_guild
from tests.fakes.discord.records import (
    REQUIRES_TAG,
    Attachment,
    Channel,
    Emoji,
    Guild,
    Json,
    Kind,
    Message,
    Role,
    User,
    Webhook,
)
from tests.fakes.discord.world import World

CDN = "https://cdn.discordapp.com"
LINK_S = 86_400.0
"""How long the signed address of an attachment is good. Discord's own lapse after about a day."""
SELECTS = (3, 5, 6, 7, 8)


def moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()


def user(who: User) -> Json:
    return {
        "id": str(who.id),
        "username": who.name,
        "avatar": who.avatar,
        "discriminator": who.discriminator,
        "public_flags": 0,
        "flags": 0,
        "global_name": None if who.is_bot else who.name,
        "primary_guild": None,
    } | ({"bot": True} if who.is_bot else {})


def member(who: User, guild: Guild, *, with_user: bool = True) -> Json:
    """A member; inside of events about messages it comes without its user."""
    found: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": moment(1_600_000_000),
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [str(each) for each in guild.members.get(who.id, ())],
        "mute": False,
        "deaf": False,
    }
    return found | ({"user": user(who)} if with_user else {})


def role(each: Role) -> Json:
    tags = {} if each.bot_id is None else {"tags": {"bot_id": str(each.bot_id)}}
    return {
        "id": str(each.id),
        "name": each.name,
        "permissions": str(int(each.permissions)),
        "position": each.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": each.bot_id is not None,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    } | tags


def guild(each: Guild) -> Json:
    nothing: Json = dict.fromkeys(
        (
            *("icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id"),
            *("afk_channel_id", "system_channel_id", "widget_channel_id", "vanity_url_code", "rules_channel_id"),
            *("safety_alerts_channel_id", "public_updates_channel_id", "incidents_data", "max_presences"),
        )
    )
    zero: Json = dict.fromkeys(
        (
            *("system_channel_flags", "verification_level", "default_message_notifications", "mfa_level"),
            *("explicit_content_filter", "premium_tier", "premium_subscription_count"),
        ),
        0,
    )
    return (
        nothing
        | zero
        | {
            "id": str(each.id),
            "name": each.name,
            "features": [],
            "owner_id": str(each.owner_id),
            "region": "deprecated",
            "afk_timeout": 300,
            "widget_enabled": False,
            "roles": [role(one) for one in each.roles.values()],
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "preferred_locale": "en-US",
            "premium_progress_bar_enabled": False,
            "nsfw": each.nsfw_level in (1, 3),
            "nsfw_level": each.nsfw_level,
            "emojis": [],
            "stickers": [],
        }
    )


def told_guild(each: Guild) -> Json:
    """A guild as the gateway tells of it, which has one part more than REST answers."""
    return guild(each) | {"hub_type": None}


def created_guild(world: World, each: Guild) -> Json:
    """What GUILD_CREATE carries: with the channels, and those threads that are not archived."""
    inside = [one for one in world.channels.values() if one.guild is each]
    empty: Json = {
        name: [] for name in ("voice_states", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds")
    }
    return (
        told_guild(each)
        | empty
        | {
            "joined_at": moment(1_600_000_000),
            "large": False,
            "unavailable": False,
            "member_count": len(each.members),
            "members": [member(world.bot, each)],
            "channels": [channel(one) for one in inside if not one.is_thread],
            "threads": [channel(one) for one in inside if one.is_thread and not one.archived],
        }
    )


def own_guild(world: World, each: Guild) -> Json:
    return {
        "id": str(each.id),
        "name": each.name,
        "icon": None,
        "banner": None,
        "owner": each.owner_id == world.bot.id,
        "permissions": str(int(in_guild(world.bot.id, each))),
        "features": [],
    }


def channel(each: Channel) -> Json:
    found: Json = {
        "id": str(each.id),
        "type": int(each.kind),
        "last_message_id": None if each.last_message_id is None else str(each.last_message_id),
        "flags": each.flags,
    }
    if each.guild is None:
        return found | {"recipients": [user(one) for one in each.recipients]}
    found |= {"guild_id": str(each.guild.id), "name": each.name, "rate_limit_per_user": 0}
    if each.is_thread:
        return found | _thread(each)
    found |= {
        "parent_id": None,
        "position": 0,
        "topic": each.topic,
        "nsfw": each.nsfw,
        "permission_overwrites": [
            {"id": str(id_), "type": one.kind, "allow": str(one.allow), "deny": str(one.deny)}
            for id_, one in each.overwrites.items()
        ],
    }
    return found | (_forum(each) if each.kind is Kind.FORUM else {})


def _thread(each: Channel) -> Json:
    assert each.parent is not None
    return {
        "parent_id": str(each.parent.id),
        "owner_id": str(each.owner_id),
        "message_count": len(each.messages),
        "total_message_sent": each.sent,
        "member_count": len(each.thread_members),
        "applied_tags": [str(one) for one in each.applied_tags],
        "thread_metadata": {
            "archived": each.archived,
            "archive_timestamp": moment(each.archive_time),
            "auto_archive_duration": each.archive_minutes,
            "locked": each.locked,
            "create_timestamp": moment(each.created),
        },
    }


def _forum(each: Channel) -> Json:
    return {
        "flags": each.flags & REQUIRES_TAG,
        "available_tags": [
            {"id": str(id_), "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
            for name, id_ in each.tags.items()
        ],
        "default_reaction_emoji": None,
        "default_sort_order": None,
        "default_forum_layout": 0,
    }


def thread_member(each: Channel, user_id: int) -> Json:
    return {"id": str(each.id), "user_id": str(user_id), "join_timestamp": moment(each.created), "flags": 0}


def address(world: World, each: Attachment) -> str:
    """The attachment's public address, which lapses. Only the moment of lapsing is signed here, and checked on loading."""
    return f"{CDN}{each.path}?ex={int(world.clock.now() + LINK_S):x}&is=0&hm=0"


def attachment(world: World, each: Attachment) -> Json:
    url = address(world, each)
    found: Json = {
        "id": str(each.id),
        "filename": each.filename,
        "size": len(each.data),
        "url": url,
        "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
        "content_type": each.content_type,
    }
    found |= {} if each.description is None else {"description": each.description}
    return found | ({"ephemeral": True} if each.ephemeral else {})


def emoji_key(key: str) -> Json:
    """A reaction's emoji: a sign, or a name and an id."""
    name, _, id_ = key.partition(":")
    return {"id": id_ or None, "name": name}


def message(world: World, each: Message, *, inner: bool = True) -> Json:
    """A message as REST answers it. The message that it replies to comes along once, and not that one's in turn."""
    found: Json = {
        "id": str(each.id),
        "type": int(each.type),
        "channel_id": str(each.channel.id),
        "content": each.content,
        "author": user(each.author),
        "timestamp": moment(each.created),
        "edited_timestamp": None if each.edited is None else moment(each.edited),
        "flags": each.flags,
        "pinned": False,
        "mention_everyone": each.mentions_everyone,
        "tts": False,
        "mentions": [user(one) for one in each.mentions],
        "mention_roles": [],
        "attachments": [attachment(world, one) for one in each.attachments],
        "embeds": each.embeds,
        "components": each.components,
    }
    if each.reactions:
        found["reactions"] = [_reaction(world, key, who) for key, who in each.reactions.items()]
    for name, value in (("webhook_id", each.webhook_id), ("application_id", each.application_id)):
        found |= {} if value is None else {name: str(value)}
    for name, json in (("message_reference", each.reference), ("interaction_metadata", each.metadata)):
        found |= {} if json is None else {name: json}
    if each.thread is not None:
        found["thread"] = channel(each.thread)
    if inner and each.referenced is not None:
        gone = each.referenced.is_deleted
        found["referenced_message"] = None if gone else message(world, each.referenced, inner=False)
    return found


def _reaction(world: World, key: str, who: list[int]) -> Json:
    return {
        "emoji": emoji_key(key),
        "count": len(who),
        "count_details": {"burst": 0, "normal": len(who)},
        "burst_colors": [],
        "me_burst": False,
        "me": world.bot.id in who,
    }


def posted(world: World, each: Message) -> Json:
    """A message as the gateway tells of it: with its guild, and with the member who wrote it."""
    found = message(world, each)
    home = each.channel.guild
    if home is None:
        return found
    found["guild_id"] = str(home.id)
    if each.webhook_id is None and each.author.id in home.members:
        found["member"] = member(each.author, home, with_user=False)
    return found


def blanked(found: Json) -> Json:
    """A message without what the message content intent is for."""
    return found | {"content": "", "embeds": [], "attachments": [], "components": []}


def may_read(world: World, each: Message) -> bool:
    """Whether its text reaches an application without the intent: a direct message, its own, or one that mentions it."""
    own = each.author is world.bot or each.application_id == world.application_id
    return own or each.channel.guild is None or world.bot in each.mentions


def webhook(each: Webhook, *, with_token: bool) -> Json:
    assert each.channel.guild is not None
    found: Json = {
        "id": str(each.id),
        "type": 1,
        "name": each.name,
        "avatar": each.avatar,
        "channel_id": str(each.channel.id),
        "guild_id": str(each.channel.guild.id),
        "application_id": str(each.application_id),
        "user": user(each.user),
    }
    if with_token:
        found |= {"token": each.token, "url": f"https://discord.com/api/webhooks/{each.id}/{each.token}"}
    return found


def emoji(world: World, each: Emoji) -> Json:
    flags = {"require_colons": True, "managed": False, "animated": False, "available": True}
    return {"id": str(each.id), "name": each.name, "roles": [], "user": user(world.bot)} | flags


def numbered(components: list[Json]) -> list[Json]:
    """Components as Discord hands them back: each with an id, and with what it fills in where nothing was said."""
    count = iter(range(1, 1000))

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        if not isinstance(value, dict) or "type" not in value:
            return value
        if (emoji := value.get("emoji")) is not None:  # a sign has no id, and Discord then leaves it out
            value = value | {"emoji": {key: each for key, each in emoji.items() if key != "id" or each is not None}}
        found = {"id": value.get("id") or next(count)} | {key: filled(each) for key, each in value.items() if key != "id"}
        if value["type"] in SELECTS:
            found = {"min_values": 1, "max_values": 1} | found
        return {"accent_color": None, "spoiler": False} | found if value["type"] == 17 else found

    found: list[Json] = filled(components)
    return found


def allowed_mentions(world: World, content: str, allowed: Json | None) -> tuple[User, ...]:
    """Whom a message of an application mentions, by what it allows."""
    found = world.mentioned(content)
    if allowed is None or "users" in allowed.get("parse", ()):
        return found
    named = {int(each) for each in allowed.get("users", ())}
    return tuple(each for each in found if each.id in named)


def mentions_everyone(content: str, allowed: Json | None) -> bool:
    """Whether a text calls everyone, where it may."""
    return ("@everyone" in content or "@here" in content) and (allowed is None or "everyone" in allowed.get("parse", ()))


def application_flags(world: World) -> int:
    """The flags of the application: whether it has the message content intent, as applications in few guilds have it."""
    return 1 << 19 if world.reads_content else 0


def permissions(bits: Permission) -> str:
    return str(int(bits))
