"""The wall to the store, ninth part: who asked the model for how much, for all processes and over restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.ids import AuthorId, CommunityId, EventId, Place
from bot.limits import Limits, Over

if TYPE_CHECKING:
    from bot.ports.store import Wish

FORGIVEN = 3_600.0
"""Seconds after which a reply that was asked for counts as waiting no longer, whatever became of it."""

ON_ITS_WAY = 60.0
"""Seconds within which what was asked for has come in: what has not by then waits no longer."""

TOLD_FOR = 60.0
"""Seconds for which a limit is told once, or for as long as it lasts, where that is longer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An event that asks for a reply: by whom, where, and in whose community (None: in none that is known).

    `stays`: it goes on its way without a reply too, as a post joins its story; so the ruling is kept for it.
    """

    event: EventId
    place: Place
    author: AuthorId
    community: CommunityId | None = None
    stays: bool = True


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the model is asked for it (`over` is None), and whether whoever it concerns was told of this limit already.

    `is_repeated`: the event was asked about before.
    """

    over: Over | None = None
    was_told: bool = False
    is_repeated: bool = False


class Ledger(Protocol):
    """Counts. Every method is one transaction."""

    async def ask(self, asked: Asked, limits: Limits) -> Ruling:
        """Count a reply that is asked for, unless a limit is reached. The same event gets the same ruling again.

        It waits, once `Store.receive` has it, until the change that handles its event opens no reply, or until that reply is
        finished: `Store.save` follows that, and counts what `Change.spent` says for the event, or for the reply that is written
        in the place. An event that was handled before counts for nothing.
        """
        ...

    async def tell(self, wishes: Sequence["Wish"]) -> None:
        """Keep wishes that belong to no change."""
        ...

    async def drop_counts(self) -> None:
        """Drop what no limit asks for any more: replies of more than an hour ago, tokens of more than a day ago."""
        ...
