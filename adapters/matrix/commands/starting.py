"""Stories begin, end and come back: their place is found, or a thread is opened for it, and the desk does the rest.

Rule 1: what can be refused is refused before a thread is opened; a thread that was opened for nothing loses its first message.
Rule 2: after a crash a command may come again. A session is named after the command that made it, and a thread opened under its
event, so that what was done is known again and told as done; an `end` or `resume` that came again finds the story gone, or
there, and says so. Nothing of it happens twice.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from adapters.matrix.commands.asking import Asker, is_direct, is_small
from adapters.matrix.commands.line import Where
from adapters.matrix.commands.old_posts import OldPosts
from adapters.matrix.commands.opening_message import first_message, title
from adapters.matrix.commands.patience import PATIENCE, asked, patiently
from adapters.matrix.commands.permitted import refusal_to_start
from adapters.matrix.commands.played import Played
from adapters.matrix.commands.walls import Opens
from adapters.matrix.line import Line
from adapters.matrix.settings import Settings
from adapters.matrix.words import link_to, own_message, place_of, root_of
from bot.errors import CourierError, Refused
from bot.flow.desk import Answer, Desk
from bot.flow.opening import named_after
from bot.ids import Place
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Command
from bot.story.library import CardTitle, meant
from bot.story.policy import Rating, is_adult, refusal

log = logging.getLogger(__name__)

Values = Mapping[str, str | int]
Upload = Callable[[], Awaitable[bytes]]
Begin = Callable[[Place], Awaitable[Answer]]

SKEW = 60.0
"""Seconds by which a homeserver's clock may differ from ours."""

HAS_STORY = "This place already has a story; end it first, or begin another one in a thread: where:thread at the end says so."
HAS_ITS_STORY = "The story with {name} is here already; to bring another one back, end it first."
ENDED = "The story has ended. For a while, resume brings it back."
DONE = "That is done: the story with {name} is in {place}."
WHOLE_ROOM = (
    "So many are in this room that its posts make no story; use this in a thread or in a direct chat. If the whole room is the"
    " story, add where:room."
)
WHICH_STORY = "Say which story, by its character's name; or use this where it ended."


@dataclass(slots=True)
class Starting:
    """Carries out the commands that change whether a place holds a story. All raise Refused and StoreUnavailable."""

    store: Store
    desk: Desk
    courier: Opens
    old_posts: OldPosts
    played: Played
    line: Line
    clock: Clock
    settings: Settings

    @staticmethod
    def carries_out(name: str) -> bool:
        """Whether a command is one of those."""
        return name in {"start", "end", "resume", "adopt", "import"}

    async def carry_out(self, asker: Asker, name: str, values: Values, where: Where | None, upload: Upload) -> Answer:
        """The answer to one of those commands; without a text where the story's own first post shows it."""
        try:
            if name == "end":
                return await self._end(asker, asker.command(name, values))
            if refused := refusal_to_start(self.settings, await self._me(), asker):
                raise Refused(refused)
            match name:
                case "start":
                    return await self._start(asker, values, where)
                case "adopt":
                    return await self._adopt(asker, values, where)
                case "resume":
                    return await self._resume(asker, values, where)
            return await self._import(asker, values, where, upload)
        finally:
            await self.played.refresh()

    async def _start(self, asker: Asker, values: Values, where: Where | None) -> Answer:
        card, scenario = await self._meant(values)
        limits = await asked(self.clock, lambda: self.courier.limits(asker.place))
        audience = Rating.ADULT if is_adult(card.rating) else Rating.GENERAL
        if closed := refusal(model=Rating.GENERAL, cast=(card.rating,), session=audience, adults_only=limits.adults_only):
            raise Refused(closed)
        heading = title(card.name, asker.name, scenario), first_message(card.name, asker.name, scenario, self.settings.prefix)
        own = _own_place(asker, where)
        answer = await self._in_place(
            asker, own, heading, lambda place: self.desk.answer(asker.command("start", values, place))
        )
        session = await self.store.session_at(own) if own else None
        # Its first post shows that it begins.
        return replace(answer, text="") if session is not None and session.last else answer

    async def _resume(self, asker: Asker, values: Values, where: Where | None) -> Answer:
        own = _own_place(asker, where)
        if own is None and where is None and "story" not in values:
            if not await self.store.ended(asker.place):
                raise Refused(WHICH_STORY)
            own = asker.place
        here = await self.store.session_at(own) if own else None
        if here is not None:
            raise Refused(HAS_ITS_STORY.format(name=here.character.name))
        heading = str(values.get("story") or f"A story of {asker.name}"), ""
        return await self._in_place(asker, own, heading, lambda place: self.desk.answer(asker.command("resume", values, place)))

    async def _import(self, asker: Asker, values: Values, where: Where | None, upload: Upload) -> Answer:
        data = await upload()
        return await self._in_place(
            asker,
            _own_place(asker, where),
            (f"A story of {asker.name}", ""),
            lambda place: self.desk.answer(asker.command("import", values, place), data),
        )

    async def _in_place(self, asker: Asker, own: Place | None, heading: tuple[str, str], begin: Begin) -> Answer:
        """Have a story begun in a place of its own, or in a thread that is opened for it; with where that is in the answer."""
        if own is not None:
            return await self._unless_done(asker, own) or await begin(own)
        near = place_of(asker.room.id)
        opened = await asked(self.clock, lambda: self.courier.open_with(near, heading[0], asker.event, heading[1]))
        done = await self.store.session_at(opened)
        if done is not None:
            return Answer(DONE.format(name=done.character.name, place=link_to(opened)))
        try:
            answer = await begin(opened)
        except Refused:
            await self._take_away(opened)
            raise
        return replace(answer, text=f"{answer.text} It is in {link_to(opened)}.")

    async def _unless_done(self, asker: Asker, place: Place) -> Answer | None:
        """The answer to a command that made the story which is in a place. Raises Refused for a story of any other."""
        session = await self.store.session_at(place)
        if session is None:
            return None
        if session.id != named_after(asker.command("", {}, place)):
            raise Refused(HAS_STORY)
        return Answer(DONE.format(name=session.character.name, place="this place"))

    async def _end(self, asker: Asker, command: Command) -> Answer:
        try:
            return await self.desk.answer(command)
        except Refused:
            ended = await self.store.ended(command.place)
            if ended and ended[0].ended >= asker.at - SKEW and await self.store.session_at(command.place) is None:
                return Answer(ENDED)
            raise

    async def _adopt(self, asker: Asker, values: Values, where: Where | None) -> Answer:
        place = place_of(asker.room.id) if where is Where.ROOM else asker.place
        if not root_of(place) and where is not Where.ROOM and not is_small(asker.room):
            raise Refused(WHOLE_ROOM)
        if done := await self._unless_done(asker, place):
            return done
        card, _ = await self._meant(values)
        found = await asked(self.clock, lambda: self.old_posts.read(asker, place, card.name))
        answer = await self.desk.adopt(asker.command("adopt", values, place), found.posts)
        return replace(answer, text=f"{answer.text}{found.sentence}")

    async def _meant(self, values: Values) -> tuple[CardTitle, str]:
        """The library's character that is meant, and the scenario. Raises Refused."""
        return meant(await self.store.library(), str(values["character"]), str(values.get("scenario", "")))

    async def _take_away(self, opened: Place) -> None:
        """The message that a thread was to begin with goes again; with it, the thread."""
        try:
            await patiently(self.clock, lambda: self.courier.delete(opened, own_message(root_of(opened))), PATIENCE)
        except CourierError as error:
            log.warning("a thread could not be cleared away: %s", error, extra={"action": "leave_thread", "place": opened})

    async def _me(self) -> str:
        async def me() -> str:
            return str(self.line.client.user_id)

        return await asked(self.clock, me)


def _own_place(asker: Asker, where: Where | None) -> Place | None:
    """The place that a story begins in; None where a thread is to be opened for it."""
    room = place_of(asker.room.id)
    if where is Where.ROOM:
        return room
    if root_of(asker.place):
        return asker.place
    return room if where is None and (is_direct(asker.room) or is_small(asker.room)) else None
