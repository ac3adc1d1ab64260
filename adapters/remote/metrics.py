"""The engine's numbers as figures. It counts nothing but requests; the rest it asks for when it is read."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass

from adapters.metrics.exposition import CONTENT_TYPE, page, process
from adapters.metrics.figures import Figure, Kind, Labels, Reading

__all__ = ["CONTENT_TYPE", "Metrics"]

PREFIX = "understudy_engine"

NOW = frozenset({"slots", "waiting", "writing", "entries", "bytes"})
"""Numbers of this moment; all others are sums since the start."""

HELP = {
    "slots": "Sequences that can be written at the same time.",
    "waiting": "Replies that wait for their turn.",
    "writing": "Replies that are being written.",
    "requests": "Replies that were asked for.",
    "finished": "Replies that came to their end.",
    "cancelled": "Replies that nobody wanted any more.",
    "failed": "Replies that the model failed.",
    "refused": "Replies whose deadline passed in the queue.",
    "prompt_tokens": "Tokens of all prompts.",
    "cached_tokens": "Tokens of prompts that were found in the cache: the tokens that it saved.",
    "prefilled_tokens": "Tokens of prompts that were read for replies.",
    "warmed_tokens": "Tokens that were read ahead of need.",
    "completion_tokens": "Tokens that were written.",
    "decode_tokens": "Tokens that were handed to the model.",
    "steps": "Steps of the model.",
    "step_seconds": "Seconds spent in steps of the model.",
    "evictions": "Slots that were taken from a session.",
    "slot_hits": "Replies whose session was in its slot still.",
    "entries": "States that are kept.",
    "bytes": "Bytes that the kept states take.",
    "hits": "States that were found when they were wanted.",
    "misses": "States that were not there when they were wanted.",
    "dropped": "States that left for want of room.",
    "damaged": "States that could not be trusted and were thrown away.",
    "failed_writes": "States that could not be written.",
}

SHELVES = {"ram": "In memory: ", "disk": "On disk: "}

REQUESTS = Figure(f"{PREFIX}_http_requests_total", Kind.COUNTER, "Requests answered, by route and status.", ("route", "status"))


class Metrics:
    """The page of numbers. `statistics` gives a frozen record of numbers, or of records of numbers."""

    def __init__(self, statistics: Callable[[], object]) -> None:
        self._statistics = statistics
        self._requests: Counter[Labels] = Counter()

    def count(self, route: str, status: int) -> None:
        """Note that a request of this route was answered with this status."""
        self._requests[route, str(status)] += 1

    def page(self) -> bytes:
        """All numbers, in Prometheus' text format."""
        return page([*self.readings(), *process(PREFIX)])

    def readings(self) -> Iterator[Reading]:
        """All numbers but those of the process."""
        yield from _readings(self._statistics(), PREFIX, "")
        yield Reading(REQUESTS, dict(self._requests))


def _readings(record: object, prefix: str, where: str) -> Iterator[Reading]:
    if not is_dataclass(record):
        return
    for each in fields(record):
        value = getattr(record, each.name)
        name = f"{prefix}_{each.name}"
        if is_dataclass(value):
            yield from _readings(value, name, SHELVES.get(each.name, ""))
            continue
        told = where + HELP.get(each.name, each.name.replace("_", " "))
        is_now = each.name in NOW
        yield Figure(name if is_now else f"{name}_total", Kind.GAUGE if is_now else Kind.COUNTER, told).now(value)
