"""What a bot holds of a place where nothing happens: places come and go for years, and must not add up."""

import asyncio

import pytest

from bot.errors import EngineUnavailable
from bot.flow import fates, handle
from bot.ids import AuthorId, ChannelKey, EventId, Place
from bot.posts import Deleted, Edited, Fate
from bot.story.persona import Persona
from bot.story.settings import SessionSettings, TurnPolicy
from tests.builders import HERE, TOBIAS, a_post, a_session
from tests.fakes.engine import ScriptedReply
from tests.flow.stage import a_stage

ANN = Persona(AuthorId("author-2"), "Ann", "Ann is a smith.")
BROKEN = ScriptedReply(("It was", " dark."), error=EngineUnavailable("The model is gone."), fails_before=1)


def tasks() -> int:
    return len(asyncio.all_tasks())


async def test_a_place_that_rests_has_no_task_no_lane_and_no_worker() -> None:
    async with a_stage() as stage:
        before = tasks()
        await stage.post("Hello?")
        await stage.act("retry")
        service = stage.service
        assert tasks() == before
        deliverer, lanes = service._deliverer, service._lanes
        assert [len(each) for each in (lanes._lanes, lanes._runners)] == [0, 0]
        assert [len(each) for each in (deliverer._bells, deliverer._idle, deliverer._workers, deliverer._oldest)] == [0] * 4


async def test_a_place_that_rested_is_played_on() -> None:
    async with a_stage(["One.", "Two.", "Three."]) as stage:
        for _ in range(3):
            await stage.post("Hello?")
        assert stage.shown[1:] == ("One.", "Two.", "Three.")


async def test_changes_that_were_waited_for_leave_nothing() -> None:
    async with a_stage() as stage:
        await stage.post("Hello?", event=EventId("first"))
        receiver = stage.service.receiver
        await receiver.receive(Edited(EventId("edit"), HERE, TOBIAS.author, EventId("first"), "Hello there."))
        await receiver.receive(Deleted(EventId("deletion"), HERE, EventId("first")))
        await receiver.settled(HERE)
        assert stage.service._handler._coming == {}


async def test_reasons_and_signs_of_broken_replies_are_kept_of_the_newest_places_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handle, "REASONS", 3)
    monkeypatch.setattr(fates, "REMEMBERED", 2)
    async with a_stage([BROKEN]) as stage:
        for number in range(5):
            await stage.post("Hello?", event=EventId(f"post-{number}"))
            await stage.service.receiver.receive(a_post("Hello?", f"nowhere-{number}", place=elsewhere(number)))
            await stage.service.receiver.settled(elsewhere(number))
        assert [place.channel for place in stage.service._handler.reasons] == ["other-3", "thread-1", "other-4"]
        assert stage.service._handler.fates._told == {(HERE, EventId(f"post-{at}")): Fate.BROKEN for at in (3, 4)}


async def test_reminders_remember_nothing_of_a_story_that_has_ended() -> None:
    async with a_stage(begin=False) as stage:
        settings = SessionSettings(turns=TurnPolicy.IN_ORDER, nudge_seconds=60)
        await stage.service.begin(a_session(personas=(TOBIAS, ANN), settings=settings))
        await stage.post("Tobias waits.")
        reminder = stage.service.reminder
        for _ in range(2):
            await reminder.look()
            stage.clock.move(61)
        assert (list(reminder._since), list(reminder._told)) == ([HERE], [HERE])
        await stage.service.receiver.settled(HERE)
        await stage.store.end(HERE, stage.clock.now())
        await reminder.look()
        assert (reminder._since, reminder._told) == ({}, {})


def elsewhere(number: int) -> Place:
    return Place(HERE.platform, ChannelKey(f"other-{number}"))
