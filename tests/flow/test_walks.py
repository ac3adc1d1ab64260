"""One line of the log a walk: what came of it and how long each station took, and no word of anybody's."""

import asyncio
import logging

import pytest

from bot.errors import EngineUnavailable, PostRefused, TryLater
from bot.flow.deliver import RECHECK
from bot.flow.walks import OPEN, Station, Walks
from bot.ids import EventId
from bot.metrics import Metrics
from bot.posts import Inbound
from tests.builders import HERE, a_post, a_session
from tests.contracts.stories import shown
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import Mishap, Verb
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import a_stage

HERON = "The heron is blue."


class Timed:
    """Walks, and a clock that moves one second between any two steps."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "bot.flow.walks")
        self.clock, self.metrics, self._caplog = FrozenClock(), Metrics(), caplog
        self.walks = Walks(self.clock, self.metrics)

    def event(self, event: Inbound) -> None:
        """A post came in, waited for a second, and was decided on after another one."""
        self.walks.came(event, self.clock.ticks())
        self.clock.move(1)
        self.walks.taken(event)
        self.clock.move(1)
        self.walks.decided(HERE)
        self.clock.move(1)

    def facts(self, *names: str) -> list[tuple[object, ...]]:
        """These facts of each line; None for one that it does not have."""
        return lines(self._caplog, *names)


def lines(caplog: pytest.LogCaptureFixture, *names: str) -> list[tuple[object, ...]]:
    records = [record for record in caplog.records if vars(record).get("action") == "turn"]
    return [tuple(vars(record).get(name) for name in names) for record in records]


@pytest.fixture
def timed(caplog: pytest.LogCaptureFixture) -> Timed:
    return Timed(caplog)


def test_each_station_is_timed_from_the_arrival_of_the_post(timed: Timed) -> None:
    timed.event(a_post())
    walk = timed.walks.open(a_session(), 1)
    walk.expects([shown("a", 1), shown("b", 1, 1)])
    for _ in range(2):  # only the first token counts
        timed.walks.passes(walk, Station.FIRST_TOKEN)
        timed.clock.move(1)
    timed.walks.settled(HERE, shown("a", 1))
    timed.clock.move(1)
    timed.walks.finish(walk, "end")
    assert timed.facts("outcome") == []
    timed.clock.move(1)
    timed.walks.settled(HERE, shown("b", 1, 1))

    assert timed.facts("outcome", *Station) == [("end", 2.0, 3.0, 5.0, 6.0, 7.0)]
    assert {label: each.seconds for (name, label), each in timed.metrics.durations.items() if name == "walk_seconds"} == {
        "decided": 2.0,
        "first_token": 3.0,
        "first_post": 5.0,
        "finished": 6.0,
        "delivered": 7.0,
    }


def test_what_was_delivered_while_it_was_written_is_over_when_it_is_finished(timed: Timed) -> None:
    walk = timed.walks.open(a_session(), 1)
    walk.expects([shown("a", 1)])
    timed.walks.settled(HERE, shown("a", 1))
    timed.walks.finish(walk, "end")
    timed.walks.settled(HERE, shown("a", 1))
    assert timed.facts("outcome", "delivered") == [("end", 0.0)]


def test_a_reply_of_an_earlier_run_is_not_timed_from_the_event_that_found_it(timed: Timed) -> None:
    event = a_post()
    timed.walks.came(event, 0.0)
    timed.clock.move(5)
    timed.walks.taken(event)
    resumed = timed.walks.open(a_session(), 1)
    timed.clock.move(1)
    timed.walks.finish(resumed, "end")
    assert timed.facts("decided", "finished") == [(None, 1.0)]


def test_a_reply_that_begins_again_after_a_lost_store_is_the_same_walk(timed: Timed) -> None:
    timed.event(a_post())
    first = timed.walks.open(a_session(), 1)
    assert timed.walks.open(a_session(), 1) is first
    timed.walks.finish(first, "end")
    assert timed.walks.open(a_session(), 1) is not first


def test_walks_that_cannot_be_delivered_do_not_gather_without_end(timed: Timed) -> None:
    for turn in range(OPEN + 3):
        walk = timed.walks.open(a_session(), turn)
        walk.expects([shown(f"key {turn}", turn)])
        timed.walks.finish(walk, "end")
    assert timed.facts("turn", "delivered") == [(0, None), (1, None), (2, None)]
    timed.walks.close()
    assert len(timed.facts("turn")) == OPEN + 3


def test_what_was_handled_leaves_nothing_behind(timed: Timed) -> None:
    timed.event(a_post())
    timed.walks.left(HERE)
    timed.walks.settled(HERE, shown("of an earlier run"))
    assert (timed.walks._came, timed.walks._handled, timed.walks._open) == ({}, {}, {})


async def test_a_walk_is_one_line_without_the_words_of_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pause = Pause(before=1)
    async with a_stage([ScriptedReply((HERON,), pause=pause)]) as stage:
        posting = asyncio.create_task(stage.post("Is the heron grey?"))
        await pause.reached.wait()
        stage.clock.move(3)
        pause.go.set()
        await posting
        session = await stage.session()
        assert lines(caplog, "place", "session", "outcome", "decided", "finished", "delivered") == [
            (f"{HERE.platform} {HERE.channel}", session.id, "end", 0.0, 3.0, 3.0)
        ]
        assert stage.service.metrics.counts["turns", "end"] == 1
        assert stage.service.metrics.counts["tokens", "written"] > 0
    assert not [record for record in caplog.records if "heron" in record.getMessage() + repr(vars(record))]


async def test_a_reply_that_breaks_off_is_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    broken = ScriptedReply(("She", " turned."), error=EngineUnavailable("The model stopped."), fails_before=1)
    async with a_stage([broken]) as stage:
        await stage.post("Hello?")
        assert lines(caplog, "outcome") == [("broken",)]
        assert stage.service.metrics.counts["turns", "broken"] == 1


async def test_a_reply_that_its_place_refuses_is_not_called_delivered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with a_stage(mishaps=[Mishap(2, PostRefused("The words are not allowed."), Verb.SEND)]) as stage:
        await stage.post("Hello?")
        assert lines(caplog, "outcome", "delivered", "undelivered") == [("end", None, True)]


async def test_how_long_the_oldest_post_waits_is_known() -> None:
    async with a_stage(mishaps=[Mishap(2, TryLater(3000), Verb.SEND)]) as stage:
        assert stage.service.vitals.oldest_delivery == 0
        posting = asyncio.create_task(stage.post("Hello?"))
        while RECHECK not in stage.clock.sleeping:
            await asyncio.sleep(0)
        stage.clock.move(40)
        assert stage.service.vitals.oldest_delivery == 40
        stage.clock.move(3000)
        await posting
        stage.clock.move(40)
        assert stage.service.vitals.oldest_delivery == 0


async def test_the_time_in_the_lane_counts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pause = Pause(before=1)
    async with a_stage([ScriptedReply(("Word.",), pause=pause), "Later."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.receiver.receive(a_post("And then?", event=EventId("event-9")))
        stage.clock.move(3)
        pause.go.set()
        await posting
        assert lines(caplog, "decided", "finished") == [(0.0, 3.0), (3.0, 3.0)]


async def test_what_was_not_finished_is_told_of_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pause = Pause(before=1)
    async with a_stage([ScriptedReply(("Word.",), pause=pause)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.close()
        posting.cancel()
    assert lines(caplog, "outcome", "finished") == [("unfinished", None)]


async def test_an_event_without_a_reply_is_no_walk_and_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with a_stage() as stage:
        await stage.act("pause")
        walks = stage.service._walks
        assert (lines(caplog, "outcome"), walks._came, walks._handled, walks._open) == ([], {}, {}, {})


async def test_what_is_written_and_what_waits_is_counted() -> None:
    pause = Pause(before=1)
    async with a_stage([ScriptedReply(("Word.",), pause=pause), "Later."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.receiver.receive(a_post("And then?", event=EventId("event-9")))
        assert (stage.service.vitals.writing, stage.service.vitals.queued) == (1, 1)
        pause.go.set()
        await posting
        assert (stage.service.vitals.writing, stage.service.vitals.queued) == (0, 0)
