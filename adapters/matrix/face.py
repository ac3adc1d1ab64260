"""The bot on Matrix, put together: courier, ears, commands, and the connection that they share. It decides nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.matrix.commands.conversing import Conversation
from adapters.matrix.keeping import Folder
from adapters.matrix.posting.courier import MatrixCourier
from adapters.matrix.running import Supervisor
from bot.flow.service import Service
from bot.ports.store import Store

ON_MATRIX = "On Matrix as {user}. Invite it to a room and write there: {prefix} start"


@dataclass(slots=True)
class Matrix:
    """The bot on Matrix, over a courier that the walk uses already. `start` it, and `close` it.

    `tell` says a sentence to the operator.
    """

    store: Store
    courier: MatrixCourier
    service: Service
    tell: Callable[[str], None]
    conversation: Conversation = field(init=False)
    supervisor: Supervisor = field(init=False)
    _life: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        courier, settings = self.courier, self.courier.settings
        courier.rooms.open(self.store)
        self.conversation = Conversation(
            settings,
            self.store,
            self.service.receiver,
            self.service.desk,
            courier.rooms,
            courier.line,
            courier.clock,
            courier,
            courier.saying,
        )
        self.supervisor = Supervisor(
            settings,
            Folder(settings.folder),
            courier.clock,
            courier.line,
            courier.rooms,
            self.store,
            self.conversation,
            metrics=self.service.metrics,
        )

    async def start(self) -> None:
        """Connect, as long as it takes. Raises Refused where the account cannot be used, and StoreUnavailable."""
        settings = self.courier.settings
        account = Folder(settings.folder).account()
        if account is not None:
            self.tell(ON_MATRIX.format(user=account.user_id, prefix=settings.prefix))
        await self.courier.rooms.load()
        self._life = asyncio.create_task(self.supervisor.run(), name="matrix")

    async def close(self) -> None:
        """Leave Matrix. What was heard and not dealt with is dealt with by the next start."""
        # Its signs are taken away while there is a connection.
        await self.courier.close()
        await self.supervisor.close()
        await self.conversation.close()
        if self._life is not None:
            await asyncio.gather(self._life, return_exceptions=True)
