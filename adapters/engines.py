"""Opens the engine that the configuration names: in this process, in a child process, or at an address. It plays no story."""

import logging
import os
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import bot
from adapters.clock import SystemClock
from adapters.config import CHOSEN, Config, Errand, without_secrets
from adapters.llama.engine import open_engine
from adapters.llama.lora import AdapterFile
from adapters.network.circuit import CircuitRules
from adapters.network.retry import Backoff
from adapters.remote import EngineServerSettings, RemoteEngine, RemoteSettings
from adapters.remote.connection import TimeLimits
from adapters.remote.probing import is_ready
from adapters.shelf import DiskShelf
from adapters.supervisor import Supervisor, SupervisorRules
from bot.engine.threaded import SharingSettings, ThreadedEngine
from bot.story.policy import Rating

log = logging.getLogger(__name__)

FAR_FROM_FAILING = CircuitRules(failures=1_000_000_000)
"""For the child process: that it is away is its supervisor's to mend, in a moment, and no reason to turn posts away."""

LONGEST_FOLDER = 80
"""Characters: the path of a socket may have about a hundred."""

KEEPING_SECONDS = 60.0
"""What a child gets, once its replies have ended, to write the model's memory of all stories to disk."""

SLOTS_BYTES = 8 * 1024**3
"""What all slots hold, at the most and about: at its end the engine hands it to the shelf at once, with all that RAM held."""


def engine_here(config: Config) -> ThreadedEngine:
    """The engine on the configured model file, in this process. Takes seconds; to be closed. Raises ModelNotLoaded."""
    model, engine = config.model, config.engine
    cache = engine.cache
    backlog = min(cache.disk_bytes, cache.ram_bytes + SLOTS_BYTES)
    shelf = DiskShelf(config.cache_folder, cache.disk_bytes, backlog=backlog) if cache.disk_bytes else None
    if shelf is None and config.cache_folder.is_dir():
        # What an earlier run kept there could never be forgotten otherwise.
        DiskShelf(config.cache_folder, 0, patience=0.0).close()
    try:
        return open_engine(
            model.file,
            context=model.context,
            slots=model.slots,
            threads=model.thread_count,
            batch=model.batch,
            chunk=model.chunk,
            gpu_layers=-1 if model.gpu_layers is None else model.gpu_layers,
            cache_on_gpu=model.cache_on_gpu,
            kv_type=model.kv_type,
            flash_attention=CHOSEN[model.flash_attention],
            exact=CHOSEN[model.exact],
            adapters=tuple(AdapterFile(each.name, Path(each.path), each.scale) for each in model.adapters),
            rating=model.stated_rating,
            sharing=SharingSettings(engine.queue, engine.step_seconds, cache.ram_bytes),
            shelf=shelf,
        )
    except BaseException:
        if shelf is not None:
            shelf.close()
        raise


@asynccontextmanager
async def engine_of(config: Config) -> AsyncIterator[RemoteEngine]:
    """The engine that the stories use, until the block ends. Raises ModelNotLoaded and ConfigMistakes."""
    if config.engine.url:
        engine = RemoteEngine(_settings(config, config.engine.url), SystemClock())
        try:
            yield engine
        finally:
            await engine.close()
        return
    async with engine_in_child(config) as (engine, _):
        yield engine


@asynccontextmanager
async def engine_in_child(config: Config) -> AsyncIterator[tuple[RemoteEngine, Supervisor]]:
    """The engine in a child process that is started again whenever it dies, and who sees to that. Raises ModelNotLoaded."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="understudy-", dir=_short_folder(), ignore_cleanup_errors=True) as folder:
        socket = Path(folder) / "engine"
        address = f"unix:{socket}"

        async def ready() -> bool:
            return socket.exists() and await is_ready(address, clock)

        supervisor = Supervisor(
            command=[sys.executable, "-P", "-m", "adapters.child", str(socket)],
            environment=_environment(),
            ready=ready,
            clock=clock,
            rules=SupervisorRules(drain=config.engine.host.drain_seconds + KEEPING_SECONDS),
            greeting=Errand(config=config, log_level=logging.getLogger(bot.__name__).getEffectiveLevel()).line,
        )
        engine = RemoteEngine(_settings(config, address), clock)
        try:
            await supervisor.start()
            yield engine, supervisor
        finally:
            try:
                await engine.close()
            finally:
                await supervisor.close()


def served(config: Config, socket: Path | None) -> EngineServerSettings:
    """How the engine of this process is served to others: on the socket, or else at the configured address."""
    host = config.engine.host
    return EngineServerSettings(
        host=host.host,
        port=host.port,
        socket=socket,
        token=config.engine.token,
        max_tokens=host.max_tokens,
        body_bytes=host.body_bytes,
        concurrent=host.concurrent,
    )


def served_to_parent(socket: Path) -> EngineServerSettings:
    """How a child process serves: its one client is the bot, whose own limits hold (of its posts, and of the engine's line)."""
    most = 2**20
    return EngineServerSettings(
        socket=socket,
        max_tokens=most,
        body_bytes=2**27,
        concurrent=2**16,
        stops=most,
        stop_length=most,
        segments=most,
        biases=most,
    )


def _settings(config: Config, address: str) -> RemoteSettings:
    engine, model = config.engine, config.model
    is_child = engine.url is None
    return RemoteSettings(
        address,
        kind="understudy" if is_child else engine.kind,
        token="" if is_child else engine.token,
        model="" if is_child else engine.model,
        context=None if is_child else model.context,
        rating=Rating(model.rating) if model.rating else None,
        session_header=engine.session_header,
        limits=TimeLimits(answer=engine.answer_seconds),
        backoff=Backoff(patience=engine.patience_seconds),
        circuit=FAR_FROM_FAILING if is_child else CircuitRules(),
    )


def _short_folder() -> str | None:
    """Where temporary folders are made; elsewhere when a socket's path in it would be too long for the system."""
    return "/tmp" if len(tempfile.gettempdir()) > LONGEST_FOLDER else None  # noqa: S108  the folder in it is private


def _environment() -> Mapping[str, str]:
    """This process's environment without its secrets; a child of a clone must find the clone from any folder."""
    environment = without_secrets(os.environ)
    root = str(Path(bot.__file__).parents[1])
    if root == sysconfig.get_paths()["purelib"]:
        return environment
    others = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": os.pathsep.join([root, others] if others else [root])}
