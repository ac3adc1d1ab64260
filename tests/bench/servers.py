"""The servers that are compared, as data: how each is started and asked. It measures nothing.

All are given the same model, threads, slots and context, but for `DEFAULTS`, which is llama-server with no more than a model
and an address. Sampling is the LimaRP chain where a server has it whole (only ours has tail-free sampling), and its
penalty and temperature elsewhere.
"""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sampling import LIMARP
from tests.bench.models import BUILD, NAME
from tests.bench.processes import Running, free_port, running

LLAMA_SERVER = BUILD / "peers" / "out" / "bin" / "llama-server"
NO_PEERS = "run make bench-peers"
"""What a table says where llama-server would stand."""

PENALTY = {"temperature": LIMARP.temperature, "repeat_penalty": LIMARP.repetition_penalty}


@dataclass(frozen=True, slots=True)
class Load:
    """What a server must be able to carry: `slots` sequences of `context` tokens each. `folder` is its own."""

    model: Path
    slots: int
    context: int
    threads: int
    folder: Path
    gpu_layers: int = 0


@dataclass(frozen=True, slots=True)
class ServerKind:
    """One kind of server. `command` takes the load and the port; `fields` are added to every request."""

    name: str
    command: Callable[[Load, int], list[str]]
    fields: dict[str, Any]
    ready: str = "/health"
    needs: Path | None = None
    is_serial: bool = False
    takes_session: bool = False
    environment: Callable[[Load], dict[str, str]] = field(default=lambda _: {})

    @property
    def is_there(self) -> bool:
        """Whether it was built."""
        return self.needs is None or self.needs.exists()

    def body(self, prompt: str, max_tokens: int, session: str, seed: int = 1) -> dict[str, Any]:
        """A request to `/v1/completions`."""
        body = {"model": NAME, "prompt": prompt, "max_tokens": max_tokens, "seed": seed, **self.fields}
        return body | ({"session_id": session} if self.takes_session else {})


@asynccontextmanager
async def serving(kind: ServerKind, load: Load) -> AsyncGenerator[Running]:
    """This kind of server, ready, for as long as the block runs."""
    port = free_port()
    log = load.folder / f"{kind.name.replace(' ', '-')}.log"
    async with running(kind.command(load, port), port, kind.ready, log, kind.environment(load)) as server:
        yield server


def _llama_server(load: Load, port: int) -> list[str]:
    return [
        *_llama_server_by_default(load, port),
        *("--parallel", str(load.slots), "--ctx-size", str(load.slots * load.context), "--threads", str(load.threads)),
    ]


def _llama_server_by_default(load: Load, port: int) -> list[str]:
    layers = "all" if load.gpu_layers < 0 else str(load.gpu_layers)
    return [str(LLAMA_SERVER), "--model", str(load.model), "--port", str(port), "--n-gpu-layers", layers]


def _llama_cpp_server(load: Load, port: int) -> list[str]:
    """Its other defaults would compute the logits of every token of a prompt, and cut a stream off when another asks."""
    settings = {
        "model": load.model,
        "host": "127.0.0.1",
        "port": port,
        "n_ctx": load.context,
        "n_threads": load.threads,
        "n_threads_batch": load.threads,
        "n_gpu_layers": load.gpu_layers,
        "logits_all": False,
        "interrupt_requests": False,
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "llama_cpp.server", *words]


PEER = ServerKind(
    "llama-server",
    _llama_server,
    PENALTY | {"repeat_last_n": LIMARP.penalty_range, "samplers": ["penalties", "temperature"], "cache_prompt": True},
    needs=LLAMA_SERVER,
)
DEFAULTS = ServerKind("llama-server by default", _llama_server_by_default, PEER.fields, needs=LLAMA_SERVER)
SERIAL = ServerKind(
    "llama_cpp.server",
    _llama_cpp_server,
    PENALTY | {"top_k": 0, "top_p": 1.0, "min_p": 0.0},
    ready="/v1/models",
    is_serial=True,
)
