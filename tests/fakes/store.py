"""A store that remembers as long as the process lives. Values are checked and copied on the way in and on the way out."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import AlreadyHandled, Refused, StaleSession
from bot.ids import AuthorId, EventId, Place, Platform, SessionId
from bot.ports.bin import EndedSession
from bot.ports.ledger import Asked
from bot.ports.overview import Inventory, SessionInBrief
from bot.ports.privacy import Forgotten, ForgottenStory, PlayerData, PlayerStory
from bot.ports.reports import Refusal
from bot.ports.store import Change, Shown, StoryPage, Wish
from bot.posts import Deleted, Inbound, OutboundPost
from bot.story.acts import WINDOW_FLOOR
from bot.story.forgetting import Gap, Known, changed, take_out, texts_of
from bot.story.session import Session
from bot.story.turn import Role, Turn
from bot.texts import FORGOTTEN, SOMEONE
from tests.fakes.copying import copied
from tests.fakes.leases import MemoryLeases
from tests.fakes.ledger import MemoryLedger
from tests.fakes.library import MemoryLibrary
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.reading import MemoryReading


@dataclass(slots=True)
class _Story:
    """A session without its turns, and all its turns, those outside the window too."""

    session: Session
    turns: dict[int, Turn] = field(default_factory=dict)
    ended: float | None = None
    touched: float = 0.0

    def read(self, back_to: int | None = None) -> Session:
        start = self.session.window_start if back_to is None else min(back_to, self.session.window_start)
        window = tuple(turn for number, turn in sorted(self.turns.items()) if number >= start)
        return copied(replace(self.session, turns=window, window_start=start))


@dataclass(slots=True)
class _Received:
    """An inbound event, or what is left of it. A reason means that it was refused."""

    place: Place
    event: Inbound | None
    reason: str | None = None


class MemoryStore(MemoryOutbox, MemoryLibrary, MemoryReading, MemoryLedger, MemoryLeases):
    """The store port over dictionaries. Reopening it after a "crash" is using the same object again."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        MemoryOutbox.__init__(self)
        MemoryLibrary.__init__(self)
        MemoryReading.__init__(self, now)
        MemoryLedger.__init__(self, now)
        self._now = now
        self._stories: dict[SessionId, _Story] = {}
        self._inbox: dict[tuple[Platform, EventId], _Received] = {}

    async def receive(self, event: Inbound) -> bool:
        key = (event.place.platform, event.event)
        if key in self._inbox:
            return False
        self._inbox[key] = _Received(event.place, copied(event))
        return True

    async def waiting(self, place: Place | None = None) -> tuple[Inbound, ...]:
        return tuple(
            copied(each.event) for each in self._inbox.values() if each.event is not None and place in {None, each.place}
        )

    async def unattended(self, now: float) -> tuple[Place, ...]:
        del now
        return await self.left_to_do(None)

    async def left_to_do(self, due: float | None) -> tuple[Place, ...]:
        """The places with wishes (due by then, if a time is given), half-written replies and events that wait."""
        waiting = [event.place for event in await self.waiting()]
        return tuple(dict.fromkeys([*self._with_wishes(due), *await self.unfinished(), *waiting]))

    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        self._handled(place, event)
        self._dismissed(place, event)
        self._queue(wishes)

    async def refuse(self, event: EventId, place: Place, reason: str) -> bool:
        key = (place.platform, event)
        if key in self._inbox and self._inbox[key].event is None:
            return False
        self._inbox[key] = _Received(place, None, reason)
        self._dismissed(place, event)
        return True

    async def drop_handled(self, keep: int, of_place: int) -> int:
        old = list(self._inbox)[: max(0, len(self._inbox) - keep)]
        rank: Counter[Place] = Counter()
        kept = set()
        for key, each in reversed(self._inbox.items()):
            rank[each.place] += 1
            if rank[each.place] <= of_place:
                kept.add(key)
        gone = [key for key in old if self._inbox[key].event is None and key not in kept]
        for key in gone:
            del self._inbox[key]
        return len(gone)

    async def refusals(self, place: Place, limit: int = 10) -> tuple[Refusal, ...]:
        found = [
            Refusal(event, each.reason)
            for (_, event), each in self._inbox.items()
            if each.place == place and each.reason is not None
        ]
        return tuple(found[::-1][:limit])

    async def session_at(self, place: Place) -> Session | None:
        story = self._story_at(place)
        return story.read() if story else None

    async def widened(self, place: Place, back_to: int) -> Session | None:
        story = self._story_at(place)
        return story.read(back_to) if story else None

    async def turns(self, session: SessionId) -> tuple[Turn, ...]:
        story = self._stories.get(session)
        return story.read(0).turns if story else ()

    async def turn_of(self, place: Place, event: EventId) -> int | None:
        story = self._story_at(place)
        found = [number for number, turn in story.turns.items() if event in turn.sources] if story else []
        return max(found, default=None)

    async def inventory(self, newest: int = 0) -> Inventory:
        living = [story for story in self._stories.values() if story.ended is None]
        newest_first = sorted(living, key=lambda each: each.touched)[::-1]
        return Inventory(
            sessions=len(living),
            ended=len(self._stories) - len(living),
            events=len(await self.waiting()),
            wishes=sum(queued.reason is None for queued in self._outbox.values()),
            newest=tuple(
                SessionInBrief(each.session.place, each.session.character.name, each.session.next_number, each.touched)
                for each in newest_first[:newest]
            ),
        )

    async def places(self) -> tuple[Place, ...]:
        return tuple(story.session.place for story in self._stories.values() if story.ended is None)

    async def reminding(self) -> tuple[Place, ...]:
        living = [story.session for story in self._stories.values() if story.ended is None]
        return tuple(session.place for session in living if session.settings.nudge_seconds is not None)

    async def save(self, change: Change) -> Session:
        before, after = change.before, copied(change.after)
        if change.handled is not None:
            self._refuse_handled(after.place, change.handled)
        story = self._stories.get(after.id)
        if before is None and (story is not None or self._story_at(after.place)):
            raise StaleSession("This place already holds a session.")
        if before is not None and (story is None or story.session.version != before.version):
            raise StaleSession("The story has moved on since it was read.")
        story = self._stories.setdefault(after.id, _Story(after))
        self._write(story, before, after)
        self._queue(change.wishes)
        if change.loses_words:
            self._note_unforgotten(after.id, after.place)
        if change.handled is not None:
            self._handled(after.place, change.handled)
        self._follow(change)
        return story.read()

    async def unfinished(self) -> tuple[Place, ...]:
        living = (story for story in self._stories.values() if story.ended is None)
        return tuple(story.session.place for story in living if any(turn.is_writing for turn in story.turns.values()))

    async def page(self, place: Place, *, before: int | None = None, limit: int = 50) -> StoryPage:
        story = self._story_at(place)
        numbers = sorted(story.turns) if story else []
        older = [number for number in numbers if before is None or number < before]
        shown_numbers = older[-limit:]
        has_older = len(older) > len(shown_numbers)
        turns = tuple(copied(story.turns[number]) for number in shown_numbers) if story else ()
        standing = [
            copied(each)
            for each in self._at(place)
            if (before is None or each.post.turn < before) and not (has_older and each.post.turn < shown_numbers[0])
        ]
        return StoryPage(turns, tuple(sorted(standing, key=_reading_order)), has_older)

    async def end(self, place: Place, now: float) -> SessionId | None:
        story = self._story_at(place)
        if story is None:
            return None
        story.ended = story.touched = now
        story.session = replace(story.session, version=story.session.version + 1)
        self._leave(place, story.session.id)
        self._over_in(place)
        return story.session.id

    async def ended(self, place: Place) -> tuple[EndedSession, ...]:
        return self._in_bin(lambda session: session.place == place)

    async def ended_of(self, owner: AuthorId) -> tuple[EndedSession, ...]:
        return self._in_bin(lambda session: session.table.owner == owner)

    async def resume(self, session: SessionId, place: Place) -> Session:
        story = self._stories.get(session)
        if self._story_at(place):
            raise Refused("This place already holds a story.")
        if story is None or story.ended is None:
            raise Refused("That story is not in the bin any more.")
        story.ended, story.touched = None, self._now()
        story.session = replace(story.session, place=place, version=story.session.version + 1)
        self._return(place, session)
        return story.read()

    async def empty_bin(self, before: float) -> tuple[SessionId, ...]:
        return self._delete(lambda story: story.ended is not None and story.ended < before)

    async def delete_untouched(self, before: float) -> tuple[SessionId, ...]:
        return self._delete(lambda story: story.touched < before)

    async def words_of(self, author: AuthorId) -> PlayerData:
        stories = []
        for story in self._stories.values():
            session = story.read(0)
            turns = tuple(turn for turn in session.turns if turn.author == author)
            if turns or session.persona_of(author):
                stories.append(PlayerStory(session.id, session.place, session.persona_of(author), turns))
        reports = tuple(copied(each) for each in self._reports.values() if each.author == author)
        return PlayerData(await self.default_persona(author), self._cards_of(author), tuple(stories), reports)

    async def forget(self, author: AuthorId, answers: EventId | None = None) -> Forgotten:
        default = self._personas.get(author)
        known = [texts_of(story.read(0), author) for story in self._stories.values()]
        known += [Known((default.description,), (default.name,))] if default else []
        texts = tuple(text for each in known for text in each.texts)
        together = Known(texts, tuple(name for each in known for name in each.names))
        stories = [self._forget_in(story, author, together) for story in self._concerned(author)]
        self._forget_library(author)
        for each in self._inbox.values():
            waiting = each.event
            if waiting is None or isinstance(waiting, Deleted):
                continue
            if waiting.author == author and waiting.event != answers:
                each.event = None
        self._let_go_of(author, answers)
        self._forget_counts(author)
        return Forgotten(tuple(story for story in stories if story is not None))

    async def close(self) -> None:
        """Nothing to give back."""

    def _in_bin(self, is_meant: Callable[[Session], bool]) -> tuple[EndedSession, ...]:
        found = [
            EndedSession(key, story.session.character.name, story.ended, len(story.turns), story.session.place)
            for key, story in reversed(self._stories.items())
            if story.ended is not None and is_meant(story.session)
        ]
        return tuple(sorted(found, key=lambda each: -each.ended))

    def _story_at(self, place: Place) -> _Story | None:
        living = (story for story in self._stories.values() if story.ended is None)
        return next((story for story in living if story.session.place == place), None)

    def _write(self, story: _Story, before: Session | None, after: Session) -> None:
        kept = {turn.number for turn in after.turns}
        oldest = min((after.window_start, *kept))
        for turn in before.turns if before else ():
            if turn.number not in kept and turn.number >= oldest:
                story.turns.pop(turn.number, None)
        story.turns |= {turn.number: turn for turn in after.turns}
        start = after.window_start
        if before is not None and before.window_start == start:
            roles = [turn.role for turn in after.turns if turn.number >= story.session.window_start]
            narrow = len(roles) > WINDOW_FLOOR and Role.PLAYER in roles
            start = story.session.window_start if narrow else start
        version = before.version + 1 if before else 1
        story.session = replace(after, turns=(), version=version, window_start=start)
        story.touched = self._now()

    def _delete(self, is_gone: Callable[[_Story], bool]) -> tuple[SessionId, ...]:
        gone = [key for key, story in self._stories.items() if is_gone(story)]
        for key in gone:
            story = self._stories.pop(key)
            self._drop_posts(story.session.place, key, lives=story.ended is None)
            self._note_unforgotten(key, story.session.place)
        return tuple(gone)

    def _forget_in(self, story: _Story, author: AuthorId, known: Known) -> ForgottenStory | None:
        before = story.read(0)
        after, fill = take_out(before, author, known, Gap(FORGOTTEN, SOMEONE))
        if after == before:
            return None
        self._write(story, before, after)
        self._note_unforgotten(before.id, before.place)
        shown = changed(before, after)

        def tell(post: OutboundPost) -> str:
            return FORGOTTEN if post.turn in shown and post.position is not None and post.text else fill(post.text)

        self._retell(before.place, before.id, tell, lives=story.ended is None)
        self._clear_reports(before.place, fill)
        sources = tuple(source for turn in before.turns if turn.author == author for source in turn.sources)
        return ForgottenStory(before.id, before.place, shown, sources)

    def _concerned(self, author: AuthorId) -> list[_Story]:
        """Where a player plays, what they began, and all that hangs together with it."""
        read = {key: story.read(0) for key, story in self._stories.items()}
        found = {key for key, each in read.items() if each.table.owner == author or texts_of(each, author).names}
        groups = [{key, *(link.session for link in (each.came_from, *each.goes_on_in) if link)} for key, each in read.items()]
        while added := {key for group in groups if group & found for key in group} - found:
            found |= added
        return [story for key, story in self._stories.items() if key in found]

    def _handled(self, place: Place, event: EventId) -> None:
        self._refuse_handled(place, event)
        self._inbox[(place.platform, event)].event = None

    def _was_handled(self, asked: Asked) -> bool:
        received = self._inbox.get((asked.place.platform, asked.event))
        return received is not None and received.event is None

    def _waits(self, asked: Asked) -> bool:
        received = self._inbox.get((asked.place.platform, asked.event))
        return received is not None and received.event is not None

    def _refuse_handled(self, place: Place, event: EventId) -> None:
        received = self._inbox.get((place.platform, event))
        if received is None or received.event is None:
            raise AlreadyHandled(f"The event {event} is not waiting.")


def _reading_order(shown: Shown) -> tuple[int, bool, int]:
    """By turn, its posts by position and then its notices; a stable sort keeps notices in the order of their arrival."""
    return shown.post.turn, shown.post.position is None, shown.post.position or 0
