"""What holds for every text: by hypothesis, with few examples always and with 2,000 among the slow tests."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import regex
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.chunking.borders import BLANKS
from bot.chunking.chunker import Chunk, Chunker, cut
from bot.posts import ChannelLimits
from tests.chunking.texts import (
    FULL,
    SMALL,
    limits,
    marked_texts,
    measure,
    odd_texts,
    prose,
    restored,
    roomy_limits,
    secrets,
    seen,
)

_texts = odd_texts | marked_texts | prose
_EITHER_SIZE = pytest.mark.parametrize(
    "examples", [SMALL, pytest.param(FULL, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)


def _try(examples: int, promise: Callable[..., None], *drawn: st.SearchStrategy[object]) -> None:
    """Try a promise on so many examples."""
    slow_is_fine = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    slow_is_fine(given(*drawn)(promise))()


@_EITHER_SIZE
def test_posts_less_what_was_added_give_back_the_text(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        chunks = cut(text, place)
        assert restored(text, chunks) == text
        assert all(earlier.end <= later.start for earlier, later in pairwise(chunks))

    _try(examples, promise, _texts, limits)


@_EITHER_SIZE
def test_no_post_is_too_long_or_blank(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        for chunk in cut(text, place):
            assert measure(chunk.text, place) <= place.post_length
            assert chunk.text.strip()
            assert BLANKS.sub("", text[chunk.start : chunk.end])

    _try(examples, promise, _texts, limits)


@_EITHER_SIZE
def test_feeding_piecewise_equals_feeding_whole(examples: int) -> None:
    def promise(text: str, place: ChannelLimits, steps: list[int]) -> None:
        chunker, at = Chunker(place), 0
        chunks: list[Chunk] = []
        for step in steps * (len(text) + 1):
            if at >= len(text):
                break
            chunks += chunker.feed(text[at : at + step])
            at += step
        assert (*chunks, *chunker.finish()) == cut(text, place)

    _try(examples, promise, _texts, limits, st.lists(st.integers(1, 50), min_size=1, max_size=5))


@_EITHER_SIZE
def test_the_text_can_end_anywhere_after_what_was_taken(examples: int) -> None:
    def promise(text: str, place: ChannelLimits, share: float) -> None:
        chunker = Chunker(place)
        chunks = chunker.feed(text)
        end = chunker.taken + int(share * (len(text) - chunker.taken))
        chunks += chunker.finish(end)
        assert restored(text[:end], chunks) == text[:end]
        assert all(BLANKS.sub("", text[chunk.start : chunk.end]) for chunk in chunks)
        assert all(measure(chunk.text, place) <= place.post_length for chunk in chunks)

    _try(examples, promise, _texts, limits, st.floats(0, 1))


@_EITHER_SIZE
def test_every_post_shows_each_character_as_the_whole_text_does(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        assert [char for chunk in cut(text, place) for char in seen(chunk.text)] == seen(text)

    _try(examples, promise, marked_texts, roomy_limits)


def _letters(text: str) -> str:
    return "".join(char for char in text if char not in " *~")


@_EITHER_SIZE
def test_no_secret_is_revealed_by_a_cut(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        hidden = "".join(part for chunk in cut(text, place) for part in chunk.text.split("||")[1::2])
        assert _letters(hidden) == _letters("".join(text.split("||")[1::2]))

    _try(examples, promise, secrets, roomy_limits)


@_EITHER_SIZE
def test_no_grapheme_link_or_code_span_that_fits_a_post_is_parted(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        ends = {chunk.end for chunk in cut(text, place)}
        clusters = [found.span() for found in regex.finditer(r"\X", text)]
        wholes = [found.span() for found in regex.finditer(r"`[^`]+`|\[[^\]]*\]\([^)]*\)", text)] if "```" not in text else []
        for start, end in clusters + wholes:
            # A third of a post may be taken by marks around.
            if measure(text[start:end], place) * 3 <= place.post_length * 2:
                assert not ends & set(range(start + 1, end))

    _try(examples, promise, marked_texts | prose, roomy_limits)
    _try(examples, promise, odd_texts.map(lambda text: text.replace("[l]", "").replace("`", "")), limits)


@_EITHER_SIZE
def test_the_last_two_posts_of_prose_are_about_equally_long(examples: int) -> None:
    def promise(text: str, place: ChannelLimits) -> None:
        *_, first, last = (None, *cut(text, place))
        assume(first is not None and last is not None)
        assert first is not None
        assert last is not None
        both = last.end - first.start
        assert abs((last.start - first.start) - both / 2) <= both * 0.2 + 12

    _try(examples, promise, prose, roomy_limits)
