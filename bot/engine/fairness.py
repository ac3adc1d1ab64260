"""Whose turn it is: communities share the model alike, and so do the sessions of one community. It knows no slots and no time.

Fair queueing on two levels, in tokens (Demers, Keshav and Shenker, 1989): everyone has an account of the work done for
them, and the smallest goes first. `_level` is where an account would stand that had its exact share all along: who comes
anew, or back after a rest, starts there, and who was served ahead of it stays ahead. As the level rises with all work done,
nobody waits for ever, however many come anew.
"""

from dataclasses import dataclass, field

from bot.engine.job import Job

Rank = tuple[float, float, int]


@dataclass(slots=True)
class Accounts:
    """Work done for each of a group of names. Of those with nothing to do, only who is ahead of the level is remembered."""

    _done: dict[str, float] = field(default_factory=dict)
    _busy: dict[str, int] = field(default_factory=dict)
    _level: float = 0.0

    def enter(self, name: str) -> None:
        """The name has one more thing to do."""
        if name not in self._busy:
            self._done[name] = max(self._done.get(name, 0.0), self._level)
        self._busy[name] = self._busy.get(name, 0) + 1

    def leave(self, name: str) -> None:
        """The name has one thing less to do."""
        self._busy[name] -= 1
        if not self._busy[name]:
            del self._busy[name]
            self._done = {each: done for each, done in self._done.items() if each in self._busy or done > self._level}

    @property
    def is_empty(self) -> bool:
        """Whether nobody has anything to do, and nobody is ahead."""
        return not self._done

    def charge(self, name: str, tokens: float) -> None:
        """This much work was done for the name."""
        self._done[name] += tokens
        self._level += tokens / len(self._busy)

    def done(self, name: str) -> float:
        """The work done for the name, on the common scale."""
        return self._done[name]

    def copy(self) -> "Accounts":
        """The same accounts, to try out what would be next."""
        return Accounts(dict(self._done), dict(self._busy), self._level)


@dataclass(slots=True)
class FairShares:
    """The accounts of all communities, and inside each the accounts of its sessions."""

    communities: Accounts = field(default_factory=Accounts)
    sessions: dict[str, Accounts] = field(default_factory=dict)

    def enter(self, job: Job) -> None:
        """A job begins to count, waiting or being written."""
        self.communities.enter(job.share)
        self.sessions.setdefault(job.share, Accounts()).enter(job.session)

    def leave(self, job: Job) -> None:
        """A job counts no more."""
        self.communities.leave(job.share)
        self.sessions[job.share].leave(job.session)
        if self.sessions[job.share].is_empty:
            del self.sessions[job.share]

    def charge(self, job: Job, tokens: float) -> None:
        """This many tokens were read or written for a job."""
        self.communities.charge(job.share, tokens)
        self.sessions[job.share].charge(job.session, tokens)

    def rank(self, job: Job) -> Rank:
        """What jobs are ordered by: smallest first."""
        return self.communities.done(job.share), self.sessions[job.share].done(job.session), job.ticket

    def copy(self) -> "FairShares":
        """The same shares, to try out what would be next."""
        return FairShares(self.communities.copy(), {name: each.copy() for name, each in self.sessions.items()})
