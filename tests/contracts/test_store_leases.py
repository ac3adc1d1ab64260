"""What every store promises of who works where: a store of one process, and one that several share."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from bot.errors import LeaseLost, StaleSession
from bot.ids import ChannelKey, EventId, MessageId, Place, PostKey
from bot.ports.leases import LEASE_SECONDS, Lease
from bot.ports.store import Change, Store
from bot.posts import OutboundPost, Speaker, Voice
from bot.story.acts import add_post, open_reply
from bot.story.session import Session
from storage.dialects import Database
from storage.store import SqlStore, open_store
from storage.tables import processes
from tests.builders import HERE, TOBIAS, a_post, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.leases import SharedMemory
from tests.fakes.store import MemoryStore

THERE = Place(HERE.platform, ChannelKey("thread-2"))


@dataclass(frozen=True, slots=True)
class Two:
    """The stores of two processes on one database, both alive; `let_one_die` lets the time of the first run out."""

    one: Store
    other: Store
    let_one_die: Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "postgres"])
def shared_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("migrated_postgres")) if request.param == "postgres" else "memory"


@pytest.fixture
async def two(shared_url: str, clock: FrozenClock) -> AsyncGenerator[Two, None]:
    if (url := shared_url) != "memory":
        stores = await open_store(url, clock.now), await open_store(url, clock.now)
        pair = Two(*stores, lambda: _let_die(url, stores[0]))
    else:
        shared = SharedMemory(MemoryStore(clock.now), clock)
        one, other = shared.process("one"), shared.process("other")

        async def let_die() -> None:
            clock.move(LEASE_SECONDS)
            await other.beat()

        pair = Two(one, other, let_die)
    await pair.one.beat()
    await pair.other.beat()
    yield pair
    await pair.one.close()
    await pair.other.close()


async def _let_die(url: str, store: SqlStore) -> None:
    database = Database(url)
    async with database.writing() as connection:
        await connection.execute(update(processes).where(processes.c.id == store.holder).values(until=0.0))
    await database.close()


def a_wish(key: str = "one", place: Place = HERE) -> OutboundPost:
    return OutboundPost(PostKey(key), place, 0, None, 0, Speaker(Voice.CHARACTER, "Mira"), "A notice.")


async def a_story(store: Store) -> Session:
    return await store.save(Change(None, a_session()))


class TestAlone:
    """A store that is one process's own; PostgreSQL's is tested by the others below."""

    @pytest.fixture(params=["memory", "sqlite"])
    def url(self, request: pytest.FixtureRequest, tmp_path: object) -> str:
        return f"sqlite+aiosqlite:///{tmp_path}/stories.db" if request.param == "sqlite" else "memory"

    async def test_every_place_is_ours_and_stays_so(self, store: Store) -> None:
        assert not store.is_shared
        assert await store.lease(HERE) is Lease.OURS
        await store.give_back(HERE)
        await store.retire()
        session = await a_story(store)
        assert (await store.save(Change(session, replace(session, scenario="A storm.")))).version == 2

    async def test_all_that_is_left_is_unattended_also_what_was_postponed(self, store: Store) -> None:
        await store.beat()
        await store.receive(a_post())
        await store.dismiss(HERE, EventId("event-1"), (a_wish(place=THERE),))
        delivery = await store.claim(THERE, 0.0)
        assert delivery is not None
        await store.postpone(delivery.id, 1_000.0, uncertain=False)
        await store.receive(a_post(event="event-2"))
        await store.lease(HERE)
        assert await store.unattended(0.0) == (THERE, HERE)


class TestShared:
    async def test_a_place_is_worked_on_by_one_process_until_it_is_given_back(self, two: Two) -> None:
        assert two.one.is_shared
        assert await two.one.lease(HERE) is Lease.OURS
        assert await two.other.lease(HERE) is Lease.THEIRS
        assert await two.one.lease(HERE) is Lease.OURS
        assert await two.other.lease(THERE) is Lease.OURS
        await two.other.give_back(HERE)
        assert await two.other.lease(HERE) is Lease.THEIRS
        await two.one.give_back(HERE)
        assert await two.other.lease(HERE) is Lease.OURS
        assert await two.one.lease(HERE) is Lease.THEIRS

    async def test_a_place_of_a_dead_process_is_inherited_once(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.let_one_die()
        assert await two.other.lease(HERE) is Lease.INHERITED
        assert await two.other.lease(HERE) is Lease.OURS

    async def test_a_process_that_was_taken_for_dead_may_come_back_to_what_nobody_took(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.one.lease(THERE)
        await two.let_one_die()
        await two.other.lease(HERE)
        await two.one.beat()
        assert await two.one.lease(HERE) is Lease.THEIRS
        assert await two.one.lease(THERE) is Lease.OURS
        assert await two.other.lease(THERE) is Lease.THEIRS

    async def test_whoever_retires_is_not_waited_for_and_left_nothing_half_done(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.one.retire()
        assert await two.other.lease(HERE) is Lease.OURS

    async def test_only_the_holder_stores_work_on_a_place(self, two: Two) -> None:
        session = await a_story(two.one)
        await two.one.receive(a_post())
        await two.one.lease(HERE)
        await two.let_one_die()
        await two.other.lease(HERE)
        with pytest.raises(LeaseLost):
            await two.one.save(Change(session, replace(session, scenario="A storm."), (a_wish(),)))
        with pytest.raises(LeaseLost):
            await two.one.dismiss(HERE, EventId("event-1"), (a_wish(),))
        assert await two.other.session_at(HERE) == session
        assert len(await two.other.waiting()) == 1
        assert await two.other.outstanding() == ()
        saved = await two.other.save(Change(session, replace(session, scenario="A storm."), handled=EventId("event-1")))
        assert saved.version == 2

    async def test_nobody_stores_work_on_a_place_without_a_lease_even_where_nobody_else_has_one(self, two: Two) -> None:
        session = await a_story(two.one)
        with pytest.raises(LeaseLost):
            await two.one.save(Change(session, session))

    async def test_what_is_changed_beside_the_work_needs_no_lease_and_whoever_works_there_finds_out(self, two: Two) -> None:
        session = await a_story(two.one)
        await two.one.lease(HERE)
        await two.other.save(Change(session, replace(session, scenario="A storm."), beside=True))
        with pytest.raises(StaleSession):
            await two.one.save(Change(session, session))

    async def test_only_the_holder_brings_wishes_but_what_stands_stands(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.one.receive(a_post())
        await two.one.dismiss(HERE, EventId("event-1"), (a_wish(), a_wish("two")))
        delivery = await two.one.claim(HERE, 0.0)
        assert delivery is not None
        await two.one.attempt(delivery.id)
        await two.let_one_die()
        await two.other.lease(HERE)
        with pytest.raises(LeaseLost):
            await two.one.attempt(delivery.id)
        with pytest.raises(LeaseLost):
            await two.one.postpone(delivery.id, 1_000.0, uncertain=False)
        with pytest.raises(LeaseLost):
            await two.one.abandon(delivery.id, "The place is gone.")
        again = await two.other.claim(HERE, 0.0)
        assert again is not None
        assert (again.id, again.attempts, again.uncertain) == (delivery.id, 1, True)
        await two.one.settle(delivery.id, MessageId("m1"))
        following = await two.other.claim(HERE, 0.0)
        assert following is not None
        assert (following.wish.key, following.last_message) == ("two", "m1")

    async def test_a_wish_that_somebody_else_has_settled_is_not_tried_again(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.one.receive(a_post())
        await two.one.dismiss(HERE, EventId("event-1"), (a_wish(),))
        delivery = await two.one.claim(HERE, 0.0)
        assert delivery is not None
        await two.other.settle(delivery.id, MessageId("m1"))
        with pytest.raises(LeaseLost):
            await two.one.attempt(delivery.id)

    async def test_what_nobody_works_on_is_unattended(self, two: Two) -> None:
        await two.one.lease(THERE)
        await two.one.receive(a_post())
        await two.one.receive(a_post(event="event-2", place=THERE))
        assert await two.other.unattended(0.0) == (HERE,)
        await two.other.lease(HERE)
        assert await two.other.unattended(0.0) == ()
        await two.let_one_die()
        assert await two.other.unattended(0.0) == (THERE,)

    async def test_a_half_written_reply_and_a_wish_whose_time_has_come_are_unattended(self, two: Two) -> None:
        await two.one.lease(HERE)
        await two.one.save(Change(None, open_reply(add_post(a_session(), TOBIAS, "Hello?"), seed=1)))
        await two.one.receive(a_post(event="event-2", place=THERE))
        await two.one.lease(THERE)
        await two.one.dismiss(THERE, EventId("event-2"), (a_wish(place=THERE),))
        delivery = await two.one.claim(THERE, 0.0)
        assert delivery is not None
        await two.one.postpone(delivery.id, 1_000.0, uncertain=False)
        await two.one.retire()
        assert await two.other.unattended(999.0) == (HERE,)
        assert await two.other.unattended(1_000.0) == (THERE, HERE)

    async def test_the_events_of_one_place_can_be_asked_for(self, two: Two) -> None:
        await two.one.receive(a_post())
        await two.one.receive(a_post(event="event-2", place=THERE))
        await two.one.receive(a_post(event="event-3", author=TOBIAS.author))
        assert [each.event for each in await two.other.waiting(HERE)] == ["event-1", "event-3"]
