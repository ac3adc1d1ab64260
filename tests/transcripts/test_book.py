"""A book has what readers were shown, in chapters that end where people would end them."""

import pytest

from bot.story.turn import Role, Turn, Variant
from bot.transcripts.book import LONG_CHAPTER, SHORT_CHAPTER, book_of, in_parts
from tests.transcripts.books import CREATED, a_story, told


def long_story(*texts: str) -> list[int]:
    """How many posts each chapter of these texts has."""
    turns = [Turn(number, Role.PLAYER, "Tobias", (Variant(text),)) for number, text in enumerate(texts)]
    return [len(chapter.posts) for chapter in book_of(a_story(), turns, CREATED).chapters]


def test_a_book_has_the_shown_variants_and_nothing_unfinished_or_empty() -> None:
    [chapter] = book_of(a_story(), told(), CREATED).chapters

    assert [(post.speaker, post.text) for post in chapter.posts] == [
        ("Mira", '"We close at *ten*," she said.'),
        ("Tobias", "He sat down.\n\n***\n\n> Closed\n\n`key`"),
        ("Tobias", "Then he slept."),
    ]


def test_asides_are_in_it_when_they_are_asked_for() -> None:
    [chapter] = book_of(a_story(), told(), CREATED, with_asides=True).chapters

    assert [post.speaker for post in chapter.posts if post.is_aside] == ["Elin"]


def test_dice_are_told_as_sentences() -> None:
    [chapter] = book_of(a_story(), told(), CREATED).chapters

    assert chapter.posts[2].rolls == ("Tobias rolled 1d20 (7) = 7 (sleep)",)


def test_title_and_author_line_name_who_plays() -> None:
    book = book_of(a_story(), (), CREATED)

    assert book.title == "Mira, Tobias and Elin"
    assert book.author_line == "Tobias and Elin, with Understudy as Mira"
    assert book_of(a_story(personas=()), (), CREATED).author_line == "Understudy as Mira"
    assert book_of(a_story(), (), CREATED, title=" The Inn ").title == "The Inn"


def test_a_chapter_ends_when_it_is_long() -> None:
    post = "word " * (LONG_CHAPTER // 3)

    assert long_story(*[post] * 7) == [3, 3, 1]


@pytest.mark.parametrize(("before", "after"), [("\n\n***", ""), ("", "* * *\n\n"), ("\n\n---", ""), ("", "\u2042\n\n")])
def test_a_chapter_ends_early_at_a_break_that_the_players_set(before: str, after: str) -> None:
    post = "word " * (SHORT_CHAPTER // 2 + 1)

    assert long_story(post, post + before, after + post) == [2, 1]
    assert long_story(post, post, post) == [3]


def test_parts_follow_each_other_with_chapters_counted_through() -> None:
    post = "word " * LONG_CHAPTER
    turns = [Turn(number, Role.PLAYER, "Tobias", (Variant(post),)) for number in range(2)]
    book = in_parts([book_of(a_story(), turns, CREATED)] * 2, "The Inn")

    assert [(chapter.part, chapter.title) for chapter in book.chapters] == [
        ("Part 1", "Chapter 1"),
        ("", "Chapter 2"),
        ("Part 2", "Chapter 3"),
        ("", "Chapter 4"),
    ]
    assert book.title == "The Inn"


def test_a_book_of_no_parts_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        in_parts([])
