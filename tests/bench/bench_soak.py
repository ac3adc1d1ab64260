"""A soak: a day of a bot as it is wired, at once, and whether anything adds up in it: memory, files, tasks, threads."""

import asyncio
import tempfile
from pathlib import Path

from tests.bench.options import Options, Rows
from tests.walks.flat import MIB, complaints
from tests.walks.soak import PLACES, TURNS
from tests.walks.test_soak import lived

QUICK_TURNS, QUICK_PLACES = 200, 30


def run(options: Options) -> Rows:
    """Labels and figures; with more rounds the day is as many times as full."""
    turns, places = (QUICK_TURNS, QUICK_PLACES) if options.is_quick else (TURNS * options.times(1), PLACES)
    with tempfile.TemporaryDirectory() as folder:
        soak = asyncio.run(lived(turns, places, Path(folder)))
    (early, late), first, last = soak.memory, soak.early[-1], soak.late[-1]
    counts = [f"{getattr(first, name)} and {getattr(last, name)} {name}" for name in ("files", "threads", "tasks")]
    return [
        (f"{soak.turns} replies in {soak.places} places: memory", f"{early / MIB:.1f} to {late / MIB:.1f} MiB"),
        ("memory at the end against a fifth of the day", f"{soak.growth:.3f} (bound 1.05)"),
        ("then and at the end", ", ".join(counts)),
        ("what happened", ", ".join(f"{many} {what}" for what, many in soak.done.items())),
        ("it took", f"{soak.seconds:.0f} s"),
        ("complaints", "; ".join(complaints(soak)) or "none"),
    ]
