"""What is counted of a model's replies: their lengths, their ends, and the table that comes of it. It plays nothing."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.story.settings import Length

FEWEST = 20
"""Replies of a modifier from which on its figures may go into a table."""

MARGIN = 1.25
"""How far above what 95 of 100 replies have a table lets a reply go on."""

MOST_CUT = 0.05
"""Share of cut replies above which it is not known how long the longest would have become."""


class Ending(StrEnum):
    """How a reply ended.

    By the model's own end; at a header of the format, where many a model ends its turn; in a line in which a player speaks;
    for want of room; or before its first word.
    """

    OWN = "own"
    HEADER = "header"
    PLAYER = "player"
    CUT = "cut"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: what it was asked with, its text without what the guards took off, that text's tokens, and its ending."""

    scene: str
    way: str
    length: Length | None
    text: str
    tokens: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class Figures:
    """Replies that were counted, their tokens (empty ones left out), and the shares of their endings, from 0 to 1."""

    replies: int
    median: int
    p10: int
    p90: int
    p95: int
    own: float
    header: float
    player: float
    cut: float
    empty: float


def figures(replies: Sequence[Reply]) -> Figures:
    """The figures of these replies. Raises ValueError when there are none."""
    if not replies:
        raise ValueError("no reply was written")
    tokens = sorted(reply.tokens for reply in replies if reply.tokens) or [0]
    return Figures(
        replies=len(replies),
        median=math.ceil(statistics.median(tokens)),
        p10=_rank(tokens, 0.1),
        p90=_rank(tokens, 0.9),
        p95=_rank(tokens, 0.95),
        own=_share(replies, Ending.OWN),
        header=_share(replies, Ending.HEADER),
        player=_share(replies, Ending.PLAYER),
        cut=_share(replies, Ending.CUT),
        empty=_share(replies, Ending.EMPTY),
    )


def length_table(replies: Sequence[Reply], model: str, fingerprint: str) -> dict[str, object]:
    """The document of a table (see `bot.prompt.length`) with all modifiers of which enough is known. Raises ValueError."""
    lengths: dict[str, object] = {}
    for length in Length:
        found = [reply for reply in replies if reply.length is length]
        if len(found) >= FEWEST:
            lengths[length] = _entry(figures(found))
    if not lengths:
        raise ValueError(f"no modifier has the {FEWEST} replies that a table needs; give it more time or laps")
    return {"model": model, "fingerprint": fingerprint, "margin": MARGIN, "lengths": lengths}


def as_json(replies: Sequence[Reply]) -> list[dict[str, object]]:
    """The replies as JSON has them."""
    return [asdict(reply) for reply in replies]


def _share(replies: Sequence[Reply], ending: Ending) -> float:
    return sum(reply.ending is ending for reply in replies) / len(replies)


def _entry(found: Figures) -> dict[str, object]:
    entry: dict[str, object] = {"replies": found.replies, "median": max(found.median, 1)}
    if found.cut <= MOST_CUT:
        entry["most"] = max(math.ceil(found.p95 * MARGIN), 1)
    return entry


def _rank(ordered: Sequence[int], share: float) -> int:
    """The smallest value that at least this share of the values does not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
