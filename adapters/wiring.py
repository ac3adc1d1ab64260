"""Builds the house: opens the parts that the configuration names and puts them together. It knows no face of it."""

import asyncio
import fcntl
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters import __version__
from adapters.clock import SystemClock
from adapters.config import Config, ModelConfig
from adapters.config.presets import format_with
from adapters.discord.commands.tree import written
from adapters.discord.words import DISCORD, author_of, link_to
from adapters.engines import engine_of
from adapters.llama.chat_template import template_format
from adapters.llama.loading import ModelFacts, describe
from adapters.matrix import words as matrix
from adapters.matrix.commands.line import written as matrix_written
from adapters.metrics import Connection, Instruments
from adapters.remote import RemoteEngine
from adapters.remote.parsing import EngineAway
from adapters.traces import Traces
from bot.cards.reading import read_card
from bot.errors import EngineBusy, EngineError, EngineUnavailable, NotNow, Refused, StoreUnavailable
from bot.flow.service import Service
from bot.ids import AuthorId, CardId, EventId, Place, SessionId
from bot.metrics import Metrics
from bot.ports.clock import Clock
from bot.ports.courier import Courier
from bot.ports.engine import Engine, EngineCapabilities
from bot.ports.store import Store
from bot.posts import InboundPost
from bot.prompt.format import FORMATS, LIMARP, PromptFormat
from bot.sampling import matters
from bot.story.library import LibraryCard
from bot.story.persona import Persona
from bot.story.policy import Rating, refusal
from bot.story.session import Session
from bot.story.table import Table
from storage.store import open_store, sqlite_file, sqlite_url

log = logging.getLogger(__name__)

ASKING_SECONDS = 10.0
"""How long an engine elsewhere is waited for at the start."""

OF_THIS_MACHINE = (
    *("slots", "threads", "batch", "chunk", "gpu_layers", "cache_on_gpu"),
    *("kv_type", "flash_attention", "exact", "adapters"),
)
"""The keys of [model] that only a model which runs here follows."""

PLAYER = AuthorId("player")
"""Who plays on this machine: the one person in front of it."""

OPENING = EventId("opening")
"""The event of the player's first post as the scene has it: the same at every start, so that it is played once."""

CHARACTERS = Path(__file__).parent / "scenes" / "characters"
"""The characters that come with the program."""

EngineWrapper = Callable[[Engine], Engine]


@dataclass(frozen=True, slots=True)
class House:
    """The running parts that an adapter's face needs."""

    config: Config
    store: Store
    engine: Engine
    service: Service
    instruments: Instruments

    async def begin(self, place: Place) -> Session:
        """The story of a place; begun, with the scene's greeting, where there is none. Raises Refused."""
        if story := await self.store.session_at(place):
            return story
        try:
            return await self.service.begin(new_session(self.config, place))
        except EngineError as error:
            needs = "A story begins only when the engine answers, as it says who may play on it; start again then"
            raise Refused(f"{needs}. {error}") from error

    async def open_scene(self, place: Place) -> bool:
        """Play the player's first post of the scene where nobody has posted yet; whether it was played now."""
        story = await self.begin(place)
        opening = self.config.scene.scene.opening.strip()
        if not opening or any(turn.author for turn in story.turns) or story.next_number > 1:
            return False
        await self.service.receiver.receive(InboundPost(OPENING, place, PLAYER, self.config.scene.player.name, opening))
        return True


def new_session(config: Config, place: Place) -> Session:
    """A story of the configured scene that has not begun yet."""
    scene = config.scene
    return Session(
        id=SessionId(uuid.uuid4().hex),
        place=place,
        character=scene.character.card,
        scenario=scene.scene.scenario.strip(),
        personas=(Persona(PLAYER, scene.player.name, scene.player.description.strip()),),
        rating=scene.rating,
        settings=config.story.session_settings,
        table=Table(owner=PLAYER),
    )


async def stock(store: Store) -> None:
    """Put the characters that come with the program into a library that has never held any, beside no story."""
    if await store.library() or await store.places():
        return
    for path in sorted(CHARACTERS.glob("*.json")):
        read = read_card(path.read_bytes())
        await store.keep_card(LibraryCard(CardId(path.stem), PLAYER, read.card, read.face, read.face_type))


@asynccontextmanager
async def house(
    config: Config, couriers: Sequence[Courier], watch_engine: EngineWrapper | None = None, clock: Clock | None = None
) -> AsyncIterator[House]:
    """The house, started, until the block ends. Raises UnderstudyErrors only.

    The age gate comes first: a model that may not be played is not loaded. `watch_engine` puts something around the
    engine, for measuring; so does `clock` in place of the time of this machine.
    """
    clock = clock or SystemClock()
    facts = None if config.engine.url else describe(config.model.file)
    if facts is not None:
        refuse_adult_play(config, config.model.stated_rating or facts.rating)
    async with AsyncExitStack() as open_parts:
        open_parts.enter_context(claimed(config))
        store = await open_store(config.storage.url or sqlite_url(config.storage.file), clock.now)
        open_parts.push_async_callback(store.close)
        await stock(store)
        remote = await open_parts.enter_async_context(engine_of(config))
        _tell_idle_keys(config)
        await _ask(remote, config)
        engine = watch_engine(remote) if watch_engine else remote
        traces = Traces(config.logs.traces, clock) if config.logs.traces else None
        words = prompt_format(config.model, facts)
        built = _furnished(config, store, engine, couriers, words, remote.figures, traces, clock)
        instruments = built.instruments
        instruments.connections["engine"] = lambda: Connection(not remote.trouble, remote.trouble)
        open_parts.enter_context(instruments.troubles.listening())
        open_parts.push_async_callback(instruments.close)
        instruments.start()
        if traces is not None:
            traces.start()
            open_parts.push_async_callback(traces.close)
        open_parts.push_async_callback(built.service.close)
        await built.service.start()
        yield built


@asynccontextmanager
async def stored(config: Config) -> AsyncIterator[Store]:
    """The store that the configuration names, beside a program that may be running, until the block ends."""
    if not config.storage.url and not config.storage.file.exists():
        raise StoreUnavailable(f"There are no stories in {config.storage.directory} yet; name another folder with --data.")
    store = await open_store(config.storage.url or sqlite_url(config.storage.file))
    try:
        yield store
    finally:
        await store.close()


def _tell_idle_keys(config: Config) -> None:
    """Tell of settings for a model of this machine that do nothing, as it is elsewhere."""
    plain = ModelConfig()
    idle = [name for name in OF_THIS_MACHINE if getattr(config.model, name) != getattr(plain, name)]
    if idle and config.engine.url:
        sentence = "[engine] url is elsewhere, so these keys of [model] do nothing here: %s"
        log.warning(sentence, ", ".join(idle), extra={"action": "keys_do_nothing"})


async def _ask(engine: RemoteEngine, config: Config) -> None:
    """Ask what the engine is: who may play on it, and which settings it cannot follow.

    One that is elsewhere may be away now: posts wait for it then, and the age gate is asked before each of them. Raises
    Refused, and EngineUnavailable for what no waiting mends.
    """
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            known = await engine.capabilities()
    except (EngineAway, EngineBusy, TimeoutError) as error:
        why = str(error) or engine.trouble or "It is slow to answer."
        facts = {"action": "wait_for_engine", "engine": config.engine.url or "child"}
        log.warning("the engine does not answer yet, and posts to a story that has begun wait for it: %s", why, extra=facts)
        return
    except EngineError as error:
        where = f" (Asked at {config.engine.url}, as [engine] url says.)" if config.engine.url else ""
        raise EngineUnavailable(f"{error}{where}") from error
    refuse_adult_play(config, known.rating)
    wanted = [name for name in known.unhonoured if matters(config.sampling.settings, name)]
    if wanted:
        facts = {"action": "settings_not_followed", "model": known.model}
        log.warning("the engine cannot follow these sampler settings: %s", ", ".join(wanted), extra=facts)
    _tell_strange_lengths(config.model, known)


def _tell_strange_lengths(model: ModelConfig, known: EngineCapabilities) -> None:
    """Tell when the configured table of lengths was measured with another model than the one that writes."""
    if model.lengths and known.fingerprint not in model.configured_lengths:
        why = f"is of another model than {known.model}" if known.fingerprint else "cannot be used, as the engine names no file"
        sentence = "the table of [model] lengths %s, so only the context limits a reply: measure one with `make bench-story`"
        log.warning(sentence, why, extra={"action": "lengths_not_used", "model": known.model})


def _furnished(  # noqa: PLR0913, PLR0917  the parts of the house
    config: Config,
    store: Store,
    engine: Engine,
    couriers: Sequence[Courier],
    words: PromptFormat,
    figures: Callable[[], Awaitable[str]],
    traces: Traces | None,
    clock: Clock,
) -> House:
    metrics = Metrics()
    service = Service(
        store=store,
        engine=engine,
        couriers=couriers,
        clock=clock,
        prompt_format=words,
        sampling=config.sampling.settings,
        metrics=metrics,
        post_limit=config.story.post_limit,
        deadline=config.engine.deadline_seconds,
        lengths=config.model.length_tables,
        blocklist=config.safety.blocklist,
        operators=(PLAYER, *map(author_of, config.discord.operators), *map(matrix.author_of, config.matrix.operators)),
        written={DISCORD: written, matrix.MATRIX: matrix_written(config.matrix.prefix)},
        links={DISCORD: link_to, matrix.MATRIX: matrix.link_to},
        usual=config.story.session_settings,
        keep=config.privacy.keep,
        limits=config.limits.limits,
        walk_over=traces.note if traces else None,
    )
    relays = not config.engine.url
    instruments = Instruments(
        clock, metrics, lambda: service.vitals, store.inventory, figures, relays=relays, version=__version__
    )
    return House(config, store, engine, service, instruments)


def refuse_adult_play(config: Config, rating: Rating) -> None:
    """Raises Refused, with how to state a rating, when the model or the scene may be played nowhere.

    Where there is Discord or Matrix, their channels and rooms say who comes in: that is asked when a story begins, and before
    each reply.
    """
    if config.discord.token or config.is_on_matrix:
        return
    scene = config.scene
    cast = (scene.character.card.rating,)
    if blocked := refusal(model=rating, cast=cast, session=scene.rating, adults_only=config.web.adults_only):
        if rating is Rating.UNRATED:
            blocked += ' For the model: --rating general, RATING=general for make, or rating = "general" under [model].'
        raise Refused(blocked)


def prompt_format(model: ModelConfig, facts: ModelFacts | None) -> PromptFormat:
    """The configured format; for "auto" the file's own chat template, if it has one, else LimaRP. Raises Refused.

    Without facts the model is elsewhere, and its file unknown.
    """
    return replace(format_with(model.presets, _format(model, facts)), keeps_old_modifiers=model.keep_lengths)


def _format(model: ModelConfig, facts: ModelFacts | None) -> PromptFormat:
    if model.format in FORMATS:
        return FORMATS[model.format]
    if facts is None:
        log.info('the prompt format is "limarp", as [model] format names none and the model is elsewhere')
        return LIMARP
    if facts.chat_template:
        return template_format(facts)
    if model.format == "gguf":
        raise Refused(f'{model.file} has no chat template; name its format under [model]: "limarp", "alpaca" or "chatml".')
    return LIMARP


@contextmanager
def claimed(config: Config) -> Iterator[None]:
    """Keep a second Understudy out of the data folder, and out of an SQLite file wherever it is named from.

    Several can share a PostgreSQL database. Raises NotNow when one is in there, StoreUnavailable without a folder.
    """
    url = config.storage.url
    with ExitStack() as locks:
        if url is None:
            directory = Path(config.storage.directory)
            taken = f"Another Understudy is using the data folder {directory}"
            locks.enter_context(
                _locked(directory, f"{taken}; stop it, or choose another (--data FOLDER, or DATA=FOLDER for make).")
            )
        if url is None or url.startswith("sqlite"):
            # The file may be a link: whoever names it otherwise must come upon the same lock.
            file = (Path(sqlite_file(url)) if url else config.storage.file).resolve()
            taken = f"Another Understudy is using the SQLite file {file}, which only one can at a time"
            if url is not None or file.parent != config.storage.file.parent.resolve():
                locks.enter_context(
                    _locked(file.parent, f"{taken}; stop it, or have both use a PostgreSQL database ([storage] url).")
                )
        yield


@contextmanager
def _locked(directory: Path, taken: str) -> Iterator[None]:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (directory / "understudy.lock").open("a")
    except OSError as error:
        raise StoreUnavailable(f"The data folder {directory} cannot be used ({error.strerror}); choose another.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotNow(taken) from None
        except OSError as error:
            sentence = f"The data folder {directory} cannot be locked ({error.strerror}); choose one on a disk of this machine."
            raise StoreUnavailable(sentence) from error
        yield
