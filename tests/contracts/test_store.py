"""What every store does, the fake one and the real one on both databases."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import StaleSession
from bot.ids import AuthorId, ChannelKey, EventId, MessageId, Place, Platform, PostKey, SessionId
from bot.ports.store import Change, Delivery, Removal, Store, Wish
from bot.posts import Act, OutboundPost, Speaker, Voice
from bot.story import session as story
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session
from bot.story.settings import Length, SessionSettings
from bot.story.turn import Role, Turn, Variant, VariantState
from storage.store import open_store
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_post, a_session
from tests.fakes.store import MemoryStore

ELSEWHERE = Place(Platform("test"), ChannelKey("thread-2"))
ANN = Persona(AuthorId("author-2"), "Ann")
CHARACTER = Speaker(Voice.CHARACTER, "Mira")
AWKWARD = (
    "",
    "nul \x00 inside",
    "lone \ud83d surrogate and \udc00",
    "a pair kept apart \ud83d\ude00",
    "the escape itself \x1a0000",
    "שלום, e\u0301, 👩‍👩‍👧",
    "'; DROP TABLE turns; --",
    "x" * 1_000_000,
)


class Reopening:
    """Opens one and the same memory again and again, as a restart does."""

    def __init__(self, open_one: Callable[[], Awaitable[Store]]) -> None:
        self._open_one = open_one
        self._opened: list[Store] = []

    async def __call__(self) -> Store:
        self._opened.append(await self._open_one())
        return self._opened[-1]

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("migrated_postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/stories.db" if request.param == "sqlite" else "memory"


@pytest.fixture
async def reopen(url: str) -> AsyncGenerator[Reopening, None]:
    memory = MemoryStore()

    async def open_one() -> Store:
        return memory if url == "memory" else await open_store(url)

    reopening = Reopening(open_one)
    yield reopening
    await reopening.close()


@pytest.fixture
async def store(reopen: Reopening) -> Store:
    return await reopen()


def shown(key: str, turn: int = 0, position: int | None = 0, text: str = "A post.", place: Place = HERE) -> OutboundPost:
    return OutboundPost(PostKey(key), place, turn, position, 0, CHARACTER, text)


async def begun(store: Store, **changes: object) -> Session:
    return await store.save(Change(None, story.greet(a_session(**changes))))


async def with_exchanges(store: Store, count: int) -> Session:
    """A story of a greeting and this many exchanges, turns 0 to 2 * count."""
    session = story.greet(a_session())
    for number in range(count):
        session = story.open_reply(story.add_post(session, TOBIAS, f"Post {number}."), seed=number)
        session = finished(session, f"Reply {number}.")
    return await store.save(Change(None, session))


def finished(session: Session, text: str, *posts: str) -> Session:
    turn = session.turns[-1]
    variant = replace(turn.variant, text=text, state=VariantState.WHOLE, token_ids=(1, 2, 32_000))
    return story.with_turn(session, replace(turn.with_variant(variant), posts=posts))


async def queued(store: Store, *wishes: Wish, event: str = "any") -> None:
    await store.dismiss(HERE, EventId(event), wishes)


async def claimed(store: Store, place: Place = HERE) -> Delivery:
    delivery = await store.claim(place, now=0.0)
    assert delivery is not None
    return delivery


async def bring(store: Store, wish: Wish, message: str | None) -> None:
    await queued(store, wish)
    delivery = await claimed(store, wish.place)
    assert delivery.wish == wish
    await store.attempt(delivery.id)
    await store.settle(delivery.id, None if message is None else MessageId(message))


class TestInbox:
    async def test_an_event_waits_until_it_is_handled(self, store: Store) -> None:
        post, command = a_post(), a_command(Act.EDIT, "event-2", turn=3, text="Another text.")
        assert await store.receive(post)
        assert await store.receive(command)
        assert await store.waiting() == (post, command)
        await store.dismiss(HERE, post.event)
        assert await store.waiting() == (command,)

    async def test_an_event_is_kept_once(self, store: Store) -> None:
        assert await store.receive(a_post())
        assert not await store.receive(a_post("The same event with another text."))
        await store.dismiss(HERE, EventId("event-1"))
        assert not await store.receive(a_post())
        assert await store.waiting() == ()

    async def test_events_of_two_platforms_may_have_one_id(self, store: Store) -> None:
        other = Place(Platform("other"), HERE.channel)
        assert await store.receive(a_post())
        assert await store.receive(a_post(place=other))
        await store.dismiss(other, EventId("event-1"))
        assert await store.waiting() == (a_post(),)

    async def test_of_many_at_once_one_is_kept(self, store: Store) -> None:
        taken = await asyncio.gather(*(store.receive(a_post()) for _ in range(8)))
        assert sorted(taken) == [False] * 7 + [True]
        assert await store.waiting() == (a_post(),)

    async def test_a_saved_change_handles_its_event(self, store: Store) -> None:
        await store.receive(a_post())
        await store.save(Change(None, a_session(), handled=EventId("event-1")))
        assert await store.waiting() == ()
        assert not await store.receive(a_post())


class TestSessions:
    async def test_a_place_without_a_session_has_none(self, store: Store) -> None:
        assert await store.session_at(HERE) is None
        assert await store.places() == ()
        assert (await store.page(HERE)).turns == ()

    async def test_everything_of_a_session_comes_back(self, reopen: Reopening) -> None:
        variants = (
            Variant("One.", VariantState.STOPPED, (), None, 2**64 - 1),
            Variant("Two.", VariantState.BROKEN, (0, 1, 2**32 - 1), Length.HUGE, 7),
        )
        session = a_session(
            personas=(TOBIAS, ANN),
            settings=SessionSettings(length=None),
            rating=Rating.ADULT,
            turns=(
                Turn(0, Role.CHARACTER, "Mira", variants, selected=1, posts=("Tw", "o.")),
                Turn(4, Role.PLAYER, "Tobias", (Variant("Hm."),), author=TOBIAS.author),
            ),
            next_number=5,
        )
        saved = await (await reopen()).save(Change(None, session))
        assert saved == replace(session, version=1)
        assert await (await reopen()).session_at(HERE) == saved

    @pytest.mark.parametrize("text", AWKWARD, ids=lambda text: ascii(text[:20]))
    async def test_any_text_comes_back_as_it_was(self, store: Store, text: str) -> None:
        session = a_session(
            scenario=text,
            character=replace(MIRA, name=text, description=text),
            personas=(replace(TOBIAS, name=text),),
            turns=(Turn(0, Role.PLAYER, text, (Variant(text),), posts=(text, text)),),
            next_number=1,
        )
        await store.receive(a_post(text, author_name=text))
        saved = await store.save(Change(None, session, (shown("key", text=text),)))
        assert await store.session_at(HERE) == saved
        assert await store.waiting() == (a_post(text, author_name=text),)
        assert (await claimed(store)).wish == shown("key", text=text)

    async def test_strange_ids_are_found_again(self, store: Store) -> None:
        place = Place(Platform("\x00"), ChannelKey("\ud800"))
        saved = await begun(store, place=place, id=SessionId("\x1a\x00"))
        assert await store.session_at(place) == saved
        assert await store.places() == (place,)

    async def test_places_come_in_the_order_in_which_sessions_began(self, store: Store) -> None:
        first = await begun(store, place=ELSEWHERE, id=SessionId("z"))
        await begun(store, id=SessionId("a"))
        await store.save(Change(first, story.with_length(first, None)))
        assert await store.places() == (ELSEWHERE, HERE)

    async def test_each_kind_of_change_is_stored(self, store: Store) -> None:
        session = await begun(store)
        acts: tuple[Callable[[Session], Session], ...] = (
            lambda each: story.add_post(each, TOBIAS, "A post."),
            lambda each: story.open_reply(each, seed=3),
            lambda each: finished(each, "A reply.", "A reply."),
            lambda each: story.retry(each, seed=4),
            lambda each: finished(each, "Another reply.", "Another", "reply."),
            lambda each: story.swipe(each, -1),
            lambda each: story.extend(each, seed=5),
            lambda each: finished(each, "A longer reply."),
            lambda each: story.edit(each, 1, "An edited post."),
            lambda each: story.with_length(each, Length.MICRO),
            lambda each: story.with_persona(each, replace(TOBIAS, description="Changed.")),
            lambda each: story.with_persona(each, ANN),
            lambda each: replace(each, character=replace(MIRA, description="Changed."), scenario="Changed."),
            lambda each: replace(each, personas=(), rating=Rating.UNRATED),
            lambda each: story.with_turn(each, replace(each.turns[2], variants=each.turns[2].variants[:1])),
            lambda each: story.undo(each)[0],
        )
        for version, act in enumerate(acts, start=2):
            after = act(session)
            session = await store.save(Change(session, after))
            assert session == replace(after, version=version)
            assert await store.session_at(HERE) == session

    async def test_a_change_to_an_older_version_is_stale_and_stores_nothing(self, store: Store) -> None:
        await store.receive(a_post())
        first = await begun(store)
        second = await store.save(Change(first, story.add_post(first, TOBIAS, "Mine.")))
        late = Change(first, story.add_post(first, TOBIAS, "Theirs."), (shown("late"),), EventId("event-1"))
        with pytest.raises(StaleSession):
            await store.save(late)
        assert await store.session_at(HERE) == second
        assert await store.outstanding() == ()
        assert await store.waiting() == (a_post(),)

    async def test_of_two_changes_to_one_version_at_once_one_is_stored(self, store: Store) -> None:
        session = await begun(store)
        changes = [Change(session, story.add_post(session, TOBIAS, text), (shown(text),)) for text in ("One.", "Two.")]
        results = await asyncio.gather(*map(store.save, changes), return_exceptions=True)
        kept = [each for each in results if isinstance(each, Session)]
        assert [type(each) for each in results if not isinstance(each, Session)] == [StaleSession]
        assert await store.session_at(HERE) == kept[0]
        assert (await claimed(store)).wish.key == kept[0].turns[-1].text

    async def test_a_place_holds_one_session(self, store: Store) -> None:
        new = [Change(None, a_session(id=SessionId(name))) for name in ("one", "two")]
        results = await asyncio.gather(*map(store.save, new), return_exceptions=True)
        assert sorted(type(each).__name__ for each in results) == ["Session", "StaleSession"]
        with pytest.raises(StaleSession):
            await store.save(new[0])

    async def test_a_session_that_was_never_stored_cannot_be_changed(self, store: Store) -> None:
        with pytest.raises(StaleSession):
            await store.save(Change(a_session(), story.greet(a_session())))
        assert await store.session_at(HERE) is None

    async def test_unfinished_are_the_places_where_a_shown_variant_is_being_written(self, store: Store) -> None:
        session = await begun(store)
        other = await begun(store, place=ELSEWHERE, id=SessionId("session-2"))
        assert await store.unfinished() == ()
        session = await store.save(Change(session, story.open_reply(session, seed=1)))
        await store.save(Change(other, story.retry(other, seed=1)))
        assert await store.unfinished() == (HERE, ELSEWHERE)
        await store.save(Change(session, finished(session, "Done.")))
        assert await store.unfinished() == (ELSEWHERE,)


class TestWindow:
    async def test_turns_that_leave_the_window_stay_in_the_story(self, store: Store) -> None:
        session = await with_exchanges(store, 150)
        session = await store.save(Change(session, story.with_window(session, 250)))
        assert [turn.number for turn in session.turns] == list(range(250, 301))
        assert await store.session_at(HERE) == session
        assert (await store.page(HERE, before=2)).turns[1].text == "Post 0."

    async def test_undo_takes_only_the_end_away(self, store: Store) -> None:
        session = await with_exchanges(store, 150)
        session = await store.save(Change(session, story.with_window(session, 250)))
        session = await store.save(Change(session, story.undo(session)[0]))
        assert await store.session_at(HERE) == session
        page = await store.page(HERE, limit=1000)
        assert [turn.number for turn in page.turns] == list(range(299))

    async def test_an_undo_below_the_floor_reads_older_turns_back(self, store: Store) -> None:
        whole = await with_exchanges(store, 150)
        session = await store.save(Change(whole, story.with_window(whole, 298)))
        shorter, gone = story.undo(session)
        assert len(gone) == 2
        session = await store.save(Change(session, shorter))
        assert session.turns == whole.turns[298 - story.WINDOW_STEP_BACK : 299]
        assert await store.session_at(HERE) == session

    async def test_the_number_of_an_undone_turn_is_not_given_out_again(self, store: Store) -> None:
        session = await with_exchanges(store, 1)
        session = await store.save(Change(session, story.undo(session)[0]))
        session = await store.save(Change(session, story.add_post(session, TOBIAS, "Again.")))
        stored = await store.session_at(HERE)
        assert stored is not None
        assert [turn.number for turn in stored.turns] == [0, 3]


class TestPage:
    async def test_pages_together_are_the_whole_story(self, store: Store) -> None:
        session = await with_exchanges(store, 150)
        await store.save(Change(session, story.with_window(session, 280)))
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

    async def test_a_page_shows_its_own_place_only(self, store: Store) -> None:
        await begun(store)
        await begun(store, place=ELSEWHERE, id=SessionId("session-2"))
        await bring(store, shown("there", place=ELSEWHERE), "there")
        await bring(store, shown("here"), "here")
        assert [each.message for each in (await store.page(HERE)).shown] == ["here"]


class TestOutbox:
    async def test_wishes_come_in_the_order_in_which_they_were_queued(self, store: Store) -> None:
        session = await begun(store)
        await store.save(Change(session, story.with_length(session, None), (shown("one"), shown("two", position=1))))
        await store.dismiss(HERE, EventId("any"), (Removal(PostKey("three"), HERE, 0, 1), shown("four", position=None)))
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
        await store.attempt(delivery.id)
        await store.postpone(delivery.id, until=0.0, uncertain=True)
        await store.abandon(delivery.id, "Too late.")
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


class TestLastingness:
    async def test_a_restart_changes_nothing(self, reopen: Reopening) -> None:
        first = await reopen()
        session = await with_exchanges(first, 3)
        await first.receive(a_post())
        await bring(first, shown("one"), "m1")
        await queued(first, shown("two", position=1))
        second = await reopen()
        assert await second.session_at(HERE) == session
        assert await second.waiting() == (a_post(),)
        assert await second.page(HERE) == await first.page(HERE)
        assert await claimed(second) == await claimed(first)
        assert not await second.receive(a_post())
