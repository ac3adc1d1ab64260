"""The chunker as the walk uses it: feeding, finishing early, what is added, and odd input."""

import pytest

from bot.chunking.chunker import Added, Chunk, Chunker, cut
from bot.chunking.lengths import SHORTEST_POST
from bot.posts import ChannelLimits, LengthUnit
from tests.chunking.texts import measure, restored

HUNDRED = ChannelLimits(100)


def _texts(text: str, limits: ChannelLimits = HUNDRED) -> list[str]:
    return [chunk.text for chunk in cut(text, limits)]


def test_a_short_text_is_one_post_without_the_blanks_around_it() -> None:
    assert cut("\n He left. \n", HUNDRED) == (Chunk("He left.", 2, 10, ()),)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t ", "\u200b\x00"])
def test_a_text_that_shows_nothing_has_no_posts(text: str) -> None:
    assert cut(text, HUNDRED) == ()


def test_a_post_leaves_when_two_posts_are_known_and_not_before() -> None:
    chunker = Chunker(HUNDRED)
    assert chunker.feed("He left. " * 22) == ()
    assert chunker.taken == 0
    (post,) = chunker.feed("She stayed. ")
    assert post.text == ("He left. " * 11).strip()
    assert chunker.taken == post.end == 98


def test_the_end_can_be_set_back_to_what_was_taken_but_no_further() -> None:
    chunker = Chunker(HUNDRED)
    (post,) = chunker.feed("He left. " * 23)
    with pytest.raises(ValueError, match="98 characters have left"):
        chunker.finish(97)
    assert chunker.finish(post.end) == ()


def test_what_stands_after_the_end_is_dropped() -> None:
    chunker = Chunker(HUNDRED)
    chunker.feed("He left. She stayed. It ra")
    assert [chunk.text for chunk in chunker.finish(20)] == ["He left. She stayed."]


def test_posts_shorter_than_the_shortest_are_refused() -> None:
    with pytest.raises(ValueError, match="8 is the least"):
        Chunker(ChannelLimits(SHORTEST_POST - 1))


def test_a_paragraph_is_a_better_cut_than_a_fuller_post() -> None:
    text = "He left. " * 6 + "\n\n" + "She stayed. " * 20
    assert _texts(text)[0] == ("He left. " * 6).strip()


def test_speech_is_cut_outside_if_it_can_be() -> None:
    text = "It rained on the town all night long. The inn stood dark. “Who is there? Speak. I am armed.” " + "She stayed. " * 12
    assert _texts(text)[0].endswith("armed.”")


def test_the_last_posts_are_balanced() -> None:
    first, last = _texts("He left the inn again. " * 5)
    assert abs(len(first) - len(last)) <= 23


def test_marks_are_closed_and_opened_again_and_recorded() -> None:
    first, last = cut("*" + "and on he went " * 8 + "home.*", HUNDRED)
    assert first.text.endswith("*")
    assert first.added == (Added(len(first.text) - 1, "*"),)
    assert last.text.startswith("*")
    assert last.added == (Added(0, "*"),)


def test_a_fence_keeps_its_language_and_indentation() -> None:
    text = "```python\n" + "if rain:\n    stay()\n" * 8 + "```"
    first, *_, last = _texts(text)
    assert first.endswith("\n```")
    assert last.startswith("```python\n")
    assert restored(text, cut(text, HUNDRED)) == text
    assert all("\n    stay()" in post for post in (first, last))


def test_a_fence_that_never_ends_is_closed() -> None:
    assert _texts("```\nrain") == ["```\nrain\n```"]


def test_a_quoted_line_stays_quoted() -> None:
    first, last = _texts("> " + "and on he went, " * 8)
    assert first.startswith("> ")
    assert last.startswith("> and")


def test_a_dash_in_a_sentence_does_not_become_a_list() -> None:
    posts = _texts("word " * 18 + "said - " + "word " * 30)
    assert not any(post.startswith("- ") for post in posts)


def test_a_lone_mark_is_left_alone() -> None:
    text = "He paid 3 * 4 coins and *nothing more. " + "She stayed. " * 5 + "\n\n" + "He left. " * 15
    assert all(not chunk.added for chunk in cut(text, HUNDRED))


def test_a_cluster_larger_than_a_post_is_cut_between_code_points() -> None:
    text = "e" + "\u0301" * 50
    assert "".join(_texts(text, ChannelLimits(10))) == text


@pytest.mark.parametrize("unit", list(LengthUnit))
@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        pytest.param("He left. " * 110_000, marks=pytest.mark.slow),
        pytest.param("*a " * 330_000, marks=pytest.mark.slow),
        "\u0301" * 1_000_000,
        " " * 1_000_000,
        "العربية " * 100_000,
    ],
    ids=["word", "prose", "marks", "marks on nothing", "blank", "right to left"],
)
def test_a_megabyte_of_anything_is_cut(text: str, unit: LengthUnit) -> None:
    limits = ChannelLimits(2_000, unit)
    chunks = cut(text, limits)
    assert all(measure(chunk.text, limits) <= 2_000 for chunk in chunks)
    assert sum(chunk.end - chunk.start for chunk in chunks) >= len(text.replace(" ", ""))
