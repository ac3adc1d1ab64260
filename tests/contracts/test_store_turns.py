"""What every store does with turns outside the window, in the middle, and of other sessions."""

from dataclasses import replace

import pytest

from bot.errors import StaleSession
from bot.ids import EventId, SessionId
from bot.ports.store import Change, Store
from bot.story import acts as story
from bot.story.session import Session, with_length, with_turn, with_window
from bot.story.turn import Variant
from tests.builders import HERE, TOBIAS
from tests.contracts.stories import ELSEWHERE, begun, with_exchanges


async def windowed(store: Store, start: int = 250) -> Session:
    """A story of turns 0 to 300 whose window starts late."""
    session = await with_exchanges(store, 150)
    return await store.save(Change(session, with_window(session, start)))


def without(session: Session, *numbers: int) -> Session:
    return replace(session, turns=tuple(turn for turn in session.turns if turn.number not in numbers))


async def numbers_of(store: Store, session: Session) -> list[int]:
    return [turn.number for turn in await store.turns(session.id)]


class TestAllTurns:
    async def test_all_turns_are_read_whatever_the_window(self, store: Store) -> None:
        session = await windowed(store)
        turns = await store.turns(session.id)
        assert [turn.number for turn in turns] == list(range(301))
        assert turns[250:] == session.turns
        assert await store.turns(SessionId("unknown")) == ()


class TestMiddle:
    async def test_a_turn_in_the_middle_that_is_left_out_is_deleted(self, store: Store) -> None:
        session = await windowed(store)
        saved = await store.save(Change(session, without(session, 250, 270)))
        assert await store.session_at(HERE) == saved
        assert await numbers_of(store, session) == [each for each in range(301) if each not in {250, 270}]

    async def test_what_leaves_the_window_stays_while_the_middle_is_deleted(self, store: Store) -> None:
        session = await windowed(store)
        saved = await store.save(Change(session, without(with_window(session, 260), 270)))
        assert await store.session_at(HERE) == saved
        assert await numbers_of(store, session) == [each for each in range(301) if each != 270]


class TestWidened:
    async def test_a_widened_session_has_older_turns(self, store: Store) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide == replace(session, turns=(await store.turns(session.id))[10:], window_start=10)
        assert await store.widened(HERE, 299) == session
        assert await store.widened(ELSEWHERE, 0) is None

    async def test_an_old_turn_is_changed_and_the_window_stays_where_it_was(self, store: Store) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide is not None
        saved = await store.save(Change(wide, story.edit(wide, 11, "An edited post.")))
        assert saved == replace(session, version=session.version + 1)
        assert await store.session_at(HERE) == saved
        assert (await store.turns(session.id))[11].text == "An edited post."

    @pytest.mark.parametrize("number", [10, 11, 249])
    async def test_an_old_turn_is_deleted_and_the_window_stays_where_it_was(self, store: Store, number: int) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide is not None
        saved = await store.save(Change(wide, without(wide, number)))
        assert saved == replace(session, version=session.version + 1)
        assert await numbers_of(store, session) == [each for each in range(301) if each != number]

    async def test_a_caller_may_put_the_window_back_up_itself(self, store: Store) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide is not None
        after = replace(without(story.edit(wide, 11, "An edited post."), 12), window_start=260)
        saved = await store.save(Change(wide, after))
        assert saved == replace(with_window(session, 260), version=session.version + 1)
        assert await store.session_at(HERE) == saved
        assert await numbers_of(store, session) == [each for each in range(301) if each != 12]

    async def test_deleting_all_from_an_old_turn_on_moves_the_window_back(self, store: Store) -> None:
        await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide is not None
        saved = await store.save(Change(wide, without(wide, *range(100, 301))))
        assert saved.window_start == 10
        assert [turn.number for turn in saved.turns] == list(range(10, 100))
        assert await store.session_at(HERE) == saved

    async def test_many_turns_may_change_at_once(self, store: Store) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 0)
        assert wide is not None
        told = tuple(replace(turn.with_new_variant(Variant(f"Anew {turn.number}.")), name="Ann") for turn in wide.turns[1:])
        saved = await store.save(Change(wide, replace(wide, turns=told)))
        assert saved.window_start == session.window_start
        assert await store.session_at(HERE) == saved
        assert await store.turns(session.id) == told

    async def test_a_change_to_a_widened_session_of_an_older_version_is_stale(self, store: Store) -> None:
        session = await windowed(store)
        wide = await store.widened(HERE, 10)
        assert wide is not None
        await store.save(Change(session, with_length(session, None)))
        with pytest.raises(StaleSession):
            await store.save(Change(wide, without(wide, 11)))
        assert await numbers_of(store, session) == list(range(301))


class TestBranch:
    async def test_a_new_session_may_begin_as_a_copy_with_turns_outside_its_window(self, store: Store) -> None:
        session = await windowed(store)
        turns = (await store.turns(session.id))[:281]
        branch = replace(session, id=SessionId("branch"), place=ELSEWHERE, turns=turns, next_number=281, version=0)
        saved = await store.save(Change(None, branch))
        assert saved == replace(branch, turns=turns[250:], version=1)
        assert await store.session_at(ELSEWHERE) == saved
        assert await store.turns(branch.id) == turns
        assert await store.session_at(HERE) == session


class TestSources:
    async def test_a_turn_is_found_by_any_of_its_messages_in_the_window_or_not(self, store: Store) -> None:
        session = await begun(store)
        for number, sources in enumerate((("a", "b"), ("A%", "a_"), ('q"\\', "ü")), start=1):
            posted = story.add_post(session, TOBIAS, "A post.")
            events = tuple(EventId(each) for each in sources)
            session = with_turn(posted, replace(posted.turn(number), sources=events))
        session = await store.save(Change(await store.session_at(HERE), session))
        await store.save(Change(session, with_window(session, 3)))
        for number, sources in enumerate((("a", "b"), ("A%", "a_"), ('q"\\', "ü")), start=1):
            assert [await store.turn_of(HERE, EventId(each)) for each in sources] == [number, number]
        for unknown in ("A", "B", "a%", "aa", "q", "", "_", "Ü"):
            assert await store.turn_of(HERE, EventId(unknown)) is None

    async def test_a_message_belongs_to_the_session_of_its_place_only(self, store: Store) -> None:
        session = await begun(store, place=ELSEWHERE)
        posted = story.add_post(session, TOBIAS, "A post.")
        await store.save(Change(session, with_turn(posted, replace(posted.turn(1), sources=(EventId("a"),)))))
        assert await store.turn_of(HERE, EventId("a")) is None
        await store.end(ELSEWHERE, now=0.0)
        assert await store.turn_of(ELSEWHERE, EventId("a")) is None
