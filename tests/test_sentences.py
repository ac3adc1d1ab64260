"""Sentence and grapheme borders of novel prose."""

import pytest

from bot.sentences import grapheme_borders, is_grapheme_border, last_whole_sentence, sentence_ends, spoken_sentence_ends


def _split(text: str, ends: tuple[int, ...]) -> list[str]:
    return [text[start:end].strip() for start, end in zip((0, *ends), ends, strict=False)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Mr. Harrow looked up.", "“Is it late?” she asked.", "“No. Not yet,” he said."],
        ["He waited…", "Then he went."],
        ["“Wait!”", "Mrs. Dale—who had been quiet—laughed."],
        ['"What? Who are you?" he asked.', '"I see."', "She left."],
        ["*He ran.*", "**She fell.**", "||It was him.||", "The end."],
        ['"So late," Mira whispered.', '"It\'s a secret. I know, I know it well, and have known it for long."', "She laughed."],
        ["I waited... and waited.", "It cost 3.50 dollars."],
        ["No mark ends this one", "but a paragraph does."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(sentences: list[str]) -> None:
    text = ("\n\n" if sentences[0].startswith("No mark") else " ").join(sentences)
    assert _split(text, sentence_ends(text)) == sentences


def test_a_long_speech_has_ends_of_its_own() -> None:
    text = "“Never. Not once. Not in years.” He left."
    assert _split(text, sentence_ends(text)) == ["“Never. Not once. Not in years.”", "He left."]
    assert _split(text, spoken_sentence_ends(text)) == ["“Never.", "Not once.", "Not in years.”", "He left."]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("He left. She sta", "He left."),
        ("He left. “No,” she sa", "He left."),
        ("“No.” She", "“No.”"),
        ("*She waves.*", "*She waves.*"),
        ("He met Mr.", ""),
        ("He left. “And I—”", "He left. “And I—”"),
        ("He left…", "He left…"),
        ("The first part\n\nShe wen", "The first part"),
        ("Done.  \n\n", "Done."),
        ("no end of any kind", ""),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_an_unfinished_sentence_is_not_whole(text: str, whole: str) -> None:
    assert text[: last_whole_sentence(text)] == whole


@pytest.mark.parametrize("odd", ["\u2028", "\x00", "\ud800", "\u202e", "\x85", "\u3000", "A\u2028.?\n1\u2028\r\tB\u2028.'"])
def test_odd_characters_harm_nothing_and_move_no_border(odd: str) -> None:
    text = f"He left. {odd} She stayed. {odd}"
    assert 8 in sentence_ends(text)
    assert sentence_ends(text)[-1] <= len(text)


@pytest.mark.parametrize("text", ["“a. " * 20_000, "a" * 100_000, "\n" * 100_000, "“" * 100_000, "He left. " * 11_000])
def test_long_odd_texts_have_borders_in_order(text: str) -> None:
    ends = sentence_ends(text)
    assert list(ends) == sorted(set(ends))
    assert last_whole_sentence(text) in {0, *ends}


def test_clusters_are_kept_whole() -> None:
    text = "e\u0301👨‍👩‍👧🇫🇷x"
    assert grapheme_borders(text, len(text)) == [2, 7, 9, 10]
    assert grapheme_borders(text, 6) == [2]
    assert is_grapheme_border("a. b", 2)
    assert not is_grapheme_border("a.\u0301", 2)
