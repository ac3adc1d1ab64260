"""Who was there when: what happened in a room before the bot came, or while it was away, is told apart by order alone."""

from typing import Any

import pytest

from adapters.matrix.ears.attending import Step, attended, began_there, since_coming, step

ME = "@bot:matrix.test"


def member(membership: str, before: str | None = None, user: str = ME) -> dict[str, Any]:
    event: dict[str, Any] = {"type": "m.room.member", "state_key": user, "content": {"membership": membership}}
    return event if before is None else {**event, "unsigned": {"prev_content": {"membership": before}}}


def said(number: int) -> dict[str, Any]:
    return {"type": "m.room.message", "event_id": f"${number}"}


CAME, WENT, INVITED, RENAMED = (
    member("join", "invite"),
    member("leave", "join"),
    member("invite", "leave"),
    member("join", "join"),
)


def numbers(events: list[dict[str, Any]]) -> list[str]:
    return [each.get("event_id", "went") for each in attended(events, ME)]


def test_what_was_before_the_joining_is_left_out() -> None:
    assert numbers([said(1), INVITED, said(2), CAME, said(3)]) == ["$3"]


def test_what_was_said_between_being_sent_away_and_coming_back_is_left_out() -> None:
    assert numbers([said(1), WENT, said(2), INVITED, CAME, said(3)]) == ["$1", "went", "$3"]


def test_a_new_name_is_no_coming() -> None:
    assert len(attended([said(1), RENAMED, said(2)], ME)) == 3


def test_a_joining_before_which_nothing_was_is_a_coming() -> None:
    assert numbers([said(1), {**member("join"), "unsigned": {"age": 5}}, said(2)]) == ["$2"]


def test_a_membership_that_replaces_what_it_does_not_name_is_judged_by_what_is_known() -> None:
    unknown = {**member("join"), "unsigned": {"replaces_state": "$0"}}
    assert step(unknown, ME, is_there=True) is None
    assert step(unknown, ME, is_there=False) is Step.CAME


def test_a_name_that_does_not_say_what_was_before_is_no_coming_where_the_bot_was_known_to_be_there() -> None:
    assert len(attended([said(1), member("join"), said(2)], ME, was_there=True)) == 3


def test_a_ban_is_a_going_and_so_is_a_leaving_that_says_nothing() -> None:
    assert step(member("ban", "join"), ME, is_there=True) is Step.WENT
    assert step(member("leave"), ME, is_there=True) is Step.WENT


@pytest.mark.parametrize("before", ["invite", "knock", "leave", "ban"])
def test_an_invitation_that_was_taken_back_is_no_going(before: str) -> None:
    assert step(member("leave", before), ME, is_there=True) is None


def test_what_others_do_changes_nothing() -> None:
    assert len(attended([said(1), member("join", "invite", "@mira:matrix.test"), said(2)], ME)) == 3


@pytest.mark.parametrize(
    "odd",
    [{"unsigned": 5}, {"unsigned": {"prev_content": 5}}, {"unsigned": {"prev_content": {"membership": []}}}, {"content": 5}],
)
def test_a_misshapen_membership_raises_nothing(odd: dict[str, Any]) -> None:
    attended([said(1), {**member("join"), **odd}, said(2)], ME)


@pytest.mark.parametrize(
    ("events", "was_there"),
    [([said(1)], True), ([CAME, said(1)], False), ([WENT, CAME], True), ([RENAMED, CAME], False), ([], True)],
)
def test_the_first_coming_or_going_says_where_the_bot_was_before(events: list[dict[str, Any]], *, was_there: bool) -> None:
    assert began_there(events, ME) is was_there


@pytest.mark.parametrize(
    ("events", "after"),
    [([said(1), CAME, said(2)], 1), ([said(1), WENT, said(2), CAME, said(3), said(4)], 2), ([said(1), RENAMED, said(2)], 3)],
)
def test_what_came_after_the_last_coming_is_known(events: list[dict[str, Any]], after: int) -> None:
    assert len(since_coming(events, ME)) == after
