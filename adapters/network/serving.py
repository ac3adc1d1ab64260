"""Serves an application over HTTP to whoever connects: how long it waits for a client, and for how many at a time.

It knows no route and no words of the servers that use it. What aiohttp leaves open is bounded here: by itself it waits an hour
for the headers of a request, for ever for a client that takes no answer, and for as many clients as there are.

Rule 1: a client can lose its connection by what it does, or by doing nothing; never another one by it.
Rule 2: nothing that a client sent is logged: a header that cannot be read may be one with a token.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import StreamReader, web

log = logging.getLogger(__name__)

SOON = 5
"""Seconds after which a client that found no room may come again."""

FULL = f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: {SOON}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
"""What it hears then (RFC 9112)."""

LEAST_TAKEN = 4096
"""Bytes of an answer that a client takes at the least within `answer_seconds`; slower than any line that is in use."""

UNSENT = 128 * 1024
"""Bytes of an answer that the kernel takes beyond what is on its way.

By itself it takes megabytes, and a client on a slow line then looks for minutes as if it took nothing.
"""

HEADERS = 64
"""Headers of a request: browsers and proxies send about thirty. Each can take 8 KiB while the others are waited for."""

HEAD_BYTES = 64 * 1024
"""Bytes that a client may send of a request before its headers have come to an end."""

READ_AHEAD = 64 * 1024
"""Bytes of a body that are kept before somebody reads it."""

BAD_REQUEST = 400
BUSY = 503

Unreadable = Callable[[int], web.Response]
"""Makes the answer, of this status, to what is no request that could be handed to the application."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a server bears.

    At most `connections` are open at a time. The headers of a request must have come within `idle_seconds` of the opening of
    a connection, or of the answer before; its body within `body_seconds`. A client must take something of its answer within
    twice `answer_seconds`. The bodies of all requests that are in hand have at most `body_bytes` together, counting what was
    announced, or `body_most` (the most that the application reads of one) where that is not known.
    """

    connections: int = 512
    body_bytes: int = 128 * 1024 * 1024
    body_most: int = 4 * 1024 * 1024
    idle_seconds: float = 75.0
    body_seconds: float = 120.0
    answer_seconds: float = 30.0


BOUNDS = web.AppKey("BOUNDS", Bounds)


def arriving(request: web.Request) -> asyncio.Timeout:
    """A block in which the body of a request must have come. Raises TimeoutError."""
    return asyncio.timeout(request.config_dict.get(BOUNDS, Bounds()).body_seconds)


class BoundedRunner(web.AppRunner):
    """Runs an application within bounds. `unreadable` answers what the application never gets to see."""

    def __init__(
        self,
        app: web.Application,
        bounds: Bounds,
        unreadable: Unreadable,
        *,
        shutdown_timeout: float,
        handler_cancellation: bool = False,
    ) -> None:
        app[BOUNDS] = bounds
        super().__init__(app, shutdown_timeout=shutdown_timeout, handler_cancellation=handler_cancellation)
        self._bounds = bounds
        self._unreadable = unreadable

    async def _make_server(self) -> web.Server:
        return BoundedServer(await super()._make_server(), self._bounds, self._unreadable)


class BoundedServer(web.Server):
    """All connections of a server: who is let in, and who has to leave."""

    def __init__(self, plain: web.Server, bounds: Bounds, unreadable: Unreadable) -> None:
        super().__init__(self._handle, request_factory=plain.request_factory, handler_cancellation=plain.handler_cancellation)
        self._application = plain.request_handler
        self._bounds = bounds
        self.unreadable = unreadable
        # The one that has been idle longest stands first.
        self._open: dict[Connection, None] = {}
        self._looking: asyncio.TimerHandle | None = None

    def __call__(self) -> "Connection":
        """The other end of a new connection."""
        return Connection(self, self._bounds)

    def has_room(self) -> bool:
        """Whether one more connection may be open, if need be in the place of one that nobody is being answered on.

        That one may be in the middle of a request: whoever sends a request as a whole goes before whoever does not.
        """
        if len(self._open) < self._bounds.connections:
            return True
        idle = next((each for each in self._open if not each.is_answering), None)
        if idle is None:
            return False
        del self._open[idle]
        idle.cut()
        return True

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Note a connection."""
        super().connection_made(handler, transport)
        self._open[cast("Connection", handler)] = None
        if self._looking is None:
            self._look_later()

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Note its end."""
        self._open.pop(cast("Connection", handler), None)
        super().connection_lost(handler, exc)

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  aiohttp's own signature
        """End all connections."""
        if self._looking is not None:
            self._looking.cancel()
        await super().shutdown(timeout)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = cast("Connection", request.protocol)
        connection.begin(request)
        if not self._has_room_for(connection):
            connection.asked = None
            return self._busy()
        try:
            return await self._application(request)
        except web.HTTPException as error:
            # An Expect that is not known is refused before the application is asked.
            return self.unreadable(error.status)
        finally:
            connection.asked = None
            broken = request.content.exception()
            if broken is not None:
                # A body that broke off keeps its error, whose traceback keeps what was read, until Python looks for circles.
                broken.__traceback__ = None
            if connection in self._open:
                self._open[connection] = self._open.pop(connection)

    def _has_room_for(self, newcomer: "Connection") -> bool:
        """Whether the body of a connection's request may come, if need be in the place of others that are still coming."""
        while newcomer.body and sum(each.body for each in self._open) > self._bounds.body_bytes:
            others = (each for each in self._open if each is not newcomer and each.body and not each.is_answering)
            other = next(others, None)
            if other is None:
                return False
            del self._open[other]
            other.cut()
        return True

    def _busy(self) -> web.Response:
        response = self.unreadable(BUSY)
        response.headers["Retry-After"] = str(SOON)
        response.force_close()
        return response

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(self._bounds.answer_seconds, self._look)

    def _look(self) -> None:
        self._looking = None
        for each in tuple(self._open):
            each.look()
        if self._open:
            self._look_later()


class Connection(web.RequestHandler):
    """One connection. `asked` is the request that it is at."""

    __slots__ = ("_coming", "_headless", "_house", "_most", "_parsed", "_seen", "_unsent", "_wire", "asked")

    def __init__(self, house: BoundedServer, bounds: Bounds) -> None:
        super().__init__(
            house,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # AppRunner's own way to have none
            keepalive_timeout=bounds.idle_seconds,
            max_headers=HEADERS,
            read_bufsize=READ_AHEAD,
        )
        self.asked: web.BaseRequest | None = None
        self._house = house
        self._most = bounds.body_most
        self._coming: StreamReader | None = None
        self._headless = self._parsed = self._seen = 0
        self._wire: asyncio.Transport | None = None
        self._unsent: int | None = None

    @property
    def is_answering(self) -> bool:
        """Whether a request has come as a whole and is being answered."""
        return self.asked is not None and self.asked.content.is_eof()

    @property
    def body(self) -> int:
        """Bytes that the body of its request takes, or may come to take."""
        if self.asked is None or not self.asked.body_exists:
            return 0
        is_packed = "Content-Encoding" in self.asked.headers
        announced = None if is_packed else self.asked.content_length
        return self._most if announced is None else min(announced, self._most)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, where there is room."""
        self._wire = cast("asyncio.Transport", transport)
        if self._house.has_room():
            _keep_unsent_low(self._wire)
            super().connection_made(transport)
            return
        self.force_close()
        self._wire.write(FULL)
        self._wire.close()

    def begin(self, request: web.BaseRequest) -> None:
        """Note the request that is to be answered next."""
        self.asked = request
        self._coming = request.content
        self._parsed -= 1

    def data_received(self, data: bytes) -> None:
        """Take what came, but not headers without an end: each may be short, and there may be many."""
        is_body = self._parsed > 0 or (self._coming is not None and not self._coming.is_eof())
        super().data_received(data)
        # Counted like this, as taking data can make aiohttp take more of it.
        parsed, self._seen = self._request_count - self._seen, self._request_count
        self._parsed += parsed
        self._headless = 0 if parsed or is_body else self._headless + len(data)
        if self._headless > HEAD_BYTES:
            self.cut()

    def cut(self) -> None:
        """End it now; what was not sent is lost."""
        if self._wire is not None:
            self._wire.abort()

    def look(self) -> None:
        """Cut a connection on which somebody waits for the client to read, and the client has not since the last look.

        Closing does not end such a connection by itself: what is to be sent is sent first.
        """
        if self._wire is None:
            return
        if not (self.writing_paused or self._wire.is_closing()):
            self._unsent = None
            return
        unsent = self._wire.get_write_buffer_size()
        if self._unsent is not None and unsent > self._unsent - LEAST_TAKEN:
            log.info("a client that takes no answer was cut off", extra={"action": "client_cut"})
            self.cut()
        self._unsent = unsent

    def resume_writing(self) -> None:
        """Note that the client reads."""
        self._unsent = None
        super().resume_writing()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what cannot be read, without a word of it; aiohttp would send and log it."""
        if status != BAD_REQUEST or request.writer.output_size:
            return super().handle_error(request, status, exc, message)
        log.debug("a request could not be read: %s", type(exc).__name__, extra={"action": "request_unreadable"})
        response = self._house.unreadable(status)
        response.force_close()
        return response


def _keep_unsent_low(wire: asyncio.Transport) -> None:
    """Have the kernel say soon that a client takes something (Linux and macOS, tcp(7)); a Unix socket keeps little anyway."""
    sock = wire.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT)


def allow(error: web.HTTPException) -> dict[str, str]:
    """The header that a refusal of a method needs (RFC 9110, section 15.5.6)."""
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
