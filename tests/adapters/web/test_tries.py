"""How many wrong tokens are looked at, from one address and from all."""

import pytest

from adapters.web.tries import ADDRESSES, TRIES, WINDOW, TooManyTries, Tries
from tests.fakes.clock import FrozenClock


def are_left(tries: Tries, address: str | None) -> bool:
    try:
        tries.check(address)
    except TooManyTries:
        return False
    return True


def guess(tries: Tries, address: str | None, times: int = TRIES) -> None:
    for _ in range(times):
        tries.was_wrong(address)


def test_an_address_has_so_many_tries_and_has_them_again_later() -> None:
    clock = FrozenClock()
    tries = Tries(clock.ticks)
    guess(tries, "192.0.2.1", TRIES - 1)
    assert are_left(tries, "192.0.2.1")
    clock.move(20)
    guess(tries, "192.0.2.1", 1)
    with pytest.raises(TooManyTries) as refused:
        tries.check("192.0.2.1")
    assert (refused.value.status, refused.value.seconds) == (429, WINDOW - 20)
    assert are_left(tries, "192.0.2.2")
    clock.move(WINDOW - 20)
    assert are_left(tries, "192.0.2.1")


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::2"), (None, "a socket")],
)
def test_addresses_that_one_household_can_choose_from_are_one(first: str | None, second: str) -> None:
    tries = Tries(FrozenClock().ticks)
    guess(tries, first)
    assert not are_left(tries, second)
    assert are_left(tries, "2001:db8:0:1::1")


def test_however_many_addresses_guess_the_memory_is_bounded_and_none_gets_more_tries() -> None:
    clock = FrozenClock()
    tries = Tries(clock.ticks)
    for number in range(ADDRESSES * 3):
        tries.was_wrong(f"10.0.{number // 250}.{number % 250}")
    assert len(tries._wrong) <= ADDRESSES + 1
    guess(tries, "192.0.2.1")
    assert not are_left(tries, "192.0.2.1")
    clock.move(WINDOW)
    guess(tries, "192.0.2.2", 1)
    assert len(tries._wrong) == 1
    assert are_left(tries, "192.0.2.1")


def test_guessing_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    guess(Tries(FrozenClock().ticks), "192.0.2.1")
    assert [record.__dict__["action"] for record in caplog.records] == ["close_login"]
    assert "192.0.2.1" not in caplog.text
