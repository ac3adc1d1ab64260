from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.remote.events import LONGEST, EventReader, EventTooLong

STREAM = ': a comment\ndata: {"text": "Zoë 😀"}\n\nevent: x\nid: 1\ndata:two\ndata: lines\r\n\r\n\n\ndata: [DONE]\n\n'.encode()
EVENTS = ['{"text": "Zoë 😀"}', "two\nlines", "[DONE]"]


def test_events_come_out_of_one_piece() -> None:
    assert EventReader().feed(STREAM) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_events_come_out_of_any_pieces_characters_split_and_all(cuts: list[int]) -> None:
    reader, borders = EventReader(), sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[start:end] for start, end in pairwise(borders)]
    assert [data for piece in pieces for data in reader.feed(piece)] == EVENTS


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\n\n"])
def test_an_event_that_lacks_its_end_is_the_rest(ending: bytes) -> None:
    reader = EventReader()
    assert reader.feed(b"data: last" + ending) + reader.rest() == ["last"]
    assert reader.rest() == []


def test_an_event_without_an_end_is_too_long_at_last() -> None:
    reader = EventReader()
    with pytest.raises(EventTooLong):
        reader.feed(b"data: " + b"x" * LONGEST)


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert EventReader().feed(b"data: \xff\n\n") == ["\ufffd"]
