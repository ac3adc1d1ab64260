"""Where the model runs, how it is shared, what it remembers, and how it is served to others. It reaches nothing itself."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from adapters.config.kinds import (
    CLOSED,
    EngineUrl,
    ExistingFile,
    Folder,
    HeaderName,
    Host,
    Number,
    Port,
    Text,
    Token,
    Whole,
)

GIB = 1024**3
MIB = 1024**2

Seconds = Annotated[Number, Field(ge=1, le=86_400)]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class CacheConfig:
    """How much of the stories that lost their slot is kept in memory and on disk (0: none), and in which folder."""

    ram_gib: Annotated[Number, Field(ge=0, le=65_536)] = 1.0
    disk_gib: Annotated[Number, Field(ge=0, le=65_536)] = 8.0
    folder: Folder | None = None

    @property
    def ram_bytes(self) -> int:
        """Bytes in memory."""
        return int(self.ram_gib * GIB)

    @property
    def disk_bytes(self) -> int:
        """Bytes on disk."""
        return int(self.disk_gib * GIB)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class HostConfig:
    """Where `understudy engine` serves the model, and how much of it one request may ask for."""

    host: Host = "127.0.0.1"
    port: Port = 8004
    max_tokens: Annotated[Whole, Field(ge=1, le=1_048_576)] = 8192
    concurrent: Annotated[Whole, Field(ge=1, le=65_536)] = 256
    body_mib: Annotated[Whole, Field(ge=1, le=1024)] = 4
    drain_seconds: Annotated[Number, Field(ge=0, le=86_400)] = 60.0

    @property
    def body_bytes(self) -> int:
        """The largest request."""
        return self.body_mib * MIB


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class EngineConfig:
    """The engine: of this machine, or at `url`. The token shows up in no representation."""

    url: EngineUrl | None = None
    kind: Literal["auto", "understudy", "llama-server", "vllm", "koboldcpp", "tabbyapi", "llama_cpp.server", "openai"] = "auto"
    model: Text = ""
    token: Token = field(default="", repr=False)
    token_file: ExistingFile | None = None
    session_header: HeaderName = "X-Session-Id"
    patience_seconds: Seconds = 60.0
    answer_seconds: Seconds = 300.0
    deadline_seconds: Seconds | None = None
    queue: Annotated[Whole, Field(ge=1, le=65_536)] = 64
    step_ms: Annotated[Whole, Field(ge=10, le=10_000)] = 200
    cache: CacheConfig = field(default_factory=CacheConfig)
    host: HostConfig = field(default_factory=HostConfig)

    @property
    def step_seconds(self) -> float:
        """What a step aims to take."""
        return self.step_ms / 1000
