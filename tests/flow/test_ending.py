"""How a bot ends in good order, on fakes: what it still finishes, what it hands back, and that nothing is lost by it."""

import asyncio
from contextlib import suppress

import pytest

from bot import texts
from bot.errors import Refused, TryLater
from bot.flow.ending import POSTS_SECONDS, REPLIES_SECONDS
from bot.flow.lanes import Lanes
from bot.flow.service import Service
from bot.ids import EventId
from bot.posts import ChannelLimits, Edited
from bot.story.turn import VariantState
from tests.builders import HERE, MIRA, TOBIAS, a_post
from tests.fakes.courier import Mishap, Verb
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import Stage, a_stage
from tests.flow.test_lanes import THERE

LONG = tuple(f"This is sentence number {number} of a long reply. " for number in range(12))


async def moments(number: int = 200) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def written_by_another_run(stage: Stage) -> Service:
    """A bot that starts over what the last one left, once all is settled."""
    await stage.service.close()
    again = stage.service = stage.new_service()
    await again.start()
    await again.receiver.settled(HERE)
    return again


async def test_a_reply_that_is_being_written_comes_to_its_end_and_to_its_place() -> None:
    pause = Pause(before=6)
    async with a_stage([ScriptedReply(LONG, pause=pause)], limits=ChannelLimits(300), context=8192) as stage:
        await stage.service.receiver.receive(a_post("Go on.", "asked"))
        await pause.reached.wait()
        read_ahead = len(stage.engine.warms)
        draining = asyncio.create_task(stage.service.drain())
        await moments()
        assert stage.service.ending.is_set()
        assert not draining.done()
        pause.go.set()
        await draining
        turn = (await stage.session()).turns[-1]
        assert turn.variant.state is VariantState.WHOLE
        assert "number 11 " in turn.text
        assert stage.shown == (MIRA.greeting, *turn.posts)
        assert await stage.store.outstanding() == ()
        assert len(stage.engine.warms) == read_ahead, "nobody will use what is read ahead now"


async def test_what_waits_behind_a_reply_and_what_comes_in_meanwhile_is_answered_once_by_the_next_run() -> None:
    pause = Pause(before=1)
    async with a_stage([ScriptedReply(("One", " two."), pause=pause), "Three.", "Four."]) as stage:
        receiver = stage.service.receiver
        await receiver.receive(a_post("First.", "1"))
        await pause.reached.wait()
        await receiver.receive(a_post("Second.", "2"))
        draining = asyncio.create_task(stage.service.drain())
        await moments()
        await receiver.receive(a_post("Third.", "3"))
        pause.go.set()
        await draining
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting, "First.", "One two."]
        assert [event.event for event in await stage.store.waiting()] == ["2", "3"]
        again = await written_by_another_run(stage)
        told = [turn.text for turn in (await stage.session()).turns[1:]]
        assert told == ["First.", "One two.", "Second.", "Three.", "Third.", "Four."]
        assert stage.shown == (MIRA.greeting, "One two.", "Three.", "Four.")
        await again.close()


async def test_behind_a_reply_that_an_event_had_to_wait_for_no_further_one_is_begun() -> None:
    first, then = Pause(before=1), Pause(before=1)
    replies: list[str | ScriptedReply] = [
        ScriptedReply(("One", " two."), pause=first),
        ScriptedReply((" three", " four."), pause=then),
    ]
    async with a_stage([*replies, "Five."]) as stage:
        await stage.service.receiver.receive(a_post("First.", "1"))
        await first.reached.wait()
        await stage.service.close()
        await stage.store.receive(a_post("Second.", "2"))
        # Because of this one, which turns out to be none of the story, the open reply is left to the event before it.
        await stage.store.receive(Edited(EventId("3"), HERE, TOBIAS.author, EventId("unknown"), "Else."))
        again = stage.service = stage.new_service()
        await again.start()
        await then.reached.wait()
        await moments()
        draining = asyncio.create_task(again.drain())
        await moments()
        then.go.set()
        await draining
        assert len(stage.engine.requests) == 2
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["First.", "three four.", "Second.", ""]
        last = await written_by_another_run(stage)
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["First.", "three four.", "Second.", "Five."]
        await last.close()


async def test_a_reply_that_only_waits_for_its_turn_is_handed_back_at_once() -> None:
    pause = Pause(before=0)
    async with a_stage([ScriptedReply(("One.",), pause=pause), "Two."]) as stage:
        await stage.service.receiver.receive(a_post("Hello?", "asked"))
        await pause.reached.wait()
        await stage.service.drain()
        assert stage.engine.abandoned == 1
        assert stage.clock.ticks() == 0.0
        assert (await stage.store.unfinished()) == (HERE,)
        again = await written_by_another_run(stage)
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["Hello?", "Two."]
        await again.close()


async def test_a_reply_that_takes_too_long_is_handed_back_with_what_it_has() -> None:
    pause = Pause(before=11)
    replies: list[str | ScriptedReply] = [ScriptedReply(LONG, pause=pause), "And here it ends."]
    async with a_stage(replies, limits=ChannelLimits(300), context=8192) as stage:
        await stage.service.receiver.receive(a_post("Go on.", "asked"))
        await pause.reached.wait()
        draining = asyncio.create_task(stage.service.drain())
        await moments()
        stage.clock.move(REPLIES_SECONDS - 1)
        await moments()
        assert not draining.done()
        stage.clock.move(1)
        await draining
        again = await written_by_another_run(stage)
        turn = (await stage.session()).turns[-1]
        assert turn.text.endswith("And here it ends.")
        assert stage.shown == (MIRA.greeting, *turn.posts)
        await again.close()


@pytest.mark.parametrize(("wait", "takes"), [(POSTS_SECONDS - 1, POSTS_SECONDS - 1), (POSTS_SECONDS + 60, 0.0)])
async def test_posts_are_waited_for_that_can_still_reach_their_place(wait: float, takes: float) -> None:
    held_up = Mishap(2, TryLater(wait), Verb.SEND)
    async with a_stage(["Come in."], mishaps=[held_up]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while not await stage.store.outstanding() or len(stage.courier.calls) < 2 or not stage.clock.sleeping:
            await asyncio.sleep(0)
        draining = asyncio.create_task(stage.service.drain())
        while not draining.done() and stage.clock.ticks() < POSTS_SECONDS:
            await moments()
            if not draining.done():
                stage.clock.move(1.0)
        await draining
        posting.cancel()
        assert takes <= stage.clock.ticks() <= takes + 1
        assert (stage.shown[-1] == "Come in.") == (takes > 0)
        assert bool(await stage.store.outstanding()) == (takes == 0)


async def test_whoever_waits_in_line_at_the_desk_hears_that_the_program_ends() -> None:
    lanes, go = Lanes(), asyncio.Event()

    async def slow() -> str:
        await go.wait()
        return "done"

    begun = asyncio.create_task(lanes.run(HERE, slow))
    await moments(5)
    in_line = asyncio.create_task(lanes.run(HERE, slow))
    await moments(5)
    lanes.rest(unless=lambda _: False)
    with pytest.raises(Refused, match=texts.ENDING):
        await in_line
    with pytest.raises(Refused, match=texts.ENDING):
        await lanes.run(THERE, slow)
    go.set()
    assert await begun == "done"
    await lanes.rested()
    await lanes.close()


async def test_an_end_that_is_repeated_or_cut_short_does_no_harm() -> None:
    pause = Pause(before=1)
    async with a_stage([ScriptedReply(("One", " two."), pause=pause), " two."]) as stage:
        await stage.service.receiver.receive(a_post("Hello?", "asked"))
        await pause.reached.wait()
        draining = asyncio.create_task(stage.service.drain())
        await moments()
        draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining
        again = await written_by_another_run(stage)
        assert len((await stage.session()).turns) == 3
        await again.drain()
        await again.drain()
        await again.close()
