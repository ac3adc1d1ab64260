"""What every store does to show one player's words, and to forget them."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import StaleSession
from bot.ids import CardId, EventId, SessionId
from bot.ports.privacy import Forgotten, ForgottenStory, PlayerData, PlayerStory
from bot.ports.reports import Report
from bot.ports.store import Change, Store
from bot.story import acts as story
from bot.story.library import LibraryCard
from bot.story.session import Session, with_turn, with_window
from bot.story.table import Link, LinkKind, Memory
from bot.story.turn import Variant
from bot.texts import FORGOTTEN, SOMEONE
from tests.builders import HERE, MIRA, TOBIAS, a_post
from tests.contracts.stories import ANN, ELSEWHERE, begun, bring, claimed, finished, queued, shown

HIDDEN = "The marmalade is hidden under the seventh stair."


async def played(store: Store, **changes: object) -> Session:
    """A story of a greeting, Tobias's post, a reply that quotes it, Ann's post and a reply that names Tobias."""
    session = await begun(store, **changes)
    posted = story.add_post(session, TOBIAS, HIDDEN)
    session = await store.save(
        Change(session, with_turn(posted, replace(posted.turn(1), sources=(EventId("m-1"), EventId("m-2")))))
    )
    for number, (post, reply) in enumerate(((None, f'"{HIDDEN[:40]}?"'), ("Hm.", "Tobias nodded.")), start=1):
        after = session if post is None else story.add_post(session, ANN, post)
        after = finished(story.open_reply(after, seed=number), reply, reply)
        session = await store.save(Change(session, after))
    return session


def report(**changes: Any) -> Report:
    return replace(Report(HERE, TOBIAS.author, "A reason.", "A context.", 1.0), **changes)


class TestShowing:
    async def test_a_stranger_has_nothing(self, store: Store) -> None:
        await begun(store, personas=(ANN,))
        assert await store.words_of(TOBIAS.author) == PlayerData(None, (), (), ())

    async def test_all_that_is_stored_of_a_player_is_shown_and_nothing_of_others(self, store: Store) -> None:
        session = await played(store)
        await store.save(Change(session, with_window(session, 4)))
        await begun(store, id=SessionId("joined"), place=ELSEWHERE)
        await store.end(ELSEWHERE, now=1.0)
        await begun(store, id=SessionId("other"), place=ELSEWHERE, personas=(ANN,))
        mine, theirs = (LibraryCard(CardId(each.name), each.author, MIRA, b"face", "image/png") for each in (TOBIAS, ANN))
        for card, persona in ((mine, TOBIAS), (theirs, ANN)):
            await store.keep_card(card)
            await store.keep_default_persona(persona)
            await store.keep_report(report(author=persona.author))
        stories = (
            PlayerStory(session.id, HERE, TOBIAS, (session.turns[1],)),
            PlayerStory(SessionId("joined"), ELSEWHERE, TOBIAS, ()),
        )
        assert await store.words_of(TOBIAS.author) == PlayerData(TOBIAS, (mine,), stories, (report(),))


class TestForgetting:
    async def test_a_forgotten_player_leaves_gaps(self, store: Store) -> None:
        session = await played(store)
        forgotten = await store.forget(TOBIAS.author)
        story_of = ForgottenStory(session.id, HERE, (1, 2, 4), (EventId("m-1"), EventId("m-2")))
        assert forgotten == Forgotten((story_of,))
        assert (forgotten.sessions, forgotten.places) == ((session.id,), (HERE,))
        left = await store.session_at(HERE)
        assert left is not None
        assert left.personas == (ANN,)
        greeting, post, quoting, other, naming = left.turns
        assert (greeting, other) == (session.turns[0], session.turns[3])
        assert (post.name, post.author, post.sources, post.text) == (SOMEONE, None, (), FORGOTTEN)
        assert (quoting.variant, quoting.posts) == (replace(session.turns[2].variant, text=FORGOTTEN, token_ids=()), ("",))
        assert (naming.text, naming.variant.token_ids, naming.posts) == (f"{SOMEONE} nodded.", (), ("",))
        assert await store.words_of(TOBIAS.author) == PlayerData(None, (), (), ())
        assert await store.forget(TOBIAS.author) == Forgotten(())

    async def test_turns_outside_the_window_are_forgotten_and_the_window_stays(self, store: Store) -> None:
        session = await played(store)
        for number in range(40):
            session = await store.save(Change(session, story.add_post(session, ANN, f"Post {number}.")))
        session = await store.save(Change(session, with_window(session, 30)))
        await store.forget(TOBIAS.author)
        left = await store.session_at(HERE)
        assert left is not None
        assert left == replace(session, personas=(ANN,), version=left.version)
        assert (await store.turns(session.id))[1].text == FORGOTTEN

    async def test_a_change_that_is_under_way_is_stale(self, store: Store) -> None:
        session = await played(store)
        await store.forget(TOBIAS.author)
        with pytest.raises(StaleSession):
            await store.save(Change(session, story.add_post(session, TOBIAS, HIDDEN)))

    async def test_ended_sessions_and_those_linked_to_them_are_cleaned_too(self, store: Store) -> None:
        link = Link(LinkKind.PART, SessionId("part-2"), HERE, 4)
        first = await played(store, goes_on_in=(link,))
        await bring(store, shown("quote", 2, text=HIDDEN), "m-1")
        await store.end(HERE, now=1.0)
        memory = Memory(summary=f"They said: {HIDDEN}", facts=("Tobias knows.",))
        second = await begun(store, id=SessionId("part-2"), personas=(ANN,), memory=memory)
        await bring(store, shown("other", 2, text=HIDDEN, position=1), "m-2")
        forgotten = await store.forget(TOBIAS.author)
        assert sorted(forgotten.sessions) == sorted([first.id, second.id])
        left = await store.session_at(HERE)
        assert left is not None
        assert left.memory == Memory(facts=(f"{SOMEONE} knows.",))
        assert (await store.turns(first.id))[1].text == FORGOTTEN
        assert [each.post.text for each in (await store.page(HERE)).shown] == [FORGOTTEN]
        await store.empty_bin(before=2.0)
        assert await store.turns(first.id) == ()

    async def test_posts_that_stand_or_wait_are_cleaned(self, store: Store) -> None:
        await played(store)
        await bring(store, shown("quote", 2, text="half of it"), "m-1")
        await bring(store, shown("other", 3, text="Hm."), "m-2")
        await bring(store, shown("notice", 4, position=None, text="Tobias, it is your turn."), "m-3")
        await queued(store, shown("waits", 2, position=1, text="the other half"), shown("said", 4, None, HIDDEN))
        await store.forget(TOBIAS.author)
        texts = [each.post.text for each in (await store.page(HERE)).shown]
        assert texts == [FORGOTTEN, "Hm.", f"{SOMEONE}, it is your turn."]
        for text in (FORGOTTEN, FORGOTTEN):
            delivery = await claimed(store)
            assert getattr(delivery.wish, "text", None) == text
            await store.settle(delivery.id, None)

    async def test_posts_of_another_session_in_the_same_place_are_left_alone(self, store: Store) -> None:
        await played(store)
        await store.end(HERE, now=1.0)
        await begun(store, id=SessionId("session-2"), personas=(ANN,))
        await bring(store, shown("other", 2, text="Hm."), "m-1")
        await store.forget(TOBIAS.author)
        assert [each.post.text for each in (await store.page(HERE)).shown] == ["Hm."]

    async def test_library_default_persona_reports_and_waiting_events_of_the_player_go(self, store: Store) -> None:
        for persona in (TOBIAS, ANN):
            await store.keep_card(LibraryCard(CardId(persona.name), persona.author, MIRA))
            await store.keep_default_persona(persona)
            await store.keep_report(report(author=persona.author))
            await store.receive(a_post(HIDDEN, event=f"event-{persona.name}", author=persona.author))
        await store.receive(a_post("/privacy forget", event="asking"))
        assert await store.forget(TOBIAS.author, answers=EventId("asking")) == Forgotten(())
        assert [title.owner for title in await store.library()] == [ANN.author]
        assert await store.default_persona(TOBIAS.author) is None
        assert await store.default_persona(ANN.author) == ANN
        assert [kept.report.author for kept in await store.reports()] == [ANN.author]
        assert [each.event for each in await store.waiting()] == ["event-Ann", "asking"]
        assert not await store.receive(a_post(event="event-Tobias"))

    async def test_reports_of_others_about_the_player_lose_the_quotes(self, store: Store) -> None:
        await played(store)
        await store.keep_report(report(author=ANN.author, reason="Tobias is rude.", context=f"Tobias: {HIDDEN}"))
        await store.keep_report(report(author=ANN.author, place=ELSEWHERE, context="Another matter."))
        await store.forget(TOBIAS.author)
        here, there = (kept.report for kept in await store.reports())
        assert (here.reason, here.context) == (f"{SOMEONE} is rude.", FORGOTTEN)
        assert there.context == "Another matter."

    async def test_the_name_of_a_default_persona_is_known_in_the_stories_of_its_player(self, store: Store) -> None:
        session = await begun(store, personas=(ANN,), goes_on_in=())
        session = await store.save(Change(session, replace(session, table=replace(session.table, owner=TOBIAS.author))))
        greeting = session.turns[0].with_variant(Variant("Welcome back, Tobias."))
        await store.save(Change(session, with_turn(session, greeting)))
        await store.keep_default_persona(TOBIAS)
        forgotten = await store.forget(TOBIAS.author)
        left = await store.session_at(HERE)
        assert left is not None
        assert left.turns[0].text == f"Welcome back, {SOMEONE}."
        assert left.table.owner is None
        assert forgotten.stories[0].turns == (0,)
