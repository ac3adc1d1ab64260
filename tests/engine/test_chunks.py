import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.chunks import divided, kept_ends, resumed, shared

BORDERS = st.lists(st.integers(1, 300), unique=True).map(lambda found: tuple(sorted(found)))


@pytest.mark.parametrize(
    ("length", "borders", "start", "wanted"),
    [
        (10, (), 0, (10,)),
        (130, (), 0, (64, 128, 130)),
        (128, (), 0, (64, 128)),
        (200, (30, 150), 0, (30, 94, 150, 200)),
        (200, (30, 150), 35, (99, 150, 200)),
        (200, (30, 150), 30, (94, 150, 200)),
        (200, (0, 200, 300), 0, (64, 128, 192, 200)),
        (30, (), 30, ()),
    ],
)
def test_a_prompt_is_divided_at_its_borders_and_every_64_tokens_from_each(
    length: int, borders: tuple[int, ...], start: int, wanted: tuple[int, ...]
) -> None:
    assert divided(length, borders, 64, start) == wanted


@given(length=st.integers(1, 400), borders=BORDERS, chunk=st.integers(1, 70), data=st.data())
def test_going_on_from_any_end_divides_the_rest_as_if_it_were_read_at_once(
    length: int, borders: tuple[int, ...], chunk: int, data: st.DataObject
) -> None:
    plan = divided(length, borders, chunk)
    assert all(0 < end - start <= chunk for start, end in zip((0, *plan), plan, strict=False))
    start = data.draw(st.sampled_from((0, *plan)))
    assert divided(length, borders, chunk, start) == tuple(end for end in plan if end > start)


@given(length=st.integers(2, 300), more=st.integers(1, 300), borders=BORDERS, chunk=st.integers(1, 70))
def test_a_story_that_grew_at_a_border_is_divided_as_if_it_had_always_been_whole(
    length: int, more: int, borders: tuple[int, ...], chunk: int
) -> None:
    borders = tuple(sorted({*borders, length}))
    before = divided(length, borders, chunk)
    assert divided(length + more, borders, chunk)[: len(before)] == before


@given(same=st.lists(st.integers(0, 3)), one=st.lists(st.integers(4, 5)), other=st.lists(st.integers(6, 7)))
def test_what_two_runs_of_tokens_share_is_counted_from_the_start(same: list[int], one: list[int], other: list[int]) -> None:
    assert shared(same + one, same + other) == len(same)


@pytest.mark.parametrize(
    ("ends", "alike", "borders", "wanted"),
    [
        # Divided alike up to 94, which is the last end within what is the same.
        ((30, 94, 150), 120, (30, 150), 94),
        # All is the same, and all ends are.
        ((30, 94, 150, 200), 200, (30, 150), 200),
        # Read to 100 in one go once, so 64..100 is not what a fresh reading does; but 150 is a border where a stretch ended.
        ((30, 64, 100, 150), 170, (30, 150), 150),
        # The last 10 tokens were written one by one: they stay as they are.
        ((30, 94, 150, *range(151, 161)), 160, (30, 150), 160),
        # One token alone may be the rest of a part that was read: a fresh reading would go on to 194.
        ((30, 94, 150, 151), 151, (30, 150), 150),
        # What was written is no longer the same: back to where both were divided alike.
        ((30, 94, 150, *range(151, 161)), 150, (30, 150), 150),
        # Nothing is the same.
        ((30, 94), 0, (30,), 0),
        ((), 0, (), 0),
    ],
)
def test_a_slot_goes_on_from_the_latest_place_that_is_as_good_as_a_fresh_reading(
    ends: tuple[int, ...], alike: int, borders: tuple[int, ...], wanted: int
) -> None:
    assert resumed(ends, alike, borders, divided(200, borders, 64)) == wanted


def test_a_cut_slot_ends_where_it_was_cut() -> None:
    assert kept_ends((10, 20, 30), 20) == [10, 20]
    assert kept_ends((10, 20, 30), 25) == [10, 20, 25]
    assert kept_ends((10, 20, 30), 0) == []
