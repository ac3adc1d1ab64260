"""A store that remembers as long as the process lives. Values are checked and copied on the way in and on the way out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from bot.errors import AlreadyHandled, StaleSession
from bot.ids import EventId, MessageId, Place, Platform
from bot.ports.store import Change, Delivery, Shown, StoryPage, Wish
from bot.posts import Inbound, OutboundPost
from bot.story.session import Session
from bot.story.turn import Turn

Value = TypeVar("Value")


@dataclass(slots=True)
class _Story:
    """A session without its turns, and all its turns, those outside the window too."""

    session: Session
    turns: dict[int, Turn] = field(default_factory=dict)

    def read(self) -> Session:
        window = tuple(turn for number, turn in sorted(self.turns.items()) if number >= self.session.window_start)
        return copied(replace(self.session, turns=window))


@dataclass(slots=True)
class _Queued:
    """A wish in the outbox. A reason means that it was abandoned."""

    wish: Wish
    due: float = 0.0
    attempts: int = 0
    uncertain: bool = False
    reason: str | None = None


class MemoryStore:
    """The store port over dictionaries. Reopening it after a "crash" is using the same object again."""

    def __init__(self) -> None:
        self._stories: dict[Place, _Story] = {}
        self._inbox: dict[tuple[Platform, EventId], Inbound | None] = {}
        self._outbox: dict[int, _Queued] = {}
        self._standing: list[Shown] = []
        self._last_delivery = 0

    async def receive(self, event: Inbound) -> bool:
        key = (event.place.platform, event.event)
        if key in self._inbox:
            return False
        self._inbox[key] = copied(event)
        return True

    async def waiting(self) -> tuple[Inbound, ...]:
        return tuple(copied(event) for event in self._inbox.values() if event is not None)

    async def dismiss(self, place: Place, event: EventId, wishes: Sequence[Wish] = ()) -> None:
        self._handled(place, event)
        self._queue(wishes)

    async def session_at(self, place: Place) -> Session | None:
        story = self._stories.get(place)
        return story.read() if story else None

    async def places(self) -> tuple[Place, ...]:
        return tuple(self._stories)

    async def save(self, change: Change) -> Session:
        before, after = change.before, copied(change.after)
        if change.handled is not None:
            self._refuse_handled(after.place, change.handled)
        story = self._stories.get(after.place)
        known = any(each.session.id == after.id for each in self._stories.values())
        if before is None and (known or story is not None):
            raise StaleSession("This place already holds a session.")
        if before is not None and (story is None or story.session.version != before.version):
            raise StaleSession("The story has moved on since it was read.")
        story = story or _Story(after)
        kept = {turn.number for turn in after.turns}
        for turn in before.turns if before else ():
            if turn.number not in kept and turn.number >= after.window_start:
                story.turns.pop(turn.number, None)
        story.turns |= {turn.number: turn for turn in after.turns}
        story.session = replace(after, turns=(), version=before.version + 1 if before else 1)
        self._stories[after.place] = story
        self._queue(change.wishes)
        if change.handled is not None:
            self._handled(after.place, change.handled)
        return story.read()

    async def unfinished(self) -> tuple[Place, ...]:
        return tuple(place for place, story in self._stories.items() if any(turn.is_writing for turn in story.turns.values()))

    async def page(self, place: Place, *, before: int | None = None, limit: int = 50) -> StoryPage:
        story = self._stories.get(place)
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

    async def claim(self, place: Place, now: float) -> Delivery | None:
        for number, queued in self._outbox.items():
            if queued.wish.place == place and queued.reason is None:
                return self._delivery(number, queued) if queued.due <= now else None
        return None

    async def outstanding(self) -> tuple[Place, ...]:
        return tuple(dict.fromkeys(queued.wish.place for queued in self._outbox.values() if queued.reason is None))

    async def attempt(self, delivery: int) -> None:
        if queued := self._waiting(delivery):
            queued.attempts += 1
            queued.uncertain = True

    async def settle(self, delivery: int, message: MessageId | None) -> None:
        queued = self._waiting(delivery)
        if queued is None:
            return
        del self._outbox[delivery]
        wish = queued.wish
        old = self._standing_at(wish)
        new = Shown(message, wish) if isinstance(wish, OutboundPost) and message is not None else None
        if old is not None and new is not None and old.message == new.message:
            self._standing[self._standing.index(old)] = new
            return
        if old is not None:
            self._standing.remove(old)
        if new is not None:
            self._standing.append(new)

    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        if queued := self._waiting(delivery):
            queued.due, queued.uncertain = until, uncertain

    async def abandon(self, delivery: int, reason: str) -> None:
        if queued := self._waiting(delivery):
            queued.reason = reason

    async def close(self) -> None:
        """Nothing to give back."""

    def abandoned(self) -> dict[str, str]:
        """The reasons of abandoned wishes by their key, for tests to look at."""
        return {queued.wish.key: queued.reason for queued in self._outbox.values() if queued.reason is not None}

    def _queue(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            if any(each.wish.place == wish.place and each.wish.key == wish.key for each in self._outbox.values()):
                continue
            self._last_delivery += 1
            self._outbox[self._last_delivery] = _Queued(copied(wish))

    def _handled(self, place: Place, event: EventId) -> None:
        self._refuse_handled(place, event)
        self._inbox[(place.platform, event)] = None

    def _refuse_handled(self, place: Place, event: EventId) -> None:
        if self._inbox.get((place.platform, event)) is None:
            raise AlreadyHandled(f"The event {event} is not waiting.")

    def _waiting(self, delivery: int) -> _Queued | None:
        queued = self._outbox.get(delivery)
        return queued if queued and queued.reason is None else None

    def _delivery(self, number: int, queued: _Queued) -> Delivery:
        old = self._standing_at(queued.wish)
        last = next((each.message for each in reversed(self._standing) if each.post.place == queued.wish.place), None)
        return Delivery(number, copied(queued.wish), old.message if old else None, last, queued.attempts, queued.uncertain)

    def _standing_at(self, wish: Wish) -> Shown | None:
        if wish.position is None:
            return None
        spot = (wish.turn, wish.position)
        return next((each for each in self._at(wish.place) if (each.post.turn, each.post.position) == spot), None)

    def _at(self, place: Place) -> Iterator[Shown]:
        return (each for each in self._standing if each.post.place == place)


def copied(value: Value) -> Value:
    """The same value built anew. Raises TypeError for anything that a database could not hold."""
    if is_dataclass(value) and not isinstance(value, type):
        parts: dict[str, Any] = {each.name: copied(getattr(value, each.name)) for each in fields(value)}
        return type(value)(**parts)
    if isinstance(value, tuple):
        return type(value)(copied(each) for each in value)
    if isinstance(value, dict):
        return type(value)((copied(key), copied(each)) for key, each in value.items())
    if value is None or type(value) in {str, int, float, bool} or isinstance(value, StrEnum):
        return value
    raise TypeError(f"a store cannot keep a {type(value).__name__}: {value!r}")


def _reading_order(shown: Shown) -> tuple[int, bool, int]:
    """By turn, its posts by position and then its notices; a stable sort keeps notices in the order of their arrival."""
    return shown.post.turn, shown.post.position is None, shown.post.position or 0
