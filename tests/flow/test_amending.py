"""What players change on the platform changes the story, and no answer to what was said before is left standing."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import EngineUnavailable
from bot.ids import AuthorId, EventId
from bot.ports.store import Change
from bot.posts import ChannelLimits, Deleted, Edited
from bot.story.acts import add_post, open_reply
from bot.story.table import Table
from bot.story.turn import Role
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_session
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import Stage, a_stage

LONG = tuple(f"Sentence number {number} of a long reply. " for number in range(60))


async def edit(stage: Stage, post: str, text: str) -> None:
    await stage.service.receiver.receive(Edited(EventId(f"edit of {post}"), HERE, TOBIAS.author, EventId(post), text))
    await stage.service.receiver.settled(HERE)


async def delete(stage: Stage, post: str) -> None:
    await stage.service.receiver.receive(Deleted(EventId(f"end of {post}"), HERE, EventId(post)))
    await stage.service.receiver.settled(HERE)


async def test_an_edited_post_reads_otherwise_in_the_next_prompt() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("I am Tobias.", event="first")
        await edit(stage, "first", "I am Tobias the Elder.")
        await stage.post("And now?")
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert "I am Tobias the Elder." in prompt
        assert "I am Tobias." not in prompt


async def test_a_deleted_post_leaves_the_story_and_its_answer_stays() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?", event="first")
        await delete(stage, "first")
        assert [turn.role for turn in (await stage.session()).turns] == [Role.CHARACTER, Role.CHARACTER]
        assert stage.shown == (MIRA.greeting, "One.")


async def test_a_post_that_is_no_part_of_the_story_changes_nothing_when_it_changes() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?", event="first")
        before = await stage.session()
        await edit(stage, "somebody else's", "Other words.")
        await delete(stage, "somebody else's")
        assert await stage.session() == before


async def test_an_answer_to_a_post_that_is_edited_meanwhile_is_taken_back_and_written_anew() -> None:
    pause = Pause(before=40)
    async with a_stage([ScriptedReply(LONG, pause=pause), "To the new words."], limits=ChannelLimits(300)) as stage:
        posting = asyncio.create_task(stage.post("Old words.", event="first"))
        await pause.reached.wait()
        await edit(stage, "first", "New words.")
        await posting
        assert stage.shown == (MIRA.greeting, "To the new words.")
        assert [turn.text for turn in (await stage.session()).turns[1:]] == ["New words.", "To the new words."]


async def test_an_answer_to_a_post_that_is_deleted_meanwhile_is_taken_back() -> None:
    pause = Pause(before=40)
    async with a_stage([ScriptedReply(LONG, pause=pause)], limits=ChannelLimits(300)) as stage:
        posting = asyncio.create_task(stage.post("Old words.", event="first"))
        await pause.reached.wait()
        await delete(stage, "first")
        await posting
        assert stage.shown == (MIRA.greeting,)
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting]


async def test_a_reply_that_was_being_continued_falls_back_to_what_it_was_and_is_continued_anew() -> None:
    pause = Pause(before=40)
    replies = (ScriptedReply(("Kept words.",)), ScriptedReply(LONG, pause=pause), ScriptedReply((" And more.",)))
    async with a_stage(replies, limits=ChannelLimits(300)) as stage:
        await stage.post("Hello?", event="first")
        continuing = asyncio.create_task(stage.act("continue"))
        await pause.reached.wait()
        await edit(stage, "first", "Hello there?")
        await continuing
        assert stage.shown == (MIRA.greeting, "Kept words. And more.")


async def test_a_version_that_was_being_written_when_an_older_post_changed_is_written_anew() -> None:
    pause = Pause(before=40)
    async with a_stage(["First.", ScriptedReply(LONG, pause=pause), "Second."], limits=ChannelLimits(300)) as stage:
        await stage.post("Hello?", event="first")
        retrying = asyncio.create_task(stage.act("retry"))
        await pause.reached.wait()
        await edit(stage, "first", "Hello there?")
        await retrying
        assert stage.shown == (MIRA.greeting, "Second.")
        assert [variant.text for variant in (await stage.session()).turns[-1].variants] == ["First.", "Second."]


async def test_talk_beside_the_story_can_change_while_a_reply_is_written() -> None:
    pause = Pause(before=40)
    async with a_stage([ScriptedReply(LONG, pause=pause)], limits=ChannelLimits(300), context=4096) as stage:
        await stage.post("((brb))", event="talk")
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        editing = asyncio.create_task(edit(stage, "talk", "((back))"))
        pause.go.set()
        await asyncio.gather(posting, editing)
        assert len(stage.engine.requests) == 1
        assert [turn.text for turn in (await stage.session()).turns[:2]] == [MIRA.greeting, "((back))"]


async def test_an_edit_is_divided_into_story_and_talk_as_a_post_is() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("Tobias waits.", event="first")
        await edit(stage, "first", "Tobias waits. ((my real name is Otto))")
        await stage.post("And now?")
        assert "Otto" not in "".join(segment.text for segment in stage.engine.requests[-1].segments)


async def test_a_deleted_post_takes_the_talk_in_it_along() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("((brb))\n\nTobias waits.", event="first")
        await delete(stage, "first")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting, "One."]


@pytest.mark.parametrize("table", [Table(paused=True), Table(removed=(TOBIAS.author,))])
async def test_no_reply_is_written_to_an_edit_while_the_story_rests_or_by_who_was_removed(table: Table) -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("Hello?", event="first")
        await stage.act("undo")
        session = await stage.session()
        posted = add_post(session, TOBIAS, "Hello?", sources=(EventId("second"),))
        await stage.store.save(Change(session, replace(posted, table=table)))
        await edit(stage, "second", "Hello there?")
        assert len(stage.engine.requests) == 1
        assert ("there" in (await stage.session()).turns[-1].text) == (not table.removed)


async def test_a_post_that_was_never_answered_is_answered_when_it_is_edited() -> None:
    failing = ScriptedReply(("Hm.",), error=EngineUnavailable("The model is gone."))
    async with a_stage([failing, "One."]) as stage:
        await stage.post("Hello?", event="first")
        await edit(stage, "first", "Hello there?")
        assert (await stage.session()).turns[-1].text == "One."


async def test_what_moved_on_before_a_crash_takes_the_half_written_answer_back_after_it() -> None:
    async with a_stage(["One."], begin=False) as stage:
        opened = open_reply(add_post(a_session(), TOBIAS, "Old words.", sources=(EventId("first"),)), 1)
        await stage.store.save(Change(None, opened))
        await stage.store.receive(Edited(EventId("an edit"), HERE, TOBIAS.author, EventId("first"), "New words."))
        await stage.service.start()
        await stage.service.receiver.settled(HERE)
        assert [turn.text for turn in (await stage.session()).turns] == ["New words.", "One."]


async def test_a_post_that_left_the_window_long_ago_can_still_be_changed_and_taken_away() -> None:
    async with a_stage(["The rain went on. " * 10] * 12, context=600) as stage:
        for number in range(6):
            await stage.post(f"Post {number}. " + "The rain went on. " * 8, event=f"post {number}")
        before = await stage.session()
        assert before.window_start > 4
        await edit(stage, "post 0", "Another first post.")
        await delete(stage, "post 1")
        await stage.act("edit", turn=2, text="Another first reply.")
        story = {turn.number: turn.text for turn in await stage.store.turns(before.id)}
        assert story[1] == "Another first post."
        assert story[2] == "Another first reply."
        assert 3 not in story
        assert (await stage.session()).window_start == before.window_start
        assert "Another first reply." in stage.shown


async def test_talk_that_is_edited_into_story_is_story_and_the_other_way_round() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.post("((I open the door.))", event="talk")
        await edit(stage, "talk", "I open the door.")
        await stage.post("Hello?", event="said")
        assert "I open the door." in "".join(segment.text for segment in stage.engine.requests[-1].segments)
        await edit(stage, "said", "((Hello?))")
        roles = [turn.role for turn in (await stage.session()).turns]
        assert roles[-2:] == [Role.ASIDE, Role.CHARACTER]


async def test_a_removed_players_edit_does_not_cost_the_others_their_reply() -> None:
    pause = Pause(before=40)
    ann = replace(TOBIAS, author=AuthorId("ann"), name="Ann")
    async with a_stage(["One.", ScriptedReply(LONG, pause=pause)], limits=ChannelLimits(300), context=4096) as stage:
        await stage.post("I am Ann.", event="anns", author=ann.author, author_name="Ann")
        session = await stage.session()
        await stage.store.save(Change(session, replace(session, table=Table(removed=(ann.author,)))))
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.receiver.receive(Edited(EventId("e"), HERE, ann.author, EventId("anns"), "I am Queen Ann."))
        pause.go.set()
        await posting
        assert len(stage.engine.requests) == 2
        assert "Sentence number 59" in (await stage.session()).turns[-1].text


async def test_of_two_edits_during_one_reply_the_second_is_answered() -> None:
    pause = Pause(before=40)
    replies = (ScriptedReply(LONG, pause=pause), ScriptedReply(("To the second.",)))
    async with a_stage(replies, limits=ChannelLimits(300), context=4096) as stage:
        posting = asyncio.create_task(stage.post("Old words.", event="first"))
        await pause.reached.wait()
        for number, text in enumerate(("New words.", "Newest words.")):
            await stage.service.receiver.receive(Edited(EventId(f"e{number}"), HERE, TOBIAS.author, EventId("first"), text))
        await stage.service.receiver.settled(HERE)
        await posting
        prompt = "".join(segment.text for segment in stage.engine.requests[-1].segments)
        assert "Newest words." in prompt
        assert stage.shown == (MIRA.greeting, "To the second.")


async def test_an_edit_that_is_refused_leaves_the_reply_that_it_interrupted_to_be_written() -> None:
    pause = Pause(before=40)
    replies = (ScriptedReply(LONG, pause=pause), ScriptedReply(("After all.",)))
    async with a_stage(replies, limits=ChannelLimits(300), context=4096) as stage:
        posting = asyncio.create_task(stage.post("Old words.", event="first"))
        await pause.reached.wait()
        edited = Edited(EventId("again"), HERE, TOBIAS.author, EventId("first"), "Old words.")
        await stage.store.receive(edited)
        await stage.store.dismiss(HERE, edited.event)
        await stage.service.receiver.receive(edited)
        await posting
        assert stage.shown == (MIRA.greeting, "After all.")


async def test_a_stranger_cannot_stop_a_reply_by_a_pause() -> None:
    pause = Pause(before=3)
    async with a_stage([ScriptedReply(("She ", "sat ", "down. ", "Then ", "more."), pause=pause)]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.receiver.receive(replace(a_command("pause", "stranger"), author=AuthorId("nobody")))
        pause.go.set()
        await posting
        assert (await stage.session()).turns[-1].text == "She sat down. Then more."
