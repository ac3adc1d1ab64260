"""What the operator's page shows of a running bot, in words: a pure view of what its instruments tell. It knows no HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.markdown import plain
from adapters.metrics import Sight
from adapters.metrics.instruments import ENGINE

Row = tuple[str, ...]

TIERS = {"ram": "Memory", "disk": "Disk"}
TOLD = ("hits_total", "misses_total", "entries", "bytes", "dropped_total")
AGES = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))
SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


@dataclass(frozen=True, slots=True)
class Glance:
    """The tables of the page, row by row. `at` is when it was true."""

    at: str
    busy: tuple[Row, ...]
    parts: tuple[Row, ...]
    cache: tuple[Row, ...]
    turns: tuple[Row, ...]
    stories: tuple[Row, ...]
    more_stories: int
    troubles: tuple[Row, ...]


def glance(sight: Sight) -> Glance:
    """The page as of when it was looked."""
    now = sight.at
    newest = sight.inventory.newest if sight.inventory else ()
    stories = [
        (f"{each.place.platform} {each.place.channel}", plain(each.name), str(each.turns), ago(now - each.touched))
        for each in newest
    ]
    return Glance(
        at=clock(now),
        busy=tuple(_busy(sight)),
        parts=tuple(
            (name, "up" if each.is_up else "down", str(each.breaks), plain(each.trouble))
            for name, each in sight.connections.items()
        ),
        cache=tuple(_cache(sight.engine)),
        turns=tuple((outcome, str(number)) for outcome, number in sorted(sight.turns.items())),
        stories=tuple(stories),
        more_stories=(sight.inventory.sessions if sight.inventory else 0) - len(stories),
        troubles=tuple((clock(each.at), each.level.lower(), each.kind, each.action, each.source) for each in sight.troubles),
    )


def _busy(sight: Sight) -> Iterator[Row]:
    vitals, inventory = sight.vitals, sight.inventory
    yield "Replies being written", str(vitals.writing)
    yield "Waiting for their turn in their place", str(vitals.queued)
    if {f"{ENGINE}waiting", f"{ENGINE}writing", f"{ENGINE}slots"} <= sight.engine.keys():
        waiting, writing, slots = (int(sight.engine[f"{ENGINE}{name}"]) for name in ("waiting", "writing", "slots"))
        yield "The engine writes, of as many at a time", f"{writing} of {slots}"
        yield "Waiting for the engine", str(waiting)
    yield "Replies a minute, of late", f"{sight.rates.turns:.1f}"
    yield "Tokens a second, of late", f"{sight.rates.tokens:.1f}"
    prompt = sight.tokens.get("prompt", 0)
    yield "Of prompts found in the cache", f"{100 * sight.tokens.get('cached', 0) / prompt:.0f} %" if prompt else "-"
    if inventory is not None:
        yield "Posts to be delivered", str(inventory.wishes)
        yield "Events to be handled", str(inventory.events)
        yield "Stories in their places", str(inventory.sessions)
        yield "Stories in the bin", str(inventory.ended)
    yield "The oldest post waits for", span(vitals.oldest_delivery) if vitals.oldest_delivery else "-"


def _cache(engine: Mapping[str, float]) -> Iterator[Row]:
    hits, lost = engine.get(f"{ENGINE}slot_hits_total"), engine.get(f"{ENGINE}evictions_total", 0.0)
    if hits is not None:
        yield "Slots", f"{hits:.0f}", "-", "-", "-", f"{lost:.0f}"
    for tier, name in TIERS.items():
        found = [engine.get(f"{ENGINE}{tier}_{key}") for key in TOLD]
        if None not in found:
            hits, misses, entries, size, dropped = (each or 0.0 for each in found)
            yield name, f"{hits:.0f}", f"{misses:.0f}", f"{entries:.0f}", amount(size), f"{dropped:.0f}"


def clock(at: float) -> str:
    """A moment, to the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """How long that is, roughly."""
    for size, unit in AGES:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def ago(seconds: float) -> str:
    """How long ago that was, roughly."""
    return f"{span(seconds)} ago"


def amount(size: float) -> str:
    """How many bytes that are, roughly."""
    for unit_size, unit in SIZES:
        if size >= unit_size:
            return f"{size / unit_size:.1f} {unit}"
    return f"{size:.0f} B"
