"""Macros are filled in once, alike every time, and never out of what was put in."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.macros import MOST_TRIED, Names, fill, may_become

NAMES = Names("Mira", "Tobias")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{char}} and {{user}}", "Mira and Tobias"),
        ("{{CHAR}}, {{ User }}, <bot>, <USER>", "Mira, Tobias, Mira, Tobias"),
        ("a{{// to do }}b{{comment: c}}d{{Hidden_Key:e}}f", "abdf"),
        ("{{reverse:e\u0301t{{char}}}}", "ariMte\u0301"),
        ("{{random:a}} {{pick::b}}", "a b"),
        ("{{random:one\\, two}}", "one, two"),
        ("{{unknown}} {{time}} {{char", "{{unknown}} {{time}} {{char"),
        ("{{original}}", "{{original}}"),
        ("{{roll:d1}} {{roll:1}} {{ROLL: 2d1+3 }} {{roll:3d1-5}}", "1 1 5 -2"),
        ("{{roll:0}} {{roll:101d6}} {{roll:x}} {{roll:}}", "{{roll:0}} {{roll:101d6}} {{roll:x}} {{roll:}}"),
        ("{{{char}}} }} {{ {{{{user}}}}", "{Mira} }} {{ {{Tobias}}"),
        ("{{unknown {{char}}}}", "{{unknown Mira}}"),
        ("{{// {{char}} is {{random:a,b}} }}.", "."),
        ("plain, {braces} and :: colons", "plain, {braces} and :: colons"),
        ("{{random:{{char}},{{char}}}}", "Mira"),
        ("", ""),
    ],
)
def test_a_macro_becomes_what_it_stands_for(text: str, filled: str) -> None:
    assert fill(text, NAMES, 1) == filled


def test_the_original_is_put_in_where_there_is_one() -> None:
    assert fill("{{original}} And {{char}}.", NAMES, 1, "Play {{char}}.") == "Play {{char}}. And Mira."


@pytest.mark.parametrize("name", ["{{char}}", "{{random:a,b}}", "<USER>", "}}", "{{", "a,b", "a::b"])
def test_a_name_is_never_read_for_macros(name: str) -> None:
    names = Names(name, name)
    assert fill("{{user}} <BOT> {{user}}", names, 1) == f"{name} {name} {name}"
    assert fill("{{random:{{user}},{{user}}}}", names, 1) == name
    assert fill("{{random::{{user}}::{{user}}}}", names, 1) == name


@pytest.mark.parametrize("text", ["{{random:a,b,c}}", "{{pick: a , b , c }}", "{{random::a::b::c}}", "{{pick::a::b::c}}"])
def test_every_option_is_drawn_about_as_often(text: str) -> None:
    drawn = [fill(text, NAMES, seed) for seed in range(900)]
    assert set(drawn) == {"a", "b", "c"}
    assert all(250 < drawn.count(each) < 350 for each in "abc")


def test_dice_stay_within_their_sides_and_reach_them() -> None:
    assert {fill("{{roll:d6}}", NAMES, seed) for seed in range(200)} == set("123456")
    assert {int(fill("{{roll:2d6+1}}", NAMES, seed)) for seed in range(1000)} == set(range(3, 14))


def test_two_macros_of_one_text_draw_apart_and_words_before_them_change_nothing() -> None:
    text = "{{roll:999999}} {{roll:999999}} {{roll:999999}}"
    drawn = fill(text, NAMES, 1).split()
    assert len(set(drawn)) == 3
    assert fill(f"Words {{{{char}}}}. {text}", NAMES, 1).split()[2:] == drawn


parts = st.sampled_from(["{{", "}}", "{", "random:", "a,b", "char", "<bot>", "roll:", "d6", "::"])


@given(text=st.lists(parts | st.text()).map("".join))
def test_the_same_call_gives_the_same_text_whatever_it_is(text: str) -> None:
    assert fill(text, NAMES, 7, "o") == fill(text, NAMES, 7, "o")


def test_macros_within_macros_are_filled_eight_deep_and_stay_open_beyond() -> None:
    assert fill("{{reverse:" * 8 + "ab" + "}}" * 8, NAMES, 1) == "ab"
    assert fill("{{reverse:" * 9 + "ab" + "}}" * 9, NAMES, 1) == "{{reverse:ab}}"


PARTS = ["{{", "}}", "{", "{{reverse:", "{{random:{{char}}", "{{char}},", "{{roll:9d9}}", "\\,", "{{random:a,b}}", " ", "<bo"]


@pytest.mark.parametrize("part", PARTS)
def test_no_long_text_takes_more_than_its_length_explains(part: str) -> None:
    text = "{{random:" + part * (800_000 // len(part)) + "}}" * 9
    began = time.process_time()
    fill(text, NAMES, 1)
    assert time.process_time() - began < 10


def test_all_that_a_text_may_become_is_known_before_it_is_drawn() -> None:
    together, *each = may_become("She is {{random:ten, {{pick::two::six}}teen,old}}.{{// not said}}", NAMES)
    assert together == "She is ten\ntwo\nsixteen\nold."
    assert each == ["She is ten.", "She is sixteen.", "She is old."]
    assert set(may_become("{{roll:d6}} for {{char}}", NAMES)) == {"{{roll:d6}} for Mira"}


def test_of_very_many_options_no_more_texts_are_made_than_somebody_can_read() -> None:
    options = ",".join(map(str, range(1000)))
    together, *each = may_become(f"{{{{random:{options}}}}}", NAMES)
    assert together.split() == options.split(",")
    assert len(each) == MOST_TRIED
