"""Turns that go wrong on fakes: an engine that fails, is busy, has a defect or nothing to say."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bot.errors import EngineBusy, EngineUnavailable, Refused
from bot.ids import CommunityId
from bot.ports.engine import GenerationRequest, StreamItem, Waiting
from bot.posts import ChannelLimits
from bot.story.turn import Role, VariantState
from tests.builders import HERE, MIRA
from tests.fakes.engine import Pause, ScriptedEngine, ScriptedReply
from tests.flow.stage import a_stage

LONG = " ".join(f"This is sentence number {number} of a long reply." for number in range(60))
SMALL = ChannelLimits(300, streams=True)


async def test_a_model_with_nothing_to_say_is_asked_again_and_then_the_place_is_told() -> None:
    async with a_stage([""]) as stage:
        await stage.post("Hello?")
        assert len(stage.engine.requests) == 3
        assert len({request.seed for request in stage.engine.requests}) == 3
        assert "nothing to say" in stage.shown[-1]
        assert (await stage.session()).turns[-1].role is Role.PLAYER


async def test_an_engine_that_fails_in_mid_reply_leaves_what_was_written_and_says_so() -> None:
    broken = ScriptedReply(("She turned. ", "Then "), error=EngineUnavailable("The model stopped."), fails_before=2)
    async with a_stage([broken, "All new."]) as stage:
        await stage.post("Hello?")
        assert stage.shown[1] == "She turned."
        assert "The model stopped." in stage.shown[2]
        assert (await stage.session()).turns[-1].variant.state is VariantState.BROKEN
        await stage.act("retry")
        assert stage.shown[1] == "All new."


async def test_an_engine_that_fails_before_the_first_word_says_so_and_retry_works() -> None:
    broken = ScriptedReply((), error=EngineUnavailable("The model is gone."))
    async with a_stage([broken, "Back again."]) as stage:
        await stage.post("Hello?")
        assert "The model is gone." in stage.shown[-1]
        await stage.act("retry")
        assert "Back again." in stage.shown


async def test_a_busy_engine_is_asked_again_when_it_said_so() -> None:
    busy = ScriptedReply((), error=EngineBusy(7))
    async with a_stage([busy, "At last."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while 7 not in stage.clock.sleeping:
            await asyncio.sleep(0)
        stage.clock.move(7)
        await posting
        assert stage.shown[-1] == "At last."


async def test_a_post_that_the_model_cannot_read_says_so_and_can_be_edited() -> None:
    async with a_stage(["Fine."], context=600) as stage:
        await stage.post("word " * 1000)
        assert "too long" in stage.shown[-1]
        number = (await stage.session()).turns[-1].number
        await stage.act("edit", turn=number, text="Short.")
        await stage.act("retry")
        assert stage.shown[-1] == "Fine."


async def test_text_that_cannot_be_used_is_refused_before_anything_is_stored() -> None:
    async with a_stage() as stage:
        with pytest.raises(Refused, match="1,000,000"):
            await stage.post("x" * 1_000_000)
        assert await stage.store.waiting() == ()
        assert len(stage.shown) == 1


async def test_a_retry_that_comes_to_nothing_shows_the_variant_that_the_model_will_read() -> None:
    async with a_stage(["One.", "Two.", ""]) as stage:
        await stage.post("Hello?")
        await stage.act("retry")
        await stage.act("swipe", side="left")
        await stage.act("retry")
        turn = (await stage.session()).turns[-1]
        assert stage.shown[1] == turn.text == "".join(turn.posts)


@pytest.mark.parametrize("line", ["Tobias:", "TOBIAS:", " tobias :", "> Tobias:", "__Tobias__:", "**Tobias:**", "### Input:"])
async def test_a_reply_ends_where_another_speaks_in_whatever_spelling(line: str) -> None:
    async with a_stage([f"She nodded.\n{line} I agree, he said. And so on."]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == "She nodded."
        assert stage.service.metrics.total("guard_stops") == 1


@pytest.mark.parametrize("line", ["Tobias: I agree.", "tobias: I agree.", "### Input:\nTobias: I agree."])
async def test_a_reply_that_begins_as_another_is_drawn_again(line: str) -> None:
    async with a_stage([line, "She nodded."]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == "She nodded."
        assert len(stage.engine.requests) == 2


async def test_a_reply_may_tell_of_the_player() -> None:
    told = "Tobias sat down. She told him one thing about Tobias: nothing.\nTobias, she thought, was tired: very."
    async with a_stage([told]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == told


async def test_an_engine_that_fails_after_posts_have_left_keeps_them_and_says_so() -> None:
    broken = ScriptedReply(tuple(f"{word} " for word in LONG.split()), error=EngineUnavailable("It stopped."), fails_before=400)
    async with a_stage([broken], limits=SMALL, context=8192) as stage:
        await stage.post("Go on.")
        turn = (await stage.session()).turns[-1]
        assert turn.variant.state is VariantState.BROKEN
        assert len(turn.posts) > 3
        assert stage.shown[1:-1] == turn.posts
        assert "It stopped." in stage.shown[-1]
        assert len(stage.engine.requests) == 1


class DefectiveEngine(ScriptedEngine):
    """An engine with a defect: its first reply ends in an error that no wall allows."""

    defects = 1

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        if self.defects:
            self.defects -= 1
            raise RuntimeError("a defect")
        async with aclosing(super().generate(request)) as stream:
            async for event in stream:
                yield event


async def test_a_defect_while_a_reply_is_written_costs_that_reply_and_no_post() -> None:
    async with a_stage() as stage:
        stage.engine = DefectiveEngine(["One."])
        stage.service.engine = stage.engine
        service = stage.service = stage.new_service()
        await service.start()
        await stage.post("First.")
        assert "went wrong" in stage.shown[-1]
        await stage.post("Second.")
        assert stage.shown[-1] == "One."
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["First.", "Second.", "One."]
        assert service.metrics.total("failures") == 1
        await service.close()


async def test_an_engine_whose_queue_stays_full_says_so_and_when_to_come_back_and_the_post_is_kept() -> None:
    busy = ScriptedReply((), error=EngineBusy(7))
    async with a_stage([busy, busy, busy, busy, "At last."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        for _ in range(3):
            while 7 not in stage.clock.sleeping:
                await asyncio.sleep(0)
            assert "queue is full: asking again in 7 seconds" in stage.courier.drafts[-1][1].waiting
            stage.clock.move(7)
            await asyncio.sleep(0)
        await posting
        assert stage.shown[-1] == (
            "No reply came: the model's queue is full; there should be room again in 7 seconds. Use retry to have it written."
        )
        assert stage.service.metrics.counts["limited", "engine_queue"] == 1
        assert (await stage.session()).turns[-1].text == "Hello?"
        await stage.act("retry")
        assert stage.shown[-1] == "At last."


async def test_a_stop_ends_the_waiting_for_a_busy_engine() -> None:
    async with a_stage([ScriptedReply((), error=EngineBusy(600))]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        while not stage.clock.sleeping:
            await asyncio.sleep(0)
        assert stage.service.receiver.stop(HERE)
        await posting
        assert (await stage.session()).turns[-1].role is Role.PLAYER


async def test_a_retry_that_is_stopped_before_its_first_word_leaves_the_variant_that_was_shown() -> None:
    pause = Pause(before=0)
    async with a_stage(["One.", "Two.", "Three.", ScriptedReply(("Four.",), pause=pause)]) as stage:
        await stage.post("Hello?")
        await stage.act("retry")
        await stage.act("retry")
        await stage.act("swipe", side="left")
        await stage.act("swipe", side="left")
        retrying = asyncio.create_task(stage.act("retry"))
        await pause.reached.wait()
        stage.service.receiver.stop(HERE)
        await retrying
        assert stage.shown == (MIRA.greeting, "One.")
        assert (await stage.session()).turns[-1].text == "One."


async def test_a_post_that_comes_while_the_engine_is_away_is_answered_when_it_is_back() -> None:
    async with a_stage() as stage:
        stage.engine.away = True
        posting = asyncio.create_task(stage.post("Hello?"))
        while not stage.clock.sleeping:
            await asyncio.sleep(0)
        assert stage.shown == (MIRA.greeting,)
        stage.engine.away = False
        stage.clock.move(5.0)
        await posting
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["Hello?", '"Come in," she said.']


async def test_who_waits_for_the_model_sees_where_they_stand_until_the_first_words_come() -> None:
    pause = Pause(before=0)
    reply = ScriptedReply(("Come in.",), waits=(Waiting(3, 61.0), Waiting(1)), pause=pause)
    async with a_stage([reply]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        said = [draft.waiting for _, draft in stage.courier.drafts]
        assert said[-2:] == [
            "Waiting for the model: number 3 in line, about 60 seconds.",
            "Waiting for the model: next in line.",
        ]
        pause.go.set()
        await posting
        assert stage.courier.drafts[-1][1].waiting == ""
        assert stage.shown[-1] == "Come in."


async def test_a_reply_counts_against_the_share_of_its_places_community_and_has_its_deadline() -> None:
    limits = ChannelLimits(2000, community=CommunityId("guild"))
    async with a_stage(limits=limits) as stage:
        service = stage.service = stage.new_service(deadline=90.0)
        await service.start()
        await stage.post("Hello?")
        request = stage.engine.requests[-1]
        assert (request.community, request.deadline) == ("guild", 90.0)
        await service.close()
