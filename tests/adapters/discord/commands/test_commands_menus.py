"""The menu of a message: what is asked of the post that somebody points at."""

from adapters.discord.words import place_of
from tests.adapters.discord.commands.commands_stage import Stage, stage
from tests.fakes.discord import Channel, Message


async def chosen(on: Stage, message: Message, name: str) -> str:
    asked = await on.loopback.context_menu(on.player, message, name)
    said = await asked.wait_for_message()
    assert said.ephemeral
    await on.service.receiver.settled(place_of(message.channel.id))
    return said.content


async def variants(on: Stage, channel: Channel) -> list[str]:
    return [each.text for each in (await on.session(channel)).turns[-1].variants]


async def test_the_newest_reply_is_written_anew_and_on() -> None:
    async with stage(["She nods.", "She smiles.", " And waits."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        assert await chosen(on, on.shown(thread)[-1], "Retry") == "Writing…"
        assert await variants(on, thread) == ["She nods.", "She smiles."]
        assert await chosen(on, on.shown(thread)[-1], "Continue") == "Writing…"
        assert (await variants(on, thread))[1] == "She smiles. And waits."


async def test_a_reply_that_is_not_the_newest_post_is_left_alone() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        for name in ("Retry", "Continue"):
            assert (
                await chosen(on, on.shown(thread)[0], name)
                == "That is not the newest post of the story; /rewind goes back to it first."
            )
        assert await variants(on, thread) == ["She nods."]


async def test_a_message_that_is_no_post_of_the_story_is_refused() -> None:
    async with stage() as on:
        thread = await on.start()
        message = await on.loopback.post(on.player, thread, "Hello")
        assert await chosen(on, message, "Retry") == "That message is no post of the story here."
        elsewhere = await on.loopback.post(on.player, on.text, "Hello")
        assert await chosen(on, elsewhere, "Continue") == "There is no story in this place."


async def test_a_message_is_taken_as_a_post_where_the_bot_may_read_none_by_itself() -> None:
    async with stage(is_degraded=True) as on:
        thread = await on.start()
        message = await on.loopback.post(on.player, thread, "Tobias knocks.")
        assert await chosen(on, message, "Take as post") == "Taken."
        (taken,) = on.ears.taken
        assert (taken.id, taken.content, taken.author.id, taken.channel.id) == (
            message.id,
            "Tobias knocks.",
            on.player.id,
            thread.id,
        )


async def test_no_message_is_taken_where_there_is_no_story() -> None:
    async with stage(is_degraded=True) as on:
        message = await on.loopback.post(on.player, on.text, "Hello")
        assert await chosen(on, message, "Take as post") == "There is no story in this place."
        assert on.ears.taken == []
