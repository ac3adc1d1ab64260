"""Lanes: each room in order, rooms side by side, and nothing that is met in one stops it or another."""

import asyncio
import logging

import pytest

from adapters.matrix.ears.lanes import Lanes


class Dealer:
    def __init__(self) -> None:
        self.dealt: list[tuple[str, int]] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def deal(self, room: str, thing: int) -> None:
        if room in self.gates:
            await self.gates[room].wait()
        if thing < 0:
            raise RuntimeError("a defect")
        self.dealt.append((room, thing))


async def until_idle(lanes: Lanes[int]) -> None:
    while not lanes.is_idle:
        await asyncio.sleep(0)


async def test_nothing_goes_before_they_are_opened_and_then_everything_in_order() -> None:
    dealer = Dealer()
    lanes = Lanes(dealer.deal)
    for number in range(5):
        lanes.put("a", number)
    await asyncio.sleep(0)
    assert not dealer.dealt
    lanes.open()
    await until_idle(lanes)
    assert dealer.dealt == [("a", number) for number in range(5)]


async def test_a_slow_room_holds_up_no_other() -> None:
    dealer = Dealer()
    dealer.gates["slow"] = asyncio.Event()
    lanes = Lanes(dealer.deal)
    lanes.open()
    lanes.put("slow", 1)
    lanes.put("fast", 2)
    while lanes.is_busy("fast"):
        await asyncio.sleep(0)
    assert dealer.dealt == [("fast", 2)]
    assert lanes.is_busy("slow")
    dealer.gates["slow"].set()
    await until_idle(lanes)
    assert dealer.dealt == [("fast", 2), ("slow", 1)]


async def test_a_defect_is_logged_and_the_room_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    dealer = Dealer()
    lanes = Lanes(dealer.deal)
    lanes.open()
    lanes.put("a", -1)
    lanes.put("a", 1)
    await until_idle(lanes)
    assert dealer.dealt == [("a", 1)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_what_is_closed_deals_with_nothing_more() -> None:
    dealer = Dealer()
    dealer.gates["a"] = asyncio.Event()
    lanes = Lanes(dealer.deal)
    lanes.open()
    lanes.put("a", 1)
    await asyncio.sleep(0)
    await lanes.close()
    dealer.gates["a"].set()
    await asyncio.sleep(0)
    assert not dealer.dealt
    assert lanes.is_idle


async def test_a_room_that_was_idle_goes_again() -> None:
    dealer = Dealer()
    lanes = Lanes(dealer.deal)
    lanes.open()
    for number in (1, 2):
        lanes.put("a", number)
        await until_idle(lanes)
    assert dealer.dealt == [("a", 1), ("a", 2)]
