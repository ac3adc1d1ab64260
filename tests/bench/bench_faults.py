"""Faults: a whole bot whose engine's process is killed fifty times under load. It measures nothing but what came of it."""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.bench.options import Options, Rows
from tests.walks.under_fire import under_fire

KILLS, QUICK_KILLS = 50, 3


def run(options: Options) -> Rows:
    """Labels and figures. Raises AssertionError when a turn was lost or doubled."""
    kills = QUICK_KILLS if options.is_quick else KILLS
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(under_fire(Path(folder), kills, seed=1))
    unanswered = f"{outcome.broken} broke off and {outcome.none} did not begin, and said so"
    answered = f"{outcome.posts} posts: {outcome.whole} answered whole, {unanswered}"
    figure = (
        f"{answered}; {outcome.spoilt} files of the cache spoilt; none lost, none doubled; {time.perf_counter() - began:.0f} s"
    )
    return [(f"the engine's process killed {outcome.kills} times under load", figure)]
