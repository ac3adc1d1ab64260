"""Buttons below the newest reply: they follow it, do what they say, and work after a restart."""

import asyncio

import pytest

from adapters.discord.commands import controls
from adapters.discord.commands.controls import PRESSES
from adapters.discord.words import place_of
from bot.errors import StoreUnavailable
from bot.flow.commanding import Commanding
from bot.posts import Command
from tests.adapters.discord.commands.commands_stage import Stage, stage
from tests.fakes.discord import Channel, Interaction, Message, NotOffered
from tests.fakes.engine import Pause, ScriptedReply

ALL = ("us:swipe:left", "us:shown", "us:swipe:right", "us:retry", "us:continue", "us:shorter", "us:longer")


def dressed(on: Stage, channel: Channel) -> list[Message]:
    """The messages that have buttons."""
    return [each for each in on.loopback.messages(channel) if each.components]


def label(message: Message, custom_id: str = "us:shown") -> str:
    buttons = [each for row in message.components for each in row["components"]]
    return str(next(each["label"] for each in buttons if each["custom_id"] == custom_id))


async def followed(on: Stage, channel: Channel) -> None:
    """As after a reply: the courier tells that nobody writes any more."""
    on.controls.settled_soon(place_of(channel.id))
    await on.dressed()
    assert [each.id for each in dressed(on, channel)] == [on.shown(channel)[-1].id]


async def pressed(on: Stage, message: Message, custom_id: str) -> Interaction:
    return await on.handled(await on.loopback.press(on.player, message, custom_id))


def edits(on: Stage) -> int:
    return len(on.loopback.asked("PATCH", "/webhooks/"))


async def test_the_last_post_of_the_newest_reply_has_the_buttons_and_no_other() -> None:
    long = " ".join(f"Sentence number {number} of the reply stands here." for number in range(60))
    async with stage([long]) as on:
        thread = await on.start()
        assert [each.id for each in dressed(on, thread)] == [on.shown(thread)[0].id]
        assert dressed(on, thread)[0].custom_ids == ALL
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        assert len(on.shown(thread)) == 3


async def test_what_wears_buttons_is_remembered_of_the_newest_places_and_the_story_tells_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(controls, "REMEMBERED", 1)
    async with stage(["She nods."]) as on:
        threads = [await on.start() for _ in range(2)]
        assert list(on.controls._worn) == [place_of(threads[1].id)]
        await on.post(threads[0], "Tobias knocks.")
        await followed(on, threads[0])


async def test_nothing_is_asked_of_discord_where_nothing_changed() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        before = edits(on)
        for _ in range(3):
            await on.controls.follow(place_of(thread.id))
        assert edits(on) == before


async def test_a_retry_and_swipes_by_buttons_show_which_version_stands() -> None:
    async with stage(["She nods.", "She smiles."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        reply = on.shown(thread)[-1]
        asked = await pressed(on, reply, "us:retry")
        assert asked.messages == ()
        assert (reply.content, label(reply)) == ("She smiles.", "2/2")
        with pytest.raises(NotOffered):
            await on.loopback.press(on.player, reply, "us:swipe:right")
        await pressed(on, reply, "us:swipe:left")
        assert (reply.content, label(reply)) == ("She nods.", "1/2")


@pytest.mark.parametrize("custom_id", sorted(PRESSES))
async def test_every_button_asks_for_a_command_that_there_is(custom_id: str) -> None:
    async with stage(["One.", "Two.", "Three.", "Four."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await on.ask(thread, "retry")
        await on.ask(thread, "retry")
        await on.ask(thread, "swipe", {"side": "left"})
        await on.dressed()
        assert [label(each) for each in dressed(on, thread)] == ["2/3"]
        before = (await on.session(thread)).turns[-1]
        asked = await pressed(on, on.shown(thread)[-1], custom_id)
        after = (await on.session(thread)).turns[-1]
        assert asked.messages == ()
        assert (after.selected, len(after.variants), after.text) != (before.selected, len(before.variants), before.text)


async def test_buttons_of_a_run_before_this_one_work_and_leave_their_message_with_the_next_reply() -> None:
    async with stage(["She nods.", "She smiles.", "She sits."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        await on.restart()
        reply = on.shown(thread)[-1]
        await pressed(on, reply, "us:retry")
        assert (reply.content, label(reply)) == ("She smiles.", "2/2")
        await on.restart()
        await on.post(thread, "Tobias sits down.")
        await followed(on, thread)
        assert on.shown(thread)[-1].content == "She sits."


async def test_a_press_below_an_older_reply_takes_its_buttons_away_and_changes_nothing() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        old = on.shown(thread)[0]
        await on.post(thread, "Tobias knocks.")
        asked = await on.loopback.press(on.player, old, "us:retry")
        await on.loopback.wait_until(lambda: len(asked.followups) == 1)
        assert asked.followups[0].ephemeral
        assert asked.followups[0].content.startswith("Those buttons were below an older reply")
        assert old.components == []
        assert len((await on.session(thread)).turns[-1].variants) == 1


async def test_who_does_not_play_is_told_so_alone() -> None:
    async with stage() as on:
        thread, other = await on.start(), on.loopback.add_user("Joren")
        asked = await on.loopback.press(other, on.shown(thread)[0], "us:retry")
        await on.loopback.wait_until(lambda: len(asked.followups) == 1)
        assert asked.followups[0].ephemeral
        assert asked.followups[0].content == "Only those who play in this story can do that; post in it first."


async def test_a_button_that_is_pressed_twice_has_one_reply_written() -> None:
    pause = Pause(0)
    async with stage(["She nods.", ScriptedReply(("She smiles.",), pause=pause), "She sits."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        reply = on.shown(thread)[-1]
        await on.loopback.press(on.player, reply, "us:retry")
        await pause.reached.wait()
        again = await on.loopback.press(on.player, reply, "us:retry")
        await on.loopback.wait_until(lambda: len(again.followups) == 1)
        assert again.followups[0].content.startswith("A reply is being written already")
        pause.go.set()
        await on.handled(again)
        assert [each.text for each in (await on.session(thread)).turns[-1].variants] == ["She nods.", "She smiles."]
        await pressed(on, reply, "us:retry")
        assert len((await on.session(thread)).turns[-1].variants) == 3


async def test_a_button_that_is_pressed_while_another_press_is_looked_at_has_no_second_reply_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, go, check = asyncio.Event(), asyncio.Event(), Commanding._check

    async def held(commanding: Commanding, command: Command) -> None:
        reached.set()
        await go.wait()
        await check(commanding, command)

    async with stage(["She nods.", "She smiles.", "She sits."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        monkeypatch.setattr(Commanding, "_check", held)
        reply = on.shown(thread)[-1]
        await on.loopback.press(on.player, reply, "us:retry")
        await reached.wait()
        again = await on.loopback.press(on.player, reply, "us:retry")
        await on.loopback.wait_until(lambda: len(again.followups) == 1)
        go.set()
        await on.handled(again)
        assert [each.text for each in (await on.session(thread)).turns[-1].variants] == ["She nods.", "She smiles."]


async def test_the_buttons_go_with_the_story() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, "rp end")
        await on.loopback.wait_until(lambda: dressed(on, thread) == [])


async def test_buttons_stand_below_the_bots_own_posts_where_there_are_no_webhooks() -> None:
    async with stage(["She nods.", "She smiles."]) as on:
        await on.start(on.dm)
        await on.post(on.dm, "Tobias knocks.")
        on.controls.settled_soon(place_of(on.dm.id))
        reply = on.loopback.messages(on.dm)[-1]
        await on.loopback.wait_until(lambda: [each.id for each in dressed(on, on.dm)] == [reply.id])
        await pressed(on, reply, "us:retry")
        assert reply.content.endswith("She smiles.")


async def test_a_message_that_is_gone_costs_the_story_nothing() -> None:
    async with stage(["She nods.", "She sits."]) as on:
        thread = await on.start()
        await on.loopback.delete(on.shown(thread)[0])
        await on.post(thread, "Tobias knocks.")
        await followed(on, thread)
        assert on.shown(thread)[-1].content == "She nods."


async def test_buttons_that_could_not_be_put_on_are_put_on_the_next_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with stage(["She nods."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")

        async def away(*_: object, **__: object) -> None:
            raise StoreUnavailable("The database is locked.")

        with monkeypatch.context() as patched:
            patched.setattr(on.store, "page", away)
            await on.controls.follow(place_of(thread.id))
        assert "did not follow" in caplog.text
        await followed(on, thread)


async def test_once_closed_nothing_is_followed_whatever_the_ending_walk_tells() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.controls.close()
        on.controls.settled_soon(place_of(thread.id))
        on.controls.seen(place_of(on.text.id))
        assert not on.controls._chases
