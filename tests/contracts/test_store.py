"""What every store does with events, sessions and their turns."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.errors import AlreadyHandled, StaleSession
from bot.ids import ChannelKey, EventId, Place, Platform, SessionId
from bot.ports.store import Change, Store
from bot.story import acts as story
from bot.story.policy import Rating
from bot.story.session import Session, with_length, with_persona, with_turn, with_window
from bot.story.settings import Length, SessionSettings
from bot.story.table import Link, LinkKind, Memory, Table
from bot.story.turn import Role, Turn, Variant
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_post, a_session
from tests.contracts.conftest import Reopening
from tests.contracts.stories import (
    ANN,
    ELSEWHERE,
    OTHER_PLATFORM,
    begun,
    bring,
    claimed,
    finished,
    queued,
    shown,
    whole,
    with_exchanges,
)

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


class TestInbox:
    async def test_an_event_waits_until_it_is_handled(self, store: Store) -> None:
        post, command = a_post(), a_command("edit", "event-2", turn=3, text="Another text.")
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
        assert await store.receive(a_post())
        assert await store.receive(a_post(place=OTHER_PLATFORM))
        await store.dismiss(OTHER_PLATFORM, EventId("event-1"))
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

    async def test_a_change_for_an_event_that_was_handled_before_stores_nothing(self, store: Store) -> None:
        session = await begun(store)
        await store.receive(a_post())
        again = with_length(session, None)
        saved = await store.save(Change(session, again, handled=EventId("event-1")))
        with pytest.raises(AlreadyHandled):
            await store.save(Change(saved, with_length(saved, Length.HUGE), (shown("one"),), EventId("event-1")))
        with pytest.raises(AlreadyHandled):
            await store.dismiss(HERE, EventId("event-1"), (shown("two"),))
        assert await store.session_at(HERE) == saved
        assert await store.outstanding() == ()

    async def test_of_two_changes_for_one_event_at_once_one_is_stored(self, store: Store) -> None:
        await store.receive(a_post())
        change = Change(None, a_session(), handled=EventId("event-1"))
        outcomes = await asyncio.gather(store.save(change), store.save(change), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyHandled", "Session"]

    async def test_old_ids_are_dropped_and_neither_what_waits_nor_the_newest(self, store: Store) -> None:
        posts = [a_post(event=f"event-{number}") for number in range(6)]
        for post in posts:
            await store.receive(post)
        for post in (posts[0], posts[2], posts[4]):
            await store.dismiss(HERE, post.event)
        await store.refuse(posts[5].event, HERE, "minors")
        assert await store.drop_handled(2, 2) == 2
        assert [event.event for event in await store.waiting()] == ["event-1", "event-3"]
        assert [each.event for each in await store.refusals(HERE)] == ["event-5"]
        assert [await store.receive(post) for post in posts] == [True, False, True, False, False, False]
        assert await store.drop_handled(100, 0) == 0

    async def test_the_newest_ids_of_a_quiet_place_stay_whatever_happens_elsewhere(self, store: Store) -> None:
        quiet = [a_post(event=f"quiet-{number}", place=ELSEWHERE) for number in range(3)]
        for post in (*quiet, *(a_post(event=f"event-{number}") for number in range(6))):
            await store.receive(post)
            await store.dismiss(post.place, post.event)
        assert await store.drop_handled(2, 1) == 6
        assert [await store.receive(post) for post in quiet] == [True, True, False]


class TestSessions:
    async def test_a_place_without_a_session_has_none(self, store: Store) -> None:
        assert await store.session_at(HERE) is None
        assert await store.places() == ()
        assert (await store.page(HERE)).turns == ()

    async def test_the_places_whose_story_reminds_its_players_are_told_apart(self, store: Store) -> None:
        await begun(store)
        reminds = await begun(store, place=ELSEWHERE, id=SessionId("reminds"), settings=SessionSettings(nudge_seconds=3600))
        assert await store.reminding() == (ELSEWHERE,)
        await store.save(Change(reminds, replace(reminds, settings=SessionSettings())))
        assert await store.reminding() == ()
        await store.save(Change(await store.session_at(HERE), a_session(version=1, settings=SessionSettings(nudge_seconds=1))))
        assert await store.reminding() == (HERE,)
        await store.end(HERE, 0.0)
        assert await store.reminding() == ()

    async def test_everything_of_a_session_comes_back(self, reopen: Reopening) -> None:
        session = whole()
        saved = await (await reopen()).save(Change(None, session))
        assert saved == replace(session, version=1)
        assert await (await reopen()).session_at(HERE) == saved

    @pytest.mark.parametrize("text", AWKWARD, ids=lambda text: ascii(text[:20]))
    async def test_any_text_comes_back_as_it_was(self, store: Store, text: str) -> None:
        session = a_session(
            scenario=text,
            character=replace(MIRA, name=text, alternate_greetings=(text,), source=text),
            personas=(replace(TOBIAS, name=text),),
            turns=(Turn(0, Role.PLAYER, text, (Variant(text),), posts=(text, text), sources=(EventId(text),), extras=text),),
            next_number=1,
            memory=Memory(note=text, facts=(text,)),
        )
        await store.receive(a_post(text, author_name=text))
        saved = await store.save(Change(None, session, (shown("key", text=text),)))
        assert await store.session_at(HERE) == saved
        assert await store.waiting() == (a_post(text, author_name=text),)
        assert (await claimed(store)).wish == shown("key", text=text)
        assert await store.turn_of(HERE, EventId(text)) == 0

    async def test_strange_ids_are_found_again(self, store: Store) -> None:
        place = Place(Platform("\x00"), ChannelKey("\ud800"))
        saved = await begun(store, place=place, id=SessionId("\x1a\x00"))
        assert await store.session_at(place) == saved
        assert await store.places() == (place,)

    async def test_places_come_in_the_order_in_which_sessions_began(self, store: Store) -> None:
        first = await begun(store, place=ELSEWHERE, id=SessionId("z"))
        await begun(store, id=SessionId("a"))
        await store.save(Change(first, with_length(first, None)))
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
            lambda each: with_length(each, Length.MICRO),
            lambda each: with_persona(each, replace(TOBIAS, description="Changed.")),
            lambda each: with_persona(each, ANN),
            lambda each: replace(each, character=replace(MIRA, description="Changed."), scenario="Changed."),
            lambda each: replace(each, personas=(), rating=Rating.UNRATED),
            lambda each: replace(each, others=(replace(MIRA, name="Bert"), replace(MIRA, name="Ann"))),
            lambda each: replace(each, others=each.others[1:]),
            lambda each: replace(each, others=()),
            lambda each: replace(each, memory=Memory(note="A note."), table=Table(paused=True)),
            lambda each: replace(each, came_from=Link(LinkKind.PART, SessionId("one"), ELSEWHERE, 3), locked=True),
            lambda each: replace(each, came_from=None, locked=False, memory=Memory()),
            lambda each: with_turn(each, replace(each.turns[1], sources=(EventId("m-1"),), extras="{}")),
            lambda each: with_turn(each, replace(each.turns[2], variants=each.turns[2].variants[:1])),
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
        session = await store.save(Change(session, with_window(session, 250)))
        assert [turn.number for turn in session.turns] == list(range(250, 301))
        assert await store.session_at(HERE) == session
        assert (await store.page(HERE, before=2)).turns[1].text == "Post 0."

    async def test_undo_takes_only_the_end_away(self, store: Store) -> None:
        session = await with_exchanges(store, 150)
        session = await store.save(Change(session, with_window(session, 250)))
        session = await store.save(Change(session, story.undo(session)[0]))
        assert await store.session_at(HERE) == session
        page = await store.page(HERE, limit=1000)
        assert [turn.number for turn in page.turns] == list(range(299))

    async def test_an_undo_below_the_floor_reads_older_turns_back(self, store: Store) -> None:
        whole = await with_exchanges(store, 150)
        session = await store.save(Change(whole, with_window(whole, 298)))
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
