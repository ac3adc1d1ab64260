"""A line of text becomes a command with checked values, or is refused with how the command is written."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.catalogue import COMMANDS, find
from bot.commands.parse import check, parse
from bot.commands.spec import CommandSpec, Option, OptionKind
from bot.errors import Refused


def spec_of(name: str) -> CommandSpec:
    spec = find(name)
    assert spec is not None
    return spec


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("undo", "undo", {}),
        ("  UNDO  ", "undo", {}),
        ("retry short", "retry", {"length": "short"}),
        ("retry length:short", "retry", {"length": "short"}),
        ("retry length = short", "retry", None),
        ("retry length= Short", "retry", {"length": "short"}),
        ("swipe LEFT", "swipe", {"side": "left"}),
        ("character  add Old Tom", "character add", {"character": "Old Tom"}),
        ('speak "Old Tom"', "speak", {"character": "Old Tom"}),
        ("speak \u201cOld Tom\u201d", "speak", {"character": "Old Tom"}),
        ("start Mira", "start", {"character": "Mira"}),
        ('start "Old Tom" A dark inn.', "start", {"character": "Old Tom", "scenario": "A dark inn."}),
        ("start Mira A dark inn. length:long", "start", {"character": "Mira", "scenario": "A dark inn.", "length": "long"}),
        ("start length:long Mira", "start", {"character": "Mira", "length": "long"}),
        ("start Mira length:long A dark inn.", "start", {"character": "Mira", "scenario": "A dark inn.", "length": "long"}),
        ('start scenario="A dark inn." character:Mira', "start", {"character": "Mira", "scenario": "A dark inn."}),
        ("note depth:2 The storm grows.", "note", {"text": "The storm grows.", "depth": 2}),
        ("note 3 days have passed. depth:2", "note", {"text": "3 days have passed.", "depth": 2}),
        ("note depth:2", "note", {"depth": 2}),
        ("note", "note", {}),
        ("settings turns:all-posted nudge:90", "settings", {"turns": "all_posted", "nudge": 90}),
        ("settings Turns:all_posted", "settings", None),
        ('part title:"The Long Winter" They left.', "part", {"title": "The Long Winter", "summary": "They left."}),
        ('lore add "king, crown" Long live the king.', "lore add", {"keys": "king, crown", "text": "Long live the king."}),
        ("roll 2d6+1 picking  the lock", "roll", {"dice": "2d6+1", "reason": "picking the lock"}),
        ("edit 12 Hello.", "edit", {"turn": 12, "text": "Hello."}),
        ("edit #12 Hello.", "edit", {"turn": 12, "text": "Hello."}),
        ('edit turn:12 text="Say \\"no\\"."', "edit", {"turn": 12, "text": 'Say "no".'}),
    ],
)
def test_a_line_is_read(line: str, name: str, values: Mapping[str, str | int] | None) -> None:
    if values is None:
        with pytest.raises(Refused):
            parse(line)
        return
    asked = parse(line)
    assert asked.spec.name == name
    assert asked.values == values


def test_a_post_keeps_its_lines_its_blanks_and_its_speech() -> None:
    text = '"Hello,"  she said.\n\n  "Text: none," he said. length:short'
    assert parse(f"edit 12 {text}").values["text"] == text
    assert parse('edit 12 "Hello."').values["text"] == '"Hello."'


def test_a_line_in_answer_to_a_post_need_not_name_its_turn() -> None:
    assert parse("delete", replied_to=7).values == {"turn": 7}
    assert parse("edit 12 apples lay there.", replied_to=7).values == {"turn": 7, "text": "12 apples lay there."}
    assert parse("edit turn:3 Hello.", replied_to=7).values == {"turn": 3, "text": "Hello."}


def test_a_file_is_what_came_with_the_line_and_never_named_in_it() -> None:
    assert parse("character import", attached="upload-1").values == {"file": "upload-1"}
    with pytest.raises(Refused, match="Send the file with the command"):
        parse("character import")
    for line in ("character import file:/etc/passwd", "character import /etc/passwd"):
        with pytest.raises(Refused, match="not clear"):
            parse(line, attached="upload-1")


def test_what_a_line_answers_or_brings_is_passed_over_by_commands_that_need_it_not() -> None:
    assert parse("undo", replied_to=7, attached="upload-1").values == {}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "Say which command; help lists them all."),
        ("retyr short", 'There is no command "retyr"; the nearest is: retry [length]'),
        ("qqqq", 'There is no command "qqqq"; help lists them all.'),
        ("lines", "Say which: lines add, lines remove."),
        ("lines lift 3", "Say which: lines add, lines remove."),
        ("undo now", 'It is not clear what "now" is for; write: undo.'),
        ("swipe", "Side is missing; write: swipe <side>."),
        ("swipe up", "Side must be one of left, right; write: swipe <side>."),
        ("edit Hello", "Turn must be a whole number from 0 to 999999999; write: edit <turn> <text>."),
        ("delete", "Answer the post that you mean, or write its number; write: delete <turn>."),
        ("unpin 0", "Number must be a whole number from 1 to 9999; write: unpin <number>."),
        ("unpin 99999999999999999999", "Number must be a whole number from 1 to 9999; write: unpin <number>."),
        ("unpin \u0663", "Number must be a whole number from 1 to 9999; write: unpin <number>."),
        ("retry length:", "Say what length is after its name; write: retry [length]."),
        ("note The storm grows. depth:", "Say what depth is after its name; write: note"),
        ("start Mira length:long A dark inn. length:short", "Length is said twice;"),
        (f"pin {'x' * 501}", "Text has 501 characters, and at most 500 are taken; write: pin <text>."),
    ],
)
def test_a_mistake_is_one_sentence_that_says_how_it_is_written(line: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(line)
    assert str(refused.value).startswith(sentence)


def test_a_mistake_shows_no_more_than_a_glimpse_of_what_was_written() -> None:
    with pytest.raises(Refused) as refused:
        parse("x" * 50_000)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize(
    ("name", "values", "checked"),
    [
        ("retry", {"length": None}, {}),
        ("retry", {"length": ""}, {}),
        ("edit", {"turn": 3, "text": " \nHello.\n\nBye. \n"}, {"turn": 3, "text": "Hello.\n\nBye."}),
        ("edit", {"turn": "3", "text": "Hello."}, {"turn": 3, "text": "Hello."}),
        ("persona set", {"name": " Tobias\n Vane "}, {"name": "Tobias Vane"}),
        ("settings", {"turns": "Every Post", "nudge": 0}, {"turns": "every_post", "nudge": 0}),
        ("character import", {"file": " as it is "}, {"file": " as it is "}),
    ],
)
def test_structured_values_are_brought_into_one_form(name: str, values: Mapping[str, object], checked: Any) -> None:
    assert check(spec_of(name), values) == checked


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("retry", {"size": "short"}, '"size" is no option'),
        ("retry", {"length": 3}, "Length must be text"),
        ("retry", {"length": "shortish"}, "Length must be one of micro"),
        ("edit", {"turn": 3}, "Text is missing"),
        ("edit", {"turn": 3, "text": "  "}, "Text is missing"),
        ("edit", {"turn": True, "text": "Hello."}, "whole number"),
        ("edit", {"turn": 3.0, "text": "Hello."}, "whole number"),
        ("edit", {"turn": -1, "text": "Hello."}, "whole number"),
        ("settings", {"nudge": 100_000}, "from 0 to 43200"),
        ("lines add", {"text": "x" * 301}, "at most 300"),
    ],
)
def test_structured_values_that_do_not_fit_are_refused(name: str, values: Mapping[str, object], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check(spec_of(name), values)


def test_what_is_left_out_is_missing_and_the_rest_is_in_the_order_of_the_options() -> None:
    assert list(parse("start length:long Mira A dark inn.").values) == ["character", "scenario", "length"]


PIECES = [
    *(word for spec in COMMANDS for word in spec.name.split()),
    *(f"{option.name}{sign}" for spec in COMMANDS for option in spec.options for sign in ":="),
    *('"', "\u201c", "\u201d", "\\", " ", "\n", "#3", "12", "short", "left", "Mira", "[[2d6]]", "\x00", "\ud800"),
]
lines = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join)
commands = st.sampled_from(COMMANDS)


@given(line=st.text() | lines | st.builds("{0.name} {1}".format, commands, lines), turn=st.none() | st.integers(0, 99))
def test_any_line_is_read_or_refused(line: str, turn: int | None) -> None:
    try:
        asked = parse(line, replied_to=turn)
    except Refused as refusal:
        sentence = str(refusal)
    else:
        sentence = "It was read."
        assert check(asked.spec, asked.values) == asked.values
    assert 1 <= len(sentence) < 500


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers())
option_names = st.sampled_from(sorted({option.name for spec in COMMANDS for option in spec.options}))


@given(spec=commands, values=st.dictionaries(option_names, anything))
def test_any_structured_values_are_taken_or_refused(spec: CommandSpec, values: dict[str, object]) -> None:
    try:
        checked = check(spec, values)
    except Refused:
        return
    assert checked.keys() <= {option.name for option in spec.options}
    assert all(
        isinstance(value, int if option.kind.is_whole else str)
        for option in spec.options
        if (value := checked.get(option.name)) is not None
    )


def value_of(option: Option) -> st.SearchStrategy[str]:
    if option.kind.is_whole:
        return st.integers(option.least, option.most).map(str)
    if option.kind is OptionKind.CHOICE:
        return st.sampled_from(option.choices)
    return st.text(min_size=1, max_size=option.most_length // 10)


@given(data=st.data(), spec=commands)
def test_what_is_written_by_name_and_in_quotes_is_read_back(data: st.DataObject, spec: CommandSpec) -> None:
    typed = [option for option in spec.options if option.kind is not OptionKind.FILE]
    values = {option.name: data.draw(value_of(option), label=option.name) for option in data.draw(st.permutations(typed))}
    attached = "upload-1" if typed != list(spec.options) else ""
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in values.items()}
    line = " ".join([spec.name, *(f'{name}="{value}"' for name, value in quoted.items())])
    try:
        expected = check(spec, {**values, **({"file": attached} if attached else {})})
    except Refused:
        with pytest.raises(Refused):
            parse(line, attached=attached)
    else:
        assert parse(line, attached=attached).values == expected
