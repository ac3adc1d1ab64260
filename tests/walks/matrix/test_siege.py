"""Killed again and again while people play on a real homeserver: no post lost, none doubled, all in order.

The store is SQLite on disk, the bot is a process of its own, and what stands is counted in the rooms' own timelines.
"""

from pathlib import Path

import pytest

from tests.homeserver.server import Synapse
from tests.walks.matrix.under_siege import Plan, under_siege

LEAST_KILLS = 12


@pytest.mark.slow  # two minutes of play
@pytest.mark.timeout(400)
@pytest.mark.parametrize("plan", [Plan(is_sealed=False, seed=1), Plan(is_sealed=True, seed=2)], ids=["plain", "encrypted"])
async def test_a_bot_under_siege_loses_and_doubles_nothing(homeserver: Synapse, tmp_path: Path, plan: Plan) -> None:
    print(plan)  # noqa: T201  shown when the test fails, with the seed
    outcome = await under_siege(homeserver, tmp_path, plan)
    print(outcome)  # noqa: T201  likewise
    assert outcome.reckoning.wrong == []
    assert outcome.written == outcome.reckoning.counts["posts"] == plan.messages
    assert len(outcome.deaths) >= LEAST_KILLS
    # Where it died by its own hand, not where it was to die.
    assert {death.station for death in outcome.deaths} >= {*plan.stations, "read_back"}
