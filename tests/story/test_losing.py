"""Which steps take words away that the model may have read."""

from dataclasses import replace

import pytest

from bot.ids import AuthorId
from bot.story import acts, agreements, cutting
from bot.story.losing import loses_words
from bot.story.persona import Persona
from bot.story.session import Session, with_persona, with_turn
from bot.story.settings import Length
from bot.story.turn import VariantState
from tests.builders import TOBIAS, a_session


def told() -> Session:
    """A greeting, a post, a reply in two versions, talk; a note, a fact, a line."""
    session = acts.open_reply(acts.add_post(acts.greet(a_session()), TOBIAS, "Hello?"), 1)
    session = written(session, "One.")
    session = written(acts.retry(session, 2), "Two.")
    session = acts.add_aside(session, TOBIAS.author, TOBIAS.name, "((brb))")
    session = agreements.add_limit(agreements.pin(session, "The bell rings."), "lines", "Spiders.")
    return agreements.with_note(session, "It is dark.", 4)


def written(session: Session, text: str) -> Session:
    turn = session.writing
    assert turn is not None
    return with_turn(session, turn.with_variant(replace(turn.variant, text=text, state=VariantState.WHOLE)))


@pytest.mark.parametrize(
    "step",
    [
        lambda session: acts.add_post(session, TOBIAS, "And now?"),
        lambda session: acts.retry(session, 3, length=Length.SHORT),
        lambda session: acts.swipe(session, -1),
        lambda session: acts.extend(session, 3),
        lambda session: acts.edit(session, 1, "Hello? Anybody?"),
        lambda session: agreements.pin(session, "The bell is old."),
        lambda session: agreements.pause(session, paused=True),
        lambda session: with_persona(session, Persona(AuthorId("author-2"), "Ann")),
        lambda session: cutting.delete(session, 3)[0],
    ],
    ids=["post", "retry", "swipe", "continue", "longer", "pin", "pause", "joined", "talk deleted"],
)
def test_steps_that_keep_all_that_was_told(step: object) -> None:
    session = told()
    assert not loses_words(session, step(session))  # type: ignore[operator]  # parametrized


@pytest.mark.parametrize(
    "step",
    [
        lambda session: acts.undo(session)[0],
        lambda session: cutting.delete(session, 1)[0],
        lambda session: acts.edit(session, 1, "Good evening."),
        lambda session: acts.edit(acts.swipe(session, -1), 2, "Other words."),
        lambda session: agreements.unpin(session, 1),
        lambda session: agreements.with_note(session, "It is light.", 4),
        lambda session: agreements.remove_limit(session, "lines", 1),
        lambda session: replace(session, scenario=""),
        lambda session: with_persona(session, replace(TOBIAS, description="")),
    ],
    ids=["undo", "delete", "edit", "edit of another version", "unpin", "note", "line", "scenario", "persona"],
)
def test_steps_that_take_something_away(step: object) -> None:
    session = told()
    assert loses_words(session, step(session))  # type: ignore[operator]  # parametrized
