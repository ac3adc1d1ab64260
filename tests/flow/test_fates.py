"""What became of a player's post is shown beside it, and taken away when it is no longer so."""

import asyncio

from bot.errors import EngineUnavailable
from bot.flow.lateness import LATE
from bot.ids import EventId
from bot.posts import Fate
from bot.texts import LOADING
from tests.builders import HERE, a_post
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import a_stage


async def test_a_post_that_comes_while_a_reply_is_written_is_marked_until_its_turn_comes() -> None:
    pause = Pause(0)
    async with a_stage([ScriptedReply(("One.",), pause=pause), "Two."]) as stage:
        await stage.service.receiver.receive(a_post("First.", "first"))
        await pause.reached.wait()
        await stage.service.receiver.receive(a_post("Second.", "second"))
        assert stage.courier.fates == [(HERE, EventId("second"), Fate.QUEUED)]
        pause.go.set()
        await stage.service.receiver.settled(HERE)
        assert stage.courier.fates[1:] == [(HERE, EventId("second"), None)]


async def test_a_post_that_joins_no_story_is_marked_as_ignored() -> None:
    async with a_stage() as stage:
        await stage.act("pause")
        await stage.post("Hello?", event=EventId("late"))
        assert stage.courier.fates == [(HERE, EventId("late"), Fate.IGNORED)]


async def test_a_post_whose_answer_broke_off_is_marked_until_it_is_answered() -> None:
    broken = ScriptedReply(("It was", " dark.", "And"), error=EngineUnavailable("The model is gone."), fails_before=2)
    async with a_stage([broken, "Back again."]) as stage:
        await stage.post("Hello?", event=EventId("third"), parts=(EventId("third"), EventId("fourth")))
        assert stage.courier.fates == [(HERE, EventId("fourth"), Fate.BROKEN)]
        await stage.act("retry")
        assert stage.courier.fates[1:] == [(HERE, EventId("fourth"), None)]


async def test_a_place_is_told_once_when_the_model_is_late_to_answer() -> None:
    pause = Pause(0)
    async with a_stage([ScriptedReply(("One.",), pause=pause)]) as stage:
        await stage.service.receiver.receive(a_post("First.", "first"))
        await pause.reached.wait()
        assert LATE in stage.clock.sleeping
        stage.clock.move(LATE)
        while not any(draft.waiting for _, draft in stage.courier.drafts):
            await asyncio.sleep(0)
        pause.go.set()
        await stage.service.receiver.settled(HERE)
        assert [draft.waiting for _, draft in stage.courier.drafts if draft.waiting] == [LOADING]
        assert LATE not in stage.clock.sleeping
