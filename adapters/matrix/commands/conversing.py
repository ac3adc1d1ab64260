"""Whoever the ears tell of what happens in rooms: posts and changes go to the receiver, commands and signs to their door.

Rule 1: what concerns no story, is no command and nobody's talk with the bot alone is kept nowhere.
Rule 2: everything may come again after a crash. Events are known by their ids, and answers by keys that are made of these.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from adapters.matrix.commands.adults import Adults
from adapters.matrix.commands.answering import Answering
from adapters.matrix.commands.asking import asker, is_direct
from adapters.matrix.commands.changes import Changes, Refusals
from adapters.matrix.commands.direct import Direct
from adapters.matrix.commands.files import Files
from adapters.matrix.commands.hinting import Hints
from adapters.matrix.commands.line import command_in, written
from adapters.matrix.commands.old_posts import OldPosts
from adapters.matrix.commands.past import Past
from adapters.matrix.commands.patience import patiently
from adapters.matrix.commands.played import Played
from adapters.matrix.commands.replying import Replies
from adapters.matrix.commands.signs import asked_by
from adapters.matrix.commands.starting import Starting
from adapters.matrix.commands.walls import Homeserver, Opens, Says
from adapters.matrix.commands.wording import words
from adapters.matrix.heard import Heard, Reacted, Redacted, Rewritten, Said, Unreadable
from adapters.matrix.line import Line
from adapters.matrix.rooms import Room, Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import author_of, called, event_of, place_of, room_of
from bot.errors import ChannelGone, CourierError, Refused, StoreUnavailable
from bot.flow.desk import Desk
from bot.flow.receive import Receiver
from bot.ids import EventId, Place
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Deleted, Fate, Inbound, InboundPost

log = logging.getLogger(__name__)

PATIENCE = 600.0
"""Seconds that the homeserver is asked again for, where what was changed depends on what it says."""


class Conversation:
    """The listener of the ears. `close` it."""

    def __init__(  # noqa: PLR0913, PLR0917  each of these is a wall of its own
        self,
        settings: Settings,
        store: Store,
        receiver: Receiver,
        desk: Desk,
        rooms: Rooms,
        line: Line,
        clock: Clock,
        courier: Opens,
        saying: Says,
        homeserver: Homeserver | None = None,
    ) -> None:
        self._settings, self._receiver, self._rooms, self._line = settings, receiver, rooms, line
        self._clock, self._courier = clock, courier
        self._played = Played(store, clock, receiver.settled)
        self._replies = Replies(saying, clock)
        asked = homeserver or Homeserver(Past(line), Direct(line, rooms, clock), Files(line))
        self._hints = Hints(self._replies, clock, settings.prefix)
        self._refusals = Refusals()
        self._changes = Changes(store, self._played, asked.past, self._refusals)
        old_posts = OldPosts(asked.past, line, settings.prefix)
        self._answering = Answering(
            store=store,
            desk=desk,
            receiver=receiver,
            courier=courier,
            clock=clock,
            replies=self._replies,
            played=self._played,
            starting=Starting(store, desk, courier, old_posts, self._played, line, clock, settings),
            adults=Adults(settings, rooms),
            homeserver=asked,
            prefix=settings.prefix,
            written=written(settings.prefix),
        )

    async def concerns(self, heard: Heard) -> bool:
        """Whether it may matter: what does not is not kept. Raises StoreUnavailable."""
        room = self._room(heard.room)
        if room is None:
            return False
        match heard:
            case Said():
                return not _is_of_a_program(heard) and (
                    command_in(heard.text, self._settings.prefix) is not None
                    or is_direct(room)
                    or await self._played.holds(place_of(heard.room, heard.root))
                )
            case Reacted():
                return asked_by(heard.sign) is not None and bool(await self._played.in_room(heard.room))
            case Rewritten() | Redacted():
                return bool(await self._played.in_room(heard.room))
        # What cannot be read may be a command, too; and it is kept as it came, encrypted.
        return True

    async def heard(self, heard: Heard) -> None:
        """Deal with it. Raises StoreUnavailable and nothing else."""
        room = self._room(heard.room)
        if room is None:
            log.info("an event came too late", extra={"action": "ignore", "event": heard.event})
            return
        try:
            await self._deal_with(room, heard)
        except StoreUnavailable:
            raise
        except Exception:
            # A defect met in one event must not make a room deaf.
            log.exception("an event could not be dealt with", extra={"action": "fail", "event": heard.event})

    async def gone(self, room: str) -> None:
        """What is played in a room ends: the bot is in it no longer. Raises StoreUnavailable."""
        for place in await self._played.refresh():
            if room_of(place) == room:
                await self._receiver.place_gone(place)
        await self._played.refresh()

    async def close(self) -> None:
        """Wait for nothing any more. What was heard and not dealt with comes again."""
        await self._answering.close()
        await self._played.close()

    async def _deal_with(self, room: Room, heard: Heard) -> None:
        match heard:
            case Said():
                await self._said(room, heard)
            case Reacted():
                await self._answering.sign(room, heard)
            case Rewritten():
                await self._rewritten(room, heard)
            case Redacted():
                await self._redacted(heard)
            case Unreadable():
                await self._hints.unreadable(heard)

    async def _said(self, room: Room, said: Said) -> None:
        if _is_of_a_program(said):
            return
        place = place_of(said.room, said.root)
        text = None if said.is_emote else command_in(said.text, self._settings.prefix)
        if text is not None:
            await self._answering.line(asker(room, place, said), said, text)
        elif await self._played.holds(place):
            await self._posted(room, place, said)
        elif is_direct(room):
            await self._hints.how_to_begin(place, said)

    async def _posted(self, room: Room, place: Place, said: Said) -> None:
        event, text = event_of(said.event), words(said)
        if not text:
            await self._courier.tell_fate(place, event, Fate.IGNORED)
            return
        name = called(said.as_name or room.name_of(said.sender))
        await self._received(InboundPost(event, place, author_of(said.sender), name, text), event)

    async def _rewritten(self, room: Room, heard: Rewritten) -> None:
        if command_in(heard.text, self._settings.prefix) is not None and not heard.is_emote:
            return
        change = await self._asked(lambda: self._changes.edit(heard))
        if isinstance(change, InboundPost):
            change = replace(change, author_name=called(room.name_of(heard.sender)))
        if change is not None:
            await self._received(change, event_of(heard.of))

    async def _redacted(self, heard: Redacted) -> None:
        change = await self._asked(lambda: self._changes.loss(heard))
        if change is not None:
            await self._received(change, event_of(heard.of))

    async def _received(self, event: Inbound, about: EventId) -> None:
        """Hand an event in. What is refused is answered, at the message that it is about, with a sign beside this."""
        try:
            await self._receiver.receive(event)
        except Refused as refused:
            if not isinstance(event, Deleted):
                self._refusals.note(about, event.place, event.author)
            await self._courier.tell_fate(event.place, about, Fate.IGNORED)
            await self._replies.say(event.place, str(refused), event.event, about, "refused")
        else:
            if self._refusals.lift(about):
                # Edited into something that is taken: the sign of the refusal is true no longer.
                await self._courier.tell_fate(event.place, about, None)

    async def _asked(self, call: Callable[[], Awaitable[Inbound | None]]) -> Inbound | None:
        try:
            return await patiently(self._clock, call, PATIENCE)
        except CourierError as error:
            log.warning("a change was not followed: %s", error, extra={"action": "ignore"})
            return None

    def _room(self, room: str) -> Room | None:
        try:
            return self._rooms.of(room)
        except ChannelGone:
            return None


def _is_of_a_program(said: Said) -> bool:
    """Whether no person wrote it. Two Understudies with stories in one place would answer each other for ever."""
    return said.is_notice or said.is_played
