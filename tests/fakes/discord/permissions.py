"""What members may do, and where: Discord's bits and how roles and overwrites add up. It reads records and changes none."""

from enum import IntFlag

from tests.fakes.discord.records import Channel, Guild


class Permission(IntFlag):
    """The bits that have to do with text. Named as Discord's document names them."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What a new guild allows everyone."""

BOT = EVERYONE | Permission.MANAGE_MESSAGES | Permission.MANAGE_WEBHOOKS | Permission.MANAGE_THREADS
"""What the bot's own role allows it from the start."""

ALL = Permission(sum(Permission))
IN_DM = EVERYONE & ~(Permission.CREATE_PUBLIC_THREADS | Permission.SEND_MESSAGES_IN_THREADS)


def named(*names: str) -> Permission:
    """The bits of these names, in letters of any size. Raises KeyError for a name that is not known."""
    found = Permission(0)
    for name in names:
        found |= Permission[name.upper()]
    return found


def in_guild(user_id: int, guild: Guild) -> Permission:
    """What the member's roles allow, before any channel has its say."""
    if user_id == guild.owner_id:
        return ALL
    held = {guild.id, *guild.members.get(user_id, ())}
    allowed = Permission(0)
    for role_id in held:
        allowed |= Permission(guild.roles[role_id].permissions)
    return ALL if Permission.ADMINISTRATOR in allowed else allowed


def in_channel(user_id: int, channel: Channel) -> Permission:
    """What the member may do in this channel; a thread has its parent's overwrites."""
    guild = channel.guild
    if guild is None:
        return IN_DM
    allowed = in_guild(user_id, guild)
    if allowed == ALL:
        return allowed
    overwrites = (channel.parent or channel).overwrites
    for group in ((guild.id,), guild.members.get(user_id, ()), (user_id,)):
        named_here = [overwrites[each] for each in group if each in overwrites]
        for each in named_here:
            allowed &= ~Permission(each.deny)
        for each in named_here:
            allowed |= Permission(each.allow)
    return allowed if Permission.VIEW_CHANNEL in allowed else Permission(0)
