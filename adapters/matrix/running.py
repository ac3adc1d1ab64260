"""Keeps the connection to the homeserver running: one account after another, one sync after another. It knows no message.

Rule 1: it never dies of what the homeserver or the network does: it waits, longer each time, and asks again.
Rule 2: it never hammers, whatever it is answered.
Rule 3: what only the operator can mend (a login that is none any more) is said once. From then on only the account's file is
looked at, and a new one is taken up.
"""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass

from adapters.matrix.client import Client, OldStore, new_client
from adapters.matrix.ears.around import Around, Inbox
from adapters.matrix.ears.asking import Unanswered
from adapters.matrix.ears.gaps import Gaps
from adapters.matrix.ears.hearing import Hearing, Tell
from adapters.matrix.ears.keys import Keys
from adapters.matrix.ears.members import Members
from adapters.matrix.ears.stream import TIMELINE, Stream
from adapters.matrix.heard import Listener
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.line import Line
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.trust import VOUCHED, Denied, NoAnswer, ensure
from adapters.network.retry import Backoff
from bot.errors import Refused
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.store import Store

log = logging.getLogger(__name__)

WAITS = Backoff(first=1.0, longest=60.0, patience=float("inf"))
"""Between tries, in seconds."""

LOOKED_AT_EVERY = 30.0
"""Seconds between two looks at the account's file, while there is no account that can be used."""

VOUCHED_SOON, VOUCHED_LATER = 30.0, 600.0
"""Seconds until the account is asked again to vouch for the device: where that failed for now, and where it was refused."""

CLOSING = 5.0
"""Seconds that closing may take."""

NO_ACCOUNT = "There is no account for Matrix yet: run `understudy matrix login`. Understudy goes on by itself then."
LOST = (
    "The homeserver does not know the bot's login any more: run `understudy matrix login`. Understudy goes on by itself then; "
    "nothing that is written meanwhile is lost."
)
DEACTIVATED = "The bot's account was deactivated. Make another one, and run `understudy matrix login`."


@dataclass(frozen=True, slots=True)
class State:
    """How the connection stands: whether it does, why not (a sentence, or nothing), how often it failed, when it last did well.

    `last_sync` is in seconds since the epoch, 0 where there was none.
    """

    is_connected: bool
    trouble: str
    errors: int
    last_sync: float


class LoginLost(Exception):
    """The login is none any more; the text says what to do."""


class Supervisor:
    """Listens for a listener. `run` it as a task, and `close` it. It opens the line while there is a connection.

    `tell` says a sentence in a room (its id comes first), as well as it can. `timeline` is how many events of a room a sync
    brings at most; what is beyond is read afterwards.
    """

    def __init__(  # noqa: PLR0913, PLR0917  each is a part of its own
        self,
        settings: Settings,
        folder: Folder,
        clock: Clock,
        line: Line,
        rooms: Rooms,
        store: Store,
        listener: Listener,
        *,
        metrics: Metrics | None = None,
        tell: Tell | None = None,
        timeline: int = TIMELINE,
    ) -> None:
        self._settings, self._folder, self._clock, self._line, self._rooms = settings, folder, clock, line, rooms
        self._metrics = metrics or Metrics()
        self._around = Around(settings, clock, store, rooms, listener, self._metrics, Inbox(store))
        self._keys, self._members = Keys(clock, self._metrics), Members(self._around)
        self._hearing = Hearing(self._around, self._keys, Gaps(self._around), self._members, tell)
        self._stream = Stream(self._around, self._keys, self._hearing, self._members, timeline)
        self._life: asyncio.Task[None] | None = None
        self._is_closing = False
        self._trouble, self._errors, self._in_a_row, self._last_sync = "", 0, 0, 0.0
        self._vouched_at, self._doubt = 0.0, ""

    @property
    def state(self) -> State:
        """How the connection stands."""
        return State(self._line.is_open, self._trouble or self._keys.trouble, self._errors, self._last_sync)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is unheard of what the homeserver told, and it is being asked for more."""
        return self._stream.is_waiting and self._hearing.is_idle and self._members.is_idle

    def newest_in(self, room: str) -> str:
        """The newest event of a room that was read, whoever sent it; empty where none was since the start."""
        return self._stream.newest_in(room)

    async def run(self) -> None:
        """Listen until `close`. Never raises."""
        self._life = asyncio.current_task()
        await self._around.patiently(self._rooms.load)
        await self._stream.restore()
        while not self._is_closing:
            account, kept_at = await self._account()
            client = self._client(account)
            if client is not None:
                await self._listen_with(client, account)
            # With no client open, `understudy matrix login` can have the key store. One that could not be opened may right
            # itself: another program had it.
            await self._clock.sleep(LOOKED_AT_EVERY)
            while client is not None and self._folder.changed_at() == kept_at:
                await self._clock.sleep(LOOKED_AT_EVERY)

    async def close(self) -> None:
        """End the connection, within some seconds. What was not dealt with is heard after the next start."""
        self._is_closing = True
        self._line.close()
        if self._life is not None and self._life is not asyncio.current_task():
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        await self._hearing.close()

    async def _account(self) -> tuple[Account, int]:
        """The account, once there is one, and when it was kept."""
        while True:
            kept_at = self._folder.changed_at()
            try:
                account = self._folder.account()
            except Refused as error:
                account, why = None, str(error)
            else:
                why = NO_ACCOUNT
            if account is not None:
                return account, kept_at
            self._note(why)
            await self._clock.sleep(LOOKED_AT_EVERY)

    def _client(self, account: Account) -> Client | None:
        """A client for the account; None where there can be none now, with the reason noted."""
        try:
            return new_client(account, self._folder, self._settings)
        except Refused as error:
            self._note(str(error), level=logging.ERROR)
        except Exception as error:
            log.exception("the key store could not be opened", extra={"action": "fail"})
            self._note(f"The key store could not be opened ({type(error).__name__}).", level=logging.ERROR)
        return None

    async def _listen_with(self, client: Client, account: Account) -> None:
        """Listen with a client until its login is lost. Closes it."""
        try:
            await self._around.patiently(lambda: self._stream.begin(client, account.user_id))
            await self._listen(client, account)
        except LoginLost as lost:
            self._note(str(lost), level=logging.ERROR)
        finally:
            self._line.close()
            self._around.disconnect()
            await self._keys.close()
            await _closed(client)

    async def _listen(self, client: Client, account: Account) -> None:
        """Take one turn after another. Raises LoginLost."""
        self._vouched_at = self._clock.ticks()
        while True:
            if self._clock.ticks() >= self._vouched_at:
                await self._vouch(client, account)
            try:
                await self._stream.turn()
            except Unanswered as error:
                if error.is_lost_login:
                    raise LoginLost(DEACTIVATED if error.code == "M_USER_DEACTIVATED" else LOST) from None
                await self._pause(f"The homeserver cannot be used: {error}.", error.code, error.seconds)
            except Exception as error:
                log.exception("a sync could not be dealt with", extra={"action": "fail"})
                await self._pause(f"A sync could not be dealt with ({type(error).__name__}).", "defect")
            else:
                self._did_well(client)

    async def _vouch(self, client: Client, account: Account) -> None:
        """See to it that the account vouches for the device, or that it is tried again. Raises LoginLost for lost keys."""
        doubts: list[str] = []
        try:
            doubts = await ensure(client, account, self._folder)
        except OldStore as old:
            raise LoginLost(str(old)) from None
        except Refused as refused:
            if isinstance(refused, NoAnswer) or (isinstance(refused, Denied) and refused.is_lost_login):
                # The next sync meets the same homeserver, and says what is wrong.
                self._vouched_at = self._clock.ticks() + VOUCHED_SOON
                return
            doubts, self._vouched_at = [str(refused)], self._clock.ticks() + VOUCHED_LATER
        except Exception:
            # A disk that is full, an answer that nobody expected: rooms are heard all the same.
            log.exception("it could not be seen to who vouches for the device", extra={"action": "fail"})
            self._vouched_at = self._clock.ticks() + VOUCHED_LATER
        else:
            self._vouched_at = float("inf")
        for doubt in doubts:
            if doubt != self._doubt:
                log.log(logging.INFO if doubt == VOUCHED else logging.WARNING, "%s", doubt, extra={"action": "vouch"})
            self._doubt = doubt

    async def _pause(self, trouble: str, code: str, asked: float = 0.0) -> None:
        self._errors += 1
        self._in_a_row += 1
        self._metrics.count("matrix_sync_errors", code)
        self._note(trouble, level=logging.WARNING)
        wait = WAITS.wait(self._in_a_row, 0.0, random.random(), asked)  # noqa: S311  no secret
        await self._clock.sleep(wait or WAITS.longest)

    def _did_well(self, client: Client) -> None:
        if self._trouble:
            log.info("the connection to the homeserver stands again", extra={"action": "reconnect"})
        self._trouble, self._in_a_row, self._last_sync = "", 0, self._clock.now()
        if not self._line.is_open:
            self._line.open(client)
            self._hearing.open()

    def _note(self, trouble: str, level: int = logging.WARNING) -> None:
        """Say what is wrong, once."""
        if trouble != self._trouble:
            self._trouble = trouble
            log.log(level, "%s", trouble, extra={"action": "reconnect"})


async def _closed(client: Client) -> None:
    with suppress(Exception):
        async with asyncio.timeout(CLOSING):
            await client.close()
