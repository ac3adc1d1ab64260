"""Figures in Prometheus' text format, written and read: the one door of prometheus_client. It knows no part of the bot.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from adapters.metrics.figures import Figure, Kind, Reading
from bot.metrics import BOUNDS, Durations

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
TOTAL = "_total"


class _Readings(Collector):
    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = tuple(readings)

    def collect(self) -> Iterator[Metric]:
        """What the registry writes."""
        return map(_family, self._readings)


def page(readings: Iterable[Reading]) -> bytes:
    """All readings as one page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(readings))
    return generate_latest(registry)


def read(text: str) -> tuple[Reading, ...]:
    """The counters and gauges of a page; the names of counters as they are written there. Raises ValueError."""
    return tuple(_reading(family) for family in text_string_to_metric_families(text) if family.type in {"counter", "gauge"})


def process(prefix: str) -> tuple[Reading, ...]:
    """What the system tells of this process: processor time, memory, open files; nothing where it has no /proc."""
    return tuple(_reading(family) for family in ProcessCollector(namespace=prefix, registry=None).collect())


def _family(reading: Reading) -> Metric:
    figure = reading.figure
    if figure.kind is Kind.HISTOGRAM:
        spread = HistogramMetricFamily(figure.name, figure.help, labels=figure.labels)
        for labels, durations in sorted(reading.durations.items()):
            spread.add_metric(labels, _buckets(durations), durations.seconds)
        return spread
    made = CounterMetricFamily if figure.kind is Kind.COUNTER else GaugeMetricFamily
    family: CounterMetricFamily | GaugeMetricFamily = made(figure.name, figure.help, labels=figure.labels)
    for labels, value in sorted(reading.values.items()):
        # Words of others may hold half a letter, which no text format takes: no page at all would be the worse answer.
        family.add_metric([each.encode(errors="replace").decode() for each in labels], value)
    return family


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    bounds = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")
    return [(bound, float(count)) for bound, count in zip(bounds, accumulate(durations.counts), strict=True)]


def _reading(family: Metric) -> Reading:
    """A family that the library made or read. It leaves the end of a counter's name out."""
    is_counter = family.type == "counter"
    name = f"{family.name}{TOTAL}" if is_counter else family.name
    samples = [sample for sample in family.samples if sample.name == name]
    labels = tuple(samples[0].labels) if samples else ()
    figure = Figure(name, Kind.COUNTER if is_counter else Kind.GAUGE, family.documentation, labels)
    return Reading(figure, {tuple(sample.labels.get(label, "") for label in labels): sample.value for sample in samples})
