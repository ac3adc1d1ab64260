"""What must stay whole and what is open at a cut."""

import pytest

from bot.chunking.markup import Carried, Markup, read

NOTHING = Carried()


def _read(text: str, carried: Carried = NOTHING, *, goes_on: bool = False, post: int = 1_000) -> Markup:
    return read(text, carried, goes_on=goes_on, too_long=lambda stretch, marks: len(stretch) + marks > post)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("see [the map](http://x.y/a(b)c) now", "[the map](http://x.y/a(b)c)"),
        ("at https://x.y/z?a=b*, then", "https://x.y/z?a=b"),
        ("say `a *b* c` now", "`a *b* c`"),
        ("hey <@123> you", "<@123>"),
        ("three \\* four", "\\*"),
    ],
)
def test_whole_things_are_not_parted(text: str, whole: str) -> None:
    markup, start = _read(text), text.index(whole)
    assert [at for at in range(len(text)) if markup.parts(at)] == list(range(start + 1, start + len(whole)))


def test_code_longer_than_a_post_may_be_parted_and_is_open_there() -> None:
    markup = _read("`" + "code " * 10 + "`", post=20)
    assert not markup.parts(10)
    assert markup.closing(10) == "`"


def test_a_list_marker_stays_with_its_item() -> None:
    markup = _read("- rope\n12. lamp")
    assert [at for at in range(15) if markup.parts(at)] == [1, 2, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("text", "at", "closing"),
    [
        ("*a b c*", 4, "*"),
        ("**a *b c* d**", 6, "***"),
        ("~~a __b c__~~", 7, "__~~"),
        ("||a\n\nb||", 3, "||"),
        ("*a\n\nb*", 2, ""),
        ("2 * 3 * 4", 5, ""),
        ("```py\na\nb\n```", 7, "\n```"),
        ("`*a b*`", 4, ""),
    ],
)
def test_open_marks_are_closed_innermost_first(text: str, at: int, closing: str) -> None:
    assert _read(text).closing(at) == closing


def test_what_was_open_is_opened_again_only_if_it_is_closed_later() -> None:
    carried = Carried(marks=("**", "~~"), mid_line=True)
    assert _read("on~~ and on**", carried).opening() == ((0, "**~~"),)
    assert _read("on and on**", carried).opening() == ((0, "**"),)
    assert _read("on and on", carried).opening() == ()
    assert _read("on and on", carried, goes_on=True).opening() == ((0, "**~~"),)


def test_marks_opened_again_stand_after_the_marks_of_a_quote() -> None:
    assert _read("> on and on*", Carried(marks=("*",))).opening() == ((2, "*"),)


def test_a_parted_quote_line_is_a_quote_until_it_ends() -> None:
    markup = _read("and on\nbut here not", Carried(quote="> ", mid_line=True))
    assert markup.opening() == ((0, "> "),)
    assert [markup.carried_over(at).quote for at in (3, 10)] == ["> ", ""]


def test_straight_quotes_are_counted_by_line() -> None:
    markup = _read('he said, "no and no" or "yes\nbut', Carried(speaking=False))
    assert [markup.carried_over(at).speaking for at in (12, 21, 27, 31)] == [True, False, True, False]
