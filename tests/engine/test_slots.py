import pytest

from bot.engine.slots import SlotTable
from bot.ids import SessionId

MIRA, TOBIAS, RAIN = SessionId("mira"), SessionId("tobias"), SessionId("rain")


def test_a_session_gets_its_own_slot_again() -> None:
    table = SlotTable(2)
    first = table.take(MIRA)
    first.tokens.extend((1, 2, 3))
    assert table.take(MIRA) is first
    table.check_integrity(10)


def test_a_new_session_gets_an_empty_slot_rather_than_another_ones() -> None:
    table = SlotTable(2)
    table.take(MIRA).tokens.extend((1, 2, 3))
    assert table.take(TOBIAS).tokens == []
    table.check_integrity(10)


def test_without_an_empty_slot_the_least_recently_used_one_is_taken() -> None:
    table = SlotTable(2)
    for session in (MIRA, TOBIAS):
        table.take(session).tokens.extend((len(session), 2, 3))
    mira = table.take(MIRA)
    taken = table.take(RAIN)
    assert taken is not mira
    assert taken.session == RAIN
    table.check_integrity(10)


def test_what_would_cost_another_session_its_cache_is_not_taken_for_a_favour() -> None:
    table = SlotTable(1)
    table.take(MIRA).tokens.extend((1, 2))
    assert table.take_without_loss(TOBIAS) is None
    assert table[0].session == MIRA


def test_the_common_prefix_is_counted_in_tokens() -> None:
    slot = SlotTable(1).take(MIRA)
    slot.tokens.extend((1, 2, 3))
    assert [slot.prefix(tokens) for tokens in ((), (1,), (1, 2, 3, 4), (1, 9, 3), (9,))] == [0, 1, 3, 1, 0]


def test_contradictions_are_found() -> None:
    table = SlotTable(2)
    table.take(MIRA).tokens.extend(range(5))
    with pytest.raises(ValueError, match="more than 4"):
        table.check_integrity(4)
    table[1].session = MIRA
    with pytest.raises(ValueError, match="more than one slot"):
        table.check_integrity(10)
