"""The gateway: sessions of shards over websockets, with RESUME, heartbeats and closing. It knows events by name and intent."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord import payloads
from tests.fakes.discord.compression import compressor
from tests.fakes.discord.permissions import Permission, in_channel
from tests.fakes.discord.records import Guild, Json
from tests.fakes.discord.world import Event, World

RESUME_GATEWAY = "wss://gateway-us-east1-b.discord.gg"
DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (
    0,
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
    10,
    11,
)
GUILDS, CONTENT = 1 << 0, 1 << 15
PRIVILEGED = {1 << 1: "reads_members", 1 << 8: "reads_presences", CONTENT: "reads_content"}
INTENTS = {
    "MESSAGE_REACTION": (1 << 10, 1 << 13),
    "MESSAGE": (1 << 9, 1 << 12),
    "TYPING": (1 << 11, 1 << 14),
    "WEBHOOKS": (1 << 5, 0),
    "GUILD": (GUILDS, 0),
    "CHANNEL": (GUILDS, 0),
    "THREAD": (GUILDS, 0),
}
"""By the beginning of an event's name: the intent in guilds, and the one in direct messages. What is not here, all get."""
MAX_PAYLOAD, MAX_EVENTS, WINDOW_S = 4096, 120, 60.0
ENDS_SESSION = (1000, 1001)


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat of a shard, in seconds of the monotonic clock; `after` is how long the one before it was ago."""

    shard: int
    time: float
    after: float


@dataclass(slots=True, eq=False)
class Line:
    """One websocket. What is sent waits in `queue`, so that all of it keeps its order; None there ends the writing."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport
    squeeze: Callable[[str], bytes] | None
    queue: "asyncio.Queue[str | int]" = field(default_factory=asyncio.Queue)
    session: "Session | None" = None
    received: list[float] = field(default_factory=list)
    last_beat: float = 0.0
    closed_with: int | None = None

    def send(self, op: int, data: Any, name: str | None = None, sequence: int | None = None) -> None:
        self.queue.put_nowait(json.dumps({"op": op, "d": data, "t": name, "s": sequence}))

    def close(self, code: int) -> None:
        """Close with this code once everything before it has been sent."""
        self.queue.put_nowait(code)

    async def write(self) -> None:
        while isinstance(item := await self.queue.get(), str):
            try:
                await (self.socket.send_str(item) if self.squeeze is None else self.socket.send_bytes(self.squeeze(item)))
            except ConnectionError:
                return
        self.closed_with = item
        await self.socket.close(code=item)


@dataclass(slots=True, eq=False)
class Session:
    """What outlives a websocket: events are numbered and kept, so that a client that comes back gets those that it missed."""

    id: str
    shard: int
    shards: int
    intents: int
    line: Line | None = None
    sequence: int = 0
    kept: list[tuple[int, str, Json]] = field(default_factory=list)

    def has(self, guild: Guild | None) -> bool:
        return self.shard == (0 if guild is None else (guild.id >> 22) % self.shards)

    def dispatch(self, name: str, data: Json) -> None:
        self.sequence += 1
        self.kept.append((self.sequence, name, data))
        if self.line is not None:
            self.line.send(DISPATCH, data, name, self.sequence)


class Gateway:
    """Where bots connect. `sessions` are those that could be resumed; `identifies` and `resumes` count what was asked.

    `heartbeat_s` is told to clients that connect from now on. While `answers_heartbeats` is False, it looks dead to them.
    """

    def __init__(self, world: World) -> None:
        self.sessions: list[Session] = []
        self.beats: list[Beat] = []
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.closed: list[int] = []
        self.heartbeat_s = 41.25
        self.answers_heartbeats = True
        self.on_event: list[Callable[[str, Json], None]] = []
        self._world = world
        self._lines: set[Line] = set()
        self._refuses: int | None = None
        world.listeners.append(self.hear)

    # what a test does

    async def cut(self, shard: int | None = None) -> None:
        """Abort the connections, of one shard or of all, as a broken network does; the sessions can be resumed."""
        for line in self._of(shard):
            line.transport.abort()
        await self._gone(shard)

    async def close(self, code: int, shard: int | None = None) -> None:
        """Close the connections with this code; 1000 and 1001 end the sessions too."""
        for line in self._of(shard):
            if code in ENDS_SESSION and line.session in self.sessions:
                self.sessions.remove(line.session)
            line.close(code)
        await self._gone(shard)

    async def ask_reconnect(self, shard: int | None = None) -> None:
        """Ask clients to reconnect and resume (op 7)."""
        for line in self._of(shard):
            line.send(RECONNECT, None)
        await self._gone(shard)

    async def invalidate(self, *, resumable: bool = False, shard: int | None = None) -> None:
        """Tell clients that their session is invalid (op 9); one that is not resumable is forgotten, with what it missed."""
        for line in self._of(shard):
            if not resumable and line.session in self.sessions:
                self.sessions.remove(line.session)
            line.send(INVALID, resumable)
        await self._gone(shard)

    def refuse(self, code: int | None) -> None:
        """Close with this code whenever a client identifies, until None is given."""
        self._refuses = code

    def send_malformed(self, name: str, data: Any) -> None:
        """Send every session an event as it is, for tests of what a client does with one that it cannot read."""
        for session in self.sessions:
            session.dispatch(name, data)

    def late_beats(self, tolerance_s: float = 0.5) -> list[Beat]:
        """The heartbeats that came later than they should have by more than this."""
        return [each for each in self.beats if each.after > self.heartbeat_s + tolerance_s]

    @property
    def connected(self) -> list[Session]:
        """The sessions with a connection."""
        return [each for each in self.sessions if each.line is not None]

    def drop_all(self) -> None:
        for line in list(self._lines):
            line.transport.abort()

    def _of(self, shard: int | None) -> list[Line]:
        return [each for each in self._lines if each.session is not None and shard in (None, each.session.shard)]

    async def _gone(self, shard: int | None) -> None:
        """Wait until those connections are gone, so that what a test does next falls into the gap."""
        lines = self._of(shard)
        await self._world.wait_until(lambda: not self._lines.intersection(lines), 10.0)

    # what the world tells

    def hear(self, event: Event) -> None:
        """Give an event to each session that is to have it."""
        hidden = event.channel is not None and Permission.VIEW_CHANNEL not in in_channel(self._world.bot.id, event.channel)
        if hidden and event.name != "CHANNEL_UPDATE":
            return
        for session in self.sessions:
            if session.has(event.guild) and _wants(session, event):
                self._give(session, event.name, self._readable(session, event))

    def _readable(self, session: Session, event: Event) -> Json:
        message = event.message
        if message is None or session.intents & CONTENT or payloads.may_read(self._world, message):
            return event.data
        return payloads.blanked(event.data)

    def _give(self, session: Session, name: str, data: Json) -> None:
        session.dispatch(name, data)
        for listener in self.on_event:
            listener(name, data)

    # what clients say

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One websocket from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, autoclose=False)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        line = Line(socket, request.transport, compressor(request.query.get("compress", "")))
        self._lines.add(line)
        writing = asyncio.create_task(line.write())
        line.last_beat, code = time.monotonic(), None
        line.send(HELLO, {"heartbeat_interval": int(self.heartbeat_s * 1000), "_trace": []})
        try:
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                self._receive(line, message.data)
            code = message.data if message.type is WSMsgType.CLOSE else socket.close_code
            await (socket.close() if line.closed_with is None else asyncio.wait({writing}))
        finally:
            writing.cancel()
            self._end(line, line.closed_with or code or 1006)
        return socket

    def _end(self, line: Line, code: int) -> None:
        self._lines.discard(line)
        self.closed.append(code)
        if line.session is not None and line.session.line is line:
            line.session.line = None
            if code in ENDS_SESSION and line.closed_with is None and line.session in self.sessions:
                self.sessions.remove(line.session)
        self._world.touch()

    def _receive(self, line: Line, text: str) -> None:
        now = time.monotonic()
        line.received = [each for each in line.received if each > now - WINDOW_S] + [now]
        if len(text.encode()) > MAX_PAYLOAD:
            return line.close(4002)
        if len(line.received) > MAX_EVENTS:
            return line.close(4008)
        try:
            said = json.loads(text)
        except ValueError:
            return line.close(4002)
        op, data = said.get("op"), said.get("d")
        if op == HEARTBEAT:
            self._beat(line, now)
        elif op == IDENTIFY:
            self._identify(line, data)
        elif op == RESUME:
            self._resume(line, data)
        elif line.session is None:
            line.close(4003)
        elif op not in (PRESENCE, VOICE, MEMBERS):
            line.close(4001)
        return self._world.touch()

    def _beat(self, line: Line, now: float) -> None:
        shard = -1 if line.session is None else line.session.shard
        self.beats.append(Beat(shard, now, now - line.last_beat))
        line.last_beat = now
        if self.answers_heartbeats:
            line.send(ACK, None)

    def _identify(self, line: Line, data: Json) -> None:
        self.identifies.append(data)
        shard, shards = data.get("shard") or (0, 1)
        if line.session is not None:
            return line.close(4005)
        if (code := self._refusal(data, shard, shards)) is not None:
            return line.close(code)
        for old in [each for each in self.sessions if each.line is None and each.shard == shard]:
            self.sessions.remove(old)
        session = Session(token_hex(16), shard, shards, data["intents"], line)
        line.session = session
        self.sessions.append(session)
        guilds = [each for each in self._world.guilds.values() if session.has(each)]
        self._give(session, "READY", self._ready(session, guilds))
        for each in guilds:
            if each.is_available and session.intents & GUILDS:
                self._give(session, "GUILD_CREATE", payloads.created_guild(self._world, each))
        return None

    def _refusal(self, data: Json, shard: int, shards: int) -> int | None:
        if self._refuses is not None:
            return self._refuses
        if data.get("token") != self._world.token:
            return 4004
        if not 0 <= shard < shards:
            return 4010
        intents = data.get("intents", 0)
        lacking = [bit for bit, name in PRIVILEGED.items() if intents & bit and not getattr(self._world, name)]
        return 4014 if lacking else None

    def _ready(self, session: Session, guilds: list[Guild]) -> Json:
        flags = payloads.application_flags(self._world)
        return {
            "v": 10,
            "user": payloads.user(self._world.bot) | {"verified": True, "mfa_enabled": False, "email": None},
            "guilds": [{"id": str(each.id), "unavailable": True} for each in guilds],
            "session_id": session.id,
            "resume_gateway_url": RESUME_GATEWAY,
            "shard": [session.shard, session.shards],
            "application": {"id": str(self._world.application_id), "flags": flags, "flags_new": str(flags)},
        }

    def _resume(self, line: Line, data: Json) -> None:
        self.resumes.append(data)
        session = next((each for each in self.sessions if each.id == data.get("session_id")), None)
        if data.get("token") != self._world.token:
            return line.close(4004)
        if session is None:
            return line.send(INVALID, False)
        if data["seq"] > session.sequence:
            return line.close(4007)
        if session.line is not None:
            session.line.close(4000)
        session.line, line.session = line, session
        for sequence, name, told in session.kept:
            if sequence > data["seq"]:
                line.send(DISPATCH, told, name, sequence)
        return self._give(session, "RESUMED", {"_trace": []})


def _wants(session: Session, event: Event) -> bool:
    for beginning, (in_guild, in_dm) in INTENTS.items():
        if event.name.startswith(beginning):
            return bool(session.intents & (in_dm if event.guild is None else in_guild))
    return True
