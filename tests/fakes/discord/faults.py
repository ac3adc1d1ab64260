"""Faults that a test scripts, or that a seed deals out. It decides which request is hit and how, and does nothing itself."""

import asyncio
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random

from tests.fakes.discord.exchange import Exchange

KIND = re.compile(r"429( without via)?|5\d\d (before|after)|cut (before|after)|delay( after)?")
RANDOM_KINDS = ("429", "500 before", "500 after", "cut before", "cut after")


@dataclass(slots=True, eq=False)
class Fault:
    """What happens to the `nth` request of this route from now on (from 1), and to `times` requests from there.

    Kinds: `429`, `429 without via`, `500 before` and `500 after` the effect (any 5xx), `cut before`, `cut after`, and `delay`
    or `delay after`: the answer waits from `reached` until the test calls `release`. `retry_after` belongs to a 429.
    """

    route: str
    kind: str
    nth: int = 1
    times: int = 1
    retry_after: float = 0.05
    seen: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    @property
    def status(self) -> int:
        """The HTTP status that it answers with; 0 for none."""
        return int(self.kind[:3]) if self.kind[0].isdigit() else 0

    @property
    def is_after(self) -> bool:
        """Whether the request has its effect first."""
        return self.kind.endswith("after")

    def hits(self, exchange: Exchange) -> bool:
        if not fnmatchcase(exchange.route, self.route):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


@dataclass(slots=True)
class Faults:
    """The faults in force. A request is hit by at most one; `dealt` is every hit: the route and the kind."""

    dealt: list[tuple[str, str]] = field(default_factory=list)
    _scripted: list[Fault] = field(default_factory=list)
    _random: Random | None = None
    _rate: float = 0.0
    _kinds: tuple[str, ...] = RANDOM_KINDS
    _route: str = "*"

    def add(self, route: str, kind: str, nth: int = 1, times: int = 1, retry_after: float = 0.05) -> Fault:
        """Script a fault for a pattern of routes, as `POST /webhooks/*`. Raises ValueError for an unknown kind."""
        if not KIND.fullmatch(kind):
            raise ValueError(f"no kind of fault: {kind!r}")
        self._scripted.append(Fault(route, kind, nth, times, retry_after))
        return self._scripted[-1]

    def random(self, seed: int, rate: float, kinds: tuple[str, ...] = RANDOM_KINDS, route: str = "*") -> None:
        """Deal out faults of these kinds by chance to this share of the requests; a rate of 0 ends it."""
        self._random, self._rate, self._kinds, self._route = Random(seed), rate, kinds, route  # noqa: S311 faults, not secrets

    def clear(self) -> None:
        """No more faults; those that wait are released."""
        for each in self._scripted:
            each.release()
        self._scripted.clear()
        self._rate = 0.0

    def hit(self, exchange: Exchange) -> Fault | None:
        """The fault that this request meets. Every scripted one that matches counts it, the first that is due hits."""
        due = [each for each in self._scripted if each.hits(exchange)]
        found = due[0] if due else self._by_chance(exchange)
        if found is not None:
            exchange.fault = found.kind
            self.dealt.append((exchange.route, found.kind))
        return found

    def _by_chance(self, exchange: Exchange) -> Fault | None:
        if self._random is None or not fnmatchcase(exchange.route, self._route) or self._random.random() >= self._rate:
            return None
        return Fault(self._route, self._random.choice(self._kinds))
