"""Two bots on one PostgreSQL, one or the other killed every few seconds: nothing is lost, doubled or answered twice."""

import pytest

from tests.walks.two_processes import walk

MOST_SECONDS = 15.0
"""So long what a killed bot left may wait for the other."""


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_bots_on_one_database_answer_everything_once_though_one_is_killed_every_five_seconds() -> None:
    outcome = await walk(posts=500, between=5.0)
    print(outcome)  # noqa: T201 - shown when the test fails
    assert outcome.wrong == {}
    assert outcome.kills >= 10
    assert outcome.failovers
    assert max(outcome.failovers) < MOST_SECONDS
