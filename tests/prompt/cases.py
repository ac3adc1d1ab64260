"""The prompts that stand as golden files; `python -m tests.prompt.cases` writes them anew, to be read before they are kept."""

from dataclasses import replace
from pathlib import Path

from bot.ids import AuthorId
from bot.prompt.build import build
from bot.prompt.format import FORMATS, PromptFormat
from bot.story import acts as story
from bot.story.persona import Persona
from bot.story.session import Session, with_length, with_turn
from bot.story.settings import Length
from bot.story.turn import VariantState
from tests.builders import TOBIAS, a_session

GOLDEN = Path(__file__).parent / "golden"
ELIN = Persona(AuthorId("author-2"), "Elin", "Elin is a thief with a limp.")


def written(session: Session, text: str, token_ids: tuple[int, ...] = ()) -> Session:
    """The session with its open reply finished with this text."""
    turn = session.turns[-1]
    variant = replace(turn.variant, text=text, state=VariantState.WHOLE, token_ids=token_ids)
    return with_turn(session, turn.with_variant(variant))


def two_exchanges(length: Length | None = Length.MEDIUM) -> Session:
    """Mira's greeting, two posts of Tobias and Mira's answers, asked for as tiny and as short."""
    session = story.greet(a_session())
    session = story.add_post(session, TOBIAS, '"Is there a room left?" Tobias asked.')
    session = written(story.open_reply(with_length(session, Length.TINY), 1), '"One," Mira said.')
    session = story.add_post(session, TOBIAS, "He set his wet hat on the counter.\n\n*At last.*")
    session = written(story.open_reply(with_length(session, Length.SHORT), 2), "She looked at the hat.\n\nThen at him.")
    return with_length(session, length)


def open_reply(length: Length | None) -> Session:
    """Another post, and a reply of this length asked for."""
    return story.open_reply(story.add_post(two_exchanges(length), TOBIAS, '"I can pay."'), 3)


def continued() -> Session:
    """The last reply opened again."""
    return story.extend(two_exchanges(), 4)


def two_personas() -> Session:
    """Another player posts right after the first."""
    session = story.add_post(two_exchanges(), TOBIAS, '"I can pay."')
    return story.open_reply(story.add_post(session, ELIN, '"So can I," Elin lied.'), 5)


CASES = {
    "with_modifier": (open_reply(Length.LONG), False),
    "without_modifier": (open_reply(None), False),
    "continued": (continued(), False),
    "two_personas": (two_personas(), False),
    "old_modifiers_kept": (open_reply(Length.LONG), True),
}


def rendered(fmt: PromptFormat, case: str) -> str:
    """The whole prompt of a case as text."""
    session, keeps_old_modifiers = CASES[case]
    segments = build(session, replace(fmt, keeps_old_modifiers=keeps_old_modifiers)).segments
    return "".join(segment.text for segment in segments)


def golden_file(fmt: PromptFormat, case: str) -> Path:
    """Where the golden text of a case stands."""
    return GOLDEN / f"{fmt.name}_{case}.txt"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each in FORMATS.values():
        for name in CASES:
            golden_file(each, name).write_bytes(rendered(each, name).encode())
