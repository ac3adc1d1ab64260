"""What is to be done about an event: a pure decision."""

import pytest

from bot.commands.spec import Who
from bot.flow.decide import Ignore, RunCommand, Standing, TakeTurn, circle, decide
from bot.ids import AuthorId
from bot.story.table import Table
from tests.builders import TOBIAS, a_command, a_post, a_session

OPEN = Standing(who=Who.PLAYER)
CLOSED = Standing("This cannot be played here.", Who.PLAYER)


def test_a_post_in_a_session_takes_a_turn() -> None:
    assert decide(a_session(), a_post(), OPEN) == TakeTurn(a_session(), a_post())


def test_a_command_in_a_session_is_run() -> None:
    command = a_command("retry")
    assert decide(a_session(), command, OPEN) == RunCommand(a_session(), command)


@pytest.mark.parametrize("event", [a_post(), a_command("undo")])
def test_without_a_session_nothing_is_done_and_nothing_is_said(event: object) -> None:
    decision = decide(None, event, OPEN)  # type: ignore[arg-type]  # parametrized over both kinds
    assert isinstance(decision, Ignore)
    assert decision.reason
    assert not decision.notice


def test_behind_a_closed_gate_whoever_posted_is_told_that_the_post_is_not_in_the_story() -> None:
    closed = decide(a_session(), a_post(), CLOSED)
    assert isinstance(closed, Ignore)
    assert closed.notice.startswith("This cannot be played here.")
    assert "This post was not taken into the story" in closed.notice
    retried = decide(a_session(), a_command("retry"), CLOSED)
    assert isinstance(retried, Ignore)
    assert retried.notice == "This cannot be played here."


@pytest.mark.parametrize("name", ["undo", "delete", "pause", "veils add"])
def test_what_only_takes_away_or_holds_back_is_carried_out_behind_a_closed_gate_too(name: str) -> None:
    assert isinstance(decide(a_session(), a_command(name), CLOSED), RunCommand)


def test_a_command_that_nobody_knows_is_answered_with_the_way_to_help() -> None:
    unknown = decide(a_session(), a_command("dance"), OPEN)
    assert isinstance(unknown, Ignore)
    assert "dance" in unknown.notice
    assert "help" in unknown.notice


@pytest.mark.parametrize(("name", "needed"), [("retry", Who.PLAYER), ("rewind", Who.TABLE), ("unpause", Who.TABLE)])
def test_a_command_is_for_those_who_are_near_enough_to_the_table(name: str, needed: Who) -> None:
    for who in Who:
        decision = decide(a_session(), a_command(name), Standing(who=who))
        assert isinstance(decision, RunCommand) == who.may(needed)


def test_how_near_somebody_is_follows_from_who_they_are_in_the_session() -> None:
    command, stranger = a_command("retry"), AuthorId("stranger")
    assert circle(a_session(), command, ()) is Who.PLAYER
    assert circle(a_session(personas=()), command, ()) is Who.ANYONE
    assert circle(a_session(table=Table(removed=(TOBIAS.author,))), command, ()) is Who.ANYONE
    assert circle(a_session(table=Table(owner=TOBIAS.author)), command, ()) is Who.TABLE
    assert circle(a_session(table=Table(owner=stranger)), command, (TOBIAS.author,)) is Who.OPERATOR


def test_a_locked_session_takes_no_posts_and_says_why() -> None:
    locked = decide(a_session(locked=True), a_post(), OPEN)
    assert isinstance(locked, Ignore)
    assert "another place" in locked.notice


def test_a_paused_session_takes_no_posts_and_says_how_it_goes_on() -> None:
    paused = decide(a_session(table=Table(paused=True)), a_post(), OPEN)
    assert isinstance(paused, Ignore)
    assert "unpause" in paused.notice


def test_a_removed_player_is_not_heard_and_gets_no_answer() -> None:
    removed = decide(a_session(table=Table(removed=(TOBIAS.author,))), a_post(), OPEN)
    assert removed == Ignore("the player was removed")
