"""Which text is a command here, and what of it only this platform knows."""

import pytest

from adapters.matrix.commands.line import Line, Where, command_in, line_of, overview, own_help, read, refuse_unknown, written
from adapters.matrix.commands.signs import asked_by
from adapters.matrix.commands.wording import words
from adapters.matrix.heard import Said
from bot.errors import Refused


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("!rp", ""),
        ("!rp retry short", "retry short"),
        ("  !RP  retry", "retry"),
        ("!rp scenario\nA stranger asks\n\nfor shelter.", "scenario\nA stranger asks\n\nfor shelter."),
        ("!rp\nstatus", "status"),
        ("!rpg is a game", None),
        ("Say !rp help", None),
        ("! rp help", None),
        ("", None),
    ],
)
def test_a_command_begins_with_the_prefix_and_a_gap_behind_it(text: str, command: str | None) -> None:
    assert command_in(text, "!rp") == command


def test_another_prefix_can_be_set() -> None:
    assert command_in("Mira: retry", "mira:") == "retry"
    assert written("Mira:")("retry short") == "Mira: retry short"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("start Mira", Line("start Mira")),
        ("start Mira where:room", Line("start Mira", Where.ROOM)),
        ("start where=Thread Mira", Line("start Mira", Where.THREAD)),
        ("start Mira A stranger. where:room length:long", Line("start Mira A stranger. length:long", Where.ROOM)),
        ("start Mira A stranger. length:long where:room", Line("start Mira A stranger. length:long", Where.ROOM)),
        ("start Mira Asks where:room is meant.", Line("start Mira Asks where:room is meant.")),
        ("resume where:thread", Line("resume", Where.THREAD)),
        ("ooc Say where:room", Line("ooc Say where:room")),
        ("start Mira Two\n\nparagraphs. where:room", Line("start Mira Two\n\nparagraphs.", Where.ROOM)),
        ("", Line("")),
    ],
)
def test_where_a_story_is_played_is_taken_out_of_the_line_that_begins_it(text: str, line: Line) -> None:
    assert line_of(text) == line


def test_a_part_of_a_room_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="where must be one of room, thread"):
        line_of("start Mira where:cellar")


def turn(line: str, replied: int | None = None, newest: int | None = 9) -> object:
    return read(line, replied, newest).values.get("turn")


def test_a_command_about_a_post_means_the_newest_the_written_or_the_one_that_it_answers() -> None:
    assert turn("delete") == 9
    assert turn("delete 12") == 12
    assert turn("delete", replied=3) == 3
    assert turn("delete 12", replied=3) == 12
    assert turn("edit She nods.") == 9
    assert turn("edit #12 She nods.") == 12


def test_a_number_that_a_text_begins_with_is_a_post_only_where_the_line_answers_none() -> None:
    assert dict(read("edit 12 monkeys came in.", None, 9).values) == {"turn": 12, "text": "monkeys came in."}
    assert dict(read("edit 12 monkeys came in.", 3, 9).values) == {"turn": 3, "text": "12 monkeys came in."}


def test_an_edit_that_names_a_post_and_no_text_does_not_become_the_text_of_another() -> None:
    with pytest.raises(Refused, match="Text is missing"):
        read("edit 12", None, 9)


def test_where_there_is_no_post_a_command_about_one_says_what_is_missing() -> None:
    with pytest.raises(Refused, match="Answer the post that you mean"):
        read("delete", None, None)


def test_a_mistyped_command_names_the_nearest_of_this_platform_too() -> None:
    with pytest.raises(Refused, match="the nearest is: adults"):
        refuse_unknown("adult")
    refuse_unknown("retri")


def test_help_knows_what_only_this_platform_has() -> None:
    assert "🔄 retry" in (own_help(" Reactions", "!rp") or "")
    assert (own_help("adults on", "!rp") or "").startswith("!rp adults [on|off]")
    assert own_help("retry", "!rp") is None
    assert "!rp help reactions" in overview("All.", "!rp")


@pytest.mark.parametrize(
    ("sign", "command"),
    [("🔄", "retry"), ("⬅️", "swipe"), ("➡", "swipe"), ("⏩️", "continue"), ("⏹\ufe0f", "stop"), ("❌", "undo"), ("👍", None)],
)
def test_signs_stand_for_commands_whatever_follows_them(sign: str, command: str | None) -> None:
    found = asked_by(sign)
    assert (found[0] if found else None) == command


@pytest.mark.parametrize(
    ("text", "is_emote", "told"),
    [
        (" He waits. ", False, "He waits."),
        ("waits.", True, "*waits.*"),
        ("waits.\n\nSits.", True, "*waits.*\n\n*Sits.*"),
        ('says *softly* "Come."', True, 'says *softly* "Come."'),
        ("", True, ""),
    ],
)
def test_what_somebody_does_stands_in_asterisks(text: str, is_emote: bool, told: str) -> None:  # noqa: FBT001  a case
    said = Said(room="!r", event="$e", sender="@a:b", at=0.0, text=text, is_emote=is_emote)
    assert words(said) == told
