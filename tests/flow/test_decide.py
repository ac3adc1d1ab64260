from dataclasses import replace

import pytest

from bot.flow.decide import Ignore, RunCommand, TakeTurn, decide
from bot.posts import Act
from bot.story.policy import Rating
from tests.builders import MIRA, a_command, a_post, a_session


def test_a_post_in_a_session_takes_a_turn() -> None:
    assert decide(a_session(), a_post(), Rating.GENERAL) == TakeTurn(a_session(), a_post())


def test_a_command_in_a_session_is_run() -> None:
    command = a_command(Act.RETRY)
    assert decide(a_session(), command, Rating.GENERAL) == RunCommand(a_session(), command)


@pytest.mark.parametrize("event", [a_post(), a_command(Act.UNDO)])
def test_without_a_session_nothing_is_done_and_nothing_is_said(event: object) -> None:
    decision = decide(None, event, Rating.GENERAL)  # type: ignore[arg-type]  # parametrized over both kinds
    assert isinstance(decision, Ignore)
    assert decision.reason
    assert not decision.notice


@pytest.mark.parametrize("rating", [Rating.ADULT, Rating.UNRATED])
@pytest.mark.parametrize("part", ["model", "character", "session"])
def test_the_age_gate_closes_whichever_part_is_not_rated_general(part: str, rating: Rating) -> None:
    character = replace(MIRA, rating=rating if part == "character" else Rating.GENERAL)
    session = a_session(character=character, rating=rating if part == "session" else Rating.GENERAL)
    decision = decide(session, a_post(), rating if part == "model" else Rating.GENERAL)
    assert isinstance(decision, Ignore)
    assert part in decision.notice


def test_whoever_posted_is_told_that_the_post_is_not_in_the_story_and_who_rates_the_model() -> None:
    closed = decide(a_session(), a_post(), Rating.ADULT)
    assert isinstance(closed, Ignore)
    assert "This post was not taken into the story" in closed.notice
    assert "rated by whoever runs its engine" in closed.notice
    undone = decide(a_session(), a_command(Act.UNDO), Rating.ADULT)
    assert isinstance(undone, Ignore)
    assert "This post" not in undone.notice
