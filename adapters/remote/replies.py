"""Serves one reply over HTTP, as a stream of events or as one object. It knows no limits, tokens of access or models.

Whoever asked may leave at any time: the server then cancels what runs here, and closing the engine's stream ends the work.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from adapters.remote import chunks
from adapters.remote.chunks import Chunks
from adapters.remote.orders import Order
from adapters.remote.refusals import refusal_of
from bot.errors import EngineError
from bot.ports.engine import Engine, Finished, StreamItem, TextDelta, Waiting

log = logging.getLogger(__name__)


async def whole_reply(engine: Engine, order: Order) -> web.Response:
    """The reply as one object, once it has ended. Raises what the engine raises."""
    texts: list[str] = []
    ids: list[int] = []
    async with aclosing(engine.generate(order.request)) as stream:
        async for item in stream:
            if isinstance(item, TextDelta):
                texts.append(item.text)
                ids += item.token_ids
            elif isinstance(item, Finished):
                finished = item
    body = Chunks(order).whole("".join(texts), ids, finished)
    return web.Response(body=body, content_type="application/json")


async def streamed_reply(request: web.Request, engine: Engine, order: Order, heartbeat: float) -> web.StreamResponse:
    """The reply as it is written. What the engine raises is raised until something was sent, and told in the stream after."""
    events = EventStream(request)
    beating = asyncio.create_task(events.beat(heartbeat))
    try:
        async with aclosing(engine.generate(order.request)) as stream:
            await _send(stream, events, Chunks(order), queue=order.wants_queue)
    except EngineError as error:
        if not events.is_open:
            raise
        log.info("a reply broke off: %s", error, extra={"action": "reply_broke_off"})
        await events.send(chunks.failure(refusal_of(error)))
    except ConnectionError:
        log.debug("a client left", extra={"action": "client_left"})
    finally:
        beating.cancel()
    return events.response


async def _send(stream: AsyncGenerator[StreamItem, None], events: "EventStream", words: Chunks, *, queue: bool) -> None:
    async for item in stream:
        if isinstance(item, TextDelta):
            await events.send(words.delta(item))
        elif isinstance(item, Finished):
            await events.send(words.end(item))
        elif isinstance(item, Waiting) and queue:
            await events.send(words.waiting(item))


class EventStream:
    """Server-sent events. The answer begins with the first thing sent, so that until then an error can have its own status."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._opening = asyncio.Lock()
        self._is_quiet = True
        self.is_open = False
        # Proxies that know the header hand each event on at once.
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        self.response = web.StreamResponse(headers=headers)

    async def send(self, event: bytes) -> None:
        """Send an event. Raises ConnectionError when nobody is there any more."""
        if not self.is_open:
            await self._open()
        self._is_quiet = False
        await self.response.write(event)

    async def beat(self, seconds: float) -> None:
        """For ever: give a sign of life when nothing else was sent for a while, so that the other side knows we are there."""
        while True:
            await asyncio.sleep(seconds)
            if self._is_quiet:
                try:
                    await self.send(chunks.SIGN_OF_LIFE)
                except ConnectionError:
                    return
            self._is_quiet = True

    async def _open(self) -> None:
        async with self._opening:
            if not self.is_open:
                await self.response.prepare(self._request)
                self.is_open = True
