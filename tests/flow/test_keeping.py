"""How long things are kept, who is reminded of their turn, and what is summed up: on fakes, with a clock that stands still."""

from dataclasses import replace

import pytest

from bot.flow import keeping
from bot.flow.keeping import DAY, Keep, Sweeper
from bot.ids import AuthorId, EventId, Place
from bot.ports.reports import Report
from bot.ports.store import Change
from bot.story.persona import Persona
from bot.story.session import Session
from bot.story.settings import SessionSettings, TurnPolicy
from tests.builders import HERE, TOBIAS, a_post
from tests.flow.stage import Stage, a_stage

ANN = Persona(AuthorId("author-2"), "Ann")


async def changed(stage: Stage, **changes: object) -> Session:
    session = await stage.session()
    return await stage.store.save(Change(session, replace(session, **changes)))  # type: ignore[arg-type]  # by name


async def test_an_ended_story_can_be_brought_back_until_its_days_are_over() -> None:
    async with a_stage() as stage:
        service = stage.service
        sweeper = Sweeper(stage.store, service._forgetter, stage.clock, Keep(bin_days=7), service._tenure.keeps_house)
        session = await stage.session()
        await stage.store.end(HERE, stage.clock.now())
        stage.clock.move(6 * DAY)
        assert await sweeper.sweep() == 0
        assert [each.id for each in await stage.store.ended(HERE)] == [session.id]
        stage.clock.move(2 * DAY)
        assert await sweeper.sweep() == 1
        assert await stage.store.ended(HERE) == ()
        assert session.id in stage.engine.forgotten


async def test_a_report_that_nobody_dealt_with_goes_when_its_days_are_over() -> None:
    async with a_stage() as stage:
        keep, forgetter, keeps_house = Keep(report_days=180), stage.service._forgetter, stage.service._tenure.keeps_house
        sweeper = Sweeper(stage.store, forgetter, stage.clock, keep, keeps_house)
        for days in (181, 179):
            when = stage.clock.now() - days * DAY
            await stage.store.keep_report(Report(HERE, ANN.author, f"{days} days old", "Mira: Hm.", when))
        assert await sweeper.sweep() == 0
        assert [each.report.reason for each in await stage.store.reports()] == ["179 days old"]
        assert "a report after 180 days" in keep.sentence
        await Sweeper(stage.store, forgetter, stage.clock, Keep(), keeps_house).sweep()
        assert len(await stage.store.reports()) == 1, "it is kept where nothing else is said"


async def test_a_sweep_drops_the_ids_of_old_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "EVENTS", 1)
    monkeypatch.setattr(keeping, "OF_PLACE", 1)
    async with a_stage() as stage:
        for number in range(3):
            await stage.post("Hello?", event=EventId(f"post-{number}"))
        keeps_house = stage.service._tenure.keeps_house
        await Sweeper(stage.store, stage.service._forgetter, stage.clock, Keep(), keeps_house).sweep()
        known = [not await stage.store.receive(a_post(event=f"post-{number}")) for number in range(3)]
        assert known == [False, False, True]


async def test_whoever_holds_the_story_up_is_reminded_once() -> None:
    async with a_stage() as stage:
        await changed(stage, personas=(TOBIAS, ANN), settings=SessionSettings(turns=TurnPolicy.IN_ORDER, nudge_seconds=3600))
        reminder = stage.service.reminder
        await stage.post("Tobias waits.")
        await reminder.look()
        stage.clock.move(1800)
        await reminder.look()
        assert not any("the story waits" in text for text in stage.shown)
        stage.clock.move(1801)
        for _ in range(3):
            await reminder.look()
            await stage.service.receiver.settled(HERE)
        assert [text for text in stage.shown if "the story waits" in text] == ["It is Ann's turn; the story waits."]


async def test_stories_that_remind_nobody_are_not_read_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_stage() as stage:
        read, session_at = [], stage.store.session_at

        async def noted(place: Place) -> Session | None:
            read.append(place)
            return await session_at(place)

        monkeypatch.setattr(stage.store, "session_at", noted)
        await stage.service.reminder.look()
        assert read == []
        await changed(stage, settings=SessionSettings(nudge_seconds=3600))
        read.clear()
        await stage.service.reminder.look()
        assert read == [HERE]


async def test_what_leaves_the_window_is_summed_up_where_the_table_wants_that() -> None:
    long = "The rain went on. " * 12
    async with a_stage([long] * 12, context=700) as stage:
        await changed(stage, settings=replace((await stage.session()).settings, summarises=True))
        for _ in range(4):
            await stage.post(long)
        session = await stage.session()
        assert session.window_start > 0
        assert session.memory.summary_until == session.window_start
        assert session.memory.summary.startswith("The rain went on.")
        tasks = ["".join(segment.text for segment in request.segments) for request in stage.engine.requests]
        assert any("Sum up the story" in task for task in tasks)
        assert "What happened before: The rain went on." in tasks[-1] or "Sum up" in tasks[-1]
