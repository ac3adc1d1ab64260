"""What a test sets up in the loopback Discord, and what moderators do: guilds, channels, permissions, archiving, deleting."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.fakes.discord import payloads, places, rest_places
from tests.fakes.discord.permissions import ALL, BOT, EVERYONE, Permission, in_channel, in_guild, named
from tests.fakes.discord.records import REQUIRES_TAG, WRITTEN, Change, Channel, Guild, Kind, Message, Overwrite, Role, User
from tests.fakes.discord.world import Event, World

KINDS = {"text": Kind.TEXT, "announcement": Kind.ANNOUNCEMENT, "forum": Kind.FORUM}


class Scenery:
    """The part of the loopback Discord that makes and changes places. Whatever it does, the gateway tells of."""

    def __init__(self, world: World) -> None:
        self.world = world

    def add_user(self, name: str, *, is_bot: bool = False, accepts_dms: bool = True) -> User:
        """Somebody; they are a member of every guild, those to come as well."""
        user = User(self.world.new_id(), name, is_bot=is_bot, accepts_dms=accepts_dms)
        self.world.users[user.id] = user
        for guild in self.world.guilds.values():
            guild.members[user.id] = ()
        return user

    def add_guild(self, name: str, owner: User | None = None, nsfw_level: int = 0) -> Guild:
        """A guild without a channel that the bot is in. Guilds are dealt out over shards one after the other."""
        world = self.world
        guild = Guild(world.new_guild_id(), name, (owner or world.owner).id, nsfw_level)
        everyone, own = Role(guild.id, "@everyone", EVERYONE), Role(world.new_id(), world.bot.name, BOT, 1, world.bot.id)
        guild.roles = {everyone.id: everyone, own.id: own}
        guild.members = {id_: (own.id,) if id_ == world.bot.id else () for id_ in world.users}
        world.guilds[guild.id] = guild
        world.emit(Event("GUILD_CREATE", payloads.created_guild(world, guild), guild))
        return guild

    def add_channel(  # noqa: PLR0913 what a channel can have
        self,
        guild: Guild,
        name: str,
        kind: str = "text",
        *,
        nsfw: bool = False,
        tags: Iterable[str] = (),
        requires_tag: bool = False,
    ) -> Channel:
        """A channel: `text`, `announcement` or `forum`. Tags are for forums."""
        world = self.world
        channel = Channel(world.new_id(), KINDS[kind], name, guild, nsfw=nsfw, flags=REQUIRES_TAG if requires_tag else 0)
        channel.tags = {tag: world.new_id() for tag in tags}
        world.channels[channel.id] = channel
        world.emit(Event("CHANNEL_CREATE", payloads.channel(channel), guild, channel))
        return channel

    def add_dm(self, user: User) -> Channel:
        """The bot's direct messages with this person."""
        return rest_places.dm_with(self.world, user)

    def add_role(self, guild: Guild, name: str, *permissions: str) -> Role:
        """A role that allows these by name; `give_role` gives it to somebody."""
        role = Role(self.world.new_id(), name, named(*permissions), 2)
        guild.roles[role.id] = role
        self._tell_role(guild, role, "GUILD_ROLE_CREATE")
        return role

    def give_role(self, guild: Guild, user: User, role: Role) -> None:
        guild.members[user.id] = (*guild.members[user.id], role.id)

    async def open_thread(self, user: User, parent: Channel, name: str, message: Message | None = None) -> Channel:
        """A thread of a text channel that a person opens, at a message or at none."""
        if message is None:
            return places.open_without_message(self.world, parent, user, {"name": name})
        return places.open_at_message(self.world, message, user, {"name": name})

    async def open_post(self, user: User, forum: Channel, name: str, content: str, tags: Iterable[str] = ()) -> Channel:
        """A post in a forum that a person opens."""
        body = {"name": name, "applied_tags": [forum.tags[tag] for tag in tags], "message": {"content": content}}
        return places.open_post(self.world, forum, user, body, {}).channel

    async def archive(self, thread: Channel) -> None:
        places.update_thread(self.world, thread, self.world.owner, {"archived": True})

    async def unarchive(self, thread: Channel) -> None:
        places.update_thread(self.world, thread, self.world.owner, {"archived": False})

    async def lock(self, thread: Channel, *, archive: bool = True) -> None:
        """Lock a thread; Discord's own clients archive it in the same step."""
        places.update_thread(self.world, thread, self.world.owner, {"locked": True, "archived": archive})

    async def unlock(self, thread: Channel) -> None:
        places.update_thread(self.world, thread, self.world.owner, {"locked": False, "archived": False})

    async def rename(self, channel: Channel, name: str) -> None:
        self._change(channel, {"name": name})

    async def restrict_age(self, channel: Channel, *, nsfw: bool = True) -> None:
        """Mark a channel as age-restricted, or take the mark away."""
        self._change(channel, {"nsfw": nsfw})

    def _change(self, channel: Channel, body: dict[str, object]) -> None:
        if channel.is_thread:
            places.update_thread(self.world, channel, self.world.owner, body)
        else:
            places.update_channel(self.world, channel, body)

    async def delete_channel(self, channel: Channel) -> None:
        """Delete a channel or a thread."""
        places.delete(self.world, channel)

    async def set_nsfw_level(self, guild: Guild, level: int) -> None:
        guild.nsfw_level = level
        self.world.emit(Event("GUILD_UPDATE", payloads.told_guild(guild), guild))

    async def take_guild_away(self, guild: Guild, *, outage: bool = True) -> None:
        """A guild that cannot be reached for now, or, where it is no outage, one that the bot was thrown out of."""
        guild.is_available = False
        told: dict[str, object] = {"id": str(guild.id)} | ({"unavailable": True} if outage else {})
        self.world.emit(Event("GUILD_DELETE", told, guild))
        if not outage:
            del self.world.guilds[guild.id]
            for each in [each for each in self.world.channels.values() if each.guild is guild]:
                del self.world.channels[each.id]

    async def bring_guild_back(self, guild: Guild) -> None:
        guild.is_available = True
        self.world.emit(Event("GUILD_CREATE", payloads.created_guild(self.world, guild), guild))

    def forbid(self, place: Guild | Channel, *permissions: str) -> None:
        """Take these permissions from the bot, by name as `manage_webhooks`: in a whole guild, or in a channel alone."""
        bits = named(*permissions)
        if isinstance(place, Channel):
            self._overwrite(place, self.world.bot, lambda old: replace(old, allow=old.allow & ~bits, deny=old.deny | bits))
            return
        for role in place.roles.values():
            if role.id == place.id or role.bot_id == self.world.bot.id:
                role.permissions &= ~bits
                self._tell_role(place, role)

    def allow(self, place: Guild | Channel, *permissions: str) -> None:
        """Give these permissions to the bot, by name: in a whole guild, or in a channel alone."""
        bits = named(*permissions)
        if isinstance(place, Channel):
            self._overwrite(place, self.world.bot, lambda old: replace(old, allow=old.allow | bits, deny=old.deny & ~bits))
            return
        for role in place.roles.values():
            if role.bot_id == self.world.bot.id:
                role.permissions |= bits
                self._tell_role(place, role)

    def _overwrite(self, channel: Channel, user: User, change: Callable[[Overwrite], Overwrite]) -> None:
        channel.overwrites[user.id] = change(channel.overwrites.get(user.id, Overwrite(1, 0, 0)))
        self.world.emit(Event("CHANNEL_UPDATE", payloads.channel(channel), channel.guild, channel))

    def _tell_role(self, guild: Guild, role: Role, name: str = "GUILD_ROLE_UPDATE") -> None:
        self.world.emit(Event(name, {"guild_id": str(guild.id), "role": payloads.role(role)}, guild))

    def permissions(self, user: User, place: Guild | Channel) -> Permission:
        """What somebody may do in a place."""
        if isinstance(place, Guild):
            return in_guild(user.id, place)
        return in_channel(user.id, place) & ALL

    def threads(self, parent: Channel | None = None) -> list[Channel]:
        """The threads of a channel, or all there are, the oldest first."""
        return self.world.threads(parent)

    def find_thread(self, name: str) -> Channel:
        """The thread of this name. Raises LookupError where there is none."""
        for each in self.world.threads():
            if each.name == name:
                return each
        raise LookupError(f"no thread is called {name!r}; there are {[each.name for each in self.world.threads()]}")

    def messages(self, channel: Channel, *, system: bool = False) -> list[Message]:
        """The messages that stand in a channel, in order; without the lines that Discord itself writes, unless `system`."""
        standing = sorted(channel.messages.values(), key=lambda each: each.id)
        return [each for each in standing if system or each.type in WRITTEN]

    def history(self, channel: Channel) -> list[Change]:
        """Everything that happened to the messages of a channel, in order."""
        return list(channel.history)
