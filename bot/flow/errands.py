"""Commands that need more than the story they change: the library, another place, the model. Each ends in one stored change.

Rule: an errand may begin anew after a crash: new sessions and places are named after the event that asked for them.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot import texts
from bot.errors import EngineError, PostRefused, Refused
from bot.flow.acts import Scene
from bot.flow.acts.replies import turn_number
from bot.flow.gate import Gate
from bot.flow.opening import named_after, opened, with_last_shown
from bot.flow.places import Places
from bot.flow.summing import Summariser, Summary
from bot.flow.wishes import notice
from bot.ids import Place
from bot.ports.store import Change, Store
from bot.story import agreements, cutting
from bot.story.library import LibraryCard
from bot.story.session import Session

log = logging.getLogger(__name__)

Errand = Callable[["Errands", Scene], Awaitable[Change]]


@dataclass(frozen=True, slots=True)
class Errands:
    """Runs the errands of all places. `link` writes a place as its platform links to it."""

    store: Store
    places: Places
    gate: Gate
    summariser: Summariser
    find: Callable[[str], Awaitable[LibraryCard]]
    wake: Callable[[Place], None]
    link: Callable[[Place], str]

    async def run(self, scene: Scene) -> Change:
        """What a command changes in its own place; what it changes elsewhere is stored already. Raises Refused, ChannelGone."""
        try:
            return await ERRANDS[scene.command.name](self, scene)
        except EngineError as error:
            raise Refused(f"That could not be done: {error}") from error

    async def begin(self, session: Session) -> None:
        """Store a session in its place, and show what it begins with. One that was stored before is left as it is."""
        if await self.store.session_at(session.place) is None:
            opening = await self._opening(session)
            await self.gate.check_story(opening.after)
            await self.store.save(opening)
        self.wake(session.place)

    async def sum_up_what_left(self, session: Session) -> Session:
        """The session with what has left its window summed up, where its table wants that. A failure is no matter here."""
        if not session.settings.summarises or session.window_start <= session.memory.summary_until:
            return session
        try:
            turns = await self.store.turns(session.id)
            left = [turn for turn in turns if session.memory.summary_until <= turn.number < session.window_start]
            summary = await self.summariser.sum_up(session, left)
            summed = agreements.with_summary(session, summary.text, session.window_start)
            await self.gate.check(summed, session)
            return await self.store.save(Change(session, summed))
        except (EngineError, Refused) as error:
            log.info("the story was not summed up: %s", error, extra={"action": "skip_summary", "place": session.place})
            return session

    async def _opening(self, session: Session) -> Change:
        limits = await self.places.limits(session.place)
        came = session.came_from
        said = (notice(session, texts.CAME_FROM.format(place=self.link(came.place)), "came from"),) if came else ()
        return with_last_shown(session, limits, said) if session.turns else opened(session, limits)


async def _add_character(errands: Errands, scene: Scene) -> Change:
    card = (await errands.find(scene.text("character"))).card
    return scene.change(agreements.add_character(scene.session, card), f"{card.name} has joined the story.")


async def _branch(errands: Errands, scene: Scene) -> Change:
    number = turn_number(scene)
    turns = await errands.store.turns(scene.session.id)
    # What is refused is refused before a place is opened: one that was opened for nothing would stand there empty.
    _, wanted = cutting.branch(scene.session, turns, number, named_after(scene.command), scene.session.place)
    await errands.gate.check_story(wanted)
    place = await _opened(errands, scene, f"{scene.session.character.name}, another way")
    linked, branched = cutting.branch(scene.session, turns, number, named_after(scene.command), place)
    await errands.begin(branched)
    return scene.change(linked, texts.BRANCHED.format(place=errands.link(place)))


async def _part(errands: Errands, scene: Scene) -> Change:
    session = scene.session
    cutting.next_part(session, named_after(scene.command), session.place, "")
    written = Summary(scene.text("summary"))
    if not written.text:
        written = await errands.summariser.sum_up(session, await errands.store.turns(session.id))
    _, wanted = cutting.next_part(session, named_after(scene.command), session.place, written.text)
    await errands.gate.check_story(wanted)
    title = scene.text("title") or f"{session.character.name}, the next part"
    place = await _opened(errands, scene, title)
    locked, part = cutting.next_part(session, named_after(scene.command), place, written.text)
    await errands.begin(part)
    return replace(scene.change(locked, texts.GOES_ON.format(place=errands.link(place))), spent=written.tokens)


async def _make_summary(errands: Errands, scene: Scene) -> Change:
    session = scene.session
    turns = [turn for turn in await errands.store.turns(session.id) if turn.number < session.window_start]
    if not turns:
        raise Refused("The model still sees the whole story; there is nothing to sum up yet.")
    summary = await errands.summariser.sum_up(session, turns)
    after = agreements.with_summary(session, summary.text, session.window_start)
    return replace(scene.change(after, f"The summary now reads: {summary.text}"), spent=summary.tokens)


async def _opened(errands: Errands, scene: Scene, title: str) -> Place:
    try:
        return await errands.places.open(scene.session.place, title, f"{scene.session.id}/{scene.command.event}")
    except PostRefused as refused:
        raise Refused(str(refused)) from refused


ERRANDS: dict[str, Errand] = {
    "character add": _add_character,
    "branch": _branch,
    "part": _part,
    "summary make": _make_summary,
}
