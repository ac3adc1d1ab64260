"""The wall to the store, fourth part: what players told the operator, and what the safety check refused."""

from dataclasses import dataclass
from typing import Protocol

from bot.ids import AuthorId, EventId, Place


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the safety check refused. Only its id and the reason are known: what it said was never stored."""

    event: EventId
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A player's complaint: `reason` in their words, `context` the posts that it is about, `at` in seconds since the epoch."""

    place: Place
    author: AuthorId
    reason: str
    context: str
    at: float


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report, and the number by which the operator names it."""

    number: int
    report: Report


class Reports(Protocol):
    """Remembers what must be looked at by a person. Every method is one transaction."""

    async def refuse(self, event: EventId, place: Place, reason: str) -> bool:
        """The safety check refuses an event: its id is kept as handled, with the reason and without a word of its text.

        It may wait (what was kept of it goes), or never have been kept. False, and nothing is stored, when it was handled.
        """
        ...

    async def refusals(self, place: Place, limit: int = 10) -> tuple[Refusal, ...]:
        """What was refused in a place, the newest first."""
        ...

    async def keep_report(self, report: Report) -> int:
        """Keep a report until it is dropped; returns its number."""
        ...

    async def reports(self) -> tuple[KeptReport, ...]:
        """The reports that are kept, in the order in which they came."""
        ...

    async def drop_report(self, number: int) -> None:
        """A report was dealt with. Nothing happens when there is none of this number."""
        ...
