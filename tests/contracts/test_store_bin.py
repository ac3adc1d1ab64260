"""What every store does with sessions that end: the bin, coming back, and going for good."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import Refused, StaleSession
from bot.ids import MessageId, SessionId
from bot.ports.bin import EndedSession
from bot.ports.store import Change, Removal, Store
from bot.story import acts as story
from bot.story.session import Session, with_length
from bot.story.table import Table
from tests.builders import HERE, MIRA, TOBIAS, a_session
from tests.contracts.stories import ELSEWHERE, begun, bring, claimed, queued, shown, with_exchanges
from tests.fakes.clock import FrozenClock


class TestEnd:
    async def test_an_ended_session_has_left_its_place_and_another_may_begin(self, store: Store) -> None:
        session = await with_exchanges(store, 2)
        assert await store.end(HERE, now=7.0) == session.id
        assert await store.session_at(HERE) is None
        assert await store.widened(HERE, 0) is None
        assert await store.places() == ()
        assert (await store.page(HERE)).turns == ()
        assert await store.ended(HERE) == (EndedSession(session.id, "Mira", 7.0, 5, HERE),)
        assert await store.turns(session.id) == session.turns
        assert await store.end(HERE, now=8.0) is None
        new = await begun(store, id=SessionId("session-2"))
        assert await store.session_at(HERE) == new

    async def test_the_bin_shows_what_ended_last_first_and_its_own_place_only(self, store: Store) -> None:
        for number, now in enumerate((3.0, 1.0, 2.0)):
            await begun(store, id=SessionId(f"session-{number}"), character=replace(MIRA, name=f"Mira {number}"))
            await store.end(HERE, now)
        await begun(store, id=SessionId("elsewhere"), place=ELSEWHERE)
        await store.end(ELSEWHERE, 9.0)
        assert [each.name for each in await store.ended(HERE)] == ["Mira 0", "Mira 2", "Mira 1"]

    async def test_a_player_finds_what_they_began_wherever_it_was_played(self, store: Store) -> None:
        for number, (place, owner) in enumerate([(HERE, TOBIAS.author), (ELSEWHERE, TOBIAS.author), (HERE, None)]):
            await begun(store, id=SessionId(f"session-{number}"), place=place, table=Table(owner=owner))
            if number != 1:
                await store.end(place, now=float(number))
        await store.end(ELSEWHERE, now=9.0)
        assert [(each.id, each.place) for each in await store.ended_of(TOBIAS.author)] == [
            (SessionId("session-1"), ELSEWHERE),
            (SessionId("session-0"), HERE),
        ]

    async def test_a_change_that_is_under_way_when_its_session_ends_is_stale(self, store: Store) -> None:
        session = await begun(store)
        await store.end(HERE, now=1.0)
        with pytest.raises(StaleSession):
            await store.save(Change(session, story.add_post(session, TOBIAS, "Late.")))

    async def test_the_id_of_an_ended_session_is_not_free(self, store: Store) -> None:
        session = await begun(store)
        await store.end(HERE, now=1.0)
        with pytest.raises(StaleSession):
            await store.save(Change(None, replace(session, version=0)))

    async def test_an_ended_session_is_not_unfinished(self, store: Store) -> None:
        session = await begun(store)
        await store.save(Change(session, story.open_reply(session, seed=1)))
        await store.end(HERE, now=1.0)
        assert await store.unfinished() == ()
        await store.resume(session.id, HERE)
        assert await store.unfinished() == (HERE,)


class TestPosts:
    async def test_posts_of_an_ended_session_are_not_taken_for_those_of_the_next(self, store: Store) -> None:
        await begun(store)
        await bring(store, shown("old"), "m-old")
        await store.end(HERE, now=1.0)
        await begun(store, id=SessionId("session-2"))
        assert (await store.page(HERE)).shown == ()
        await queued(store, shown("new"))
        delivery = await claimed(store)
        assert (delivery.standing, delivery.last_message) == (None, "m-old")

    async def test_wishes_that_are_outstanding_when_a_session_ends_come_true_as_its_own(self, store: Store) -> None:
        await begun(store)
        await bring(store, shown("first"), "m-1")
        await queued(store, shown("edited", text="Edited."), shown("second", position=1), removal_of_first())
        await store.end(HERE, now=1.0)
        await begun(store, id=SessionId("session-2"))
        for standing, message in (("m-1", "m-1"), (None, "m-2"), ("m-1", None)):
            delivery = await claimed(store)
            assert delivery.standing == standing
            await store.settle(delivery.id, None if message is None else MessageId(message))
        assert (await store.page(HERE)).shown == ()
        await bring(store, shown("new", position=1), "m-3")
        assert [each.message for each in (await store.page(HERE)).shown] == ["m-3"]


def removal_of_first() -> Removal:
    post = shown("removed")
    return Removal(post.key, post.place, post.turn, 0)


class TestResume:
    async def test_a_resumed_session_is_as_it_was_and_its_posts_can_be_changed(self, store: Store) -> None:
        session = await with_exchanges(store, 2)
        await bring(store, shown("old"), "m-old")
        page = await store.page(HERE)
        await queued(store, shown("waiting", position=1))
        await store.end(HERE, now=1.0)
        resumed = await store.resume(session.id, HERE)
        assert resumed == replace(session, version=resumed.version)
        assert await store.session_at(HERE) == resumed
        assert await store.ended(HERE) == ()
        assert await store.page(HERE) == page
        await store.settle((await claimed(store)).id, None)
        await queued(store, shown("again"))
        assert (await claimed(store)).standing == "m-old"
        changed = await store.save(Change(resumed, with_length(resumed, None)))
        assert changed.version == resumed.version + 1

    async def test_a_session_may_be_resumed_elsewhere_and_end_there(self, store: Store) -> None:
        session = await begun(store)
        await bring(store, shown("old"), "m-old")
        await store.end(HERE, now=1.0)
        resumed = await store.resume(session.id, ELSEWHERE)
        assert resumed.place == ELSEWHERE
        assert await store.session_at(ELSEWHERE) == resumed
        assert (await store.page(ELSEWHERE)).shown == (await store.page(HERE)).shown == ()
        await store.end(ELSEWHERE, now=2.0)
        assert [each.id for each in await store.ended(ELSEWHERE)] == [session.id]
        await store.resume(session.id, HERE)
        assert [each.message for each in (await store.page(HERE)).shown] == ["m-old"]

    async def test_a_place_that_holds_a_session_takes_no_other(self, store: Store) -> None:
        session = await begun(store)
        await store.end(HERE, now=1.0)
        other = await begun(store, id=SessionId("session-2"))
        with pytest.raises(Refused, match="already holds"):
            await store.resume(session.id, HERE)
        assert await store.session_at(HERE) == other
        assert [each.id for each in await store.ended(HERE)] == [session.id]

    async def test_what_is_not_in_the_bin_cannot_be_resumed(self, store: Store) -> None:
        session = await begun(store)
        with pytest.raises(Refused, match="not in the bin"):
            await store.resume(session.id, ELSEWHERE)
        with pytest.raises(Refused, match="not in the bin"):
            await store.resume(SessionId("unknown"), ELSEWHERE)

    async def test_of_two_that_are_resumed_to_one_place_at_once_one_is(self, store: Store) -> None:
        for name in ("one", "two"):
            await begun(store, id=SessionId(name))
            await store.end(HERE, now=1.0)
        steps = [store.resume(SessionId(name), HERE) for name in ("one", "two")]
        outcomes = await asyncio.gather(*steps, return_exceptions=True)
        assert sorted(type(each).__name__ for each in outcomes) == ["Refused", "Session"]


class TestForGood:
    async def test_emptying_the_bin_deletes_what_ended_before_a_time_and_nothing_else(self, store: Store) -> None:
        for name, now in (("one", 1.0), ("two", 2.0), ("three", 3.0)):
            await begun(store, id=SessionId(name))
            await queued(store, shown(f"waiting-{name}"))
            await store.end(HERE, now)
        living = await begun(store, id=SessionId("four"))
        await queued(store, shown("waiting-four"))
        assert await store.empty_bin(before=3.0) == ("one", "two")
        assert await store.empty_bin(before=3.0) == ()
        assert [each.id for each in await store.ended(HERE)] == ["three"]
        assert await store.turns(SessionId("one")) == ()
        assert await store.session_at(HERE) == living
        keys = []
        while delivery := await store.claim(HERE, now=0.0):
            keys.append(delivery.wish.key)
            await store.settle(delivery.id, None)
        assert keys == ["waiting-three", "waiting-four"]

    async def test_what_nobody_touched_goes_from_its_place_and_from_the_bin(self, store: Store, clock: FrozenClock) -> None:
        began = clock.now()
        await begun(store, id=SessionId("binned"))
        await store.end(HERE, clock.now())
        idle = await begun(store, id=SessionId("idle"))
        await bring(store, shown("idle"), "m-idle")
        played = await begun(store, id=SessionId("played"), place=ELSEWHERE)
        clock.move(60)
        played = await store.save(Change(played, story.add_post(played, TOBIAS, "A post.")))
        assert await store.delete_untouched(before=began) == ()
        assert await store.delete_untouched(before=began + 60) == ("binned", "idle")
        assert await store.session_at(HERE) is None
        assert (await store.page(HERE)).shown == ()
        assert await store.turns(idle.id) == ()
        assert await store.session_at(ELSEWHERE) == played

    async def test_ending_and_resuming_count_as_touching(self, store: Store, clock: FrozenClock) -> None:
        for name in ("ended", "resumed"):
            await begun(store, id=SessionId(name))
            clock.move(60)
            await store.end(HERE, clock.now())
        resumed: Session = await store.resume(SessionId("resumed"), HERE)
        assert await store.delete_untouched(before=clock.now() - 60) == ()
        assert await store.delete_untouched(before=clock.now()) == ("ended",)
        assert await store.session_at(HERE) == resumed

    async def test_a_place_whose_session_was_deleted_takes_a_new_one(self, store: Store, clock: FrozenClock) -> None:
        await begun(store)
        clock.move(1)
        await store.delete_untouched(before=clock.now())
        assert await store.save(Change(None, a_session())) == a_session(version=1)
