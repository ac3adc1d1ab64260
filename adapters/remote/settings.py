"""What an operator decides about the engine's server: where it listens, who may use it, how much of it one may take."""

from dataclasses import dataclass, field
from pathlib import Path

from adapters.network.hosts import is_loopback
from adapters.network.serving import Bounds
from adapters.remote.sockets import refuse_taken
from bot.errors import ConfigMistakes

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineServerSettings:
    """Where the server listens: on `socket` if that is set, else at `host` and `port` (0: any that is free).

    `token` is what a client must show (empty: none; only for this machine). At most `concurrent` requests are in hand at a
    time, with at most `bodies_bytes` of bodies. A body must have come within `body_seconds`. `heartbeat` is how many seconds a
    stream may be silent before it gives a sign of life. `connections`, `idle_seconds` and `answer_seconds` are what `Bounds`
    says of them.
    """

    host: str = "127.0.0.1"
    port: int = 8004
    socket: Path | None = None
    token: str = field(default="", repr=False)
    body_bytes: int = 4 * MEBIBYTE
    bodies_bytes: int = 128 * MEBIBYTE
    body_seconds: float = 30.0
    max_tokens: int = 8192
    stops: int = 1024
    stop_length: int = 256
    segments: int = 4096
    biases: int = 1024
    concurrent: int = 256
    heartbeat: float = 10.0
    connections: int = 512
    idle_seconds: float = 75.0
    answer_seconds: float = 30.0

    @property
    def bounds(self) -> Bounds:
        """What its server bears."""
        return Bounds(
            connections=self.connections,
            body_bytes=self.bodies_bytes,
            body_most=self.body_bytes,
            idle_seconds=self.idle_seconds,
            body_seconds=self.body_seconds,
            answer_seconds=self.answer_seconds,
        )

    def check(self) -> None:
        """Raise ConfigMistakes when strangers could use the engine, or something else is where it is to be served."""
        if self.socket is not None:
            refuse_taken(self.socket)
        if self.socket is None and not self.token and not is_loopback(self.host):
            choices = f"set UNDERSTUDY_ENGINE_TOKEN to serve at {self.host}, or serve at 127.0.0.1."
            raise ConfigMistakes([f"Without a token the engine is for this machine only: {choices}"])
        if not self.token.isascii() or any(letter.isspace() for letter in self.token):
            raise ConfigMistakes(["The engine's token must be ASCII without spaces, as it stands in a header."])
