from dataclasses import replace

import pytest

from bot.flow.decide import Ignore, RunCommand, TakeTurn, decide
from bot.story.policy import Rating
from bot.story.table import Table
from tests.builders import MIRA, TOBIAS, a_command, a_post, a_session


def test_a_post_in_a_session_takes_a_turn() -> None:
    assert decide(a_session(), a_post(), Rating.GENERAL) == TakeTurn(a_session(), a_post())


def test_a_command_in_a_session_is_run() -> None:
    command = a_command("retry")
    assert decide(a_session(), command, Rating.GENERAL) == RunCommand(a_session(), command)


@pytest.mark.parametrize("event", [a_post(), a_command("undo")])
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
    retried = decide(a_session(), a_command("retry"), Rating.ADULT)
    assert isinstance(retried, Ignore)
    assert "This post" not in retried.notice


@pytest.mark.parametrize("name", ["undo", "delete", "rewind", "pause", "veils add"])
def test_what_only_takes_away_or_holds_back_is_carried_out_behind_a_closed_gate_too(name: str) -> None:
    assert isinstance(decide(a_session(), a_command(name), Rating.ADULT), RunCommand)


def test_a_locked_session_takes_no_posts_and_says_why() -> None:
    locked = decide(a_session(locked=True), a_post(), Rating.GENERAL)
    assert isinstance(locked, Ignore)
    assert "another place" in locked.notice


def test_a_paused_session_takes_no_posts_and_says_how_it_goes_on() -> None:
    paused = decide(a_session(table=Table(paused=True)), a_post(), Rating.GENERAL)
    assert isinstance(paused, Ignore)
    assert "unpause" in paused.notice


def test_a_removed_player_is_not_heard_and_gets_no_answer() -> None:
    removed = decide(a_session(table=Table(removed=(TOBIAS.author,))), a_post(), Rating.GENERAL)
    assert removed == Ignore("the player was removed")
