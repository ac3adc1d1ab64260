"""Several processes on one store: each place is worked on by one, and what a dead one left is taken up by another."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from bot.errors import OutcomeUnknown, StoreUnavailable
from bot.flow.service import Service
from bot.flow.tenure import AGAIN, BEAT, HOUSE, LOOK
from bot.ids import ChannelKey, EventId, Place, Platform
from bot.ports.leases import LEASE_SECONDS, Lease
from bot.ports.store import Store
from bot.posts import ChannelLimits, Deleted
from bot.prompt.format import FORMATS
from bot.story.session import with_length
from bot.story.settings import Length
from bot.story.turn import Role, VariantState
from tests.builders import HERE, MIRA, a_post, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import Mishap, RecordingCourier, Verb
from tests.fakes.engine import Pause, ScriptedEngine, ScriptedReply
from tests.fakes.leases import SharedMemory
from tests.fakes.store import MemoryStore

SENTENCES = tuple(f"This is sentence number {number} of a long reply. " for number in range(40))
WELCOME = '"Come in," she said.'


@dataclass(slots=True)
class Town:
    """Services on one memory, each a process of its own, with one platform between them."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    courier: RecordingCourier = field(default_factory=lambda: RecordingCourier(channel_limits=ChannelLimits(300)))
    memory: MemoryStore = field(default_factory=MemoryStore)
    shared: SharedMemory = field(init=False)
    running: list[Service] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shared = SharedMemory(self.memory, self.clock)

    async def process(self, name: str, *replies: str | ScriptedReply) -> Service:
        engine = ScriptedEngine(replies or (WELCOME,), context=8192)
        service = Service(self.shared.process(name), engine, (self.courier,), self.clock, FORMATS["limarp"], roll=lambda: 1)
        await service.start()
        self.running.append(service)
        return service

    async def kill(self, service: Service) -> None:
        """End a process as kill -9 does, as far as others can see: what it holds it holds until its time runs out."""
        self.running.remove(service)
        name, holders = _name(service), dict(self.shared.holders)
        until = self.shared.alive_until[name]
        await service.close()
        self.shared.alive_until[name] = until
        self.shared.holders.update({place: holder for place, holder in holders.items() if holder == name})

    async def pass_by(self, seconds: float) -> None:
        """Let time pass in steps in which those who are alive beat and look."""
        for _ in range(round(seconds / AGAIN)):
            self.clock.move(AGAIN)
            await self.rest()

    async def rest(self) -> None:
        """Let everybody do what they can do without time passing."""
        for _ in range(300):
            await asyncio.sleep(0)

    @property
    def shown(self) -> tuple[str, ...]:
        return self.courier.texts(HERE)

    async def told(self) -> list[str]:
        session = await self.memory.session_at(HERE)
        assert session is not None
        return [turn.text for turn in session.turns if turn.role is Role.PLAYER]


def _name(service: Service) -> str:
    return cast("str", service.store.name)  # type: ignore[attr-defined]  # the fake's


@asynccontextmanager
async def a_town() -> AsyncGenerator[Town, None]:
    town = Town()
    try:
        yield town
    finally:
        for service in town.running:
            await service.close()


async def begin(town: Town, service: Service) -> None:
    await service.begin(with_length(a_session(), Length.UNLIMITED))
    await town.rest()


async def test_one_message_that_two_processes_hear_is_answered_once() -> None:
    async with a_town() as town:
        one, other = await town.process("one"), await town.process("other")
        await begin(town, one)
        for service in (one, other, one):
            await service.receiver.receive(a_post("Hello?"))
        await town.pass_by(10)
        assert town.shown == (MIRA.greeting, WELCOME)
        assert await town.told() == ["Hello?"]
        assert await town.memory.waiting() == ()


async def test_a_message_waits_while_another_process_writes_in_its_place_and_is_answered_then() -> None:
    pause = Pause(before=25)
    async with a_town() as town:
        one, other = await town.process("one", ScriptedReply(SENTENCES, pause=pause)), await town.process("other")
        await begin(town, one)
        await one.receiver.receive(a_post("Go on."))
        await pause.reached.wait()
        await other.receiver.receive(a_post("And then?", "event-2"))
        await town.pass_by(2 * LEASE_SECONDS)
        assert await town.told() == ["Go on."]
        pause.go.set()
        await town.pass_by(2 * LOOK)
        assert await town.told() == ["Go on.", "And then?"]
        session = await town.memory.session_at(HERE)
        assert session is not None
        assert [turn.variant.state for turn in session.turns] == [VariantState.WHOLE] * 5
        assert town.shown == (MIRA.greeting, *session.turns[2].posts, *session.turns[4].posts)


async def test_a_half_written_reply_of_a_dead_process_is_finished_by_another_and_nothing_is_doubled() -> None:
    pause = Pause(before=25)
    async with a_town() as town:
        one = await town.process("one", ScriptedReply(SENTENCES, pause=pause))
        other = await town.process("other", "And here it ends.")
        await begin(town, one)
        await one.receiver.receive(a_post("Go on."))
        await pause.reached.wait()
        await town.rest()
        before = town.shown
        assert len(before) > 2
        await town.kill(one)
        await town.pass_by(LEASE_SECONDS - BEAT - LOOK)
        assert town.shown == before
        await town.pass_by(BEAT + 2 * LOOK)
        session = await town.memory.session_at(HERE)
        assert session is not None
        turn = session.turns[-1]
        assert turn.variant.state is VariantState.WHOLE
        assert turn.text.endswith("And here it ends.")
        assert town.shown == (MIRA.greeting, *turn.posts)
        assert town.shown[: len(before) - 1] == before[:-1]
        await other.close()


async def test_what_a_dead_process_took_in_comes_before_what_came_later_to_another() -> None:
    pause = Pause(before=0)
    async with a_town() as town:
        one = await town.process("one", ScriptedReply((WELCOME,), pause=pause))
        other = await town.process("other")
        await begin(town, one)
        await one.receiver.receive(a_post("First."))
        await pause.reached.wait()
        await one.receiver.receive(a_post("Second.", "event-2"))
        await other.receiver.receive(a_post("Third.", "event-3"))
        await town.kill(one)
        await town.pass_by(LEASE_SECONDS + LOOK)
        assert await town.told() == ["First.", "Second.", "Third."]
        assert town.shown == (MIRA.greeting, WELCOME, WELCOME, WELCOME)


async def test_a_reply_that_was_being_written_to_a_deleted_post_is_taken_back_by_whoever_takes_over() -> None:
    pause = Pause(before=25)
    async with a_town() as town:
        one, _ = await town.process("one", ScriptedReply(SENTENCES, pause=pause)), await town.process("other")
        await begin(town, one)
        await one.receiver.receive(a_post("Go on.", "asked"))
        await pause.reached.wait()
        await town.rest()
        await town.memory.receive(Deleted(EventId("gone"), HERE, EventId("asked")))
        await town.kill(one)
        await town.pass_by(LEASE_SECONDS + LOOK)
        assert town.shown == (MIRA.greeting,)


async def test_a_post_whose_receipt_died_with_its_process_is_not_sent_again() -> None:
    async with a_town() as town:
        one, _ = await town.process("one"), await town.process("other")
        await begin(town, one)
        town.courier.mishaps = [Mishap(2, OutcomeUnknown("The connection broke."), Verb.SEND, takes_effect=True)]
        await one.receiver.receive(a_post("Hello?"))
        await town.rest()
        await town.kill(one)
        town.courier.forget_keys()
        await town.pass_by(LEASE_SECONDS + LOOK)
        assert await town.memory.outstanding() == ()
        assert town.shown == (MIRA.greeting, WELCOME)


async def test_a_process_that_was_taken_for_dead_and_wakes_up_harms_nothing() -> None:
    pause = Pause(before=25)
    async with a_town() as town:
        one = await town.process("one", ScriptedReply(SENTENCES, pause=pause), "Never to be seen.")
        await begin(town, one)
        await one.receiver.receive(a_post("Go on."))
        await pause.reached.wait()
        await town.rest()
        # It is as if it stood still: others see no sign of life of it, and take its place over.
        other = town.shared.process("other")
        town.shared.alive_until["one"] = 0.0
        await other.beat()
        assert await other.lease(HERE) is Lease.INHERITED
        before, shown = await town.memory.session_at(HERE), town.shown
        pause.go.set()
        await town.rest()
        assert await town.memory.session_at(HERE) == before
        assert town.shown == shown
        await other.retire()
        await town.pass_by(2 * AGAIN)
        session = await town.memory.session_at(HERE)
        assert session is not None
        assert session.turns[-1].variant.state is VariantState.WHOLE
        assert town.shown == (MIRA.greeting, *session.turns[-1].posts)


async def test_whoever_ends_in_peace_is_not_waited_for() -> None:
    async with a_town() as town:
        one, _ = await town.process("one"), await town.process("other")
        await begin(town, one)
        await town.kill(one)
        await town.shared.process("one").retire()
        await town.memory.receive(a_post("Anybody?"))
        await town.pass_by(LOOK)
        assert town.shown == (MIRA.greeting, WELCOME)


async def test_a_place_is_given_back_when_it_rests() -> None:
    async with a_town() as town:
        one = await town.process("one")
        await begin(town, one)
        await one.receiver.receive(a_post("Hello?"))
        await town.rest()
        assert town.shared.holders[HERE] == "one"
        await town.pass_by(LOOK)
        assert HERE not in town.shared.holders


async def test_one_process_keeps_house_until_it_dies() -> None:
    async with a_town() as town:
        one, other = await town.process("one"), await town.process("other")
        assert await one._tenure.keeps_house()
        assert not await other._tenure.keeps_house()
        await town.kill(one)
        await town.pass_by(LEASE_SECONDS + AGAIN)
        assert await other._tenure.keeps_house()
        assert town.shared.holders[HOUSE] == "other"


async def test_a_place_of_a_platform_that_a_process_does_not_serve_is_left_to_others() -> None:
    async with a_town() as town:
        elsewhere = Place(Platform("elsewhere"), ChannelKey("room"))
        await town.memory.receive(a_post("Anybody?", place=elsewhere))
        await town.process("one")
        await town.pass_by(3 * LOOK)
        assert elsewhere not in town.shared.holders
        assert len(await town.memory.waiting()) == 1


@pytest.mark.parametrize("trouble", [StoreUnavailable("The connection broke."), ValueError("a defect")])
async def test_a_store_that_cannot_be_asked_for_a_while_delays_a_message_and_loses_none(trouble: Exception) -> None:
    async with a_town() as town:
        one = await town.process("one")
        await begin(town, one)
        await town.pass_by(LOOK)
        asked = _away_for(one.store, trouble, times=3)
        await one.receiver.receive(a_post("Hello?"))
        await town.pass_by(5 * AGAIN)
        assert asked[0] > 3
        assert town.shown == (MIRA.greeting, WELCOME)


def _away_for(store: Store, trouble: Exception, times: int) -> list[int]:
    """Have the store fail the next times that it is asked for a place; returns a list that counts the askings."""
    asked, lease = [0], store.lease

    async def failing(place: Place) -> Lease:
        asked[0] += 1
        if asked[0] <= times:
            raise trouble
        return await lease(place)

    store.lease = failing  # type: ignore[method-assign]  # it fails on purpose
    return asked
