"""What the engine must forget: at once where it can, noted where it cannot, and asked for again until it has."""

import asyncio

from bot.flow.forgetting import BETWEEN, Forgetter
from bot.flow.lanes import Lanes
from tests.builders import a_command
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import Stage, a_stage


async def until_forgotten(stage: Stage) -> None:
    async with asyncio.timeout(5):
        while await stage.store.unforgotten():
            await asyncio.sleep(0)


async def asks(stage: Stage, name: str) -> str:
    return (await stage.service.desk.answer(a_command(name))).text


async def test_a_step_that_takes_words_away_has_the_engine_forget_the_story_and_read_it_anew() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("Hello?")
        read = len(stage.engine.warms)
        assert stage.engine.forgotten == []
        await stage.act("undo")
        assert stage.engine.forgotten == ["session-1"]
        assert len(stage.engine.warms) == read + 1
        assert await stage.store.unforgotten() == ()


async def test_steps_that_only_add_or_choose_keep_what_the_engine_has_read() -> None:
    async with a_stage(["One.", "Two.", "Three."]) as stage:
        await stage.post("Hello?")
        await stage.act("retry")
        await stage.act("swipe", side="left")
        await stage.act("continue")
        await stage.act("pin", text="The bell rings.")
        await stage.act("note", text="It is dark.")
        await stage.act("length", length="short")
        assert stage.engine.forgotten == []
        await stage.act("note", text="It is light.")
        assert stage.engine.forgotten == ["session-1"]


async def test_an_engine_that_holds_on_keeps_no_step_back_and_is_asked_again() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?")
        stage.engine.holds_on = True
        await stage.act("undo")
        assert len((await stage.session()).turns) == 1
        assert [each.session for each in await stage.store.unforgotten()] == ["session-1"]
        stage.engine.holds_on = False
        while not stage.clock.sleeping:
            await asyncio.sleep(0)
        stage.clock.move(BETWEEN)
        await until_forgotten(stage)
        assert stage.engine.forgotten == ["session-1"]


async def test_who_is_forgotten_while_the_engine_is_away_hears_it_and_the_next_start_makes_up_for_it() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?")
        stage.engine.holds_on = True
        assert "as soon as it is back" in await asks(stage, "privacy forget")
        assert "Hello?" not in repr(await stage.session())
        await stage.service.close()
        stage.engine.holds_on = False
        stage.service = stage.new_service()
        await stage.service.start()
        await until_forgotten(stage)
        assert stage.engine.forgotten == ["session-1"]


async def test_what_is_asked_for_again_waits_for_the_reply_that_is_being_written() -> None:
    pause = Pause(before=1)
    async with a_stage(["One.", ScriptedReply(("Two ", "words."), pause=pause)]) as stage:
        await stage.post("Hello?")
        stage.engine.holds_on = True
        await stage.act("undo")
        stage.engine.holds_on = False
        posting = asyncio.create_task(stage.post("And now?"))
        await pause.reached.wait()
        stage.clock.move(BETWEEN)
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.engine.forgotten == []
        pause.go.set()
        await posting
        await until_forgotten(stage)
        assert (await stage.session()).turns[-1].text == "Two words."


async def test_words_that_are_lost_while_the_engine_forgets_are_forgotten_once_more() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?")
        stage.engine.holds_on = True
        await stage.act("edit", turn=1, text="Hm.")
        (first,) = await stage.store.unforgotten()
        await stage.act("edit", turn=1, text="Well.")
        await stage.store.engine_forgot(first)
        assert [each.session for each in await stage.store.unforgotten()] == ["session-1"]
        stage.engine.holds_on = False
        assert await Forgetter(stage.store, stage.engine, stage.clock, Lanes()).forget((first.session,))
        assert await stage.store.unforgotten() == ()
