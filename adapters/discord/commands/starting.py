"""Stories begin, end and come back: the place is found or opened, the desk does it, and the ears are told where to listen.

Rule: what can be refused is refused before a thread is opened; a thread that was opened for nothing is taken away again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from discord.http import HTTPClient

from adapters.discord.commands.asking import Asker, Room
from adapters.discord.commands.old_posts import read
from adapters.discord.commands.opening_message import first_message, title
from adapters.discord.commands.permitted import DIRECT, FORUM, refusal_to_start
from adapters.discord.commands.replying import FOREIGN, PATIENCE
from adapters.discord.commands.walls import Adopts, Hears, Opens
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from adapters.discord.words import DISCORD, channel_of, place_of
from bot.errors import CourierError, Refused, TryLater
from bot.flow.desk import Answer, Desk
from bot.ids import Place
from bot.ports.store import Store
from bot.posts import Command
from bot.story.library import CardTitle, meant
from bot.story.policy import Rating, is_adult, refusal

log = logging.getLogger(__name__)

Values = Mapping[str, str | int]
Given = TypeVar("Given")

HAS_STORY = "This place already has a story; end it first, or begin another one elsewhere."
NOT_NOW = "Discord asks for patience; try again in {seconds:.0f} seconds."
IN_A_THREAD = "The posts of a whole channel make no story; use this in a thread, in a post of a forum or in a direct message."
UNREADABLE = "The operator has not let the bot read messages, so that no story can be made of those that stand here."
NOT_YOURS_TO_READ = "You may not read what stands here yourself: you lack the permission Read Message History."
NO_HISTORY = "I cannot read what stands here: I lack the permission Read Message History."
WHICH_STORY = "Say which story: choose it in the option story, or use this where it ended."


@dataclass(slots=True)
class Starting:
    """Carries out the commands that change whether a place holds a story. All raise Refused and StoreUnavailable."""

    store: Store
    desk: Desk
    adopts: Adopts
    courier: Opens
    hears: Hears
    line: Line
    settings: Settings

    def carries_out(self, name: str) -> bool:
        """Whether a command is one of those."""
        return name in {"start", "end", "resume", "adopt", "import"}

    async def carry_out(
        self, asker: Asker, name: str, values: Values, where: Room | None = None, upload: bytes = b""
    ) -> Answer:
        """The answer to one of those commands. `where` is the channel that a story begins in, if one was named."""
        if name == "end":
            return await self._end(asker.command(name, values))
        room = where or asker.room
        if refused := refusal_to_start(self.settings, asker, room):
            raise Refused(refused)
        if name == "adopt":
            return await self._adopt(asker, values)
        if name == "start":
            return await self._start(asker, values, room)
        if name == "resume" and not self._is_own(room) and "story" not in values:
            raise Refused(WHICH_STORY)
        heading = str(values.get("story") or f"A story of {asker.name}")
        return await self._in_place(
            asker, room, (heading, ""), lambda place: self.desk.answer(asker.command(name, values, place), upload)
        )

    async def refresh_watched(self) -> None:
        """Have the ears listen in every place that holds a story: some begin without a command of their own place."""
        for place in await self.store.places():
            if place.platform == DISCORD and place not in self.hears.watched:
                await self.hears.watch(place, channel_of(place))

    async def _start(self, asker: Asker, values: Values, room: Room) -> Answer:
        card, scenario = await self._meant(values)
        near = place_of(room.id)
        limits = await self._asked(self.courier.limits(near))
        audience = Rating.ADULT if is_adult(card.rating) else Rating.GENERAL
        if closed := refusal(model=Rating.GENERAL, cast=(card.rating,), session=audience, adults_only=limits.adults_only):
            raise Refused(closed)
        heading = title(card.name, asker.name, scenario), first_message(card.name, asker.name, scenario)
        return await self._in_place(asker, room, heading, lambda place: self.desk.answer(asker.command("start", values, place)))

    async def _in_place(
        self, asker: Asker, room: Room, heading: tuple[str, str], begin: Callable[[Place], Awaitable[Answer]]
    ) -> Answer:
        """Have a story begun in a room's own place, or in a thread of it that is opened; with where that is in the answer."""
        place = place_of(room.id)
        if self._is_own(room):
            if await self.store.session_at(place) is not None:
                raise Refused(HAS_STORY)
            answer = await begin(place)
            await self.hears.watch(place, asker.interaction)
            return answer
        opened = await self._asked(self.courier.open_with(place, heading[0], str(asker.interaction), heading[1]))
        try:
            answer = await begin(opened)
        except Exception:
            await self._take_away(opened, room)
            raise
        await self.hears.watch(opened, channel_of(opened))
        return replace(answer, text=f"{answer.text} It is in <#{channel_of(opened)}>.")

    async def _end(self, command: Command) -> Answer:
        answer = await self.desk.answer(command)
        await self.hears.unwatch(command.place)
        return answer

    async def _adopt(self, asker: Asker, values: Values) -> Answer:
        if not self._is_own(asker.room):
            raise Refused(IN_A_THREAD)
        if not self.settings.message_content and asker.guild is not None:
            raise Refused(UNREADABLE)
        if not asker.room.permissions.read_message_history and asker.guild is not None:
            raise Refused(NOT_YOURS_TO_READ)  # a story that is adopted can be exported
        if not asker.own.read_message_history and asker.guild is not None:
            raise Refused(NO_HISTORY)  # Discord itself would only answer that nothing stands here
        if await self.store.session_at(asker.place) is not None:
            raise Refused(HAS_STORY)
        card, _ = await self._meant(values)
        try:
            client = self.line.client
        except TryLater as patience:
            raise Refused(NOT_NOW.format(seconds=patience.seconds)) from None
        posts, newest = await read(client, asker.room.id, card.name)
        answer = await self.adopts.adopt(asker.command("adopt", values), posts)
        await self.hears.watch(asker.place, newest or asker.interaction)
        return answer

    async def _meant(self, values: Values) -> tuple[CardTitle, str]:
        """The library's character that is meant, and the scenario. Raises Refused."""
        return meant(await self.store.library(), str(values["character"]), str(values.get("scenario", "")))

    async def _take_away(self, opened: Place, near: Room) -> None:
        """A thread that was opened for nothing goes again; where it may not be deleted, it is at least put away.

        So does the message that it began with: a text channel's outlives its thread, and bears what may have been refused.
        """
        thread, in_forum = channel_of(opened), near.kind == FORUM
        is_gone = await self._cleared(thread, lambda http: http.delete_channel(thread))
        if not (is_gone and in_forum):
            await self._cleared(thread, lambda http: http.delete_message(thread if in_forum else near.id, thread))
        if not is_gone:
            await self._cleared(thread, lambda http: http.edit_channel(thread, archived=True))

    async def _cleared(self, thread: int, clear: Callable[[HTTPClient], Awaitable[object]]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await clear(self.line.client.http)
        except (*FOREIGN, TryLater) as error:
            log.warning("a thread could not be cleared away: %s", error, extra={"action": "leave_thread", "channel": thread})
            return False
        return True

    @staticmethod
    def _is_own(room: Room) -> bool:
        """Whether a story is played in the room itself, and not in a thread that is opened in it."""
        return room.is_thread or room.kind == DIRECT

    @staticmethod
    async def _asked(call: Awaitable[Given]) -> Given:
        """What the courier gives. Raises Refused for what it raises."""
        try:
            return await call
        except TryLater as patience:
            raise Refused(NOT_NOW.format(seconds=patience.seconds)) from None
        except CourierError as error:
            raise Refused(str(error)) from error
