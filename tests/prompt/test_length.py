"""A reply may be as long as its modifier means, and never eats the context."""

import pytest

from bot.prompt.length import reply_budget
from bot.story.settings import Length


def test_longer_modifiers_may_take_more() -> None:
    budgets = [reply_budget(length, 1_000_000) for length in Length]

    assert budgets == sorted(set(budgets))


@pytest.mark.parametrize("length", [*Length, None])
@pytest.mark.parametrize("context", [1, 512, 2_048, 8_192])
def test_a_reply_takes_at_least_a_token_and_at_most_a_quarter(length: Length | None, context: int) -> None:
    assert 1 <= reply_budget(length, context) <= max(1, context // 4)
