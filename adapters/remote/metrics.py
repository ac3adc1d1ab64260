"""The engine's numbers as Prometheus reads them. It counts nothing but requests; the rest it asks for when it is read."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

PREFIX = "understudy_engine"

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

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
    "entries": "States that are kept.",
    "bytes": "Bytes that the kept states take.",
    "hits": "States that were found when they were wanted.",
    "misses": "States that were not there when they were wanted.",
    "dropped": "States that left for want of room.",
    "damaged": "States that could not be trusted and were thrown away.",
    "failed_writes": "States that could not be written.",
}

SHELVES = {"ram": "In memory: ", "disk": "On disk: "}


class Metrics(Collector):
    """The page of numbers. `statistics` gives a frozen record of numbers, or of records of numbers."""

    def __init__(self, statistics: Callable[[], object]) -> None:
        self._statistics = statistics
        self._requests: Counter[tuple[str, int]] = Counter()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def count(self, route: str, status: int) -> None:
        """Note that a request of this route was answered with this status."""
        self._requests[route, status] += 1

    def page(self) -> bytes:
        """All numbers, in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All numbers, as the registry wants them."""
        yield from _families(self._statistics(), PREFIX, "")
        told = "Requests answered, by route and status."
        http = CounterMetricFamily(f"{PREFIX}_http_requests", told, labels=("route", "status"))
        for (route, status), number in sorted(self._requests.items()):
            http.add_metric((route, str(status)), number)
        yield http


def _families(record: object, prefix: str, where: str) -> Iterator[Metric]:
    if not is_dataclass(record):
        return
    for each in fields(record):
        value = getattr(record, each.name)
        name = f"{prefix}_{each.name}"
        if is_dataclass(value):
            yield from _families(value, name, SHELVES.get(each.name, ""))
            continue
        told = where + HELP.get(each.name, each.name.replace("_", " "))
        yield GaugeMetricFamily(name, told, value) if each.name in NOW else CounterMetricFamily(name, told, value)
