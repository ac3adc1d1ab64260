"""Killed again and again while people play and Discord is in trouble: no post lost, none doubled, all in order.

The store is SQLite on disk, the bot is a process of its own, and what stands is counted in the loopback Discord's own record.
"""

from pathlib import Path

import pytest

from tests.walks.discord.under_siege import SOME_MOMENT, STATIONS, Outcome, Plan, under_siege


async def whole_after(plan: Plan, folder: Path) -> Outcome:
    """Be under siege as is planned, and assert that nothing is wrong."""
    print(plan)  # noqa: T201  shown when the test fails, with the seed
    outcome = await under_siege(folder, plan)
    print(outcome)  # noqa: T201  likewise
    assert outcome.reckoning.wrong == []
    assert outcome.acts["post"] == plan.messages
    assert outcome.reckoning.counts["posts"] == plan.messages - outcome.acts["delete"]
    assert len(outcome.deaths) == plan.kills
    # Discord takes the token away from a bot that identifies without end.
    assert outcome.identifies <= outcome.starts + outcome.acts["gateway"]
    return outcome


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_bot_killed_while_people_play_loses_and_doubles_nothing(tmp_path: Path) -> None:
    await whole_after(Plan(messages=12, kills=3, seed=3, rate=0.0, life=3.0), tmp_path)


@pytest.mark.slow  # some minutes of play
@pytest.mark.timeout(500)
async def test_a_bot_under_siege_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = await whole_after(Plan(), tmp_path)
    assert outcome.dealt.keys() >= {"429", "500 before", "500 after", "cut before", "cut after"}
    assert len([death for death in outcome.deaths if death != SOME_MOMENT]) >= len(STATIONS) // 2
