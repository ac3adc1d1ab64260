"""Hears one place: its messages, edits and deletions one after another, as events for the bot. It knows no other place.

Rule 1: everything goes through one queue. What was missed is fetched where its turn comes, and what is live waits behind it.
Rule 2: the bookmark moves when a post is about to be handed in (see `Mark`), so that no crash loses or changes a post.
Rule 3: while a place is behind (its missed messages could not be fetched), live messages are dropped: the next fetch has them.
"""

import asyncio
import logging
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import discord

from adapters.discord.ears.catching_up import TURNS, Bounds, Gone, Mark, Missed, Room, changes, missed, says_now, text_of
from adapters.discord.ears.gathering import Gathered, Gathering, Part
from adapters.discord.ears.handing import Handing
from adapters.discord.ears.news import Arrived, Asked, Behind, Changed, Closed, Lost, News, Surroundings, Taken, Typing
from adapters.discord.ears.past import Past, Unreadable, rewording, sources_of
from adapters.discord.ears.proxies import Proxies
from adapters.discord.ears.telling import SKIPPED, UNHEARD
from adapters.discord.ears.translate import Heard, Ignored, Proxied, Said, Why, understood
from adapters.discord.words import author_of, event_of, fold, unknown_person
from adapters.network.errors import NETWORK_ERRORS
from adapters.network.retry import Backoff
from bot.errors import CourierError, Refused, StoreUnavailable
from bot.ids import AuthorId, EventId, Place
from bot.posts import InboundPost

log = logging.getLogger(__name__)

SEEN = 1000
"""How many messages are remembered as heard: Discord may tell of one twice."""

TRIES = 3
"""How often Discord is asked before a place goes on without the answer."""

BETWEEN = Backoff(first=2.0, longest=30.0, patience=float("inf"))
"""Between these tries."""

REST_ERRORS = (discord.DiscordException, CourierError, RuntimeError, *NETWORK_ERRORS)
"""What a request to Discord may end with; one through a client that was closed meanwhile ends with RuntimeError."""

NO_TEXT = "That message has no text that could be a post."
NO_POST = "Only what people write can be a post of theirs."
TAKEN_ALREADY = "That message is part of the story already."

T = TypeVar("T")


class Ear:
    """Hears one place from `mark` on. `run` it as a task: that ends when the place is gone."""

    def __init__(self, place: Place, mark: Mark, around: Surroundings) -> None:
        self.place = place
        self.room: Room | None = None
        self._around = around
        self._is_behind = self._has_hinted = False
        self._floor, self._newest = mark.done, mark.done
        self._gathering = Gathering(around.settings.join_seconds, around.settings.join_limit_seconds)
        self._proxies, self._past = Proxies(), Past(place, around.store, self._read)
        self._handing = Handing(place, mark, around, self._past)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._queue: deque[News] = deque()
        self._news = asyncio.Event()

    def tell(self, news: News) -> None:
        """Something happened. It is dealt with in its turn."""
        self._queue.append(news)
        self._news.set()

    async def run(self) -> None:
        """Deal with the news until the place is gone."""
        is_there = True
        while is_there:
            news = await self._next()
            is_there = not isinstance(news, Closed)
            try:
                await self._deal_with(news)
            except Exception:
                # A defect met in one event must not make a place deaf.
                log.exception("an event could not be heard", extra={"action": "fail", "place": self.place})

    async def _next(self) -> News | None:
        """The next news, or None when what is being gathered is due."""
        while not self._queue:
            due, now = self._gathering.due, self._around.now
            if due is not None and due <= now:
                return None
            self._news.clear()
            waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._news.wait())]
            if due is not None:
                waits.append(asyncio.ensure_future(self._around.clock.sleep(due - now)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waits:
                    each.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
        return self._queue.popleft()

    async def _deal_with(self, news: News | None) -> None:
        match news:
            case None:
                await self._handing.posts(self._gathering.close())
            case Arrived():
                await self._arrived(news.heard, news.at)
            case Changed():
                await self._changed(news.heard, news.at)
            case Lost():
                await self._lost(sorted(news.messages), news.at)
            case Typing():
                await self._handing.posts(self._gathering.typing(news.author, news.at))
            case Behind():
                await self._catch_up(news.client)
            case Taken():
                await self._take(news)
            case Asked():
                await self._asked(news)
            case Closed():
                await self._handing.posts(self._gathering.close())
                await self._around.patiently(lambda: self._around.receiver.place_gone(self.place))

    async def _arrived(self, heard: Heard, at: float) -> None:
        if self._is_behind or not self._is_new(heard.id):
            return
        # A thread that the library has forgotten comes without its parent.
        self.room = Room(heard.guild, heard.parent or (self.room.parent if self.room else None))
        await self._hear(heard, at)

    def _is_new(self, message: int) -> bool:
        if message <= self._floor or message in self._seen:
            return False
        self._seen[message] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        self._newest = max(self._newest, message)
        return True

    async def _hear(self, heard: Heard, at: float) -> None:
        match understood(heard, self._around.listener):
            case Said(said):
                self._around.expect(self.place)
                author = author_of(said.author)
                self._proxies.said(said.id, author, said.content, at)
                await self._handing.posts(self._gathering.add(author, Part(said.id, said.author_name, said.content), at))
            case Proxied(copy):
                self._around.expect(self.place)
                await self._copied(copy, at)
            case Ignored(Why.WORDLESS):
                self._around.telling.ignored(self.place, heard.id)
            case Ignored(Why.UNHEARD) if not self._has_hinted:
                self._has_hinted = True
                self._around.telling.say(self.place, UNHEARD)

    async def _copied(self, copy: Heard, at: float) -> None:
        """A proxy posts a person's words again: they are that person's, and stand for what they wrote themselves."""
        name, part = copy.author_name, Part(copy.id, copy.author_name, copy.content)
        original = self._proxies.original_of(name, copy.content, at)
        if original is not None and self._gathering.put(original.id, part):
            return
        if original is not None and not original.is_gone:
            # It was handed in already, its deletion is still to come: the story must not hold both.
            await self._forget([original.id])
        author = original.author if original else await self._person(name)
        await self._handing.posts(self._gathering.add(author, part, at))

    async def _person(self, name: str) -> AuthorId:
        """Who is behind a proxied name of which nobody saw the original."""
        known = self._proxies.known_as(name)
        if known is None:
            session = await self._around.store.session_at(self.place)
            turns = reversed(session.turns) if session else ()
            known = next((turn.author for turn in turns if turn.author and fold(turn.name) == fold(name)), None)
        return known or unknown_person(name)

    async def _changed(self, heard: Heard, at: float) -> None:
        if heard.edited is None or self._proxies.was_copied(heard.id):
            return
        text, is_known = text_of(heard, self._around.listener)
        if not is_known:
            return
        self._proxies.reworded(heard.id, text, at)
        if self._gathering.reword(heard.id, text) if text else self._gathering.drop(heard.id):
            return
        event = await self._past_of(lambda: self._past.reworded(heard.id, text, rewording(heard.id, heard.edited or at)))
        await self._handing.changes([event] if event else [], heard.id)

    async def _lost(self, messages: list[int], at: float) -> None:
        rest = []
        for message in messages:
            self._proxies.gone(message, at)
            if not self._gathering.drop(message):
                rest.append(message)
        await self._forget(rest)

    async def _forget(self, messages: list[int]) -> None:
        """Messages whose posts were handed in, if they were any, are gone."""
        events = await self._past_of(lambda: self._past.lost(messages))
        await self._handing.changes(events or [])

    async def _take(self, taken: Taken) -> None:
        try:
            await self._taken(taken.heard)
        except (Refused, StoreUnavailable) as error:
            _answer(taken, error)
        except Exception as error:
            _answer(taken, error)
            raise
        else:
            _answer(taken, None)

    async def _asked(self, asked: Asked) -> None:
        try:
            if self._gathering.author == asked.author:
                await self._handing.posts(self._gathering.close())
        finally:
            if not asked.answer.done():
                asked.answer.set_result(None)

    async def _taken(self, heard: Heard) -> None:
        await self._handing.posts(self._gathering.close())
        meant = understood(heard, self._around.listener)
        if isinstance(meant, Ignored):
            raise Refused(NO_TEXT if meant.why is Why.WORDLESS else NO_POST)
        if await self._past.holds(heard.id):
            raise Refused(TAKEN_ALREADY)
        self._is_new(heard.id)
        for gathered in await self._gathered([heard]):
            await self._handing.taken(gathered)

    async def _gathered(self, messages: list[Heard]) -> list[Gathered]:
        """These messages, all of them one person's, as one post; none when no words are left of them."""
        meant = [each for heard in messages if not isinstance(each := understood(heard, self._around.listener), Ignored)]
        if not meant:
            return []
        parts = tuple(Part(each.heard.id, each.heard.author_name, each.heard.content) for each in meant)
        is_proxied = isinstance(meant[0], Proxied)
        author = await self._person(parts[0].name) if is_proxied else author_of(meant[0].heard.author)
        return [Gathered(author, parts)]

    async def _catch_up(self, client: discord.AutoShardedClient) -> None:
        self._is_behind = True
        try:
            self._is_behind = not await self._caught_up(client)
        except Exception:
            # Whatever went wrong: a place that stays behind is deaf.
            self._is_behind = False
            raise

    async def _caught_up(self, client: discord.AutoShardedClient) -> bool:
        """Take in what was missed, or go on without it after some tries. False: another connection will bring it."""
        for failure in range(1, TRIES + 1):
            if any(isinstance(each, Behind) for each in self._queue):
                return False
            try:
                found = await self._fetched(client)
            except Gone:
                self._queue.appendleft(Closed())
                return False
            except REST_ERRORS as error:
                if client.is_closed():
                    return False
                self._complain(error, failure)
                await self._around.clock.sleep(BETWEEN.wait(failure, 0.0, random.random()) or 0.0)  # noqa: S311  no secret
            else:
                await self._follow(found)
                break
        return True

    async def _fetched(self, client: discord.AutoShardedClient) -> Missed:
        settings, now = self._around.settings, self._around.now
        if not self._gathering.ids:
            self._handing.pass_over(self._newest)
        bounds = Bounds(now - settings.catch_up_hours * 3600, settings.catch_up_messages)
        async with self._around.fetching:
            return await missed(client, self.place, self._handing.mark, bounds, self._around.listener)

    async def _follow(self, found: Missed) -> None:
        """Take in what was missed: first what was handed in when the last run ended, then changes, then what is new."""
        self.room, mark = found.room, self._handing.settle()
        again = [heard for heard in found.after if heard.id in mark.handing]
        # Before the story is asked: a post that waits may join it meanwhile.
        posts = await self._around.patiently(self._past.waiting)
        before, waiting = found.before, {each for post in posts for each in sources_of(post)}
        if any([await self._is_known(heard.id, waiting) for heard in again]):
            before = (*before, *again)
        elif again:
            await self._handing.posts(await self._gathered(again))
        await self._follow_changes(replace(found, before=before), posts, mark)
        for heard in found.after:
            if self._is_new(heard.id) and heard not in again and not await self._is_known(heard.id, waiting):
                await self._hear(heard, min(heard.sent, self._around.now))
        if found.is_cut:
            self._around.telling.say(self.place, SKIPPED)
        if not self._gathering.ids:
            await self._handing.read_up_to(self._newest)

    async def _follow_changes(self, found: Missed, waiting: Sequence[InboundPost], mark: Mark) -> None:
        # Not the session's turns: what the model reads may begin after posts of a minute ago.
        page = await self._around.patiently(lambda: self._around.store.page(self.place, limit=TURNS))
        told = changes(page.turns, waiting, found, mark, self._around.listener)
        for handed, event in told:
            if self._past.note(handed):
                await self._handing.changes([handed.after(event, self.place)])

    async def _is_known(self, message: int, waiting: set[EventId]) -> bool:
        event = event_of(message)
        return event in waiting or await self._around.patiently(lambda: self._past.holds(message))

    async def _past_of(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What the past answers; None when Discord cannot be asked about it, or does not tell."""
        for failure in range(1, TRIES + 1):
            try:
                return await self._around.patiently(ask)
            except Unreadable:
                log.info("a change was not followed: its post cannot be read", extra={"action": "ignore", "place": self.place})
                return None
            except REST_ERRORS as error:
                self._complain(error, failure)
                await self._around.clock.sleep(BETWEEN.wait(failure, 0.0, random.random()) or 0.0)  # noqa: S311  no secret
        return None

    async def _read(self, message: int) -> str:
        text, is_known = await says_now(
            self._around.line.client, self.place, message, self.room or Room(), self._around.listener
        )
        if not is_known:
            raise Unreadable
        return text

    def _complain(self, error: Exception, failure: int) -> None:
        word = "giving up" if failure == TRIES else "trying again"
        log.warning("Discord did not answer (%s); %s", type(error).__name__, word, extra={"action": "ask", "place": self.place})


def _answer(taken: Taken, error: Exception | None) -> None:
    if taken.answer.done():
        return
    if error is None:
        taken.answer.set_result(None)
    else:
        taken.answer.set_exception(error)
