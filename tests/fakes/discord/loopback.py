"""The loopback Discord as tests use it: a world, its server and its gateway, and the people in it."""

from collections.abc import Callable
from typing import Self

import aiohttp

from tests.fakes.discord import pointing
from tests.fakes.discord.asking import Asking
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.faults import Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.records import Json
from tests.fakes.discord.server import Server
from tests.fakes.discord.world import Clock, World


class LoopbackDiscord(Asking):
    """A Discord on a free port of 127.0.0.1 that an unmodified discord.py runs against, also one in a child process.

    `reads_content` says whether the application has the message content intent. `on_exchange` and `on_event` are called with
    every exchange and every gateway event; `strange` are requests to routes that do not exist, which a test asserts to be none.
    """

    def __init__(self, name: str = "Understudy", *, reads_content: bool = True) -> None:
        super().__init__(World(name))
        self.world.reads_content = reads_content
        self.gateway = Gateway(self.world)
        self._server = Server(self.world, self.gateway)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Be gone. Raises what went wrong inside, where nothing else went wrong."""
        await self.stop()
        if self._server.errors and kind is None:
            raise self._server.errors[0]

    async def start(self) -> None:
        """Be there; after a stop on the same port as before, with all that stood."""
        await self._server.start(pointing.server_context())

    async def stop(self) -> None:
        """Be gone: connections are cut and none is taken."""
        await self._server.stop()

    def connector(self) -> aiohttp.TCPConnector:
        """A connector for a client in this process. The client closes it with its session."""
        return pointing.connector(self._server.port, pointing.certificate()[0])

    def environment(self) -> dict[str, str]:
        """What a child process needs in its environment, beside what is there, for `pointing.connector_from_environment`."""
        return pointing.environment(self._server.port)

    async def wait_until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Come back once a condition holds; it is tried after every exchange, event and change. Raises TimeoutError."""
        await self.world.wait_until(condition, seconds)

    async def wait_until_ready(self, shards: int = 1, seconds: float = 10.0) -> None:
        """Come back once this many shards are connected. Raises TimeoutError."""
        await self.wait_until(lambda: len(self.gateway.connected) == shards, seconds)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def application_id(self) -> int:
        return self.world.application_id

    @property
    def bot_id(self) -> int:
        return self.world.bot.id

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def faults(self) -> Faults:
        return self._server.faults

    @property
    def limits(self) -> Limits:
        return self._server.limits

    @property
    def requests(self) -> list[Exchange]:
        return self._server.requests

    @property
    def strange(self) -> list[Exchange]:
        return self._server.strange

    @property
    def on_exchange(self) -> list[Callable[[Exchange], None]]:
        return self._server.on_exchange

    @property
    def on_event(self) -> list[Callable[[str, Json], None]]:
        return self.gateway.on_event

    def asked(self, method: str, path: str = "") -> list[Exchange]:
        """The requests of this method whose path contains this."""
        return [each for each in self.requests if each.method == method and path in each.path]
