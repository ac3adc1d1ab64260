"""The fake store's outbox: wishes on their way, and what stands in their places. It knows no session."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.ids import MessageId, Place, SessionId
from bot.ports.store import Delivery, Shown, Wish
from bot.posts import OutboundPost
from tests.fakes.copying import copied


@dataclass(slots=True)
class _Queued:
    """A wish in the outbox. A reason means that it was abandoned; `left_by` is the session that left its place since."""

    wish: Wish
    due: float = 0.0
    attempts: int = 0
    uncertain: bool = False
    reason: str | None = None
    left_by: SessionId | None = None


@dataclass(slots=True)
class _Standing:
    shown: Shown
    left_by: SessionId | None


class MemoryOutbox:
    """The part of the store port that has to do with wishes, over dictionaries."""

    def __init__(self) -> None:
        self._outbox: dict[int, _Queued] = {}
        self._standing: list[_Standing] = []
        self._last_delivery = 0

    async def claim(self, place: Place, now: float) -> Delivery | None:
        for number, queued in self._outbox.items():
            if queued.wish.place == place and queued.reason is None:
                return self._delivery(number, queued) if queued.due <= now else None
        return None

    async def post_shown_as(self, place: Place, message: MessageId) -> OutboundPost | None:
        return next((copied(each.post) for each in self._at(place) if each.message == message), None)

    async def outstanding(self) -> tuple[Place, ...]:
        return self._with_wishes(None)

    def _with_wishes(self, due: float | None) -> tuple[Place, ...]:
        waiting = [each for each in self._outbox.values() if each.reason is None and (due is None or each.due <= due)]
        return tuple(dict.fromkeys(each.wish.place for each in waiting))

    def place_of_wish(self, delivery: int) -> Place | None:
        """Where an open wish is to come true."""
        queued = self._waiting(delivery)
        return queued.wish.place if queued else None

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
        old = self._standing_at(queued)
        shown = Shown(message, wish) if isinstance(wish, OutboundPost) and message is not None else None
        if old is not None and shown is not None and old.shown.message == shown.message:
            old.shown = shown
            return
        if old is not None:
            self._standing.remove(old)
        if shown is not None:
            self._standing.append(_Standing(shown, queued.left_by))

    async def postpone(self, delivery: int, until: float, *, uncertain: bool) -> None:
        if queued := self._waiting(delivery):
            queued.due, queued.uncertain = until, uncertain

    async def abandon(self, delivery: int, reason: str) -> None:
        if queued := self._waiting(delivery):
            queued.reason = reason

    def abandoned(self) -> dict[str, str]:
        """The reasons of abandoned wishes by their key, for tests to look at."""
        return {queued.wish.key: queued.reason for queued in self._outbox.values() if queued.reason is not None}

    def _queue(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            if any(each.wish.place == wish.place and each.wish.key == wish.key for each in self._outbox.values()):
                continue
            self._last_delivery += 1
            self._outbox[self._last_delivery] = _Queued(copied(wish))

    def _leave(self, place: Place, session: SessionId) -> None:
        for each in self._of(place, None):
            each.left_by = session

    def _return(self, place: Place, session: SessionId) -> None:
        for each in self._of(place, session):
            each.left_by = None

    def _drop_posts(self, place: Place, session: SessionId, *, lives: bool) -> None:
        gone = [*self._of(None, session), *(self._of(place, None) if lives else ())]
        self._standing = [each for each in self._standing if each not in gone]
        self._outbox = {number: each for number, each in self._outbox.items() if each not in gone}

    def _retell(self, place: Place, session: SessionId, tell: Callable[[OutboundPost], str], *, lives: bool) -> None:
        for each in (*self._of(None, session), *(self._of(place, None) if lives else ())):
            post = each.wish if isinstance(each, _Queued) else each.shown.post
            if not isinstance(post, OutboundPost):
                continue
            told = replace(post, text=tell(post))
            if isinstance(each, _Queued):
                each.wish = told
            else:
                each.shown = replace(each.shown, post=told)

    def _of(self, place: Place | None, session: SessionId | None) -> list["_Queued | _Standing"]:
        """What waits or stands for a session that has left (None: for whoever is there now), in one place or in any."""
        queued: list[_Queued | _Standing] = [each for each in self._outbox.values() if place in {None, each.wish.place}]
        standing = [each for each in self._standing if place in {None, each.shown.post.place}]
        return [each for each in [*queued, *standing] if each.left_by == session]

    def _waiting(self, delivery: int) -> _Queued | None:
        queued = self._outbox.get(delivery)
        return queued if queued and queued.reason is None else None

    def _delivery(self, number: int, queued: _Queued) -> Delivery:
        old, place = self._standing_at(queued), queued.wish.place
        last = next((each.shown.message for each in reversed(self._standing) if each.shown.post.place == place), None)
        message = old.shown.message if old else None
        return Delivery(number, copied(queued.wish), message, last, queued.attempts, queued.uncertain)

    def _standing_at(self, queued: _Queued) -> _Standing | None:
        wish = queued.wish
        if wish.position is None:
            return None
        spot = (wish.place, wish.turn, wish.position, queued.left_by)
        return next((each for each in self._standing if _spot(each) == spot), None)

    def _at(self, place: Place) -> Iterator[Shown]:
        return (each.shown for each in self._standing if each.shown.post.place == place and each.left_by is None)


def _spot(standing: _Standing) -> tuple[Place, int, int | None, SessionId | None]:
    post = standing.shown.post
    return post.place, post.turn, post.position, standing.left_by
