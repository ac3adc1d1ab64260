"""What a bot that starts again makes of what the last one left, on fakes. Killed processes are in tests/walks."""

import asyncio

import pytest

from bot.errors import StoreUnavailable
from bot.ids import ChannelKey, EventId, Place, Platform
from bot.ports.store import Change
from bot.posts import ChannelLimits, Deleted
from bot.story.policy import Rating
from bot.story.session import Session
from bot.story.turn import VariantState
from tests.builders import HERE, MIRA, a_post, a_session
from tests.fakes.engine import Pause, ScriptedReply
from tests.fakes.store import MemoryStore
from tests.flow.stage import a_stage

SENTENCES = tuple(f"This is sentence number {number} of a long reply. " for number in range(40))


async def test_a_half_written_reply_is_finished_after_a_restart_and_nothing_is_doubled() -> None:
    pause = Pause(before=25)
    first = ScriptedReply(SENTENCES, pause=pause)
    rest = "And here it ends."
    async with a_stage([first, rest], limits=ChannelLimits(300), context=8192) as stage:
        posting = asyncio.create_task(stage.post("Go on."))
        await pause.reached.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        before = stage.shown
        assert len(before) > 2
        await stage.service.close()
        posting.cancel()
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        session = await stage.session()
        turn = session.turns[-1]
        assert turn.variant.state is VariantState.WHOLE
        assert turn.text.endswith(rest)
        assert stage.shown == (MIRA.greeting, *turn.posts)
        assert len([post for post in stage.shown if "number 0 " in post]) == 1
        assert [turn.text for turn in session.turns[:2]] == [MIRA.greeting, "Go on."]
        await again.close()


async def test_a_reply_that_was_being_continued_loses_nothing_of_what_it_had() -> None:
    pause = Pause(before=12)
    first, rest = "".join(SENTENCES[:20]).strip(), "And here it ends."
    replies: list[str | ScriptedReply] = [first, ScriptedReply(SENTENCES[20:], pause=pause), rest]
    async with a_stage(replies, limits=ChannelLimits(300), context=8192) as stage:
        await stage.post("Go on.")
        continuing = asyncio.create_task(stage.act("continue"))
        await pause.reached.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert (await stage.session()).turns[-1].text.startswith(first)
        await stage.service.close()
        continuing.cancel()
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        turn = (await stage.session()).turns[-1]
        assert turn.text.startswith(first)
        assert turn.text.endswith(rest)
        assert stage.shown == (MIRA.greeting, *turn.posts)
        await again.close()


@pytest.mark.parametrize("is_continued", [False, True])
async def test_what_a_crash_kept_of_a_reply_goes_with_the_post_that_it_answered(*, is_continued: bool) -> None:
    pause = Pause(before=30)
    whole = "A short one."
    replies: list[str | ScriptedReply] = [ScriptedReply(SENTENCES, pause=pause), "And here it ends."]
    async with a_stage([whole, *replies] if is_continued else replies, limits=ChannelLimits(300), context=8192) as stage:
        if is_continued:
            await stage.post("Go on.", event=EventId("asked"))
        go_on = stage.act("continue") if is_continued else stage.post("Go on.", event=EventId("asked"))
        going = asyncio.create_task(go_on)
        await pause.reached.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        assert "number 5 " in "".join(stage.shown)
        await stage.service.close()
        going.cancel()
        await stage.store.receive(Deleted(EventId("gone"), HERE, EventId("asked")))
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        turns = (await stage.session()).turns
        assert [turn.text for turn in turns] == [MIRA.greeting, *([f"{whole}{replies[-1]}"] if is_continued else [])]
        assert stage.shown == (MIRA.greeting, *(turns[-1].posts if is_continued else ()))
        await again.close()


async def test_an_event_that_was_kept_but_not_handled_is_handled_after_a_restart() -> None:
    async with a_stage() as stage:
        await stage.service.close()
        await stage.store.receive(a_post("Anybody?", "kept"))
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')
        assert await stage.store.waiting() == ()
        await again.close()


class LosingStore(MemoryStore):
    """A store whose next saves store their change and then report that they failed."""

    losses = 0

    async def save(self, change: Change) -> Session:
        saved = await super().save(change)
        if self.losses:
            self.losses -= 1
            raise StoreUnavailable("The connection broke.")
        return saved


async def test_a_change_whose_confirmation_was_lost_is_not_made_twice() -> None:
    async with a_stage() as stage:
        store = LosingStore()
        stage.store = store
        service = stage.service = stage.new_service()
        await service.start()
        await service.begin(a_session())
        store.losses = 1
        posting = asyncio.create_task(stage.post("Hello?"))
        while not posting.done():
            stage.clock.move(1)
            await asyncio.sleep(0)
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["Hello?", '"Come in," she said.']
        await service.close()


async def test_an_event_that_is_taken_up_twice_is_answered_once() -> None:
    async with a_stage() as stage:
        await stage.store.receive(a_post("Anybody?", "kept"))
        await stage.service.start()
        await stage.service.start()
        await stage.service.receiver.settled(HERE)
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')


async def test_a_post_whose_receipt_was_lost_is_answered_when_it_is_sent_again() -> None:
    async with a_stage() as stage:
        await stage.store.receive(a_post("Anybody?", "kept"))
        await stage.post("Anybody?", event="kept")
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')


async def test_what_belongs_to_a_platform_that_is_not_served_now_is_left_as_it_is() -> None:
    elsewhere = Place(Platform("elsewhere"), ChannelKey("room"))
    async with a_stage() as stage:
        left = a_post("Anybody?", "left", place=elsewhere)
        await stage.store.receive(left)
        await stage.service.start()
        await stage.post("Hello?")
        assert await stage.store.waiting() == (left,)
        assert stage.service.metrics.total("failures") == 0


async def test_an_open_reply_of_a_story_that_is_rated_adult_by_now_is_not_written() -> None:
    pause = Pause(before=0)
    async with a_stage([ScriptedReply(("Word.",), pause=pause)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.close()
        posting.cancel()
        stage.engine.rating = Rating.ADULT
        again = stage.new_service()
        await again.start()
        await again.receiver.settled(HERE)
        assert len(stage.engine.requests) == 1
        assert "the model is adult" in stage.shown[-1]
        await again.close()
