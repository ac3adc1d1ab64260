"""The line of replies that wait for a slot: in fair order, with everyone's position. It knows no slots, tokens or time."""

from collections.abc import Callable

from bot.engine.fairness import FairShares
from bot.engine.job import Job
from bot.ids import SessionId


class Line:
    """Jobs that wait. Those of one session leave in the order in which they came; the shares say which session is next."""

    def __init__(self, shares: FairShares) -> None:
        self._shares = shares
        self._jobs: dict[int, Job] = {}
        self._told: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        """A job joins the line."""
        self._jobs[job.ticket] = job

    def remove(self, ticket: int) -> Job | None:
        """A job leaves the line; None when it does not stand in it."""
        self._told.pop(ticket, None)
        return self._jobs.pop(ticket, None)

    def next(self, is_ready: Callable[[Job], bool]) -> Job | None:
        """The job whose turn it is among those that are ready; it stays in line."""
        return min((job for job in self._firsts() if is_ready(job)), key=self._shares.rank, default=None)

    def first(self, count: int) -> list[Job]:
        """The jobs whose turn comes next, ready or not."""
        return sorted(self._firsts(), key=self._shares.rank)[:count]

    def overdue(self, now: float) -> tuple[Job, ...]:
        """The jobs whose deadline has passed; they stay in line."""
        return tuple(job for job in self._jobs.values() if job.deadline is not None and job.deadline <= now)

    def of(self, session: SessionId) -> tuple[Job, ...]:
        """The jobs of a session; they stay in line."""
        return tuple(job for job in self._jobs.values() if job.session == session)

    def sessions(self) -> set[SessionId]:
        """The sessions that wait."""
        return {job.session for job in self._jobs.values()}

    def moved(self, cost: float) -> tuple[tuple[int, int], ...]:
        """Ticket and position, from 1, of all whose position is not what was told last, if a reply takes `cost` tokens."""
        news = tuple(
            (job.ticket, place) for place, job in enumerate(self._order(cost), 1) if self._told.get(job.ticket) != place
        )
        self._told.update(news)
        return news

    def _order(self, cost: float) -> list[Job]:
        """The order in which the jobs would leave if each took `cost` tokens and nobody came."""
        shares, left, order = self._shares.copy(), dict(self._jobs), []
        while left:
            job = min(left.values(), key=shares.rank)
            del left[job.ticket]
            order.append(job)
            shares.charge(job, cost)
        return order

    def _firsts(self) -> list[Job]:
        """The oldest job of each session."""
        firsts: dict[str, Job] = {}
        for job in self._jobs.values():
            firsts.setdefault(job.session, job)
        return list(firsts.values())
