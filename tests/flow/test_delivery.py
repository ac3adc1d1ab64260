"""The second walk on fakes: order, patience, refusals, and sendings whose outcome nobody knows."""

import asyncio

import pytest

from bot.errors import ChannelGone, OutcomeUnknown, PostGone, PostRefused, TryLater
from bot.flow.deliver import RECHECK, Deliverer
from bot.flow.places import Places
from bot.flow.walks import Walks
from bot.flow.wishes import notice_without_session
from bot.ids import EventId, Place
from bot.metrics import Metrics
from bot.posts import ChannelLimits
from tests.builders import HERE, MIRA, a_post
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import Mishap, RecordingCourier, Verb
from tests.fakes.store import MemoryStore
from tests.flow.stage import Stage, a_stage


async def _let_time_pass(stage: Stage, until: asyncio.Task[None]) -> None:
    for _ in range(2000):
        if until.done():
            break
        stage.clock.move(1)
        await asyncio.sleep(0)
    await until


async def test_a_post_that_must_wait_is_sent_later_and_once() -> None:
    async with a_stage(mishaps=[Mishap(2, TryLater(30), Verb.SEND)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await _let_time_pass(stage, posting)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("knows_keys", [True, False])
async def test_a_sending_of_unknown_outcome_is_read_back_and_shown_once(*, arrived: bool, knows_keys: bool) -> None:
    async with a_stage(mishaps=[Mishap(2, OutcomeUnknown("cut"), Verb.SEND, takes_effect=arrived)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while not any(call.verb is Verb.SEND for call in stage.courier.calls[2:]):
            await asyncio.sleep(0)
        if not knows_keys:
            stage.courier.forget_keys()
        await _let_time_pass(stage, posting)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')


@pytest.mark.parametrize("refusal", [PostRefused("The words are not allowed."), ChannelGone("The thread is gone.")])
async def test_a_refused_post_does_not_hold_up_the_ones_after_it(refusal: Exception) -> None:
    async with a_stage(["One.", "Two."], mishaps=[Mishap(2, refusal, Verb.SEND)]) as stage:  # type: ignore[arg-type]  # parametrized
        await stage.post("First.")
        await stage.post("Second.")
        assert stage.shown == (MIRA.greeting, "Two.")
        assert stage.service.metrics.counts["deliveries", "abandoned"] == 1


async def test_what_was_not_delivered_is_delivered_after_a_restart() -> None:
    async with a_stage(mishaps=[Mishap(2, TryLater(30), Verb.SEND)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while RECHECK not in stage.clock.sleeping:
            await asyncio.sleep(0)
        await stage.service.close()
        posting.cancel()
        stage.clock.move(60)
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')
        await again.close()


FIRST = " ".join(f"It rained for the {number}th hour." for number in range(20, 30))
SECOND = " ".join(f"The sun shone for the {number}th hour." for number in range(20, 30))


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_a_post_that_somebody_deleted_is_shown_anew_when_it_changes_and_order_holds(lost: int) -> None:
    async with a_stage([FIRST, SECOND, FIRST], limits=ChannelLimits(120)) as stage:
        await stage.post("Hello?")
        shown = list(stage.courier.standing[HERE])[-3:]
        del stage.courier.standing[HERE][shown[lost]]
        await stage.act("retry")
        assert " ".join(stage.shown[1:]) == SECOND
        assert list(stage.courier.standing[HERE])[1 : 1 + lost] == shown[:lost], "what stands before it is changed in place"
        before = list(stage.courier.standing[HERE])
        await stage.act("retry")
        assert " ".join(stage.shown[1:]) == FIRST
        assert list(stage.courier.standing[HERE])[:2] == before[:2], "and so is all of it from then on"


async def test_a_post_that_cannot_be_changed_any_more_goes_where_its_text_is_shown_anew() -> None:
    async with a_stage(["One.", "Two."], mishaps=[Mishap(1, PostGone("out of reach"), Verb.EDIT)]) as stage:
        await stage.post("Hello?")
        await stage.act("retry")
        assert stage.shown == (MIRA.greeting, "Two.")


async def test_a_post_shown_anew_of_which_nobody_knows_whether_it_arrived_is_shown_once() -> None:
    mishaps = [Mishap(3, OutcomeUnknown("cut"), Verb.SEND, takes_effect=True)]
    async with a_stage(["One.", "Two."], mishaps=mishaps) as stage:
        await stage.post("Hello?")
        stage.courier.standing[HERE].popitem()
        stage.courier.forget_keys()
        acting = asyncio.create_task(stage.act("retry"))
        await _let_time_pass(stage, acting)
        assert stage.shown == (MIRA.greeting, "Two.")


async def test_a_message_that_somebody_deleted_does_not_hold_up_a_swipe() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("Hello?")
        stage.courier.standing[HERE].popitem()
        await stage.act("retry")
        await stage.post("Still there?")
        assert stage.shown[-1] == "Two."


async def test_patience_asked_for_while_reading_back_does_not_make_an_uncertain_post_certain() -> None:
    mishaps = [
        Mishap(2, OutcomeUnknown("cut"), Verb.SEND, takes_effect=True),
        Mishap(1, TryLater(5), Verb.READ_BACK),
    ]
    async with a_stage(mishaps=mishaps) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while not any(call.verb is Verb.SEND for call in stage.courier.calls[2:]):
            await asyncio.sleep(0)
        stage.courier.forget_keys()
        await _let_time_pass(stage, posting)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')


async def test_a_courier_with_a_defect_delays_a_post_and_loses_none() -> None:
    defect = RuntimeError("a defect")
    async with a_stage(mishaps=[Mishap(2, defect, Verb.SEND)]) as stage:  # type: ignore[arg-type]  # what no wall allows
        posting = asyncio.create_task(stage.post("Hello?"))
        await _let_time_pass(stage, posting)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')
        assert stage.service.metrics.total("failures") == 1


class HesitantStore(MemoryStore):
    """A store that takes its time to say what is outstanding, once it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def outstanding(self) -> tuple[Place, ...]:
        self.asked.set()
        await self.go.wait()
        return await super().outstanding()


async def test_what_is_stored_while_nothing_seemed_left_is_brought_at_once() -> None:
    store, clock, courier = HesitantStore(), FrozenClock(), RecordingCourier()
    metrics = Metrics()
    deliverer = Deliverer(store, Places((courier,), clock), clock, metrics, Walks(clock, metrics))
    for number in (1, 2):
        await store.receive(a_post(event=f"event-{number}"))
    await store.dismiss(HERE, EventId("event-1"), (notice_without_session(HERE, "One.", EventId("event-1")),))
    deliverer.wake(HERE)
    await store.asked.wait()
    await store.dismiss(HERE, EventId("event-2"), (notice_without_session(HERE, "Two.", EventId("event-2")),))
    store.go.set()
    while not clock.sleeping:
        await asyncio.sleep(0)
    deliverer.wake(HERE)
    await asyncio.wait_for(deliverer.settled(HERE), 5)
    assert courier.texts(HERE) == ("One.", "Two.")
    await deliverer.close()
