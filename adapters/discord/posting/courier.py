"""Discord's courier: characters through webhooks, the program as the bot itself. It keeps nothing that must survive a restart.

Rule 1: what bears a nonce may be repeated at once; what does not is tried once, and read back before it is tried again.
Rule 2: a place is what Discord says that it is, looked up; see `rooms`.
Rule 3: a text is never changed. Where there is no webhook, the character's name stands on a line above it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.discord.errors import ARCHIVED, GONE, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, code_of, lack, was_forbidden
from adapters.discord.line import Line
from adapters.discord.posting.continuing import Continuing
from adapters.discord.posting.faces import Faces
from adapters.discord.posting.fates import Fates
from adapters.discord.posting.names import line_of, webhook_name
from adapters.discord.posting.opening import Opening
from adapters.discord.posting.own_posts import PAGE, OwnPosts, Payload, nonce_of
from adapters.discord.posting.pacing import Pace
from adapters.discord.posting.status_line import StatusLines
from adapters.discord.posting.webhooks import DEAD, Guise, Hook, Webhooks
from adapters.discord.rooms import Kind, Room, Rooms
from adapters.discord.settings import Settings
from adapters.discord.words import DISCORD, channel_of, ids_of, own_message, place_of, webhook_message
from bot.errors import ChannelGone, CourierError, PostGone, PostRefused, TryLater
from bot.ids import CommunityId, EventId, MessageId, Place, Platform, PostKey
from bot.ports.clock import Clock
from bot.ports.store import Shown
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt, Voice

log = logging.getLogger(__name__)

Result = TypeVar("Result")

POST_LENGTH = 1900
"""Code points of a post: Discord's 2,000, less the line with the name above it where there is no webhook."""

LONGEST = 2000
REMEMBERED = 1000
READ_AT_MOST = 10
"""Pages of a hundred messages that are read back after a message."""


@dataclass(slots=True)
class DiscordCourier:
    """The courier of the platform "discord".

    `face_of` gives a character's picture in a place, no bytes where it has none. `shown` gives the posts that stand for a turn.
    `rested` is told of each place where a reply has ended, and does not wait.
    """

    line: Line
    settings: Settings
    clock: Clock
    face_of: Callable[[Place, str], Awaitable[bytes]]
    shown: Callable[[Place, int], Awaitable[Sequence[Shown]]]
    rested: Callable[[Place], None] = lambda place: None  # noqa: ARG005  nobody may want to know
    rooms: Rooms = field(init=False)
    webhooks: Webhooks = field(init=False)
    faces: Faces = field(init=False)
    signs: StatusLines = field(init=False)
    fates: Fates = field(init=False)
    _own: OwnPosts = field(init=False)
    _opening: Opening = field(init=False)
    _continuing: Continuing = field(init=False)
    _pace: Pace = field(default_factory=Pace)
    _receipts: OrderedDict[tuple[Place, PostKey], PostReceipt] = field(default_factory=OrderedDict)
    _notes: OrderedDict[MessageId, int] = field(default_factory=OrderedDict)
    _looking: dict[Place, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rooms = Rooms(self.line, self.settings, self.clock)
        self.webhooks = Webhooks(self.line, self.rooms, self.clock)
        self.faces = Faces(self.line, self.clock, self.face_of)
        self._own = OwnPosts(self.line, self.rooms)
        self.signs = StatusLines(self._own, self.rooms, self.clock)
        self.fates = Fates(self._own)
        self._opening = Opening(self._own, self.rooms, self.webhooks.single)
        self._continuing = Continuing(self._own, self.shown, self.signs.line_of)

    @property
    def platform(self) -> Platform:
        """Always "discord"."""
        return DISCORD

    async def limits(self, place: Place) -> ChannelLimits:
        """What Discord accepts there, and whether it lets adults only in, found out within the last minute."""
        room = await self.rooms.about(channel_of(place))
        community = CommunityId(str(room.guild)) if room.guild else None
        return ChannelLimits(POST_LENGTH, community=community, adults_only=room.adults_only)

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Show a new post, a character's through the webhook of its channel."""
        known = self._receipts.get((post.place, post.key))
        if known is not None:
            return known
        room = await self._room(post.place)
        note, message = await self._awake(room, lambda: self._send(room, post))
        if note is not None:
            self._notes[message] = note
        self.saw_message(room.channel, ids_of(message)[1])
        return self._remember(post, message)

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Replace a post's text, by whoever posted it."""
        webhook, own = ids_of(message)
        room = await self._room(post.place)
        if webhook is None:
            text = checked(as_the_bot(post))
            await self._awake(room, lambda: self._own.edit(room, own, text))
            return
        hook = await self._hook(room, webhook)
        if hook is None:
            raise self._out_of_reach(room)
        text = checked(post.text)
        await self._awake(room, lambda: self.webhooks.edit(room, hook, own, text))

    async def delete(self, place: Place, message: MessageId) -> None:
        """Take a post away, and the line that said where its reply goes on. What others' webhooks left takes a permission."""
        webhook, own = ids_of(message)
        room = await self._room(place)
        await self._awake(room, lambda: self._delete(room, webhook, own))
        note = self._notes.pop(message, None)
        if note is not None:
            await self._own.delete(room, note)

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:
        """The newest message after `after`, or among the last hundred, that is this post."""
        room = await self.rooms.about(channel_of(post.place))
        others = {receipt.message for (_, key), receipt in self._receipts.items() if key != post.key}
        for each in await self._since(room, ids_of(after)[1] if after else None):
            message = await self._recognised(room, each, post)
            if message is not None and message not in others:
                self._remember(post, message)
                return PostReceipt(message)
        return None

    async def open(self, near: Place, title: str, key: str) -> Place:
        """A post in the forum, or a thread in the text channel, that `near` is or belongs to."""
        return await self.open_with(near, title, key, f"**{' '.join(title.split())}**" if title.strip() else "")

    async def open_with(self, near: Place, title: str, key: str, body: str) -> Place:
        """The same, beginning with a message of the bot that says this."""
        return place_of(await self._opening.open(channel_of(near), title, key, body))

    async def writing(self, place: Place, draft: Draft) -> None:
        """Show typing, or where in the line the reply waits. Returns at once."""
        self.signs.writing(channel_of(place), draft.waiting)

    async def resting(self, place: Place, turn: int) -> None:  # noqa: ARG002  a place writes one turn at a time
        """Take the signs away. Returns at once."""
        self.signs.resting(channel_of(place))
        self.rested(place)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """React to a player's message. Returns at once; what came in as something else bears no sign."""
        if post.isdecimal():
            self.fates.tell(channel_of(place), int(post), fate)

    def saw_message(self, channel: int, message: int) -> None:
        """The gateway told of a message in a channel, whoever's it is."""
        self._continuing.saw(channel, message)

    def expect(self, place: Place) -> None:
        """A reply may be wanted there soon: look up meanwhile what it will need. Returns at once, and never fails."""
        if place not in self._looking:
            task = self._looking[place] = asyncio.create_task(self._look_ahead(place), name=f"look ahead {place.channel}")
            task.add_done_callback(lambda _: self._looking.pop(place, None))

    async def close(self) -> None:
        """End what runs beside the walk."""
        looking = list(self._looking.values())
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await self.signs.close()
        await self.fates.close()

    async def _look_ahead(self, place: Place) -> None:
        """Each answer holds a minute, and players take longer: without this most posts would wait for three of them."""
        try:
            await self._hook(await self.rooms.about(channel_of(place)))
        except CourierError as error:
            log.debug("a place could not be looked up ahead: %s", error, extra={"action": "look_later", "place": place})

    async def _room(self, place: Place) -> Room:
        """The place, which must be one that can be written to. Raises ChannelGone where it is locked."""
        room = await self.rooms.about(channel_of(place))
        if room.locked:
            raise ChannelGone("The thread is locked.")
        if room.kind in {Kind.FORUM, Kind.OTHER}:
            raise PostRefused("Nothing can be posted here itself; open a post of the forum, or choose a text channel.")
        return room

    async def _send(self, room: Room, post: OutboundPost) -> tuple[int | None, MessageId]:
        """The line that said where the reply goes on, if one did, and the post."""
        for _ in range(2):
            hook = await self._hook(room) if post.speaker.voice is Voice.CHARACTER else None
            if hook is None:
                return await self._as_the_bot(room, post)
            try:
                return await self._as_the_character(room, hook, post)
            except CourierError as error:
                if code_of(error) not in DEAD:
                    raise
        # A webhook that was gone is looked for or made anew, once: Discord frowns on who keeps asking for what is gone.
        raise PostRefused("The webhook of this channel was deleted as soon as it was made.")

    async def _as_the_bot(self, room: Room, post: OutboundPost) -> tuple[int | None, MessageId]:
        text = checked(as_the_bot(post))
        note = await self._continuing.say(room, post)
        return note, own_message(await self._own.post(room, text, nonce_of(str(room.channel), post.key)))

    async def _as_the_character(self, room: Room, hook: Hook, post: OutboundPost) -> tuple[int | None, MessageId]:
        text = checked(post.text)
        if wait := self._pace.seconds_to_wait(hook.channel, self.clock.ticks()):
            raise TryLater(wait)
        guise = Guise(webhook_name(post.speaker.name), await self.faces.address(post.place, post.speaker.name))
        note = await self._continuing.say(room, post)
        self._pace.posted(hook.channel, self.clock.ticks())
        try:
            return note, webhook_message(hook.id, await self.webhooks.post(room, hook, text, guise))
        except TryLater as patience:
            self._pace.rest(hook.channel, self.clock.ticks() + patience.seconds)
            raise

    async def _hook(self, room: Room, webhook: int | None = None) -> Hook | None:
        """The room's webhook of ours, or the one with this id."""
        if room.webhooks_in is None:
            return None
        if webhook is not None:
            return await self.webhooks.find(webhook, room.webhooks_in)
        return await self.webhooks.of(room.webhooks_in)

    def _out_of_reach(self, room: Room) -> PostGone:
        """Why a webhook's post cannot be changed."""
        lacking = self.rooms.lacking(room.channel, ("manage_webhooks",))
        return PostGone(str(lack("edit my posts", lacking)) if lacking else GONE)

    async def _delete(self, room: Room, webhook: int | None, message: int) -> None:
        hook = await self._hook(room, webhook) if webhook is not None else None
        if hook is None:
            await self._own.delete(room, message)
            return
        try:
            await self.webhooks.delete(room, hook, message)
        except PostRefused as refused:
            if code_of(refused) in DEAD:
                await self._own.delete(room, message)
            elif code_of(refused) != UNKNOWN_MESSAGE:
                raise

    async def _awake(self, room: Room, act: Callable[[], Awaitable[Result]]) -> Result:
        """Do what an archived thread may refuse: then it is woken, and asked once more."""
        try:
            return await act()
        except CourierError as error:
            if code_of(error) != ARCHIVED:
                await self._if_locked(room, error)
                raise
        try:
            await self._own.wake(room)
        except CourierError as error:
            await self._if_locked(room, error)
            raise
        return await act()

    async def _if_locked(self, room: Room, error: CourierError) -> None:
        """Raise ChannelGone instead, where a thread was locked since it was looked up: Discord only says no."""
        if not was_forbidden(error) and code_of(error) != UNKNOWN_CHANNEL:
            return
        self.rooms.forget(room.channel)
        if room.kind is Kind.THREAD and (await self.rooms.about(room.channel)).locked:
            raise ChannelGone("The thread is locked.") from error

    async def _since(self, room: Room, after: int | None) -> list[Payload]:
        """The messages after one, or the last hundred, the newest first."""
        if after is None:
            return await self._own.after(room, None)
        found: list[Payload] = []
        for _ in range(READ_AT_MOST):
            page = await self._own.after(room, after)
            found = [*page, *found]
            if len(page) < PAGE:
                break
            after = int(page[0]["id"])
        return found

    async def _recognised(self, room: Room, found: Payload, post: OutboundPost) -> MessageId | None:
        """What a message is called, if it is this post as it was sent: through our webhook, or as the bot itself."""
        message, webhook = int(found["id"]), found.get("webhook_id")
        if webhook is None:
            is_own = int(found["author"]["id"]) == self._own.bot
            return own_message(message) if is_own and is_same(str(found["content"]), as_the_bot(post)) else None
        if post.speaker.voice is not Voice.CHARACTER or (hook := await self._ours(room, found)) is None:
            return None
        text = str(found["content"])
        if not text:
            # Without the intent to read along, Discord blanks the text of everybody else, a webhook's perhaps too.
            text = await self.webhooks.read(room, hook, message)
        return webhook_message(hook.id, message) if is_same(text, post.text) else None

    async def _ours(self, room: Room, found: Payload) -> Hook | None:
        """The webhook of ours that made a message, if one did."""
        if found.get("application_id") not in {None, str(self.line.client.application_id)}:
            return None
        return await self._hook(room, int(found["webhook_id"]))

    def _remember(self, post: OutboundPost, message: MessageId) -> PostReceipt:
        receipt = self._receipts[post.place, post.key] = PostReceipt(message)
        for kept in (self._receipts, self._notes):
            while len(kept) > REMEMBERED:
                kept.popitem(last=False)
        return receipt


def as_the_bot(post: OutboundPost) -> str:
    """A post as the bot itself shows it: a character's name stands above its words."""
    return f"{line_of(post.speaker.name)}\n{post.text}" if post.speaker.voice is Voice.CHARACTER else post.text


def is_same(found: str, sent: str) -> bool:
    """Whether Discord shows what was sent: it trims what it takes."""
    return found.strip() == sent.strip()


def checked(text: str) -> str:
    """The text, if Discord takes one of this length: it counts code points. Raises PostRefused."""
    if len(text.strip()) > LONGEST:
        raise PostRefused(f"A message on Discord holds {LONGEST:,} characters; this one has {len(text.strip()):,}.")
    return text
