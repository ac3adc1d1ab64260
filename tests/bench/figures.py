"""Medians and percentiles as the tables print them."""

import statistics
from collections.abc import Iterable


def median(values: Iterable[float]) -> float:
    """The middle value; 0 where there is none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of all do not exceed; 0 where there is none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


def spread(values: Iterable[float], unit: str = "", digits: int = 2) -> str:
    """The median, and the smallest and the largest beside it."""
    found = list(values)
    if len(found) < 2:
        return f"{median(found):.{digits}f}{unit}"
    return f"{median(found):.{digits}f}{unit} ({min(found):.{digits}f} to {max(found):.{digits}f})"
