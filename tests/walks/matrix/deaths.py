"""Where a bot under siege is to die: a shuffled pack in which every station lies. Pure; it kills nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

STATIONS = (
    *("take_in", "let_go", "receive", "save", "save:last", "generate", "delta", "claim", "attempt", "send", "settle"),
    *("resting", "warm", "put", "sync", "keys"),
)
"""Where the bot dies: just before one of the first crossings of this name took effect, or just after."""
SEALED_STATIONS = (*STATIONS, "share")
STATIONS_OF_CHANGES = ("receive", "save", "generate", "attempt", "edit", "delete", "put", "settle")
"""The ones that matter most where people change what stands."""
SOME_MOMENT = "some moment"
OFTEN, OFTEN_ELSEWHERE = 2, {"delta": 30, "share": 1, "edit": 1, "delete": 1}
"""It is one of so many first crossings; a reply has many stretches, and a key is given once to each room."""
MOST_MISSES = 8
UNCOUNTED = frozenset({"save:last", "read_back"})


@dataclass(frozen=True, slots=True)
class Death:
    """A station, which crossing of it, and whether the bot dies before it takes effect; at some moment without a station."""

    station: str = ""
    nth: int = 1
    before: bool = False

    @property
    def crossing(self) -> str:
        """As the actor is told of it."""
        return self.station if not self.station or self.station in UNCOUNTED else f"{self.station}:{self.nth}"

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} {self.crossing}" if self.station else SOME_MOMENT


MOMENT = (Death(),)
UNCERTAIN = Death("put"), Death("read_back", before=True)
"""A post stands, and nobody noted it; then the bot dies again, before it has looked whether it stands."""


@dataclass(slots=True)
class Pack:
    """Deaths, shuffled; those in a row belong together. `next` are up, and are then either `done` or `missed`."""

    left: list[Sequence[Death]]
    chance: Random
    misses: int = 0

    @property
    def size(self) -> int:
        """How many deaths are left."""
        return sum(map(len, self.left))

    @property
    def next(self) -> Sequence[Death]:
        return self.left[-1]

    def done(self) -> None:
        """The bot died there."""
        self.left.pop()

    def missed(self) -> None:
        """The bot never came there, and died at some moment: one moment less, and the first crossing will do another time.

        After too many misses there is no other time.
        """
        again = [replace(each, nth=1) for each in self.left.pop()]
        self.misses += 1
        if self.misses > MOST_MISSES:
            return
        if MOMENT in self.left:
            self.left.remove(MOMENT)
        self.left.insert(self.chance.randint(0, len(self.left)), again)


def pack(stations: Sequence[str], moments: int, seed: int) -> Pack:
    """Every station once, one uncertain post, and some moments. Two seeds in a row have the two sides of each station."""
    chance = Random(seed)  # noqa: S311  a play
    deaths: list[Sequence[Death]] = [MOMENT] * moments + [_nth_put(chance)]
    for number, station in enumerate(stations):
        nth = chance.randint(1, OFTEN_ELSEWHERE.get(station, OFTEN))
        deaths.append([Death(station, nth, before=(number + seed) % 2 == 0)])
    chance.shuffle(deaths)
    return Pack(deaths, chance)


def _nth_put(chance: Random) -> Sequence[Death]:
    put, read_back = UNCERTAIN
    return replace(put, nth=chance.randint(1, OFTEN)), read_back
