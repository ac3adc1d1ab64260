"""Whole turns on fakes: what a player does, what stands in the place afterwards, and what the story remembers."""

import asyncio

import pytest

from bot.errors import Refused
from bot.ports.engine import FinishReason
from bot.posts import ChannelLimits
from bot.story.settings import Length, SessionSettings
from bot.story.turn import Role, VariantState
from tests.builders import HERE, MIRA, a_session
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import a_stage

LONG = " ".join(f"This is sentence number {number} of a long reply." for number in range(60))
SMALL = ChannelLimits(300, streams=True)


async def test_a_story_opens_with_its_characters_greeting() -> None:
    async with a_stage() as stage:
        assert stage.shown == (MIRA.greeting,)


async def test_a_place_holds_one_story() -> None:
    async with a_stage() as stage:
        with pytest.raises(Refused, match="already"):
            await stage.service.begin(a_session(id="another"))


async def test_a_post_is_answered_and_both_are_remembered() -> None:
    async with a_stage(['"Come in," she said.']) as stage:
        await stage.post("Hello?")
        assert stage.shown == (MIRA.greeting, '"Come in," she said.')
        turns = (await stage.session()).turns
        assert [(turn.role, turn.text) for turn in turns[1:]] == [
            (Role.PLAYER, "Hello?"),
            (Role.CHARACTER, '"Come in," she said.'),
        ]


async def test_the_same_event_is_answered_once() -> None:
    async with a_stage() as stage:
        for _ in range(3):
            await stage.post("Hello?", event="the same")
        assert len(stage.shown) == 2
        assert len(stage.engine.requests) == 1


async def test_a_long_reply_is_an_ordered_set_of_posts_that_leave_before_it_is_finished() -> None:
    pause = Pause(before=300)
    pieces = tuple(word + " " for word in LONG.split())
    async with a_stage([ScriptedReply(pieces, pause=pause)], limits=SMALL, context=8192) as stage:
        posting = asyncio.create_task(stage.post("Go on."))
        await pause.reached.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        early = stage.shown
        assert len(early) > 2
        pause.go.set()
        await posting
        assert stage.shown[: len(early)] == early
        assert all(len(post) <= 300 for post in stage.shown)
        assert " ".join(stage.shown[1:]) == LONG
        turn = (await stage.session()).turns[-1]
        assert turn.posts == stage.shown[1:]
        assert turn.text == LONG


async def test_retry_shows_a_new_variant_in_place_of_the_old_posts() -> None:
    async with a_stage([LONG, "Short."], limits=SMALL, context=8192) as stage:
        await stage.post("Go on.")
        many = len(stage.courier.standing[HERE])
        first = list(stage.courier.standing[HERE])[1]
        await stage.act("retry")
        assert many > 3
        assert stage.shown == (MIRA.greeting, "Short.")
        assert list(stage.courier.standing[HERE])[1] == first
        assert len((await stage.session()).turns[-1].variants) == 2


async def test_swiping_back_shows_the_first_variant_again_and_the_model_reads_it() -> None:
    async with a_stage([LONG, "Short.", "Then."], limits=SMALL, context=8192) as stage:
        await stage.post("Go on.")
        before = stage.shown
        await stage.act("retry")
        await stage.act("swipe", side="left")
        assert stage.shown == before
        await stage.post("And?")
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert LONG in prompt
        assert "Short." not in prompt


async def test_a_swipe_past_the_last_variant_is_refused_with_a_sentence() -> None:
    async with a_stage() as stage:
        await stage.post("Hello?")
        await stage.act("swipe", side="right")
        assert "no later version" in stage.shown[-1]


async def test_continue_writes_on_in_the_same_turn() -> None:
    async with a_stage(["She paused.", " Then she smiled."]) as stage:
        await stage.post("Hello?")
        await stage.act("continue")
        assert stage.shown == (MIRA.greeting, "She paused. Then she smiled.")
        assert stage.engine.requests[-1].segments[-1].text.endswith(" She paused.")
        turn = (await stage.session()).turns[-1]
        assert (turn.text, len(turn.variants)) == ("She paused. Then she smiled.", 1)


async def test_an_edit_changes_what_is_shown_and_what_is_read() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("Hello?")
        number = (await stage.session()).turns[-1].number
        await stage.act("edit", turn=number, text="Mended.")
        assert stage.shown[-1] == "Mended."
        await stage.post("And?")
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert "Mended." in prompt
        assert "One." not in prompt


async def test_undo_takes_the_last_exchange_away() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("First.")
        await stage.post("Second.")
        await stage.act("undo")
        assert stage.shown == (MIRA.greeting, "One.")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting, "First.", "One."]


async def test_a_turn_after_undo_reuses_no_number() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("First.")
        gone = {turn.number for turn in (await stage.session()).turns[1:]}
        await stage.act("undo")
        await stage.post("Again.")
        assert gone.isdisjoint(turn.number for turn in (await stage.session()).turns)
        assert stage.shown == (MIRA.greeting, "Two.")


async def test_the_length_chosen_stands_in_the_newest_header_only() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.act("length", length="huge")
        await stage.post("First.")
        await stage.post("Second.")
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert prompt.count("(length = ") == 1
        assert prompt.endswith("### Response: (length = huge)\nMira:")
        assert (await stage.session()).settings.length is Length.HUGE


async def test_an_unknown_length_is_refused_with_the_known_ones() -> None:
    async with a_stage() as stage:
        await stage.act("length", length="colossal")
        assert "micro" in stage.shown[-1]


async def test_a_stop_keeps_whole_sentences_and_frees_the_engine() -> None:
    pause = Pause(before=5)
    reply = ScriptedReply(("She ", "turned. ", "Then ", "she ", "began ", "to ", "sing."), pause=pause)
    async with a_stage([reply]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        assert stage.service.receiver.stop(HERE)
        await posting
        assert not stage.service.receiver.stop(HERE)
        assert stage.shown == (MIRA.greeting, "She turned.")
        assert (await stage.session()).turns[-1].variant.state is VariantState.STOPPED
        assert stage.engine.abandoned == 1


async def test_a_stop_before_the_first_word_leaves_no_empty_reply() -> None:
    pause = Pause(before=0)
    async with a_stage([ScriptedReply(("Word.",), pause=pause), "Later."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        stage.service.receiver.stop(HERE)
        await posting
        assert (await stage.session()).turns[-1].role is Role.PLAYER
        await stage.act("retry")
        assert stage.shown == (MIRA.greeting, "Later.")


async def test_a_reply_that_speaks_for_the_player_is_trimmed_and_counted() -> None:
    async with a_stage(["She nodded. And\nTobias: I agree."]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == "She nodded."
        assert stage.service.metrics.counts["guard_stops", "player"] == 1


async def test_a_reply_that_begins_the_next_header_ends_there() -> None:
    async with a_stage(["She nodded.\n\n### Input:\nTobias: I agree."]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == "She nodded."
        assert stage.service.metrics.counts["guard_stops", "header"] == 1


async def test_a_reply_cut_by_its_budget_ends_with_a_whole_sentence() -> None:
    async with a_stage([ScriptedReply(("All done. ", "Not yet"), reason=FinishReason.LENGTH)]) as stage:
        await stage.post("Hello?")
        assert stage.shown[-1] == "All done."


async def test_a_story_is_written_and_read_ahead_with_its_own_adapter() -> None:
    async with a_stage(begin=False) as stage:
        await stage.service.begin(a_session(settings=SessionSettings(adapter="noir")))
        await stage.post("Hello?")
        assert [request.adapter for request in stage.engine.requests] == ["noir"]
        assert set(stage.engine.warmed_with) == {"noir"}


async def test_the_story_is_read_ahead_while_nobody_waits() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?")
        session, segments = stage.engine.warms[-1]
        assert session == "session-1"
        assert "".join(segment.text for segment in segments).endswith("### Response:\nMira: One.\n\n")


async def test_a_long_story_keeps_its_head_and_drops_old_posts_in_large_steps() -> None:
    async with a_stage(["She answered with some care, as she always did."], context=1200) as stage:
        starts = list[int]()
        for number in range(60):
            await stage.post(f"This is my post number {number}, and it says a few things.")
            starts.append((await stage.session()).window_start)
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert prompt.startswith("### Instruction:\nMira's Persona:")
        assert "post number 59" in prompt
        assert "post number 0," not in prompt
        steps = len(set(starts))
        assert 1 < steps < 15


async def test_posts_that_come_while_a_reply_is_written_are_answered_in_order() -> None:
    pause = Pause(before=0)
    async with a_stage([ScriptedReply(("One.",), pause=pause), "Two."]) as stage:
        first = asyncio.create_task(stage.post("First."))
        await pause.reached.wait()
        second = asyncio.create_task(stage.post("Second."))
        for _ in range(20):
            await asyncio.sleep(0)
        pause.go.set()
        await asyncio.gather(first, second)
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["First.", "One.", "Second.", "Two."]
        assert stage.shown[1:] == ("One.", "Two.")


async def test_a_reply_too_large_for_the_window_leaves_the_post_that_it_answers() -> None:
    async with a_stage(["word " * 290 + "done."], context=1500) as stage:
        for number in range(6):
            await stage.post(f"Post number {number}.")
            assert any(turn.role is Role.PLAYER for turn in (await stage.session()).turns)
        await stage.act("retry")
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert "### Input:\nTobias: Post number 5." in prompt
        await stage.act("undo")
        assert (await stage.session()).turns[-1].role is Role.CHARACTER


async def test_the_story_is_read_ahead_after_every_act_that_changes_it() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        assert stage.engine.warms
        await stage.post("Hello?")
        await stage.act("retry")
        before = len(stage.engine.warms)
        await stage.act("swipe", side="left")
        assert "One." in "".join(segment.text for segment in stage.engine.warms[-1][1])
        await stage.act("undo")
        assert len(stage.engine.warms) == before + 2
