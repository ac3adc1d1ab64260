"""One sync after another: what the homeserver tells is stored with how far it was read, in one step, and then handed on.

Rule 1: nothing is acted on before it is stored, and nothing that was not read is passed over: killed at any moment, the next
start goes on where this one stood.
Rule 2: nothing here waits for a listener, or for what one room needs.
"""

import json
import logging
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial

from adapters.matrix.client import Client
from adapters.matrix.ears.around import Around
from adapters.matrix.ears.arriving import Came, Gap, Gone, Item, came, invitations, kept, name_of, restored
from adapters.matrix.ears.asking import Unanswered, asked
from adapters.matrix.ears.attending import MEMBER, attended, began_there, since_coming
from adapters.matrix.ears.deciphering import Sealed, understood
from adapters.matrix.ears.hearing import Hearing
from adapters.matrix.ears.keys import Keys
from adapters.matrix.ears.members import Members
from adapters.matrix.ears.synced import Event, RoomNews, Synced, is_event, is_state, synced
from adapters.matrix.words import MATRIX, room_of
from adapters.network.retry import Backoff

log = logging.getLogger(__name__)

POLL = 30.0
"""Seconds for which the homeserver may wait for news."""

PATIENCE, FIRST_PATIENCE = 60.0, 300.0
"""Seconds for which its answer is waited for; the first one holds the state of all rooms."""

TIMELINE = 50
"""Events of a room that come with a sync; what is left out is read afterwards."""

HASTY = 1.0
"""Seconds: a homeserver that has no news and says so sooner does not wait."""

SLOWER = Backoff(first=0.5, longest=10.0, patience=float("inf"))
"""Waits before it is asked again then."""


BAD_REQUEST, REFUSALS = 400, 5
"""A status, and how often in a row it means that the request will never do."""

BEGUN_ANEW = (
    "The homeserver does not know any more how far Understudy had read. It goes on from now; what was written meanwhile is not "
    "heard."
)


@dataclass(slots=True)
class Stream:
    """Reads the stream of one account: `begin` it with each client, then take `turn`s. `is_waiting`: it read what there is."""

    around: Around
    keys: Keys
    hearing: Hearing
    members: Members
    timeline: int = TIMELINE
    is_waiting: bool = False
    _since: str = ""
    _is_first: bool = True
    _hasty: int = 0
    _refused: int = 0
    _newest: dict[str, str] = field(default_factory=dict)

    async def restore(self) -> None:
        """Put in what was taken in and not dealt with."""
        around = self.around
        for arrival in await around.patiently(lambda: around.store.arrived(MATRIX)):
            item = restored(arrival)
            if item is None:
                log.error("what was kept of a room cannot be read", extra={"action": "drop", "place": arrival.channel})
                await around.patiently(partial(around.store.let_go, MATRIX, arrival.event))
            else:
                self.hearing.put(item)

    async def begin(self, client: Client, me: str) -> None:
        """Go on with a client that is logged in as `me`. Raises StoreUnavailable."""
        mark = await self.around.store.read_up_to(MATRIX)
        user, _, since = mark.partition(" ")
        # How far another account had read says nothing of this one's stream.
        self._since = since if user == me else ""
        self.around.inbox.mark = mark
        self.around.connect(client, me)
        self._is_first, self._hasty = True, 0

    def newest_in(self, room: str) -> str:
        """The newest event of a room that was read, whoever sent it; empty where none was."""
        return self._newest.get(room, "")

    async def turn(self) -> None:
        """One sync, from the request to the lanes. Raises Unanswered."""
        client, since, were_in = self.around.client, self._since, frozenset(self.around.rooms.joined)
        if client is None:
            raise Unanswered("there is no connection")
        began = self.around.clock.ticks()
        news = await self._ask(client)
        await self._slow_down(news, self.around.clock.ticks() - began)
        came_keys = await self.keys.learn(client, news)
        await self._tell_rooms(news)
        items = await self._items(news, were_in)
        if self._is_first and since:
            items += await self._missing(client, news)
        await self._hand_on(news, items)
        if came_keys:
            self.hearing.keys_came()
        if self._is_first:
            # Before anything is said: whoever writes must find this device and its keys.
            await self.keys.tend(client)
        self._is_first = False
        self.keys.tend_soon(client)

    async def _ask(self, client: Client) -> Synced:
        seconds = 0.0 if self._is_first else POLL
        query = {"filter": _filter(self.timeline if self._since else 1), "timeout": str(int(seconds * 1000))}
        if self._since:
            query["since"] = self._since
        if self._is_first:
            query["full_state"] = "true"
        self.is_waiting = not self._is_first
        try:
            answer = await asked(client, "GET", "/v3/sync", query, patience=FIRST_PATIENCE if self._is_first else PATIENCE)
            return synced(answer)
        except Unanswered as error:
            self._refused = self._refused + 1 if error.status == BAD_REQUEST else 0
            if self._refused >= REFUSALS and self._since:
                # It lost what it knew, and will never know this end of a sync again.
                log.error(BEGUN_ANEW, extra={"action": "skip"})  # noqa: TRY400  where it was met says nothing
                self._since, self._is_first = "", True
            raise
        except ValueError:
            raise Unanswered("its answer is none of Matrix") from None
        finally:
            self.is_waiting = False

    async def _slow_down(self, news: Synced, seconds: float) -> None:
        """Ask slower where the homeserver answers at once though it knows nothing new: it would be asked without end."""
        is_hasty = not self._is_first and (news.is_empty or news.mark == self._since) and seconds < HASTY
        self._hasty = self._hasty + 1 if is_hasty else 0
        if self._hasty:
            await self.around.pause(SLOWER, self._hasty)

    async def _tell_rooms(self, news: Synced) -> None:
        rooms = self.around.rooms
        gone = [*news.left, *news.invited, *(rooms.joined - news.joined.keys() if self._is_first else ())]
        for room in gone:
            rooms.left(room)
            self._newest.pop(room, None)
        for room, each in news.joined.items():
            await self._tell_room(room, each)

    async def _tell_room(self, room: str, news: RoomNews) -> None:
        around, is_whole = self.around, self._is_first
        told = [event for event in (*news.state, *news.timeline) if "state_key" in event]
        await around.patiently(lambda: around.rooms.tell(room, told, is_whole=is_whole))
        names = [str(event["event_id"]) for event in news.timeline if is_event(event.get("event_id"))]
        if names:
            self._newest[room] = names[-1]

    async def _items(self, news: Synced, were_in: AbstractSet[str]) -> list[Item]:
        """What is to be dealt with: what happened in rooms while the bot was there, and who invited it."""
        items: list[Item] = []
        for room, each in news.joined.items():
            items += await self._of_room(room, each, is_new=not self._is_first and room not in were_in)
        for room, each in news.left.items():
            self.members.withdrawn(room)
            items += await self._of_room(room, each)
            if not _tells_of_going(each, self.around.me):
                items.append(Gone(room, news.mark))
        for room, state in news.invited.items():
            if room in were_in and room not in news.left:
                # It was sent away and invited again, between two syncs.
                items.append(Gone(room, news.mark))
            items += invitations(room, state, self.around.me, news.mark)
        return items

    async def _of_room(self, room: str, news: RoomNews, *, is_new: bool = False) -> list[Item]:
        """What happened in a room. `is_new`: the bot has just come, and what was before is done with or none of its concern."""
        if not self._since:
            return []
        try:
            events = since_coming(news.timeline, self.around.me) if is_new else news.timeline
            return [each async for each in self._found(room, news, events)]
        except Exception:
            # One room must not stop the others.
            self.around.metrics.count("matrix_defects")
            log.exception("what came from a room could not be looked at", extra={"action": "fail", "place": room})
            return []

    async def _found(self, room: str, news: RoomNews, events: Sequence[Event]) -> AsyncIterator[Item]:
        around, keeps = self.around, self.hearing.holds(room)
        if news.is_limited and began_there(news.timeline, around.me):
            yield Gap(room, news.before, self._since, around.clock.now())
            keeps = True
        for event in attended(events, around.me):
            item = self._readable(came(room, event, around.me))
            if item is not None and (keeps or await self._matters(item)):
                yield item
                keeps = True

    def _readable(self, item: Came | None) -> Came | None:
        """The item with its meaning, if it has one, or may have one that is still sealed."""
        if item is None or "state_key" in item.event:
            return item
        try:
            kept(item)
            heard = understood(self.around, item.room, item.event)
        except Sealed:
            return item
        except RecursionError:
            return None
        return None if heard is None else replace(item, heard=heard)

    async def _matters(self, item: Came) -> bool:
        heard = item.heard
        if heard is None:
            # It is sealed, or about the room itself.
            return True
        try:
            return await self.around.patiently(lambda: self.around.listener.concerns(heard))
        except Exception:
            self.around.metrics.count("matrix_defects")
            log.exception("it could not be said whether an event matters", extra={"action": "fail", "place": item.room})
            return True

    async def _missing(self, client: Client, news: Synced) -> list[Item]:
        """Rooms with stories that the bot is in no longer though nothing said so: one that was deleted, for example."""
        around = self.around
        places = await around.patiently(around.store.places)
        rooms = {room_of(place) for place in places if place.platform == MATRIX}
        missing = {room for room in rooms - news.joined.keys() - news.left.keys() if not self.hearing.holds(room)}
        if not missing:
            return []
        try:
            joined = (await asked(client, "GET", "/v3/joined_rooms")).get("joined_rooms")
        except Unanswered as error:
            log.warning("it could not be asked in which rooms the bot is: %s", error, extra={"action": "skip"})
            return []
        if not isinstance(joined, list):
            return []
        for room in missing.intersection(joined):
            log.error(
                "the homeserver tells nothing of this room, though the bot is in it", extra={"action": "skip", "place": room}
            )
        return [Gone(room, news.mark) for room in sorted(missing.difference(joined))]

    async def _hand_on(self, news: Synced, items: Sequence[Item]) -> None:
        around, mark = self.around, f"{self.around.me} {news.mark}"
        arrivals = [kept(item) for item in items]
        new = {each.event for each in await around.patiently(lambda: around.inbox.take_in(arrivals, mark))}
        self._since = news.mark
        for item in items:
            if name_of(item) in new:
                self.hearing.put(item)


def _filter(timeline: int) -> str:
    nothing: dict[str, list[str]] = {"types": []}
    rooms = {
        "timeline": {"limit": timeline},
        "state": {"lazy_load_members": False},
        "ephemeral": nothing,
        "account_data": nothing,
    }
    return json.dumps({"presence": nothing, "account_data": nothing, "room": rooms})


def _tells_of_going(news: RoomNews, me: str) -> bool:
    """Whether what came of a room that was left says that the bot went, or that it was never more than invited."""
    return any(is_state(event, MEMBER, me) for event in news.timeline)
