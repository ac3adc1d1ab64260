"""Pairing of marks."""

from bot.chunking.emphasis import ENDLESS, Emphasis, Span


def test_a_second_opening_makes_the_first_an_ordinary_character() -> None:
    emphasis = Emphasis(())
    for start in (2, 10):
        emphasis.run("*", start, start + 1, (" ", "a"))
    emphasis.run("*", 15, 16, ("a", " "))
    assert emphasis.spans == [Span(10, 11, 15, "*")]


def test_three_marks_open_two_stretches_and_close_them_in_turn() -> None:
    emphasis = Emphasis(())
    emphasis.run("*", 0, 3, (" ", "a"))
    assert emphasis.depth == 3
    emphasis.run("*", 8, 11, ("a", " "))
    assert emphasis.spans == [Span(2, 3, 8, "*"), Span(0, 2, 9, "**")]


def test_an_underscore_within_a_word_is_no_mark() -> None:
    emphasis = Emphasis(())
    emphasis.run("_", 3, 4, ("a", "b"))
    assert emphasis.depth == 0


def test_only_spoilers_outlast_a_paragraph() -> None:
    emphasis = Emphasis(("||", "*"))
    emphasis.end_paragraph()
    emphasis.go_on()
    assert emphasis.spans == [Span(-3, -1, ENDLESS, "||")]
