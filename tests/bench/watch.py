"""Progress of a benchmark for the person who waits for it."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import track as rich_track


def track(items: range, label: str) -> Iterable[int]:
    """The items, with a progress bar on standard error."""
    return rich_track(items, description=label, console=Console(stderr=True), transient=True)
