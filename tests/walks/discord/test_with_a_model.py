"""A whole evening on Discord with the model that the program ships: all that players do, and restarts."""

from pathlib import Path

import pytest

from adapters.discord.posting import courier
from adapters.llama.engine import open_engine
from bot.story.policy import Rating
from bot.story.turn import Role
from tests.fakes.discord import Channel
from tests.models import DEMO_MODEL
from tests.walks.discord.whole import GREETING, Whole, whole
from tests.walks.noted import Noted

POST_LENGTH = 120
"""Short posts, so that the small model's replies take several."""

SPEED = 20.0
"""How fast the clock runs: so that Discord's thirty posts a minute hold nobody up for long."""

POSTS = (
    '"Is there a room left?" Tobias asked, and shook the rain from his coat.',
    "Tobias looked round the empty room, and sat down by the fire.",
    '"I have come a long way," he said. "They told me to ask for you."',
    "He laid a small brass key on the table between them.",
    '"Tell me what it opens," said Tobias.',
)


@pytest.mark.slow
async def test_a_whole_evening_with_the_bundled_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "POST_LENGTH", POST_LENGTH)
    real = open_engine(DEMO_MODEL, context=1024, slots=1, threads=1, batch=256, gpu_layers=0, rating=Rating.GENERAL)
    engine = Noted(real)
    try:
        async with whole(tmp_path, engine=engine, speed=SPEED, join_seconds=4.0) as bot:
            bot.patience = 60.0
            await evening(bot)
    finally:
        await real.close()


async def evening(bot: Whole) -> None:
    thread = await bot.story(bot.text, into=bot.forum, length="short", scenario="A stranger asks for shelter.")
    written = [(await bot.post(thread, text))[0] for text in POSTS]
    told = await bot.told_in(thread)
    assert told[0] == GREETING
    assert told[1::2] == list(POSTS)
    assert len(told) == 1 + 2 * len(POSTS)
    assert any(len(turn.posts) > 1 for turn in (await bot.turns(thread))), "some replies take several posts"
    await bot.check(thread)

    await bot.ask(thread, "retry")
    last = (await bot.turns(thread))[-1]
    assert (len(last.variants), last.selected) == (2, 1)
    await bot.check(thread)
    await bot.press(bot.dressed(thread)[0], "us:swipe:left")
    assert (await bot.told_in(thread)) == told, "the first version is back, to the letter"
    await bot.check(thread)

    await bot.discord.edit(bot.player, written[2], '"I have walked for nine days," he said.')
    await bot.quiet()
    assert (await bot.told_in(thread))[5] == '"I have walked for nine days," he said.'
    await bot.check(thread)

    await edit_one_post(bot, thread)
    await bot.discord.delete(written[1])
    await bot.quiet()
    assert POSTS[1] not in await bot.told_in(thread)
    await bot.check(thread)

    await stop_a_reply(bot, thread)
    await restart_during_a_reply(bot, thread)
    await come_back_after_a_while(bot, thread)


async def edit_one_post(bot: Whole, thread: Channel) -> None:
    long = next(turn for turn in await bot.turns(thread) if turn.role is Role.CHARACTER and len(turn.posts) > 1)
    message = next(each for each in bot.shown(thread) if each.content == long.posts[1].strip())
    changed = message.content.replace("e", "é", 1)
    asked = await bot.discord.context_menu(bot.player, message, "Edit")
    done = await bot.discord.submit(bot.player, asked, {"text": changed})
    await done.wait_for_message()
    await bot.quiet()
    assert message.content == changed
    (after,) = [turn for turn in await bot.turns(thread) if turn.number == long.number]
    assert after.posts[0] == long.posts[0]
    await bot.check(thread)


async def stop_a_reply(bot: Whole, thread: Channel) -> None:
    await bot.ask(thread, "length", {"length": "huge"})  # so that it is still being written when its first post stands
    before = len(bot.shown(thread))
    await bot.discord.post(bot.player, thread, "Tobias waited for her answer.")
    await bot.until(lambda: len(bot.shown(thread)) > before)
    assert await bot.ask(thread, "stop") == "The reply is stopped."
    assert (await bot.told_in(thread))[-2] == "Tobias waited for her answer."
    await bot.check(thread)


async def restart_during_a_reply(bot: Whole, thread: Channel) -> None:
    before = len(bot.shown(thread))
    await bot.discord.post(bot.player, thread, '"Then I will tell you," he said.')
    await bot.until(lambda: len(bot.shown(thread)) > before)
    stood = bot.shown(thread)[before].content
    await bot.restart()
    await bot.quiet()
    assert bot.shown(thread)[before].content == stood
    told = await bot.told_in(thread)
    assert told[-2] == '"Then I will tell you," he said.'
    assert told.count('"Then I will tell you," he said.') == 1
    await bot.check(thread)


async def come_back_after_a_while(bot: Whole, thread: Channel) -> None:
    told = await bot.told_in(thread)
    await bot.close()
    third = bot.discord.add_user("Ines")
    await bot.discord.post(bot.player, thread, "Tobias fell silent.")
    changed = await bot.discord.post(bot.other, thread, "Aled came down the stairs.")
    await bot.discord.edit(bot.other, changed, "Aled came slowly down the stairs.")
    await bot.discord.post(third, thread, "Ines opened the door.")
    await bot.start()
    await bot.quiet()
    turns = (await bot.turns(thread))[len(told) :]
    assert [turn.text for turn in turns if turn.author] == [
        "Tobias fell silent.",
        "Aled came slowly down the stairs.",
        "Ines opened the door.",
    ]
    assert turns[-1].role is Role.CHARACTER
    await bot.check(thread)
    asked = len(bot.engine.requests)
    await bot.restart()
    await bot.quiet()
    assert len(bot.engine.requests) == asked, "all of it was answered once"
