"""Opens a house with its faces: the page, the terminal, a community's channels. What is behind them it leaves to the wiring."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from rich.console import Console

from adapters import logs
from adapters.clock import SystemClock
from adapters.config import Config
from adapters.discord.face import Discord
from adapters.discord.line import Line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.settings import Settings
from adapters.matrix.face import Matrix
from adapters.matrix.keeping import Folder
from adapters.matrix.line import Line as MatrixLine
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings as MatrixSettings
from adapters.metrics import Connection
from adapters.stories import Stories
from adapters.terminal.courier import TERMINAL, TerminalCourier
from adapters.terminal.play import Play
from adapters.web.courier import WEB, WebCourier
from adapters.web.server import WebServer
from adapters.wiring import PLAYER, House, house
from bot import texts
from bot.errors import Refused
from bot.ids import ChannelKey, Place
from bot.story.session import Session

log = logging.getLogger(__name__)

PAGE = Place(WEB, ChannelKey("main"))
SHELL = Place(TERMINAL, ChannelKey("main"))

DEMO_NOTICE = (
    "The small demo model that comes with Understudy writes here. It shows that the machinery works; its prose is poor."
    " Play on a model of your own for a real story."
)


@asynccontextmanager
async def page(config: Config) -> AsyncIterator[tuple[House, str]]:
    """The house with its page open, and the page's address, until the block ends. Raises as `house` does."""
    courier = WebCourier(config.web.limits)
    async with house(config, (courier,)) as built, served(built, courier) as address:
        yield built, address


@asynccontextmanager
async def served(built: House, courier: WebCourier) -> AsyncIterator[str]:
    """The page of a house open, with its story begun, until the block ends; its address. Raises Refused."""
    story = await built.begin(PAGE)
    async with _opened(built, courier, _player_name(story, built.config)) as address:
        yield address


@asynccontextmanager
async def _opened(built: House, courier: WebCourier, player_name: str, closed: str = "") -> AsyncIterator[str]:
    """The page open until the block ends; where it is `closed` for a reason, with nothing but the operator's side."""
    config = built.config
    server = WebServer(
        courier,
        built.store,
        built.service.receiver,
        built.service.desk,
        place=PAGE,
        player=PLAYER,
        player_name=player_name,
        closed=closed,
        instruments=built.instruments,
        operator_token=config.web.operator_token,
        host=config.web.host,
        port=config.web.port,
        notice="" if config.model.path or config.engine.url else DEMO_NOTICE,
    )
    last_word = asyncio.create_task(_tell_of_the_end(built, server))
    try:
        yield await server.start()
    finally:
        last_word.cancel()
        await server.close()


async def _tell_of_the_end(built: House, server: WebServer) -> None:
    await built.service.ending.wait()
    server.tell(texts.PAGE_ENDS)


@asynccontextmanager
async def community(
    config: Config, tell: Callable[[str], None], connector: Callable[[], aiohttp.BaseConnector] | None = None
) -> AsyncIterator[House]:
    """The house in the channels and rooms of a community, and on a page of this machine, until the block ends.

    `tell` says sentences to the operator. `connector` makes the connectors to Discord, for tests and for special networks.
    Raises as `house` does, and Refused where the account on Matrix cannot be used.
    """
    web, stories, clock = WebCourier(config.web.limits), Stories(), SystemClock()
    discord = matrix = None
    if config.discord.token:
        discord = DiscordCourier(Line(), discord_settings(config), clock, stories.face, stories.shown)
    if config.is_on_matrix:
        if account := Folder(config.matrix_folder).account():
            logs.hide((account.access_token, account.pickle_key))
        matrix = MatrixCourier(MatrixLine(), Rooms(), matrix_settings(config), clock, stories.face, stories.shown)
    async with AsyncExitStack() as open_parts:
        couriers = [each for each in (web, discord, matrix) if each is not None]
        built = await open_parts.enter_async_context(house(config, couriers))
        stories.open(built.store)
        faces: list[Discord | Matrix] = []
        if discord is not None:
            faces.append(Discord(discord.settings, built.store, discord, built.service, tell, connector))
        if matrix is not None:
            faces.append(Matrix(built.store, matrix, built.service, tell))
        for face in faces:
            open_parts.push_async_callback(face.close)
            name, state = ("discord", _on_discord(face)) if isinstance(face, Discord) else ("matrix", _on_matrix(face))
            built.instruments.connections[name] = state
        try:
            address = await open_parts.enter_async_context(served(built, web))
            tell(f"Understudy plays at {address} (Ctrl-C ends it)")
        except Refused as refused:
            # A model for adults may be played in places for them, and not on the page.
            log.warning("no story is played on the page: %s", refused, extra={"action": "leave_page"})
            await open_parts.enter_async_context(_opened(built, web, "", str(refused)))
        for face in faces:
            await face.start()
        yield built


def _on_discord(face: Discord) -> Callable[[], Connection]:
    """How the connection to Discord stands, whenever that is asked."""

    def connection() -> Connection:
        state = face.supervisor.state
        return Connection(bool(state.shards) and not state.trouble, state.trouble, state.restarts, len(state.shards))

    return connection


def _on_matrix(face: Matrix) -> Callable[[], Connection]:
    """Likewise, to the homeserver."""

    def connection() -> Connection:
        state = face.supervisor.state
        return Connection(state.is_connected, state.trouble, state.errors, heard=state.last_sync or None)

    return connection


def matrix_settings(config: Config) -> MatrixSettings:
    """What is configured of Matrix, as its room needs it."""
    known = config.matrix
    return MatrixSettings(
        folder=config.matrix_folder,
        operators=frozenset(known.operators),
        users=frozenset(known.users),
        servers=frozenset(known.servers),
        rooms=frozenset(known.rooms),
        start_level=known.start_level,
        prefix=known.prefix,
        adults_in_public=known.adults_in_public,
        catch_up_hours=known.catch_up_hours,
        catch_up_messages=known.catch_up_messages,
        http_proxy=known.http_proxy or "",
    )


def discord_settings(config: Config) -> Settings:
    """What is configured of Discord, as its room needs it."""
    known = config.discord
    return Settings(
        token=known.token,
        shard_count=known.shard_count,
        shard_ids=known.shards,
        operators=frozenset(known.operators),
        guilds=frozenset(known.guilds),
        start_channels=frozenset(known.start_channels),
        start_roles=frozenset(known.start_roles),
        message_content=known.message_content,
        adult_direct_messages=known.adult_direct_messages,
        join_seconds=known.join_seconds,
        join_limit_seconds=known.join_limit_seconds,
        knows_proxies=known.proxies,
        catch_up_hours=known.catch_up_hours,
        catch_up_messages=known.catch_up_messages,
        http_proxy=known.http_proxy or "",
    )


@asynccontextmanager
async def terminal(config: Config, console: Console) -> AsyncIterator[Play]:
    """The house with its story begun and ready to be played on a console, until the block ends. Raises as `house` does."""
    courier = TerminalCourier(console, config.web.limits, muted=True)
    async with house(config, (courier,)) as built:
        story = await built.begin(SHELL)
        yield Play(
            courier,
            built.store,
            built.service.receiver,
            built.service.desk,
            SHELL,
            PLAYER,
            _player_name(story, config),
            interactive=console.is_interactive and sys.stdin.isatty(),
            notice="" if config.model.path or config.engine.url else DEMO_NOTICE,
        )


def _player_name(story: Session, config: Config) -> str:
    """Who the player is in the story: a story that has begun keeps its people, whatever the scene is called by now."""
    persona = story.persona_of(PLAYER)
    return persona.name if persona else config.scene.player.name
