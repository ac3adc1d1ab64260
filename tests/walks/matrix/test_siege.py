"""Killed again and again while people play on a real homeserver: no post lost, none doubled, all in order.

The store is SQLite on disk, the bot is a process of its own, and what stands is counted in the rooms' own timelines.
"""

from pathlib import Path

import pytest

from tests.homeserver.server import Synapse
from tests.walks.matrix.under_siege import Outcome, Plan, under_siege

PLAIN, SEALED = Plan(is_sealed=False, seed=1), Plan(is_sealed=True, seed=2)
CHANGED, SEALED_CHANGED = (
    Plan(is_sealed=False, seed=3, messages=40, moments=2, has_changes=True),
    Plan(is_sealed=True, seed=4, messages=40, moments=2, has_changes=True),
)
LEAST_KILLS = 12


async def whole_after(homeserver: Synapse, folder: Path, plan: Plan) -> Outcome:
    """Be under siege as is planned, and assert that nothing is wrong, and that it died at every station by its own hand."""
    print(plan)  # noqa: T201  shown when the test fails, with the seed
    outcome = await under_siege(homeserver, folder, plan)
    print(outcome)  # noqa: T201  likewise
    assert outcome.reckoning.wrong == []
    assert outcome.acts["post"] == plan.messages
    assert outcome.reckoning.counts["posts"] == plan.messages - outcome.acts["redaction"]
    assert {death.station for death in outcome.deaths} >= {*plan.stations, "read_back"}
    return outcome


@pytest.mark.slow  # two minutes of play
@pytest.mark.timeout(500)
@pytest.mark.parametrize("plan", [PLAIN, SEALED], ids=["plain", "encrypted"])
async def test_a_bot_under_siege_loses_and_doubles_nothing(homeserver: Synapse, tmp_path: Path, plan: Plan) -> None:
    outcome = await whole_after(homeserver, tmp_path, plan)
    assert len(outcome.deaths) >= LEAST_KILLS
    counts = outcome.reckoning.counts
    assert counts["messages that the bot took away"] == counts["refusals"] == 0


@pytest.mark.slow  # a minute of play
@pytest.mark.timeout(500)
@pytest.mark.parametrize("plan", [CHANGED, SEALED_CHANGED], ids=["plain", "encrypted"])
async def test_what_people_change_under_siege_stands_as_they_left_it(homeserver: Synapse, tmp_path: Path, plan: Plan) -> None:
    outcome = await whole_after(homeserver, tmp_path, plan)
    assert outcome.acts.keys() >= {"post", "edit", "redaction", "retry", "sign"}
