"""What every store does with wishes, with what stands for a story, and with its pages."""

from contextlib import suppress
from dataclasses import replace

from bot.errors import LeaseLost
from bot.ids import MessageId, PostKey, SessionId
from bot.ports.store import Change, Removal, Store
from bot.story import acts as story
from bot.story.session import with_length, with_window
from bot.story.turn import Turn
from tests.builders import HERE
from tests.contracts.conftest import Reopening
from tests.contracts.stories import ELSEWHERE, begun, bring, claimed, queued, shown, with_exchanges


class TestPage:
    async def test_pages_together_are_the_whole_story(self, store: Store) -> None:
        session = await with_exchanges(store, 150)
        await store.save(Change(session, with_window(session, 280)))
        turns: list[Turn] = []
        before, has_older = None, True
        while has_older:
            page = await store.page(HERE, before=before, limit=70)
            turns[:0] = page.turns
            before, has_older = page.turns[0].number, page.has_older
        assert tuple(turns) == session.turns

    async def test_a_page_that_just_holds_the_story_has_no_older_one(self, store: Store) -> None:
        session = await with_exchanges(store, 1)
        page = await store.page(HERE, limit=3)
        assert page.turns == session.turns
        assert not page.has_older
        assert (await store.page(HERE, limit=2)).has_older

    async def test_posts_stand_in_the_order_of_turns_and_positions_and_notices_follow_them(self, store: Store) -> None:
        await with_exchanges(store, 2)
        wishes = [shown("n1", 2, None), shown("b", 2, 1), shown("c", 4, 0), shown("a", 2, 0), shown("n2", 2, None)]
        for wish in wishes:
            await bring(store, wish, f"message-{wish.key}")
        page = await store.page(HERE)
        assert [each.message for each in page.shown] == [f"message-{key}" for key in ("a", "b", "n1", "n2", "c")]
        assert page.shown[1].post == wishes[1]

    async def test_every_message_is_on_exactly_one_page(self, store: Store) -> None:
        await with_exchanges(store, 2)
        for turn in range(-1, 6):
            await bring(store, shown(f"notice-{turn}", turn, None), f"{turn}")
        newest = await store.page(HERE, limit=2)
        oldest = await store.page(HERE, before=3, limit=3)
        assert [each.post.turn for each in newest.shown] == [3, 4, 5]
        assert [each.post.turn for each in oldest.shown] == [-1, 0, 1, 2]
        assert not oldest.has_older

    async def test_a_post_is_found_by_the_message_that_shows_it_as_long_as_its_session_is_there(self, store: Store) -> None:
        await with_exchanges(store, 1)
        await bring(store, post := shown("a", 2, 0), "m-1")
        assert await store.post_shown_as(HERE, MessageId("m-1")) == post
        assert await store.post_shown_as(HERE, MessageId("m-2")) is None
        assert await store.post_shown_as(ELSEWHERE, MessageId("m-1")) is None
        await store.end(HERE, now=1.0)
        assert await store.post_shown_as(HERE, MessageId("m-1")) is None

    async def test_a_page_shows_its_own_place_only(self, store: Store) -> None:
        await begun(store)
        await begun(store, place=ELSEWHERE, id=SessionId("session-2"))
        await bring(store, shown("there", place=ELSEWHERE), "there")
        await bring(store, shown("here"), "here")
        assert [each.message for each in (await store.page(HERE)).shown] == ["here"]


class TestOutbox:
    async def test_wishes_come_in_the_order_in_which_they_were_queued(self, store: Store) -> None:
        session = await begun(store)
        await store.save(Change(session, with_length(session, None), (shown("one"), shown("two", position=1))))
        await queued(store, Removal(PostKey("three"), HERE, 0, 1), shown("four", position=None))
        keys = []
        while delivery := await store.claim(HERE, now=0.0):
            keys.append(delivery.wish.key)
            await store.settle(delivery.id, MessageId(delivery.wish.key))
        assert keys == ["one", "two", "three", "four"]
        assert await store.outstanding() == ()

    async def test_the_oldest_wish_stays_the_oldest_until_it_is_settled(self, store: Store) -> None:
        await queued(store, shown("one"), shown("two", position=1))
        first = await claimed(store)
        assert await claimed(store) == first
        await store.settle(first.id, MessageId("m"))
        assert (await claimed(store)).wish.key == "two"

    async def test_a_wish_survives_a_restart_and_so_does_its_uncertainty(self, reopen: Reopening) -> None:
        before = await reopen()
        await queued(before, shown("one"))
        delivery = await claimed(before)
        assert (delivery.attempts, delivery.uncertain) == (0, False)
        await before.attempt(delivery.id)
        after = await claimed(await reopen())
        assert after == replace(delivery, attempts=1, uncertain=True)

    async def test_a_postponed_wish_comes_when_it_is_due_and_blocks_those_behind_it(self, store: Store) -> None:
        await queued(store, shown("one"), shown("two", position=1))
        delivery = await claimed(store)
        await store.attempt(delivery.id)
        await store.postpone(delivery.id, until=1_700_000_000.5, uncertain=False)
        assert await store.claim(HERE, now=1_700_000_000.4) is None
        assert await store.outstanding() == (HERE,)
        again = await store.claim(HERE, now=1_700_000_000.5)
        assert again == replace(delivery, attempts=1, uncertain=False)
        await store.postpone(delivery.id, until=0.0, uncertain=True)
        assert (await claimed(store)).uncertain

    async def test_an_abandoned_wish_lets_the_next_go_on(self, store: Store) -> None:
        await queued(store, shown("one"), shown("two", position=1))
        await store.abandon((await claimed(store)).id, "The place is gone.")
        delivery = await claimed(store)
        assert delivery.wish.key == "two"
        assert delivery.last_message is None
        await store.abandon(delivery.id, "The place is gone.")
        assert await store.outstanding() == ()

    async def test_what_is_settled_stays_settled(self, store: Store) -> None:
        await queued(store, shown("one"))
        delivery = await claimed(store)
        await store.settle(delivery.id, MessageId("m"))
        await store.settle(delivery.id, MessageId("other"))
        for late in (
            store.attempt(delivery.id),
            store.postpone(delivery.id, until=0.0, uncertain=True),
            store.abandon(delivery.id, "Too late."),
        ):
            with suppress(LeaseLost):  # where a store is shared, another process was quicker
                await late
        assert await store.claim(HERE, now=0.0) is None
        assert [each.message for each in (await store.page(HERE)).shown] == ["m"]
        await queued(store, shown("two"))
        assert (await claimed(store)).id != delivery.id

    async def test_a_key_that_is_queued_is_not_queued_again(self, store: Store) -> None:
        await queued(store, shown("one"), shown("one", text="The same sending."), shown("one", place=ELSEWHERE))
        await queued(store, shown("one"))
        await store.settle((await claimed(store)).id, MessageId("m"))
        assert await store.outstanding() == (ELSEWHERE,)

    async def test_places_with_open_wishes_are_outstanding(self, store: Store) -> None:
        await queued(store, shown("two", place=ELSEWHERE), shown("one"), shown("three", place=ELSEWHERE))
        assert await store.outstanding() == (ELSEWHERE, HERE)
        assert (await claimed(store)).wish.key == "one"
        assert (await claimed(store, ELSEWHERE)).wish.key == "two"


class TestStanding:
    async def test_a_new_text_finds_the_message_that_stands_at_its_position(self, store: Store) -> None:
        await bring(store, shown("one"), "m1")
        await bring(store, shown("two", position=1), "m2")
        await queued(store, shown("edited", text="Edited."))
        delivery = await claimed(store)
        assert (delivery.standing, delivery.last_message) == ("m1", "m2")
        await store.settle(delivery.id, MessageId("m1"))
        page = await store.page(HERE)
        assert [(each.message, each.post.text) for each in page.shown] == [("m1", "Edited."), ("m2", "A post.")]

    async def test_an_edit_in_place_does_not_make_a_message_the_newest(self, store: Store) -> None:
        await bring(store, shown("one"), "m1")
        await bring(store, shown("two", position=1), "m2")
        await bring(store, shown("edited"), "m1")
        await queued(store, shown("three", position=2))
        assert (await claimed(store)).last_message == "m2"

    async def test_a_message_that_had_to_be_sent_anew_is_the_newest(self, store: Store) -> None:
        await bring(store, shown("one"), "m1")
        await bring(store, shown("two", position=1), "m2")
        await bring(store, shown("anew"), "m3")
        await queued(store, shown("three", position=2))
        assert (await claimed(store)).last_message == "m3"
        assert [each.message for each in (await store.page(HERE)).shown] == ["m3", "m2"]

    async def test_a_removed_post_stands_no_more(self, store: Store) -> None:
        await bring(store, shown("one"), "m1")
        await bring(store, shown("two", position=1), "m2")
        await bring(store, Removal(PostKey("gone"), HERE, 0, 1), None)
        assert [each.message for each in (await store.page(HERE)).shown] == ["m1"]
        await queued(store, shown("two again", position=1))
        delivery = await claimed(store)
        assert (delivery.standing, delivery.last_message) == (None, "m1")

    async def test_notices_stand_beside_each_other(self, store: Store) -> None:
        await bring(store, shown("one", position=None), "m1")
        await queued(store, shown("two", position=None))
        assert (await claimed(store)).standing is None
        await store.settle((await claimed(store)).id, MessageId("m2"))
        assert [each.message for each in (await store.page(HERE)).shown] == ["m1", "m2"]

    async def test_what_stands_outlives_the_turn_until_it_is_removed(self, store: Store) -> None:
        session = await with_exchanges(store, 1)
        await bring(store, shown("reply", turn=2), "m1")
        removal = Removal(PostKey("gone"), HERE, 2, 0)
        await store.save(Change(session, story.undo(session)[0], (removal,)))
        delivery = await claimed(store)
        assert (delivery.wish, delivery.standing) == (removal, "m1")
