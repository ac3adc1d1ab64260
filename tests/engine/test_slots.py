import pytest

from bot.engine.slots import SlotTable
from tests.engine.stage import MIRA, RAIN, TOBIAS


def test_a_session_finds_its_own_slot_again() -> None:
    table = SlotTable(2)
    table.give(table[1], MIRA)
    table[1].extend((1, 2, 3))
    assert table.of(MIRA) is table[1]
    assert table.of(TOBIAS) is None
    table.check_integrity(10)


def test_an_empty_slot_is_nobodys() -> None:
    table = SlotTable(2)
    table.give(table[0], MIRA)
    assert table.empty() is table[1]
    table.give(table[1], TOBIAS)
    assert table.empty() is None
    table[0].clear()
    assert table.empty() is table[0]


def test_the_longest_unused_slot_is_the_one_that_was_given_first_and_is_not_busy() -> None:
    table = SlotTable(3)
    for index, session in ((2, MIRA), (0, TOBIAS), (1, RAIN)):
        table.give(table[index], session)
    assert table.longest_unused(()) is table[2]
    table.give(table[2], MIRA)
    assert table.longest_unused(()) is table[0]
    assert table.longest_unused({0}) is table[1]
    assert table.longest_unused({0, 1, 2}) is None


def test_a_slot_knows_where_its_stretches_ended() -> None:
    slot = SlotTable(1)[0]
    slot.extend((1, 2, 3))
    slot.extend((4,))
    assert (slot.tokens, slot.ends) == ([1, 2, 3, 4], [3, 4])
    slot.cut(3)
    assert (slot.tokens, slot.ends) == ([1, 2, 3], [3])


def test_to_draw_the_last_token_is_read_again() -> None:
    slot = SlotTable(1)[0]
    slot.extend((1, 2, 3))
    assert [slot.alike(tokens, draws=False) for tokens in ((), (1,), (1, 2, 3, 4), (1, 9, 3), (9,))] == [0, 1, 3, 1, 0]
    assert [slot.alike(tokens, draws=True) for tokens in ((1,), (1, 2, 3), (1, 2, 3, 4))] == [0, 2, 3]


def test_contradictions_are_found() -> None:
    table = SlotTable(2)
    table.give(table[0], MIRA)
    table[0].extend(range(5))
    with pytest.raises(ValueError, match="more than 4"):
        table.check_integrity(4)
    table[1].session = MIRA
    with pytest.raises(ValueError, match="more than one slot"):
        table.check_integrity(10)
    table[1].session = None
    table[0].tokens.append(9)
    with pytest.raises(ValueError, match="stretches end at"):
        table.check_integrity(10)
