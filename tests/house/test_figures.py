"""Every figure has its meaning, its bounds and its line in the documents, and what the code counts is shown."""

import ast
from collections.abc import Iterator

from adapters.metrics.catalogue import COUNTED, TIMED
from adapters.remote.metrics import HELP, Metrics
from bot.engine.statistics import EngineStatistics
from tests.house.figures_table import BEGINS, ENDS, PAGE, of_the_bot, of_the_engine, written_anew
from tests.house.project import PACKAGES, python_files

ENDLESS = {"player", "author", "user", "place", "channel", "room", "guild", "session", "story", "event", "message"}
"""What there is no end of, and what tells of people: no label may be of it."""


def test_the_page_names_the_figures_as_the_code_has_them() -> None:
    assert PAGE.read_text(encoding="utf-8") == written_anew(), "run: python -m tests.house.figures_table"


def test_the_page_marks_its_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert (text.count(BEGINS), text.count(ENDS)) == (1, 1)


def test_every_figure_has_a_name_of_ours_a_meaning_and_labels_with_an_end() -> None:
    figures = (*of_the_bot(), *of_the_engine())
    assert len({each.name for each in figures}) == len(figures)
    for each in figures:
        assert each.name.startswith("understudy_")
        assert each.name.endswith("_total") == (each.kind == "counter"), each.name
        assert each.help.strip(), each.name
        assert each.help[0].isupper() or each.help[0].isdigit(), each.name
        assert not ENDLESS & set(each.labels), each.name


def test_a_label_that_is_there_from_the_start_is_explained() -> None:
    assert COUNTED["turns"].known
    assert all(word in each.help for each in COUNTED.values() for word in each.known)


def test_every_number_of_the_engine_is_explained() -> None:
    unexplained = [each.figure.name for each in Metrics(EngineStatistics).readings() if not each.figure.help.endswith(".")]
    assert unexplained == []
    assert len(HELP) == len(set(HELP.values()))


def test_what_the_code_counts_is_shown_and_what_is_shown_is_counted() -> None:
    assert set(_named("count")) == set(COUNTED)
    assert set(_named("took")) == set(TIMED)


def test_what_is_counted_is_seen() -> None:
    tree = ast.parse(
        'self.metrics.count("one", label)\nmetrics.count("two")\ntext.count("x")\nself._metrics.took("three", 1.0)'
    )
    assert (list(_names(tree, "count")), list(_names(tree, "took"))) == (["one", "two"], ["three"])


def _named(verb: str) -> Iterator[str]:
    for path in python_files(*PACKAGES):
        yield from _names(ast.parse(path.read_text(encoding="utf-8")), verb)


def _names(tree: ast.Module, verb: str) -> Iterator[str]:
    """The first arguments of calls of a method of something that is called metrics."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=of, attr=attr), args=[ast.Constant(value=str(name)), *_]) if attr == verb:
                if ast.unparse(of).split(".")[-1].strip("_") == "metrics":
                    yield name
