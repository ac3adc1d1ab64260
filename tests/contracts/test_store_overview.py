"""What every store counts for who runs the bot."""

from bot.ids import EventId, MessageId
from bot.ports.overview import Inventory, SessionInBrief
from bot.ports.store import Change, Store
from bot.story.acts import open_reply
from tests.builders import HERE, MIRA, a_post
from tests.contracts.stories import ELSEWHERE, begun, claimed, finished, queued, shown
from tests.fakes.clock import FrozenClock


async def test_an_empty_store_has_nothing(store: Store) -> None:
    assert await store.inventory(10) == Inventory()


async def test_what_waits_is_counted_until_it_is_done(store: Store) -> None:
    await store.receive(a_post())
    await store.receive(a_post(event="event-2"))
    await queued(store, shown("a"), shown("b"), shown("c"))
    before = await store.inventory()
    await store.dismiss(HERE, EventId("event-2"))
    await store.settle((await claimed(store)).id, MessageId("m"))
    await store.abandon((await claimed(store)).id, "refused")
    after = await store.inventory()
    assert (before.events - after.events, before.wishes - after.wishes) == (1, 2)
    assert (after.events, after.wishes) == (1, 1)


async def test_sessions_are_told_in_brief_the_one_that_changed_last_first(store: Store, clock: FrozenClock) -> None:
    first = await begun(store)
    second = await begun(store, id="other", place=ELSEWHERE)
    began = clock.now()
    clock.move(60)
    first = await store.save(Change(first, finished(open_reply(first, seed=1), "Come in.")))
    told = await store.inventory(10)
    assert (told.sessions, told.ended) == (2, 0)
    assert told.newest == (
        SessionInBrief(HERE, MIRA.name, first.next_number, began + 60),
        SessionInBrief(ELSEWHERE, MIRA.name, second.next_number, began),
    )
    assert (await store.inventory(1)).newest == told.newest[:1]


async def test_what_is_in_the_bin_is_counted_apart_and_not_told(store: Store) -> None:
    await begun(store)
    await store.end(HERE, 5.0)
    told = await store.inventory(10)
    assert (told.sessions, told.ended, told.newest) == (0, 1, ())
