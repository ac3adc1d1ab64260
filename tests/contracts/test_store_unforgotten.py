"""What every store notes of sessions that engines must still forget."""

from bot.ids import SessionId
from bot.ports.store import Change, Store
from bot.story import acts as story
from tests.builders import HERE, TOBIAS
from tests.contracts.conftest import Reopening
from tests.contracts.stories import ELSEWHERE, begun, with_exchanges


async def sessions(store: Store) -> list[str]:
    return [each.session for each in await store.unforgotten()]


async def test_a_change_that_loses_words_is_noted_and_others_are_not(store: Store) -> None:
    session = await with_exchanges(store, 1)
    session = await store.save(Change(session, story.add_post(session, TOBIAS, "Hello?")))
    assert await store.unforgotten() == ()
    await store.save(Change(session, story.undo(session)[0], loses_words=True))
    (noted,) = await store.unforgotten()
    assert (noted.session, noted.place) == (session.id, HERE)


async def test_a_note_survives_a_restart_and_goes_when_the_engine_has_forgotten(reopen: Reopening) -> None:
    store = await reopen()
    session = await with_exchanges(store, 1)
    await store.save(Change(session, story.undo(session)[0], loses_words=True))
    again = await reopen()
    (noted,) = await again.unforgotten()
    await again.engine_forgot(noted)
    assert await again.unforgotten() == ()


async def test_what_was_noted_since_the_engine_was_asked_stays_noted(store: Store) -> None:
    session = await with_exchanges(store, 3)
    session = await store.save(Change(session, story.undo(session)[0], loses_words=True))
    (first,) = await store.unforgotten()
    await store.save(Change(session, story.undo(session)[0], loses_words=True))
    await store.engine_forgot(first)
    (second,) = await store.unforgotten()
    assert second.number > first.number
    await store.engine_forgot(second)
    assert await store.unforgotten() == ()


async def test_what_is_deleted_or_forgotten_is_noted_session_by_session(store: Store) -> None:
    await with_exchanges(store, 1)
    await begun(store, id=SessionId("other"), place=ELSEWHERE, personas=())
    await store.forget(TOBIAS.author)
    assert await sessions(store) == ["session-1"]
    await store.end(ELSEWHERE, now=1.0)
    await store.empty_bin(before=2.0)
    assert await sessions(store) == ["session-1", "other"]
