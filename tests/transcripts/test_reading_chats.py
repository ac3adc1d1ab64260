"""A chat of SillyTavern becomes turns; what is broken is left out and said, and what is no chat is refused."""

import json
import time
from typing import Any

import pytest

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story.table import NOTE_DEPTH
from bot.story.turn import Role
from bot.transcripts.sillytavern import reading
from bot.transcripts.sillytavern.reading import read_chat
from tests.transcripts.texts import GREETING, HEADER, HIDDEN, POST, a_file

FILE = a_file(HEADER, GREETING, POST, HIDDEN)


def test_messages_become_turns_with_their_swipes() -> None:
    chat = read_chat(FILE, AuthorId("author-1")).chat

    assert [(turn.role, turn.name, turn.text) for turn in chat.turns] == [
        (Role.CHARACTER, "Mira", "*She turns.* We are full."),
        (Role.PLAYER, "Tobias", '"Is there a room left?"'),
        (Role.ASIDE, "Tobias", "Back in five minutes."),
    ]
    assert [variant.text for variant in chat.turns[0].variants] == ["Go away.", "*She turns.* We are full.", "Well?"]
    assert [turn.author for turn in chat.turns] == [None, "author-1", "author-1"]
    assert [turn.number for turn in chat.turns] == [0, 1, 2]


def test_note_depth_and_scenario_come_from_the_header() -> None:
    chat = read_chat(FILE).chat

    assert (chat.note, chat.note_depth, chat.scenario) == ("It rains without end.", 6, "The inn is flooded.")


def test_names_come_from_the_header_or_where_it_has_none_from_who_speaks() -> None:
    older = {"user_name": "Jon", "character_name": "Vex", "create_date": "2023-6-19 @14h 20m 13s 123ms"}

    assert (read_chat(FILE).chat.user, read_chat(FILE).chat.character) == ("Tobias", "Mira")
    named = read_chat(a_file(older, GREETING)).chat
    assert (named.user, named.character) == ("Jon", "Vex")


def test_a_narrator_is_not_taken_for_the_character() -> None:
    narrator = GREETING | {"name": "Narrator", "extra": {"type": "narrator"}}

    assert read_chat(a_file(HEADER, narrator, GREETING)).chat.character == "Mira"


def test_a_group_chat_has_several_characters_and_may_have_no_header() -> None:
    chat = read_chat(a_file(GREETING, GREETING | {"name": "Vex", "original_avatar": "vex.png"}, POST)).chat

    assert chat.characters == ("Mira", "Vex")
    assert len(chat.turns) == 3


def test_a_note_that_is_switched_off_is_not_told_and_that_is_said() -> None:
    header = HEADER | {"chat_metadata": {"note_prompt": "Rain.", "note_interval": 0}}
    found = read_chat(a_file(header, GREETING))

    assert (found.chat.note, found.chat.note_depth) == ("", NOTE_DEPTH)
    assert found.notes == ("The author's note was switched off in this chat, so it is not told here.",)


@pytest.mark.parametrize(
    ("changes", "texts", "selected"),
    [
        ({"swipes": ["a", "b"], "swipe_id": 1, "mes": "c"}, ["a", "c"], 1),
        ({"swipes": ["a", "b"], "swipe_id": 7, "mes": "a"}, ["a", "b"], 0),
        ({"swipes": ["a", "b"], "swipe_id": None, "mes": "c"}, ["a", "b", "c"], 2),
        ({"swipes": [], "swipe_id": 0, "mes": "c"}, ["c"], 0),
        ({"swipes": "a", "swipe_id": 0, "mes": "c"}, ["c"], 0),
        ({"swipes": [None, "c"], "swipe_id": 1, "mes": "c"}, ["", "c"], 1),
        ({"swipes": [{"message": "a"}, {"message": "b"}], "swipe_id": 0, "mes": {"message": "a"}}, ["a", "b"], 0),
    ],
)
def test_what_a_message_shows_counts_whatever_its_swipes_say(changes: dict[str, Any], texts: list[str], selected: int) -> None:
    [turn] = read_chat(a_file(HEADER, GREETING | changes)).chat.turns

    assert [variant.text for variant in turn.variants] == texts
    assert turn.selected == selected


def test_each_turn_has_the_moment_that_it_was_sent() -> None:
    odd = POST | {"send_date": "some day"}
    first, second = read_chat(a_file(HEADER, GREETING, odd)).sent

    assert first is not None
    assert first.isoformat() == "2025-09-26T07:04:12.006000+00:00"
    assert second is None


@pytest.mark.parametrize("left", [1, 30, 150])
def test_a_last_line_that_breaks_off_is_left_out_and_that_is_said(left: int) -> None:
    found = read_chat(a_file(HEADER, GREETING) + b"\n" + a_file(POST)[:left])

    assert [turn.name for turn in found.chat.turns] == ["Mira"]
    assert found.notes == ("The last line breaks off and was left out: the file is not whole.",)


def test_broken_lines_in_the_middle_are_left_out_and_named() -> None:
    lines = a_file(HEADER, GREETING, POST).split(b"\n")
    broken = [b"{", b'"a text"', b'{"mes": "\xff"}', b'{"mes": NaN}', b'{"mes": 1e999}', b'{"no": "message"}']
    found = read_chat(b"\n".join([lines[0], *broken, b"[" * 100_000, *lines[1:]]))

    assert len(found.chat.turns) == 2
    assert found.notes == ("What stands in these lines is no message, so it was left out: 2, 3, 4, 5, 6, 7, 8.",)


def test_empty_lines_carriage_returns_and_a_byte_order_mark_do_no_harm() -> None:
    found = read_chat(b"\xef\xbb\xbf" + FILE.replace(b"\n", b"\r\n\r\n") + b"\r\n\n")

    assert len(found.chat.turns) == 3
    assert found.notes == ()


def test_control_characters_do_not_reach_the_story() -> None:
    odd = POST | {"mes": "a\0\u202eb\r\nc\u2028d\ud800", "name": "To\nbias"}
    [turn] = read_chat(json.dumps(odd).encode()).chat.turns

    assert turn.text == "ab\nc\nd\ufffd"
    assert turn.name == "To bias"


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"hello", b"{}", b"[]", b'{"name": "Mira"}', b"\x89PNG\r\n\x1a\n", '{"user_name": "a"}'.encode("utf-16")],
)
def test_a_file_that_is_no_chat_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match=r"no chat of SillyTavern.*\.jsonl"):
        read_chat(data)


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("MOST_BYTES", 300, "larger than"),
        ("MOST_LINES", 3, "more than 3 lines"),
        ("LONGEST_LINE", 300, "Line 2 is longer"),
        ("LONGEST_TEXT", 20, "line 2 has more than"),
        ("MOST_SWIPES", 2, "line 2 has more than"),
    ],
)
def test_a_file_beyond_a_limit_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str, value: int, reason: str) -> None:
    monkeypatch.setattr(reading, limit, value)

    with pytest.raises(Refused, match=reason):
        read_chat(FILE)


def test_a_line_that_nests_deep_is_left_out() -> None:
    inner: Any = {}
    for _ in range(200):
        inner = {"a": inner}
    found = read_chat(a_file(HEADER, POST | {"extra": inner}, GREETING))

    assert [turn.name for turn in found.chat.turns] == ["Mira"]


def test_five_thousand_messages_are_read_in_under_five_seconds() -> None:
    long = GREETING | {"swipes": ["The rain goes on. " * 100] * 3, "mes": "The rain goes on. " * 100}
    data = a_file(HEADER, *([long, POST] * 2_500))
    started = time.process_time()

    assert len(read_chat(data).chat.turns) == 5_000
    assert time.process_time() - started < 5
