"""A chat goes back to SillyTavern with every key that it came with, and a story that began here can go there."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.ids import AuthorId
from bot.story.session import Session
from bot.story.table import Memory
from bot.story.turn import Role, Turn, Variant, VariantState
from bot.transcripts.sillytavern.chat import Chat, chat_of
from bot.transcripts.sillytavern.reading import read_chat
from bot.transcripts.sillytavern.writing import write_chat
from tests.builders import MIRA, a_session
from tests.transcripts.texts import GREETING, HEADER, HIDDEN, POST, a_file, messages, turns, values

NOW = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)
SENT = "2026-11-24T20:15:00.000Z"


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.split(b"\n")]


def there_and_back(data: bytes) -> bytes:
    return write_chat(read_chat(data, AuthorId("author-1")).chat, NOW)


def changed(chat: Chat, number: int, turn: Turn) -> Chat:
    return replace(chat, turns=tuple(turn if each.number == number else each for each in chat.turns))


def test_a_file_goes_back_to_the_byte() -> None:
    data = a_file(HEADER, GREETING, POST, HIDDEN)

    assert there_and_back(data) == data


def test_a_group_chat_without_a_header_goes_back_without_one() -> None:
    data = a_file(GREETING, GREETING | {"name": "Vex", "original_avatar": "vex.png", "is_group": True}, POST)

    assert there_and_back(data) == data


@given(st.lists(messages(), min_size=1, max_size=5), st.dictionaries(st.sampled_from(["integrity", "tainted", "x"]), values))
def test_any_file_goes_back_with_the_same_keys_and_values(said: list[dict[str, Any]], metadata: dict[str, Any]) -> None:
    header = {"chat_metadata": metadata, "user_name": "unused", "character_name": "unused"}
    data = a_file(header, *said)

    assert lines(there_and_back(data)) == [header, *said]


@given(st.lists(st.dictionaries(st.sampled_from([*GREETING, *HEADER]), values | st.lists(st.text()), max_size=8), max_size=5))
def test_whatever_stands_in_its_lines_a_chat_that_was_read_can_be_written_and_read_again(said: list[dict[str, Any]]) -> None:
    chat = read_chat(a_file(HEADER, *said)).chat
    again = read_chat(write_chat(chat, NOW)).chat

    assert [(turn.role, turn.text, turn.variants) for turn in again.turns] == [
        (turn.role, turn.text, turn.variants) for turn in chat.turns
    ]
    assert write_chat(again, NOW) == write_chat(chat, NOW)


@given(turns())
def test_turns_that_go_there_come_back_the_same(told: tuple[Turn, ...]) -> None:
    chat = Chat("Tobias", "Mira", told, note="Rain.", note_depth=2, scenario="Flood.")
    back = read_chat(write_chat(chat, NOW)).chat

    assert back.turns == told
    assert (back.user, back.character) == ("Tobias", "Mira")
    assert (back.note, back.note_depth, back.scenario) == ("Rain.", 2, "Flood.")


def test_the_shown_text_is_always_the_selected_swipe() -> None:
    chat = read_chat(a_file(HEADER, GREETING)).chat
    [_, line] = lines(write_chat(changed(chat, 0, chat.turns[0].with_variant(Variant("Edited here."))), NOW))

    assert line["mes"] == "Edited here."
    assert line["swipes"][line["swipe_id"]] == "Edited here."
    assert line["extra"] == GREETING["extra"]


def test_a_message_says_what_its_file_said_about_the_swipe_that_is_shown_now() -> None:
    infos = [{"send_date": "2025-01-01T00:00:00.000Z", "extra": {"model": "other"}}, {}, {}]
    chat = read_chat(a_file(HEADER, GREETING | {"swipe_info": infos})).chat
    [_, line] = lines(write_chat(changed(chat, 0, replace(chat.turns[0], selected=0)), NOW))

    assert (line["mes"], line["swipe_id"]) == ("Go away.", 0)
    assert (line["send_date"], line["extra"]) == ("2025-01-01T00:00:00.000Z", {"model": "other"})


def test_a_translation_of_what_a_message_said_before_does_not_hide_what_it_says_now() -> None:
    translated = POST | {"extra": {"display_text": "Ist noch Platz?", "a": 1}}
    chat = read_chat(a_file(HEADER, translated)).chat

    assert lines(write_chat(chat, NOW))[1] == translated
    edited = changed(chat, 0, chat.turns[0].with_variant(Variant("No room?")))
    assert lines(write_chat(edited, NOW))[1]["extra"] == {"a": 1}


def test_a_swipe_that_was_added_here_has_its_own_entry() -> None:
    chat = read_chat(a_file(HEADER, GREETING, POST)).chat
    more = chat.turns[0].with_new_variant(Variant("A fourth."))
    [_, line, _] = lines(write_chat(changed(chat, 0, more), NOW))

    assert (line["swipe_id"], line["swipes"][3], len(line["swipe_info"])) == (3, "A fourth.", 4)
    assert line["swipe_info"][3]["send_date"] == SENT


def test_a_message_without_swipes_gets_them_with_its_second_version() -> None:
    plain = {key: value for key, value in GREETING.items() if not key.startswith("swipe")}
    chat = read_chat(a_file(HEADER, plain)).chat
    [_, line] = lines(write_chat(changed(chat, 0, chat.turns[0].with_new_variant(Variant("Two."))), NOW))

    assert line["swipes"] == [GREETING["mes"], "Two."]
    assert (line["swipe_id"], len(line["swipe_info"])) == (1, 2)


def test_what_is_being_written_stays_here() -> None:
    chat = read_chat(a_file(HEADER, GREETING)).chat
    retried = chat.turns[0].with_new_variant(Variant("Half a", VariantState.WRITING))
    opened = Turn(1, Role.CHARACTER, "Mira", (Variant("", VariantState.WRITING),))
    written = lines(write_chat(replace(chat, turns=(retried, opened)), NOW))

    assert len(written) == 2
    assert written[1]["swipes"] == GREETING["swipes"]


def test_a_changed_note_goes_back_switched_on_and_the_rest_of_the_metadata_stays() -> None:
    header = HEADER | {"chat_metadata": HEADER["chat_metadata"] | {"note_interval": 0}}
    chat = replace(read_chat(a_file(header, GREETING)).chat, note="Sun.", note_depth=3, scenario="Drought.")
    metadata = lines(write_chat(chat, NOW))[0]["chat_metadata"]

    assert metadata == header["chat_metadata"] | {
        "note_prompt": "Sun.",
        "note_depth": 3,
        "note_interval": 1,
        "scenario": "Drought.",
    }


def test_a_note_that_was_switched_off_goes_back_as_it_was() -> None:
    data = a_file(HEADER | {"chat_metadata": HEADER["chat_metadata"] | {"note_interval": 0}}, GREETING)

    assert there_and_back(data) == data


def test_halves_of_letters_in_what_is_not_understood_survive() -> None:
    odd = {"extra": {"a": "\ud800"}}
    written = there_and_back(a_file(HEADER) + b"\n" + json.dumps(POST | odd).encode())

    assert lines(written)[1] == POST | odd
    written.decode()


def a_story() -> Session:
    told = (
        Turn(0, Role.CHARACTER, "Mira", (Variant("We close at ten."), Variant("Well?")), 1),
        Turn(1, Role.PLAYER, "Tobias", (Variant("A room?"),), author=AuthorId("author-1")),
        Turn(2, Role.ASIDE, "Tobias", (Variant("Back soon."),), author=AuthorId("author-1")),
    )
    return a_session(turns=told, memory=Memory(note="Rain."))


def test_a_story_that_began_here_is_a_whole_chat_there() -> None:
    session = a_story()
    header, greeting, post, aside = lines(write_chat(chat_of(session, session.turns), NOW))

    assert (header["user_name"], header["character_name"], header["create_date"]) == ("Tobias", "Mira", SENT)
    assert header["chat_metadata"]["note_prompt"] == "Rain."
    assert header["chat_metadata"]["scenario"] == session.scenario
    assert greeting == {
        "name": "Mira",
        "is_user": False,
        "is_system": False,
        "send_date": SENT,
        "mes": "Well?",
        "extra": {},
        "swipes": ["We close at ten.", "Well?"],
        "swipe_id": 1,
        "swipe_info": [{"send_date": SENT, "gen_started": None, "gen_finished": None, "extra": {}}] * 2,
    }
    assert (post["is_user"], post["is_system"], post["mes"]) == (True, False, "A room?")
    assert (aside["is_user"], aside["is_system"]) == (True, True)


def test_the_scenario_of_the_card_is_no_scenario_of_the_chat() -> None:
    session = a_session(character=replace(MIRA, scenario=a_session().scenario))

    assert chat_of(session, ()).scenario == ""
