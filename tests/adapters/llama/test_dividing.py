import pytest

from adapters.llama.dividing import fillers, joint_calls, whole_calls
from bot.ports.runner import Stretch


def stretches(*sizes: tuple[int, int]) -> list[Stretch]:
    """Of these slots and these sizes, each going on where the slot's last one ended."""
    ends: dict[int, int] = {}
    made = []
    for slot, size in sizes:
        made.append(Stretch(slot, (65,) * size, ends.get(slot, 0), draws=False))
        ends[slot] = ends.get(slot, 0) + size
    return made


@pytest.mark.parametrize(
    ("sizes", "width", "calls"),
    [
        (((0, 1),), 8, [(0,)]),
        (((2, 1), (0, 1), (1, 1)), 8, [(1, 2, 0)]),
        (((0, 1), (1, 9), (2, 1), (3, 9)), 8, [(0, 2), (1,), (3,)]),
        (((0, 9), (0, 1), (1, 1), (0, 1)), 8, [(2,), (0,), (1,), (3,)]),
        (((0, 1), (0, 1), (1, 1), (1, 1)), 8, [(0, 2), (1, 3)]),
        (((0, 1), (1, 1), (2, 1), (3, 1)), 3, [(0, 1, 2), (3,)]),
        (((0, 1), (1, 1)), 1, [(0,), (1,)]),
    ],
    ids=["one", "by slot", "long ones alone", "a slot in order", "second ones together", "a width", "alone"],
)
def test_where_replies_are_exact_single_tokens_are_read_together_and_longer_stretches_alone(
    sizes: tuple[tuple[int, int], ...], width: int, calls: list[tuple[int, ...]]
) -> None:
    assert whole_calls(stretches(*sizes), width) == calls


@pytest.mark.parametrize(
    ("sizes", "most", "calls"),
    [
        (((3, 1), (0, 8), (1, 1)), 99, [(1, 2, 0)]),
        (((1, 8), (0, 8), (1, 8), (0, 8)), 99, [(1, 3, 0, 2)]),
        (((0, 8), (1, 8), (2, 1)), 10, [(0,), (1, 2)]),
    ],
    ids=["by slot", "those of a slot side by side", "as many as fit"],
)
def test_otherwise_all_is_read_in_as_few_calls_as_fit(
    sizes: tuple[tuple[int, int], ...], most: int, calls: list[tuple[int, ...]]
) -> None:
    assert joint_calls(stretches(*sizes), most) == calls


@pytest.mark.parametrize(
    ("sizes", "gap", "filled"),
    [
        (((0, 1), (1, 1)), 8, []),
        (((0, 1), (3, 1)), 8, [(1, 20), (2, 30)]),
        (((0, 1), (3, 1)), 1, []),
        (((0, 1), (2, 1), (4, 1)), 1, [(1, 20), (3, 40)]),
        (((0, 1), (2, 5)), 8, []),
        (((3, 1), (6, 1)), 8, []),
    ],
    ids=["none between", "all between", "too many between", "each gap", "beside a long one", "a full slot between"],
)
def test_idle_slots_between_two_that_read_a_token_read_one_too(
    sizes: tuple[tuple[int, int], ...], gap: int, filled: list[tuple[int, int]]
) -> None:
    found = fillers(stretches(*sizes), (10, 20, 30, 40, 50, 256, 60), room=256, gap=gap)
    assert [(stretch.slot, stretch.start) for stretch in found] == filled
    assert not any(stretch.draws or len(stretch.tokens) != 1 for stretch in found)
