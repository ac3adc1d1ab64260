"""When the model answers and as whom, for every policy."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story import acts as story
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policies import MONOLOGUE, addressed, answers, call_on, nudge_due, speaker, whose_turn
from bot.story.session import Session
from bot.story.settings import SpeakerPolicy, TurnPolicy
from bot.story.table import Table
from bot.story.turn import Role, Turn, Variant
from tests.builders import MIRA, TOBIAS, a_session

ELIN = Persona(AuthorId("author-2"), "Elin")
BRAM = Persona(AuthorId("author-3"), "Bram")
STRANGER = AuthorId("author-9")
JOREN = CharacterCard("Captain Joren Hale", "A captain.", nickname="Red")
OLD_MAN = CharacterCard("The Old Man", "A nameless man.")


def of_three(policy: TurnPolicy = TurnPolicy.EVERY_POST, **changes: Any) -> Session:
    """Tobias, Elin and Bram at a table with this policy, after Mira's greeting."""
    session = story.greet(a_session(personas=(TOBIAS, ELIN, BRAM), **changes))
    return replace(session, settings=replace(session.settings, turns=policy))


def posted(session: Session, *players: Persona) -> Session:
    for player in players:
        session = story.add_post(session, player, f"{player.name} waits.")
    return session


def replied(session: Session, *names: str) -> Session:
    for name in names:
        turn = Turn(session.next_number, Role.CHARACTER, name, (Variant("A reply."),))
        session = replace(session, turns=(*session.turns, turn), next_number=session.next_number + 1)
    return session


def without(session: Session, *players: Persona) -> Session:
    return replace(session, table=replace(session.table, removed=tuple(player.author for player in players)))


def of_cast(policy: SpeakerPolicy, *names: str) -> Session:
    """Mira, Joren and the Old Man with this policy, after replies under these names."""
    session = a_session(others=(JOREN, OLD_MAN))
    return replied(replace(session, settings=replace(session.settings, speakers=policy)), *names)


def test_every_post_is_answered() -> None:
    assert answers(of_three(), TOBIAS.author, "Hello.").now


def test_a_post_is_answered_only_on_continue() -> None:
    answer = answers(of_three(TurnPolicy.ON_CONTINUE), TOBIAS.author, "Mira?")

    assert not answer.now
    assert "continue" in answer.why


@pytest.mark.parametrize("policy", TurnPolicy)
def test_a_removed_player_is_never_answered(policy: TurnPolicy) -> None:
    session = without(a_session(personas=(TOBIAS,)), TOBIAS)

    assert not answers(replace(session, settings=replace(session.settings, turns=policy)), TOBIAS.author, "Mira?").now


@pytest.mark.parametrize(
    ("text", "is_addressed"),
    [
        ("Mira, is there a room?", True),
        ("he looked at MIRA\u2019s hands", True),
        ("@mira?", True),
        ("Admiral!", False),
        ("a mirage", False),
        ("Red!", True),
        ("Captain Joren Hale saluted.", True),
        ("Joren saluted.", True),
        ("The captain saluted.", False),
        ("Hale saluted.", False),
        ("Hello there.", False),
    ],
)
def test_an_addressed_character_answers(text: str, *, is_addressed: bool) -> None:
    answer = answers(of_three(TurnPolicy.ADDRESSED, others=(JOREN,)), TOBIAS.author, text)

    assert answer.now is is_addressed
    assert is_addressed or "name Mira or Red for an answer" in answer.why


def test_a_name_that_describes_is_called_by_the_whole_of_it() -> None:
    assert addressed((OLD_MAN,), "the old inn and a man") == ()
    assert addressed((OLD_MAN,), "I ask the old man.") == addressed((OLD_MAN,), "Old man!") == (OLD_MAN,)


def test_a_name_is_text_and_no_pattern() -> None:
    odd = CharacterCard("M(i.*r[a", "Odd.")

    assert addressed((odd,), "Hello, m(i.*r[a!") == (odd,)
    assert addressed((odd,), "Mira") == ()


def test_a_character_without_a_name_is_not_addressed() -> None:
    assert addressed((CharacterCard(" ", "Nameless."),), "Hello there.") == ()


def test_all_players_are_waited_for_in_any_order() -> None:
    session = of_three(TurnPolicy.ALL_POSTED)

    first = answers(session, BRAM.author, "Hm.")
    assert (first.now, first.why, first.next_player) == (False, "The story waits for Tobias and Elin to post.", None)
    session = posted(session, BRAM)
    assert not answers(session, BRAM.author, "Hm again.").now
    second = answers(session, TOBIAS.author, "Hello.")
    assert (second.now, second.next_player) == (False, ELIN.author)
    assert answers(posted(session, TOBIAS), ELIN.author, "Hi.").now


def test_a_round_begins_with_each_reply_and_asides_are_no_posts() -> None:
    session = replied(posted(of_three(TurnPolicy.ALL_POSTED), TOBIAS, ELIN), "Mira")
    aside = Turn(session.next_number, Role.ASIDE, "Elin", (Variant("// brb"),), author=ELIN.author)
    session = replace(session, turns=(*session.turns, aside), next_number=session.next_number + 1)

    assert answers(session, TOBIAS.author, "Hello.").why == "The story waits for Elin and Bram to post."


def test_removed_players_are_not_waited_for() -> None:
    session = without(of_three(TurnPolicy.ALL_POSTED), ELIN, BRAM)

    assert answers(session, TOBIAS.author, "Hello.").now


def test_only_players_with_a_part_are_waited_for_and_a_newcomer_is_one_more() -> None:
    session = posted(of_three(TurnPolicy.ALL_POSTED), TOBIAS, ELIN)

    assert answers(session, STRANGER, "Hello.").next_player == BRAM.author
    assert answers(session, BRAM.author, "Hello.").now


def test_players_post_in_the_order_of_their_parts() -> None:
    session = of_three(TurnPolicy.IN_ORDER)

    first = answers(session, TOBIAS.author, "Hello.")
    assert (first.now, first.why, first.next_player) == (False, "It is Elin's turn.", ELIN.author)
    assert answers(posted(session, TOBIAS, ELIN), BRAM.author, "Hm.").now


def test_a_post_out_of_turn_joins_and_takes_nobodys_turn() -> None:
    session = of_three(TurnPolicy.IN_ORDER)

    early = answers(session, BRAM.author, "Hm.")
    assert early.next_player == TOBIAS.author
    assert early.why == "It is Tobias's turn. The post is in the story, but it was out of turn."
    session = posted(session, BRAM, TOBIAS, ELIN)
    assert whose_turn(session) == BRAM
    assert answers(session, BRAM.author, "Hm again.").now


def test_a_newcomers_first_post_takes_nobodys_turn() -> None:
    session = posted(of_three(TurnPolicy.IN_ORDER), TOBIAS, ELIN)

    assert answers(session, STRANGER, "Hello.").next_player == BRAM.author
    assert whose_turn(posted(session, Persona(STRANGER, "Ida"), BRAM)) == Persona(STRANGER, "Ida")
    assert answers(of_three(TurnPolicy.IN_ORDER), STRANGER, "Hello.").next_player == TOBIAS.author


def test_removed_players_have_no_turn() -> None:
    session = without(of_three(TurnPolicy.IN_ORDER), TOBIAS)

    assert whose_turn(session) == ELIN
    assert answers(session, ELIN.author, "Hi.").next_player == BRAM.author


@pytest.mark.parametrize("policy", [TurnPolicy.EVERY_POST, TurnPolicy.ADDRESSED, TurnPolicy.ON_CONTINUE])
def test_without_an_order_it_is_nobodys_turn(policy: TurnPolicy) -> None:
    assert whose_turn(of_three(policy)) is None


def test_it_is_the_turn_of_the_last_who_has_not_posted() -> None:
    session = posted(of_three(TurnPolicy.ALL_POSTED), TOBIAS)

    assert whose_turn(session) is None
    assert whose_turn(posted(session, BRAM)) == ELIN
    assert whose_turn(posted(session, BRAM, ELIN)) is None


def test_while_a_reply_is_written_it_is_nobodys_turn() -> None:
    assert whose_turn(story.open_reply(of_three(TurnPolicy.IN_ORDER), 1)) is None


def test_a_player_is_reminded_when_their_time_has_passed() -> None:
    session = of_three(TurnPolicy.IN_ORDER)
    patient = replace(session, settings=replace(session.settings, nudge_seconds=60))

    assert [nudge_due(patient, 1_000, now) for now in (1_059.9, 1_060)] == [False, True]
    assert not nudge_due(session, 1_000, 9_999)
    assert not nudge_due(replace(patient, table=Table(paused=True)), 1_000, 9_999)
    assert not nudge_due(replace(patient, locked=True), 1_000, 9_999)
    assert not nudge_due(posted(patient, TOBIAS, ELIN, BRAM), 1_000, 9_999)


def test_an_only_character_answers_whatever_was_said() -> None:
    assert speaker(a_session(), "Joren?") == MIRA
    assert speaker(a_session(), "Hello.", "Joren") == MIRA


def test_the_character_named_last_answers() -> None:
    session = of_cast(SpeakerPolicy.BY_NAME, "Mira")

    assert speaker(session, "Mira pointed at Red.") == JOREN
    assert speaker(session, "Red pointed at Mira, and Joren at the old man. Mira laughed.") == MIRA


def test_the_character_who_spoke_last_goes_on_but_not_for_ever() -> None:
    assert speaker(of_cast(SpeakerPolicy.BY_NAME), "Hello.") == MIRA
    assert speaker(of_cast(SpeakerPolicy.BY_NAME, "Mira", JOREN.name), "Hello.") == JOREN
    row = [JOREN.name] * MONOLOGUE
    assert speaker(of_cast(SpeakerPolicy.BY_NAME, *row[1:]), "Hello.") == JOREN
    assert speaker(of_cast(SpeakerPolicy.BY_NAME, *row), "Hello.") == OLD_MAN
    assert speaker(of_cast(SpeakerPolicy.BY_NAME, *row), "Red?") == JOREN


def test_characters_answer_by_turn() -> None:
    session = of_cast(SpeakerPolicy.BY_TURN)
    spoke = []
    for _ in range(4):
        spoke.append(speaker(session, "Mira?").name)
        session = replied(session, spoke[-1])

    assert spoke == [MIRA.name, JOREN.name, OLD_MAN.name, MIRA.name]


def test_a_character_who_left_the_cast_is_passed_over() -> None:
    assert speaker(of_cast(SpeakerPolicy.BY_TURN, "Somebody Else"), "Hello.") == MIRA
    assert speaker(of_cast(SpeakerPolicy.BY_PLAYERS, "Somebody Else"), "Hello.") == MIRA


@pytest.mark.parametrize("policy", SpeakerPolicy)
def test_whom_the_players_asked_for_answers_under_any_policy(policy: SpeakerPolicy) -> None:
    session = of_cast(policy, "Mira")

    assert speaker(session, "Mira?", "red") == JOREN
    assert speaker(call_on(session, "joren"), "Mira?") == JOREN
    assert speaker(call_on(session, "joren"), "Mira?", "the old man") == OLD_MAN


def test_when_players_choose_the_last_speaker_goes_on_until_they_do() -> None:
    assert speaker(of_cast(SpeakerPolicy.BY_PLAYERS, *[JOREN.name] * 5), "Mira?") == JOREN


def test_a_call_can_be_taken_back_and_a_stranger_cannot_be_called() -> None:
    session = of_cast(SpeakerPolicy.BY_TURN, "Mira")

    assert call_on(session, "@Red").table.next_speaker == JOREN.name
    assert call_on(call_on(session, "Red"), "") == session
    with pytest.raises(Refused, match="choose one of Mira, Captain Joren Hale, The Old Man"):
        call_on(session, "Nobody")


def test_a_name_comes_before_a_nickname_and_a_nickname_before_a_first_name() -> None:
    cast = (CharacterCard("Mira Vane", "One."), CharacterCard("Lena", "Two.", nickname="Mira"), CharacterCard("Mira", "Three."))
    session = a_session(character=cast[0], others=cast[1:])

    assert speaker(session, "Hello.", "mira") == cast[2]
    assert speaker(replace(session, others=cast[1:2]), "Hello.", "mira") == cast[1]
