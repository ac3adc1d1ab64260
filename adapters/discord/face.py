"""The bot on Discord, put together: courier, ears, commands, and the connection that they share. It decides nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from adapters.discord.client import Neighbours, UnderstudyClient
from adapters.discord.commands.answering import Interactions
from adapters.discord.commands.controls import Controls
from adapters.discord.commands.dressing import Dressing
from adapters.discord.commands.starting import Starting
from adapters.discord.commands.syncing import sync
from adapters.discord.commands.texting import Texting
from adapters.discord.ears.hearing import Hearing
from adapters.discord.inviting import invite_link
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.running import Supervisor
from adapters.discord.settings import Settings
from adapters.discord.words import author_of
from bot.flow.service import Service
from bot.ports.store import Store

INVITE = "On Discord as {name}. Let it into a server with this link: {link}"


@dataclass(slots=True)
class Discord:
    """The bot on Discord, over a courier that the walk uses already. `start` it, and `close` it.

    `tell` says a sentence to the operator. `connector` makes a connector for each connection, which closes it.
    """

    settings: Settings
    store: Store
    courier: DiscordCourier
    service: Service
    tell: Callable[[str], None]
    connector: Callable[[], aiohttp.BaseConnector] | None = None
    supervisor: Supervisor = field(init=False)
    hearing: Hearing = field(init=False)
    _controls: Controls = field(init=False)
    _interactions: Interactions = field(init=False)
    _life: asyncio.Task[None] | None = None
    _has_told: bool = False

    def __post_init__(self) -> None:
        courier, store, clock, line = self.courier, self.store, self.courier.clock, self.courier.line
        receiver, desk = self.service.receiver, self.service.desk
        operators = frozenset(map(author_of, self.settings.operators))
        self.hearing = Hearing(self.settings, clock, store, receiver, line, courier, courier.expect)
        dressing = Dressing(line, courier.rooms, courier.webhooks)
        self._controls = Controls(store, receiver, dressing)
        starting = Starting(store, desk, desk, courier, self.hearing, line, self.settings)
        texting = Texting(store, courier, operators)
        self._interactions = Interactions(store, desk, receiver, clock, starting, self._controls, texting)
        courier.rested = self._controls.settled_soon
        neighbours = Neighbours(
            self._prepare, self._ready, self._interactions.handle, courier.saw_message, courier.rooms.forget
        )
        self.supervisor = Supervisor(self.settings, clock, line, self.hearing, neighbours, connector=self.connector)

    async def start(self) -> None:
        """Listen where stories are played, and connect, as long as it takes. Raises StoreUnavailable."""
        await self.hearing.start()
        self._life = asyncio.create_task(self.supervisor.run(), name="discord")

    async def close(self) -> None:
        """Leave Discord. What was heard and not handed in is heard again by the next start."""
        await self._interactions.close()
        await self._controls.close()
        # Its signs are taken away while there is a connection.
        await self.courier.close()
        await self.supervisor.close()
        await self.hearing.close()
        if self._life is not None:
            await asyncio.gather(self._life, return_exceptions=True)

    async def _prepare(self, client: UnderstudyClient) -> None:
        """A client is logged in and not connected yet: it offers the commands of today."""
        await sync(client, self.store, is_degraded=not client.intents.message_content)

    def _ready(self, client: UnderstudyClient) -> None:
        """It can be used, for the first time or again."""
        if client.user is not None and client.application_id is not None and not self._has_told:
            self._has_told = True
            self.tell(INVITE.format(name=client.user.name, link=invite_link(client.application_id)))
