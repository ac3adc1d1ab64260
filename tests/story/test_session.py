"""Each act gives the next session, and one that makes no sense is refused with a sentence."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story import acts as story
from bot.story.persona import Persona
from bot.story.session import Session, with_length, with_persona, with_turn, with_window
from bot.story.settings import Length
from bot.story.turn import Role, Variant, VariantState
from tests.builders import MIRA, TOBIAS, a_session

ELIN = Persona(AuthorId("author-2"), "Elin")


def finished(session: Session, text: str) -> Session:
    """The session with its open reply whole."""
    turn = session.turns[-1]
    return with_turn(session, turn.with_variant(replace(turn.variant, text=text, state=VariantState.WHOLE)))


def answered(session: Session, post: str = "Hello.", reply: str = "Welcome.") -> Session:
    """The session with one more exchange."""
    return finished(story.open_reply(story.add_post(session, TOBIAS, post), 1), reply)


def played(exchanges: int = 2) -> Session:
    """Mira's greeting and some exchanges."""
    session = story.greet(a_session())
    for number in range(exchanges):
        session = answered(session, f"post {number}", f"reply {number}")
    return session


def texts(session: Session) -> list[str]:
    return [turn.text for turn in session.turns]


def test_the_greeting_opens_the_scene() -> None:
    session = story.greet(a_session())

    assert texts(session) == [MIRA.greeting]
    assert (session.turns[0].role, session.turns[0].name, session.turns[0].number) == (Role.CHARACTER, "Mira", 0)


def test_without_a_greeting_the_player_opens_the_scene() -> None:
    session = a_session(character=replace(MIRA, greeting=""))

    assert story.greet(session) == session


def test_a_post_is_its_players_turn() -> None:
    turn = story.add_post(story.greet(a_session()), TOBIAS, "Hello.").turns[-1]

    assert (turn.number, turn.role, turn.name, turn.author, turn.text) == (1, Role.PLAYER, "Tobias", TOBIAS.author, "Hello.")


def test_a_new_player_joins_with_the_first_post() -> None:
    assert story.add_post(a_session(), ELIN, "Hi.").personas == (TOBIAS, ELIN)


def test_a_player_who_changed_keeps_the_place_in_the_prompt() -> None:
    session = with_persona(a_session(), ELIN)
    older = replace(TOBIAS, name="Old Tobias")

    assert with_persona(session, older).personas == (older, ELIN)
    assert story.add_post(session, older, "Hi.").personas == (older, ELIN)


def test_players_are_found_by_who_plays_them() -> None:
    assert a_session().persona_of(TOBIAS.author) == TOBIAS
    assert a_session().persona_of(ELIN.author) is None


def test_an_open_reply_carries_the_length_and_the_seed_of_its_moment() -> None:
    session = story.open_reply(with_length(a_session(), Length.HUGE), 42)
    later = with_length(session, None)

    assert later.turns[-1].variant == Variant("", VariantState.WRITING, length=Length.HUGE, seed=42)
    assert later.writing == later.last
    assert later.settings.length is None


def test_turn_numbers_grow_and_are_never_used_twice() -> None:
    session, _ = story.undo(played(2))

    assert [turn.number for turn in answered(session).turns] == [0, 1, 2, 5, 6]


def test_a_retry_is_a_new_selected_variant_of_the_same_turn() -> None:
    before = played(1)
    session = story.retry(with_length(before, Length.TINY), 9)

    assert session.turns[:-1] == before.turns[:-1]
    assert session.turns[-1].number == before.turns[-1].number
    assert [each.text for each in session.turns[-1].variants] == ["reply 0", ""]
    assert session.turns[-1].variant == Variant("", VariantState.WRITING, length=Length.TINY, seed=9)


def test_a_retry_after_a_post_that_was_never_answered_answers_it() -> None:
    session = story.add_post(a_session(), TOBIAS, "Hello?")

    assert story.retry(session, 3) == story.open_reply(session, 3)


def test_swiping_selects_the_neighbour_and_changes_no_text() -> None:
    session = finished(story.retry(played(1), 2), "another")

    left = story.swipe(session, -1)
    assert left.turns[-1].text == "reply 0"
    assert story.swipe(left, 1) == session


@pytest.mark.parametrize(("step", "side"), [(-1, "earlier"), (1, "later")])
def test_swiping_past_the_ends_is_refused(step: int, side: str) -> None:
    with pytest.raises(Refused, match=f"no {side} version"):
        story.swipe(played(1), step)


def test_a_continued_reply_is_the_same_variant_written_on() -> None:
    before = played(1)
    turn = story.extend(before, 8).turns[-1]

    assert turn.is_writing
    assert turn.variant == replace(
        before.turns[-1].variant, state=VariantState.WRITING, seed=8, begun=len(before.turns[-1].text)
    )
    assert len(turn.variants) == 1


def test_a_first_reply_that_came_to_nothing_leaves_no_turn() -> None:
    session = story.add_post(a_session(), TOBIAS, "Hello?")

    assert texts(story.give_up(story.open_reply(session, 1))) == ["Hello?"]


def test_a_retry_that_came_to_nothing_leaves_what_was_there() -> None:
    before = played(1)

    assert story.give_up(story.retry(before, 1)) == before


def test_giving_up_when_nothing_is_written_changes_nothing() -> None:
    assert story.give_up(played(1)) == played(1)


def test_an_edit_replaces_the_shown_text_and_the_ids_that_spelled_it() -> None:
    session = played(1)
    turn = session.turns[-1]
    session = with_turn(session, turn.with_variant(Variant("reply 0", VariantState.STOPPED, (1, 2), Length.LONG, 5)))

    assert story.edit(session, turn.number, "Better.").turns[-1].variant == Variant("Better.", length=Length.LONG, seed=5)


def test_a_players_post_can_be_edited_in_place() -> None:
    assert texts(story.edit(played(1), 1, "Hullo.")) == [MIRA.greeting, "Hullo.", "reply 0"]


@pytest.mark.parametrize(("number", "text", "sentence"), [(1, "  \n", "needs some text"), (99, "Hi.", "no longer part")])
def test_an_edit_without_text_or_turn_is_refused(number: int, text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        story.edit(played(1), number, text)


def test_undo_takes_the_last_post_and_all_after_it() -> None:
    before = played(2)
    session, gone = story.undo(before)

    assert texts(session) == texts(played(1))
    assert gone == before.turns[3:]


def test_undo_takes_a_post_that_was_never_answered() -> None:
    session, gone = story.undo(story.add_post(played(1), TOBIAS, "Oops."))

    assert texts(session) == texts(played(1))
    assert [turn.text for turn in gone] == ["Oops."]


def test_the_greeting_cannot_be_undone() -> None:
    with pytest.raises(Refused, match="nothing to undo"):
        story.undo(story.greet(a_session()))


def test_the_window_keeps_the_turns_from_its_start_on() -> None:
    session = with_window(played(3), 3)

    assert [turn.number for turn in session.turns] == [3, 4, 5, 6]
    assert session.window_start == 3


def test_undo_reaches_back_for_older_turns_when_few_are_left() -> None:
    session = replace(played(3), window_start=100)

    assert story.undo(session)[0].window_start == 100
    assert story.undo(with_window(session, 3))[0].window_start == 0
    assert story.undo(replace(with_window(session, 5), window_start=100))[0].window_start == 36


ACTS: dict[str, Callable[[Session], object]] = {
    "post": lambda session: story.add_post(session, TOBIAS, "Hi."),
    "reply": lambda session: story.open_reply(session, 1),
    "retry": lambda session: story.retry(session, 1),
    "swipe": lambda session: story.swipe(session, 1),
    "continue": lambda session: story.extend(session, 1),
    "edit": lambda session: story.edit(session, 1, "Hi."),
    "undo": story.undo,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_while_a_reply_is_written_nothing_else_is_done(act: Callable[[Session], object]) -> None:
    with pytest.raises(Refused, match="Mira is still writing"):
        act(story.open_reply(played(1), 1))


@pytest.mark.parametrize("act", [ACTS["swipe"], ACTS["continue"]], ids=["swipe", "continue"])
@pytest.mark.parametrize("session", [a_session(), story.add_post(a_session(), TOBIAS, "Hi.")], ids=["empty", "unanswered"])
def test_without_a_reply_there_is_none_to_change(act: Callable[[Session], object], session: Session) -> None:
    with pytest.raises(Refused, match="not the character's"):
        act(session)


def test_a_retry_of_an_empty_story_is_refused() -> None:
    with pytest.raises(Refused, match="not the character's"):
        story.retry(a_session(), 1)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_acts_change_no_session_that_is_there(act: Callable[[Session], object]) -> None:
    session = story.swipe(finished(story.retry(played(2), 1), "another"), -1)
    before = repr(session)
    act(session)

    assert repr(session) == before


def test_a_turn_that_is_not_there_cannot_be_replaced() -> None:
    session = played(1)

    with pytest.raises(Refused, match="no longer part"):
        with_turn(session, replace(session.turns[-1], number=99))
