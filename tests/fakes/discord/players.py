"""What people do in the loopback Discord: write, edit, delete, type and react; and other applications that speak for them."""

from collections.abc import Iterable, Mapping

from tests.fakes.discord import places, posting, rest_webhooks
from tests.fakes.discord.records import Channel, Guild, Message, Type, User
from tests.fakes.discord.scenery import Scenery

PROXY_APPLICATION = 466_378_653_216_014_359


class Players(Scenery):
    """The part of the loopback Discord that plays people. What a person's client would not let them do is an AssertionError."""

    async def post(  # noqa: PLR0913 what a message can have
        self,
        author: User,
        channel: Channel,
        content: str = "",
        *,
        files: Mapping[str, bytes] | None = None,
        reply_to: Message | None = None,
        pings: bool = True,
    ) -> Message:
        """A message of a person; it wakes an archived thread. A reply mentions whom it answers, unless it does not ping."""
        assert not channel.locked, "a person cannot write in a locked thread"
        message = Message(self.world.new_id(), channel, author)
        sent = {str(number): each for number, each in enumerate((files or {}).items())}
        posting.fill(self.world, message, {"content": content}, sent)
        if reply_to is not None:
            message.type, message.referenced, message.reference = Type.REPLY, reply_to, places.reference_to(reply_to)
            message.mentions += (reply_to.author,) if pings and reply_to.author not in message.mentions else ()
        return posting.create(self.world, message)

    async def edit(self, author: User, message: Message, content: str) -> Message:
        """A person edits their own message."""
        assert message.author is author, "a person edits only what they wrote"
        return posting.edit(self.world, message, {"content": content}, {})

    async def delete(self, message: Message) -> None:
        """Somebody deletes a message, its author or a moderator."""
        posting.delete(self.world, [message])

    async def bulk_delete(self, messages: Iterable[Message]) -> None:
        """A moderator deletes many messages of one channel at once."""
        posting.delete(self.world, list(messages), bulk=True)

    async def typing(self, user: User, channel: Channel) -> None:
        posting.typing(self.world, user, channel)

    async def react(self, user: User, message: Message, emoji: str) -> None:
        posting.react(self.world, message, user, emoji)

    async def unreact(self, user: User, message: Message, emoji: str) -> None:
        posting.unreact(self.world, message, user, emoji)

    async def proxy_post(
        self, channel: Channel, name: str, content: str, *, application_id: int = PROXY_APPLICATION, owner: User | None = None
    ) -> Message:
        """A message of another application's webhook, as PluralKit posts for a person; in a thread by its parent's webhook."""
        world, home = self.world, channel.parent or channel
        found = [each for each in world.webhooks.values() if each.channel is home and each.application_id == application_id]
        webhook = found[0] if found else rest_webhooks.make(world, home, "Proxy", application_id, owner or world.owner)
        author, _ = rest_webhooks.speaker(world, webhook, {"username": name})
        message = Message(world.new_id(), channel, author, webhook_id=webhook.id, application_id=application_id)
        posting.fill(world, message, {"content": content}, {})
        return posting.create(world, message)

    def guild_of(self, channel: Channel) -> Guild:
        """The guild of a channel that is in one."""
        assert channel.guild is not None
        return channel.guild
