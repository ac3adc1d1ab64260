"""Keeps a connection to Discord running, with a fresh client for each start. It knows nothing of what is said through it.

Rule 1: it never dies of what Discord or the network does: it waits, longer each time, and starts again.
Rule 2: it never hammers. A start identifies each shard once, and beyond 1,000 times a day Discord takes the token away.
Rule 3: what only the operator can mend (a wrong token) is said once, and not tried again.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import discord

from adapters.discord.client import Hooks, Neighbours, UnderstudyClient
from adapters.discord.ears.hearing import Hearing
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from adapters.network.errors import NETWORK_ERRORS
from adapters.network.retry import Backoff
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

STARTS = Backoff(first=1.0, longest=900.0, patience=float("inf"))
"""Waits between starts, in seconds."""

STEADY = 600.0
"""Seconds of connection after which a failure counts as the first one again."""

IDENTIFYING = Backoff(first=5.0, longest=900.0, patience=float("inf"))
"""Waits before a shard identifies, in seconds: five at least between two of them, more for one that did so lately."""

DAY = 86400.0
IDENTIFIES = 800
"""How often shards may identify within a day, with a distance to Discord's own 1,000 for what else uses the token."""

CLOSING = 5.0
"""Seconds that closing may take."""

OUTSIDE = (discord.HTTPException, discord.GatewayNotFound, discord.ConnectionClosed, *NETWORK_ERRORS)
"""What ends a connection without anything being wrong in the program."""

UNKNOWN_BOT = (
    "Discord does not know the bot's token. Put the one from the Developer Portal (Bot, Reset Token) into the environment "
    "variable UNDERSTUDY_DISCORD_TOKEN, and start Understudy again."
)
NO_CONTENT = (
    "Discord keeps the words of messages from the bot: switch on Message Content Intent in the Developer Portal (Bot, "
    "Privileged Gateway Intents), and start Understudy again. Until then slash commands, buttons, direct messages, posts "
    "that begin by mentioning the bot, and the message menu work; other posts are not heard."
)
UNASKED = "The configuration does not ask Discord for the words of messages: posts that do not mention the bot are not heard."
BAD_SHARDS = "Discord does not accept the bot's shards: check shard_count and shard_ids in the configuration."

REJECTED_CODE, BAD_SHARD_CODES = 4004, frozenset({4010, 4011})
"""Codes with which Discord closes a connection that will never do."""


@dataclass(slots=True)
class Patience:
    """How long to wait before a start, and before a shard identifies: pure, over what happened so far.

    Times are seconds of a clock that never jumps.
    """

    _failures: int = 0
    _identified: deque[tuple[float, int]] = field(default_factory=deque)

    def failed(self, began: float | None, at: float, draw: float) -> float:
        """Seconds until the next start, after one that was connected since `began` (None: never) failed.

        `draw` is a random number from 0 to 1.
        """
        self._failures = 1 if began is not None and at - began >= STEADY else self._failures + 1
        return STARTS.wait(self._failures, 0.0, draw) or STARTS.longest

    def identify(self, shard: int, at: float, *, is_first: bool) -> float:
        """Seconds until a shard may identify; it does so then. `is_first`: no other shard of this start did before."""
        lately = sum(each == shard and at - moment < STEADY for moment, each in self._identified)
        seconds = IDENTIFYING.wait(max(lately, 1), 0.0, 1.0) or 0.0 if lately > 1 or not is_first else 0.0
        if len(self._identified) >= IDENTIFIES:
            seconds = max(seconds, self._identified[0][0] + DAY - at)
            self._identified.popleft()
        self._identified.append((at + seconds, shard))
        return seconds


@dataclass(frozen=True, slots=True)
class State:
    """How the connection stands: which shards are connected, why not (a sentence, or nothing), and how often it began anew."""

    shards: tuple[int, ...]
    trouble: str
    restarts: int


class Supervisor:
    """Runs clients, one after another. `run` it as a task, and `close` it.

    `neighbours` take part in what each client does. `connector` makes a connector for a client, which closes it.
    """

    def __init__(  # noqa: PLR0913  each is a part of its own, and two are for tests and proxies
        self,
        settings: Settings,
        clock: Clock,
        line: Line,
        hearing: Hearing,
        neighbours: Neighbours,
        *,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
        guild_patience: float = 2.0,
    ) -> None:
        self._settings, self._clock, self._line, self._hearing = settings, clock, line, hearing
        self._neighbours = neighbours
        self._hooks = Hooks(identify=self._identify, connected=self._connected, ready=self._ready)
        self._connector, self._guild_patience = connector, guild_patience
        self._client: UnderstudyClient | None = None
        self._life: asyncio.Task[None] | None = None
        self._patience = Patience()
        self._began: float | None = None
        self._restarts = 0
        self._is_closing = False
        self._content = settings.message_content
        self.trouble = ""
        """What stands against the connection now, as a sentence for the operator; empty while nothing does."""

    @property
    def hears_everything(self) -> bool:
        """Whether Discord lets the bot read posts that do not mention it."""
        return self._content

    @property
    def state(self) -> State:
        """How the connection stands."""
        shards = self._client.shards if self._client is not None and self._began is not None else {}
        connected = tuple(sorted(number for number, shard in shards.items() if not shard.is_closed()))
        return State(connected, self.trouble, self._restarts)

    async def run(self) -> None:
        """Keep a connection until `close`, or until something is wrong that only the operator can mend. Never raises."""
        self._life = asyncio.current_task()
        if not self._content:
            log.info(UNASKED, extra={"action": "degrade"})
        while not self._is_closing:
            error = await self._one_client()
            if self._is_closing or self._is_final(error):
                return
            if isinstance(error, discord.PrivilegedIntentsRequired) and self._content:
                self._content = False
                log.warning(NO_CONTENT, extra={"action": "degrade"})
                continue
            await self._pause(error)

    async def close(self) -> None:
        """End the connection, within five seconds."""
        self._is_closing = True
        self._line.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._close_client()
        if self._life is not None and self._life is not asyncio.current_task():
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    async def _one_client(self) -> Exception | None:
        """Run one client to its end. Returns what ended it."""
        self._began = None
        client = self._client = UnderstudyClient(
            self._settings,
            self._hearing,
            self._neighbours,
            self._hooks,
            message_content=self._content,
            connector=self._connector() if self._connector else None,
            guild_ready_timeout=self._guild_patience,
        )
        try:
            await client.start(self._settings.token)
        except Exception as error:  # noqa: BLE001  whatever it was: the connection must come back
            return error
        else:
            return None
        finally:
            self._line.close()
            # The library leaves its client open after some failures.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING):
                    await self._close_client()

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.close()
        except (discord.DiscordException, AttributeError, RuntimeError, *NETWORK_ERRORS) as error:
            # One that failed before it had connected lacks what it would close.
            log.info("a client could not be closed: %s", type(error).__name__, extra={"action": "close"})

    def _is_final(self, error: Exception | None) -> bool:
        is_rejected = isinstance(error, discord.ConnectionClosed) and error.code == REJECTED_CODE
        if not isinstance(error, discord.LoginFailure) and not is_rejected:
            return False
        self.trouble = UNKNOWN_BOT
        log.error(UNKNOWN_BOT, extra={"action": "stop"})
        return True

    async def _pause(self, error: Exception | None) -> None:
        self.trouble = sentence(error)
        self._restarts += 1
        seconds = self._patience.failed(self._began, self._clock.ticks(), random.random())  # noqa: S311  no secret
        # What the network and Discord do is told by the sentence; only where a defect was met does it matter where.
        defect = None if isinstance(error, OUTSIDE) else error
        log.warning("%s Trying again in %.0f seconds.", self.trouble, seconds, extra={"action": "reconnect"}, exc_info=defect)
        await self._clock.sleep(seconds)

    async def _identify(self, shard: int, is_first: bool) -> None:  # noqa: FBT001  a hook's shape
        # The library itself identifies every five seconds for ever while Discord closes each session at once.
        await self._clock.sleep(self._patience.identify(shard, self._clock.ticks(), is_first=is_first))

    def _connected(self) -> None:
        self._began = self._began or self._clock.ticks()

    def _ready(self, client: UnderstudyClient) -> None:
        if client is self._client and not self._is_closing:
            self.trouble = ""
            self._line.open(client)
            self._neighbours.ready(client)


def sentence(error: Exception | None) -> str:
    """What ended a connection, for the operator."""
    if isinstance(error, discord.ConnectionClosed) and error.code in BAD_SHARD_CODES:
        return BAD_SHARDS
    if isinstance(error, NETWORK_ERRORS):
        return f"Discord cannot be reached ({type(error).__name__})."
    if isinstance(error, discord.DiscordException):
        return f"Discord ended the connection ({type(error).__name__})."
    return f"The connection to Discord broke ({type(error).__name__ if error else 'closed'})."
