"""The tables of figures in docs/metrics.md, made from the code. `python -m tests.house.figures_table` writes them anew."""

from collections.abc import Iterable

from adapters.metrics import catalogue
from adapters.metrics.exposition import process
from adapters.metrics.figures import Figure
from adapters.remote.metrics import PREFIX, Metrics
from bot.engine.statistics import EngineStatistics
from tests.house.project import ROOT

PAGE = ROOT / "docs" / "metrics.md"
BEGINS = "<!-- from the figures in the code: python -m tests.house.figures_table -->"
ENDS = "<!-- end of the figures -->"


def of_the_bot() -> tuple[Figure, ...]:
    """All figures of the bot and its process."""
    return (*catalogue.ALL, *(reading.figure for reading in process(catalogue.PREFIX)))


def of_the_engine() -> tuple[Figure, ...]:
    """All figures of an engine and its process."""
    own = Metrics(EngineStatistics).readings()
    return tuple(reading.figure for reading in (*own, *process(PREFIX)))


def tables() -> str:
    """Every figure by name: what kind, which labels, what it means."""
    return f"### The bot\n\n{_table(of_the_bot())}\n\n### The engine\n\n{_table(of_the_engine())}"


def written_anew() -> str:
    """The page's text with its tables as the code has them. Raises ValueError where it marks no place for them."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{BEGINS}\n")
    _, mark, after = rest.partition(f"\n{ENDS}")
    if not mark:
        raise ValueError(f"{PAGE.name} does not say where its tables of figures begin and end")
    return f"{before}{BEGINS}\n\n{tables()}\n\n{ENDS}{after}"


def _table(figures: Iterable[Figure]) -> str:
    rows = (f"| `{each.name}` | {each.kind} | {_labels(each)} | {each.help} |" for each in figures)
    return "\n".join(["| name | kind | labels | what it means |", "| --- | --- | --- | --- |", *rows])


def _labels(figure: Figure) -> str:
    return ", ".join(f"`{label}`" for label in figure.labels)


if __name__ == "__main__":
    PAGE.write_text(written_anew(), encoding="utf-8")
