"""Who is taken out of a story leaves gaps, and nothing of what they wrote first."""

from dataclasses import replace

import pytest

from bot.ids import AuthorId, EventId
from bot.story import acts as story
from bot.story.dice import DiceRoll
from bot.story.forgetting import Gap, Known, changed, take_out, texts_of
from bot.story.lorebook import Lorebook, LoreEntry
from bot.story.persona import Persona
from bot.story.session import Session, with_turn
from bot.story.table import Memory, Table
from bot.story.turn import Role, Turn, Variant
from tests.builders import MIRA, TOBIAS, a_session

GAP = Gap("[taken out]", "Someone")
NOTHING = Known((), ())
ANN = Persona(AuthorId("author-2"), "Ann Grey")
POST = 'Tobias put his grandfather\'s watch on the bar. "Is that enough?"'


def a_story(*turns: tuple[Role, str], **changes: object) -> Session:
    """Tobias's post, and then these turns; Ann plays too."""
    told = [Turn(0, Role.PLAYER, "Tobias", (Variant(POST),), author=TOBIAS.author, sources=(EventId("m-1"),))]
    for number, (role, text) in enumerate(turns, start=1):
        author = ANN.author if role is Role.PLAYER else None
        told.append(Turn(number, role, "Mira", (Variant(text, token_ids=(1, 2)),), author=author, posts=(text[:3], text[3:])))
    return a_session(personas=(TOBIAS, ANN), turns=tuple(told), next_number=len(told), **changes)


def without(session: Session, author: AuthorId = TOBIAS.author, elsewhere: Known = NOTHING) -> Session:
    return take_out(session, author, elsewhere, GAP)[0]


def replied(text: str) -> Turn:
    """What becomes of a reply to the post."""
    return without(a_story((Role.CHARACTER, text))).turns[1]


def test_the_part_and_the_words_of_a_player_go_and_their_turn_keeps_its_place() -> None:
    session = a_story(table=Table(owner=TOBIAS.author))
    turn = replace(session.turns[0], variants=(Variant("One."), Variant(POST)), selected=1, extras="{}")
    rolled = replace(turn, rolls=(DiceRoll("T", "d6", "d6", 3),), posts=("a", "b"))
    left = without(with_turn(session, rolled))
    assert left.personas == (ANN,)
    assert left.table.owner is None
    assert left.turns == (Turn(0, Role.PLAYER, "Someone", (Variant("[taken out]"),), posts=("", "")),)
    assert texts_of(left, TOBIAS.author) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "She weighed his grandfather's watch on the bar scales.",
        'She repeated: "put HIS grandfather\u2019s _watch_ on…"',
        "his\ngrandfather's watch, on -- the... floor",
    ],
)
def test_five_words_in_a_row_are_a_quote(text: str) -> None:
    turn = replied(text)
    assert turn.text == "[taken out]"
    assert turn.posts == ("", "")


@pytest.mark.parametrize("text", ["She took the watch.", "Not on the bar, please.", "He sat at the bar and drank."])
def test_fewer_words_in_common_are_none(text: str) -> None:
    turn = replied(text)
    assert turn.text == text
    assert turn.posts != ("", "")


@pytest.mark.parametrize(
    ("post", "reply", "is_quote"),
    [
        ("Bring me cold tea.", '"Bring me cold tea?" she asked.', True),
        ("Cold tea.", '"Cold tea?" she asked.', False),
        ("My word is hunter2 by the way.", "She noted hunter2 down.", True),
        ("It was in 1850.", "In 1850 the inn burned.", False),
        ("把灯塔的门关上。", "她说,把灯塔的门关上。", True),
        ("把灯塔的门关上。", "她看着灯。", False),
    ],
)
def test_short_posts_figures_and_scripts_without_spaces_have_quotes_too(post: str, reply: str, is_quote: bool) -> None:  # noqa: FBT001  a table
    session = a_story((Role.CHARACTER, reply))
    session = with_turn(session, session.turns[0].with_variant(Variant(post)))
    assert (without(session).turns[1].text == "[taken out]") is is_quote


def test_every_variant_and_every_turn_that_quotes_is_cleaned_whoever_wrote_it() -> None:
    session = a_story((Role.CHARACTER, "Hm."), (Role.PLAYER, f'"{POST}"'), (Role.ASIDE, "his grandfather's watch on the what?"))
    reply = replace(session.turns[1], variants=(Variant(POST), Variant("Hm.", token_ids=(3,))), selected=1)
    left = without(with_turn(session, reply))
    assert [each.text for each in left.turns[1].variants] == ["[taken out]", "Hm."]
    assert [turn.text for turn in left.turns[2:]] == ["[taken out]", "[taken out]"]
    assert left.turns[2].author == ANN.author
    assert changed(session, left) == (0, 2, 3)


def test_what_others_wrote_first_stays_with_them() -> None:
    greeting = Turn(0, Role.CHARACTER, "Mira", (Variant("We never close before the last guest has gone."),))
    quoting = Turn(1, Role.PLAYER, "Tobias", (Variant('"Never close before the last guest has gone?"'),), author=TOBIAS.author)
    again = replace(greeting, number=2, variants=(Variant("Never close before the last guest, I said."),))
    left = without(a_session(personas=(TOBIAS, ANN), turns=(greeting, quoting, again), next_number=3))
    assert [turn.text for turn in left.turns] == [greeting.text, "[taken out]", again.text]


def test_a_name_of_theirs_becomes_nobodys_and_replies_from_there_on_keep_no_token_ids() -> None:
    before = Turn(0, Role.CHARACTER, "Mira", (Variant("We close at ten.", token_ids=(1,)),), posts=("We close at ten.",))
    post = Turn(1, Role.PLAYER, "Tobias Vane", (Variant("Hm."),), author=TOBIAS.author)
    reply = Turn(2, Role.CHARACTER, "Mira", (Variant("TOBIAS! Vane\u2019s Tobiases, tobias.", token_ids=(2,)),))
    later = Turn(3, Role.CHARACTER, "Mira", (Variant("Good night.", token_ids=(3,)),), posts=("Good night.",))
    parts = (replace(TOBIAS, name="Tobias Vane"), ANN)
    left = without(a_session(personas=parts, turns=(before, post, reply, later), next_number=4))
    assert left.turns[0] == before
    assert left.turns[2].variant == Variant("Someone! Someone\u2019s Tobiases, tobias.")
    assert left.turns[3] == replace(later, variants=(Variant("Good night."),))


@pytest.mark.parametrize("name", ["Mira", "Grey", "Al", "The Innkeeper Mira"])
def test_a_name_that_is_somebody_elses_too_or_no_longer_than_any_word_stays_in_what_others_wrote(name: str) -> None:
    session = a_story((Role.CHARACTER, "Mira saw Al and The Grey."))
    left = without(replace(session, personas=(replace(TOBIAS, name=name), ANN)))
    assert left.turns[1].text == "Mira saw Al and The Grey."


def test_memory_table_scenario_and_dice_are_cleaned_and_lists_lose_what_quotes() -> None:
    quote = "Remember his grandfather's watch on the bar."
    entry = LoreEntry(quote, keys=("Tobias", "bar"))
    session = a_story(
        (Role.CHARACTER, "Hm."),
        scenario="Tobias comes in.",
        memory=Memory(quote, 3, ("The inn is old.", quote, "Tobias owes Mira."), quote, 1, (Lorebook((entry,)),)),
        table=Table(lines=(quote, "spiders"), veils=("Tobias's past",)),
    )
    rolls = (DiceRoll("Tobias", "d6", "d6 (3)", 3, quote),)
    left = without(with_turn(session, replace(session.turns[1], rolls=rolls, extras='{"name": "Tobias"}')))
    assert left.scenario == "Someone comes in."
    lore = (Lorebook((LoreEntry("", keys=("Someone", "bar")),)),)
    assert left.memory == Memory("", 3, ("The inn is old.", "Someone owes Mira."), "", 1, lore)
    assert left.table == Table(lines=("spiders",), veils=("Someone's past",))
    assert left.turns[1].rolls == (DiceRoll("Someone", "d6", "d6 (3)", 3),)
    assert left.turns[1].extras == '{"name": "Someone"}'


def test_where_nobody_else_plays_what_the_table_wrote_is_theirs() -> None:
    session = a_story((Role.CHARACTER, "Hm."), memory=Memory(note="Slow."), table=Table(lines=("spiders",), paused=True))
    left = without(replace(session, personas=(TOBIAS,)))
    assert (left.scenario, left.memory, left.table) == ("", Memory(), Table(paused=True))
    assert left.character == MIRA
    assert left.turns[1] == replace(session.turns[1], variants=(Variant("Hm."),))


def test_a_session_where_they_never_played_is_cleaned_of_what_they_wrote_elsewhere() -> None:
    session = a_session(personas=(ANN,), memory=Memory(summary="Tobias put his grandfather's watch on the bar."))
    greeted = story.greet(replace(session, scenario="Tobias has gone."))
    left = without(greeted, elsewhere=Known((POST,), ("Tobias",)))
    assert left.memory.summary == ""
    assert left.scenario == "Someone has gone."
    assert left.turns == greeted.turns


def test_who_never_wrote_anything_changes_nothing() -> None:
    session = a_story((Role.CHARACTER, "Hm."))
    assert without(session, AuthorId("stranger")) == session


def test_other_texts_are_cleaned_alike() -> None:
    _, fill = take_out(a_story(), TOBIAS.author, NOTHING, GAP)
    assert fill("Tobias, it is your turn.") == "Someone, it is your turn."
    assert fill(POST[:60]) == "[taken out]"
