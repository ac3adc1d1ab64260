"""Where a text can be cut."""

from bot.chunking.borders import Level, find_borders, visible_length
from bot.chunking.markup import Carried, read

NOTHING = Carried()


def _borders(text: str, carried: Carried = NOTHING) -> list[tuple[str, Level]]:
    markup = read(text, carried, goes_on=False, too_long=lambda _stretch, _marks: False)
    return [(text[: border.at].rsplit(maxsplit=1)[-1], border.level) for border in find_borders(text, markup, len(text))]


def test_each_border_has_the_level_of_the_best_that_ends_there() -> None:
    assert _borders("He left, then. She\nate.\n\nEnd") == [
        ("He", Level.WORD),
        ("left,", Level.CLAUSE),
        ("then.", Level.SENTENCE),
        ("She", Level.LINE),
        ("ate.", Level.PARAGRAPH),
    ]


def test_borders_in_speech_are_lower() -> None:
    found = dict(_borders("“Well, no. Not so. I say.” He left."))
    assert found == {
        "“Well,": Level.SPOKEN_CLAUSE,
        "no.": Level.SPOKEN_SENTENCE,
        "Not": Level.WORD,
        "so.": Level.SPOKEN_SENTENCE,
        "I": Level.WORD,
        "say.”": Level.SENTENCE,
        "He": Level.WORD,
    }


def test_a_straight_quote_left_open_before_the_text_is_closed_by_the_first() -> None:
    found = dict(_borders('and so. Never." He left. "Who?" Nobody.', Carried(speaking=True, mid_line=True)))
    assert found["so."] == Level.SPOKEN_SENTENCE
    assert found["left."] == Level.SENTENCE


def test_a_dash_between_words_is_a_border_that_takes_no_space() -> None:
    assert ("he—", Level.CLAUSE) in _borders("he—who left")


def test_a_fence_is_cut_at_its_lines() -> None:
    assert [level for _, level in _borders("```\na. B\n\nc, d\n```")] == [Level.WORD, Level.LINE, Level.WORD]


def test_blanks_that_belong_to_a_visible_cluster_are_no_borders() -> None:
    assert _borders("a \u0301b") == []
    assert visible_length("a \u0301 \n") == 3
