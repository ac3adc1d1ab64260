"""Out-of-character marks leave the story, nothing else does, and no word is lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.marks import Marked, split


@pytest.mark.parametrize(
    "text",
    [
        "// brb",
        "  // brb",
        "//brb\nback at five",
        "// brb ((soon)) or later",
        "((brb))",
        "((brb :)))",
        "(( away\n\nuntil five ))",
        "(brb)",
        "(brb :)",
        "(brb :) )",
        "(sad :( but fine)",
        "(away\nuntil five)",
        "[brb]",
        "[ away [until] five ]",
        "OOC: brb",
        "ooc: brb",
        "OOC : brb",
        "Ooc - brb",
        "OOC \u2014 brb",
        "**OOC:** brb",
        "[OOC] brb",
        "(ooc) brb",
        "((brb",
        "OOC: sorry,\nI was away.",
        "(brb)\n[and thanks]",
    ],
)
def test_a_post_so_marked_is_an_aside(text: str) -> None:
    marked = split(text)

    assert marked.story == ""
    assert "".join(marked.aside.split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tobias waves.",
        "*walks in and shakes off the rain*",
        "*He waves (twice).*",
        "He waved (or so it seemed) and left.",
        "(He waved) and left (again).",
        "[Mira](https://example.org/mira) waves.",
        "[[2d6+1 picking the lock]]",
        "[[2d6]]\n[[d20]]",
        "The page is at https://example.org//mira.",
        "He said nothing :) and left.",
        "She studied oocytes.",
        "OOC-like, he thought.",
        "a) first\nb) second",
        "(He began and never",
        "[He began and never",
        "Tobias looked up. ( never closed",
        "He (( never closed",
        "[x] a task",
    ],
)
def test_what_is_no_mark_stays_as_it_was_written(text: str) -> None:
    assert split(text) == Marked(text, "")


@pytest.mark.parametrize(
    ("text", "story", "aside"),
    [
        ("Tobias enters.\n\n// brb", "Tobias enters.", "// brb"),
        ("OOC: sorry!\n\nTobias enters.", "Tobias enters.", "OOC: sorry!"),
        ("Tobias enters.\n// brb\n\nHe sits.", "Tobias enters.\n\nHe sits.", "// brb"),
        ("Tobias enters.\n(brb)\nHe sits.", "Tobias enters.\nHe sits.", "(brb)"),
        ("Tobias enters.\n\n[brb]\n\nHe sits.", "Tobias enters.\n\nHe sits.", "[brb]"),
        ("Tobias waves. ((brb)) He sits.", "Tobias waves. He sits.", "((brb))"),
        ("Tobias waves ((brb)).", "Tobias waves.", "((brb))"),
        ("Tobias waves.((brb))He sits.", "Tobias waves. He sits.", "((brb))"),
        ("((brb)) He waves (so (he thinks)).", "He waves (so (he thinks)).", "((brb))"),
        ("(see\n// here\n)\nTobias waves.", "Tobias waves.", "(see\n// here\n)"),
        ("Tobias waves.((one))\n\n((two))He sits.", "Tobias waves.\n\nHe sits.", "((one))\n((two))"),
        ("((one)) Tobias waves. ((two))", "Tobias waves.", "((one))\n((two))"),
        ("((never closed\n\nTobias waves. ((brb))", "Tobias waves.", "((never closed\n((brb))"),
        ("[I roll [[2d6]] now]\nTobias waves.", "Tobias waves.", "[I roll [[2d6]] now]"),
        ("Tobias (weary) sits.\r\n(brb)\r\nHe sleeps.", "Tobias (weary) sits.\nHe sleeps.", "(brb)"),
    ],
)
def test_a_marked_part_of_a_post_leaves_the_story(text: str, story: str, aside: str) -> None:
    assert split(text) == Marked(story, aside)


pieces = st.lists(
    st.sampled_from(
        ["((", "))", "(", ")", "[", "]", "//", "OOC:", "ooc - ", "[[2d6]]", ":)", "\n", "\n\n", " ", "Mira", "waves."]
    )
    | st.text(max_size=5),
    max_size=25,
).map("".join)


@given(text=pieces)
def test_story_and_aside_together_hold_every_character_that_shows(text: str) -> None:
    marked = split(text)

    shown = "".join(text.split())
    assert sorted(shown) == sorted("".join((marked.story + marked.aside).split()))


@given(text=pieces)
def test_both_parts_keep_their_order(text: str) -> None:
    marked = split(text)

    for part in (marked.story, marked.aside):
        rest = iter(text)
        assert all(character in rest for character in "".join(part.split()))


@given(text=pieces)
def test_no_word_of_the_story_is_glued_to_another(text: str) -> None:
    marked = split(text)

    if marked.aside:
        assert marked.story == marked.story.strip()
        assert "\n\n\n" not in marked.story or "\n\n\n" in text


@pytest.mark.parametrize(
    "unit", ["(", "((", "[", "(a ", "((a ", "\n(", "// ", ":)", "))", "((a)) ", "(a)\n", "\n", " ", "\n \n", "OOC"]
)
def test_long_posts_are_taken_apart_in_good_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.process_time()

    split(text)

    assert time.process_time() - began < 2
