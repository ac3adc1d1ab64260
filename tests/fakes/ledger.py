"""The fake store's ledger: who asked the model for how much, in lists. It knows no session."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.ids import AuthorId, EventId, Place
from bot.limits import DAY, HOUR, MINUTE, Kind, Limits, Over, Scope, Used, judge, longest
from bot.ports.ledger import FORGIVEN, ON_ITS_WAY, TOLD_FOR, Asked, Ruling
from bot.ports.store import Change, Wish


@dataclass(slots=True)
class _Entry:
    asked: Asked
    at: float
    writing: bool = False
    ended: float | None = None
    over: Over | None = None
    until: float = 0.0
    told: bool = False


class MemoryLedger(ABC):
    """The part of the store port that counts, over lists."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._time = now
        self._entries: list[_Entry] = []
        self._spent: Counter[tuple[Scope, object, float]] = Counter()

    @abstractmethod
    def _was_handled(self, asked: Asked) -> bool: ...

    @abstractmethod
    def _waits(self, asked: Asked) -> bool: ...

    @abstractmethod
    def _queue(self, wishes: Sequence[Wish]) -> None: ...

    async def ask(self, asked: Asked, limits: Limits) -> Ruling:
        now = self._time()
        for entry in self._entries:
            if (entry.asked.place.platform, entry.asked.event) == (asked.place.platform, asked.event):
                return Ruling(_again(entry, now), was_told=True, is_repeated=True)
        if self._was_handled(asked):
            return Ruling()
        found = [judge(scope, limits.share(scope), self._used(scope, asked, now), now) for scope in _scopes(asked)]
        over = longest([each for each in found if each])
        was_told = over is not None and self._was_told(asked, over, now)
        if over is None or asked.stays or not was_told:
            until = now + (over.seconds or TOLD_FOR) if over else 0.0
            told = over is not None and not was_told
            self._entries.append(_Entry(asked, now, ended=now if over else None, over=over, until=until, told=told))
        return Ruling(over, was_told)

    async def tell(self, wishes: Sequence[Wish]) -> None:
        self._queue(wishes)

    async def drop_counts(self) -> None:
        now = self._time()
        self._entries = [each for each in self._entries if not _is_stale(each, now)]
        for key in [key for key in self._spent if not now - DAY < key[2] <= now + DAY]:
            del self._spent[key]

    def _follow(self, change: Change) -> None:
        place, event = change.after.place, change.handled
        mine = self._written_in(place) if event is None else self._for(place, event)
        if change.spent and mine:
            self._spend(mine[0].asked, change.spent)
        if event is not None and change.after.writing is not None:
            self._end(self._written_in(place))
            for each in mine:
                each.writing = each.ended is None
        elif event is not None:
            self._end(mine)
        if change.before and change.before.writing and not change.after.writing:
            self._end(self._written_in(place))
        if event is not None:
            self._entries = [each for each in self._entries if each not in mine or not each.over or each.told]

    def _dismissed(self, place: Place, event: EventId) -> None:
        self._end(self._for(place, event))

    def _over_in(self, place: Place) -> None:
        self._end([each for each in self._entries if each.asked.place == place])

    def _forget_counts(self, author: AuthorId) -> None:
        for each in self._entries:
            if each.asked.author == author:
                if not each.writing:
                    self._end([each])
                each.asked = replace(each.asked, author=AuthorId(""))
        for key in [key for key in self._spent if key[:2] == (Scope.PLAYER, author)]:
            del self._spent[key]

    def _end(self, entries: Sequence[_Entry]) -> None:
        for each in entries:
            each.ended = self._time() if each.ended is None else each.ended

    def _for(self, place: Place, event: EventId) -> list[_Entry]:
        return [each for each in self._entries if (each.asked.place.platform, each.asked.event) == (place.platform, event)]

    def _written_in(self, place: Place) -> list[_Entry]:
        return [each for each in self._entries if each.asked.place == place and each.writing and each.ended is None]

    def _used(self, scope: Scope, asked: Asked, now: float) -> Used:
        theirs = [each for each in self._entries if _key(scope, each.asked) == _key(scope, asked)]
        times = sorted((each.at for each in theirs if each.over is None and _within(each.at, MINUTE, now)), reverse=True)
        waiting = sum(self._counts_as_waiting(each, now) for each in theirs)
        tokens = [(hour, n) for (of, name, hour), n in self._spent.items() if (of, name) == (scope, _key(scope, asked))]
        return Used(times, waiting, [(hour, n) for hour, n in tokens if _within(hour, DAY, now)])

    def _counts_as_waiting(self, each: _Entry, now: float) -> bool:
        is_there = each.writing or each.at > now - ON_ITS_WAY or self._waits(each.asked)
        return each.ended is None and _within(each.at, FORGIVEN, now) and is_there

    def _was_told(self, asked: Asked, over: Over, now: float) -> bool:
        scope = Scope.PLAYER if over.scope is Scope.PLAYER else Scope.PLACE
        return any(
            each.over is not None and each.over.label == over.label and each.told and _is_fresh(each, now)
            for each in self._entries
            if _key(scope, each.asked) == _key(scope, asked)
        )

    def _spend(self, asked: Asked, tokens: int) -> None:
        hour = self._time() // HOUR * HOUR
        for scope in _scopes(asked):
            if _key(scope, asked):
                self._spent[scope, _key(scope, asked), hour] += tokens


def _scopes(asked: Asked) -> list[Scope]:
    return [scope for scope in Scope if scope is not Scope.COMMUNITY or asked.community is not None]


def _key(scope: Scope, asked: Asked) -> object:
    if scope is Scope.PLAYER:
        return asked.author
    return asked.place if scope is Scope.PLACE else (asked.place.platform, asked.community)


def _again(entry: _Entry, now: float) -> Over | None:
    if entry.over is None or entry.over.kind is Kind.WAITING:
        return entry.over
    return replace(entry.over, seconds=max(1.0, entry.until - now))


def _within(time: float, seconds: float, now: float) -> bool:
    return now - seconds < time < now + seconds


def _is_fresh(entry: _Entry, now: float) -> bool:
    return (entry.until > now or entry.at > now - TOLD_FOR) and entry.at < now + TOLD_FOR


def _is_stale(entry: _Entry, now: float) -> bool:
    if entry.at > now + DAY:
        return True
    if entry.ended is None:
        return entry.at < now - DAY
    return entry.ended < now - FORGIVEN and entry.until < now
