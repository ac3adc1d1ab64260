"""Walks as traces: how they look to a collector, and that one that is away costs nothing but its traces."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.traces import AT_ONCE, KEPT, REST, Traces, document, spans
from bot.flow.walks import Station, Walk
from bot.ids import SessionId
from tests.builders import HERE
from tests.fakes.clock import FrozenClock

TRACE = "0123456789abcdef0123456789abcdef"
FAST = {Station.DECIDED: 101.0, Station.FIRST_TOKEN: 102.0, Station.FINISHED: 104.0, Station.FIRST_POST: 105.0}


def a_walk(turn: int = 1, outcome: str = "end") -> Walk:
    return Walk(HERE, SessionId("s"), turn, 100.0, at=dict(FAST), outcome=outcome, facts={"written": 12, "undelivered": True})


def test_a_walk_is_one_span_with_one_for_the_way_to_each_station_in_the_order_of_time() -> None:
    whole, *ways = spans(a_walk(), 1_700_000_000.0, TRACE)
    assert (whole["name"], whole["startTimeUnixNano"], whole["endTimeUnixNano"]) == (
        *("walk", "1700000000000000000", "1700000005000000000"),
    )
    assert [each["name"] for each in ways] == ["decided", "first_token", "finished", "first_post"]
    assert [each["startTimeUnixNano"] for each in ways[1:]] == [each["endTimeUnixNano"] for each in ways[:-1]]
    assert {each["traceId"] for each in (whole, *ways)} == {TRACE}
    assert {each["parentSpanId"] for each in ways} == {whole["spanId"]}
    assert len({each["spanId"] for each in (whole, *ways)}) == 5
    told = {each["key"]: each["value"] for each in whole["attributes"]}
    assert (told["outcome"], told["written"], told["undelivered"]) == (
        {"stringValue": "end"},
        {"intValue": "12"},
        {"boolValue": True},
    )
    assert "status" not in whole


@pytest.mark.parametrize("outcome", ["broken", "failed", ""])
def test_a_walk_that_failed_is_an_error(outcome: str) -> None:
    assert spans(a_walk(outcome=outcome), 0.0, TRACE)[0]["status"] == {"code": 2}


@dataclass(slots=True)
class Collector:
    """Keeps what it is sent, and answers with the next of these statuses, then with 200."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    lets_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.lets_go.set()

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.came.set()
        await self.lets_go.wait()
        return web.json_response({}, status=self.statuses.pop(0) if self.statuses else 200)

    def turns(self, body: int) -> list[str]:
        """The turns whose walks came in a body."""
        (resource,) = self.bodies[body]["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        told = [each["attributes"] for each in scope["spans"] if each["name"] == "walk"]
        return [each["value"]["intValue"] for attributes in told for each in attributes if each["key"] == "turn"]


@asynccontextmanager
async def collecting(*statuses: int) -> AsyncGenerator[tuple[Collector, Traces, FrozenClock]]:
    collector, clock = Collector(list(statuses)), FrozenClock()
    app = web.Application()
    app.add_routes([web.post("/v1/traces", collector.take)])
    async with TestServer(app) as server:
        traces = Traces(str(server.make_url("/")), clock)
        traces.start()
        yield collector, traces, clock
        await traces.close()


async def test_a_walk_is_sent_when_it_is_over() -> None:
    async with collecting() as (collector, traces, _):
        traces.note(a_walk(7))
        await collector.came.wait()
    assert collector.turns(0) == ["7"]
    assert document([])["resourceSpans"][0]["resource"] == collector.bodies[0]["resourceSpans"][0]["resource"]


@pytest.mark.parametrize(("status", "comes_again"), [(503, True), (429, True), (400, False), (500, False)])
async def test_what_a_collector_cannot_take_now_waits_for_it(
    status: int, caplog: pytest.LogCaptureFixture, *, comes_again: bool
) -> None:
    async with collecting(status, status) as (collector, traces, clock):
        for turn in (1, 2):
            collector.came.clear()
            traces.note(a_walk(turn))
            await collector.came.wait()
            while comes_again and REST not in clock.sleeping:
                await asyncio.sleep(0)
            clock.move(REST)
        collector.came.clear()
        traces.note(a_walk(3))
        await collector.came.wait()
    assert collector.turns(-1)[-1] == "3"
    assert (collector.turns(-1)[0] == "1") is comes_again
    assert len([each for each in caplog.records if vars(each).get("action") == "keep_traces"]) == 1


async def test_what_is_left_at_the_end_is_sent_as_a_whole_with_what_was_on_its_way() -> None:
    async with collecting() as (collector, traces, _):
        collector.lets_go.clear()
        traces.note(a_walk(0))
        await collector.came.wait()
        for turn in range(1, 2 * AT_ONCE + 50):
            traces.note(a_walk(turn))
        collector.lets_go.set()
        await traces.close()
    sent = {turn for body in range(len(collector.bodies)) for turn in collector.turns(body)}
    assert sent == {str(turn) for turn in range(2 * AT_ONCE + 50)}
    assert collector.turns(1)[0] == "0", "the collector tells by its name that it is the same"


async def test_nobody_there_costs_no_more_than_the_oldest_walks(unused_tcp_port: int) -> None:
    traces = Traces(f"http://127.0.0.1:{unused_tcp_port}", FrozenClock())
    for turn in range(KEPT + AT_ONCE):
        traces.note(a_walk(turn))
    await traces.close()
    kept = [each[0]["attributes"][2]["value"] for each in traces._waiting]
    assert (len(kept), kept[0], kept[-1]) == (KEPT, {"intValue": str(AT_ONCE)}, {"intValue": str(KEPT + AT_ONCE - 1)})
