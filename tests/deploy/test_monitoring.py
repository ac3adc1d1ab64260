"""Alerts and dashboard ask for figures that there are, by labels that they have."""

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes without types

from tests.house.figures_table import of_the_bot, of_the_engine
from tests.house.project import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
FIGURES = {each.name: each for each in (*of_the_bot(), *of_the_engine())}
NAME = re.compile(r"\b(understudy_\w+?)((?:_bucket|_sum|_count)?)(?:\{([^}]*)\})?(?=[^\w{]|$)")
GIVEN = {"job", "instance", "le"}
"""Labels that Prometheus adds by itself."""


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"])


QUESTIONS = [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def mistakes(question: str) -> list[str]:
    """What a question asks for that there is not."""
    found: list[str] = []
    labels = set(GIVEN)
    for name, part, chosen in NAME.findall(question):
        figure = FIGURES.get(name)
        if figure is None or bool(part) != (figure.kind == "histogram"):
            found.append(f"{name}{part}")
            continue
        labels |= set(figure.labels)
        found += [label for label in re.findall(r"(\w+)\s*[=!]", chosen) if label not in labels]
    for grouped in re.findall(r"by \(([^)]*)\)", question):
        found += [label for label in re.findall(r"\w+", grouped) if label not in labels]
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_asks_for_figures_and_labels_that_there_are(question: str) -> None:
    assert mistakes(question) == []


@pytest.mark.parametrize(
    "question",
    [
        "understudy_turns",
        "rate(understudy_turns_total{result='end'}[5m])",
        "understudy_walk_seconds > 1",
        "sum by (room) (understudy_sessions)",
    ],
)
def test_what_there_is_not_is_seen(question: str) -> None:
    assert mistakes(question)


def test_the_outcomes_that_are_asked_for_exist() -> None:
    known = FIGURES["understudy_turns_total"].help
    asked = [
        word for question in QUESTIONS for words in re.findall(r'outcome=~"([^"]+)"', question) for word in words.split("|")
    ]
    assert asked
    assert [word for word in asked if word not in known] == []


def test_every_alert_says_what_happened_and_how_bad_it_is() -> None:
    for rule in rules():
        assert rule["annotations"]["summary"].endswith((".", "hosts."))
        assert rule["labels"]["severity"] in {"page", "warn"}


def test_no_two_panels_lie_upon_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places)
