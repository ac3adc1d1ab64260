"""Players write, edit and delete while connections are cut and the program starts anew: the story says what stands."""

from contextlib import suppress
from random import Random

import pytest

from tests.adapters.discord.ears.ears import Ears, ears
from tests.fakes.discord import Message


@pytest.mark.slow  # a minute's play
@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_story_says_what_stands(seed: int) -> None:
    async with ears() as bot:
        await bot.start()
        chance = Random(seed)  # noqa: S311  a play, no secret
        for number in range(80):
            await _happen(bot, chance, number)
        if not bot.running:
            await bot.start()
        with suppress(TimeoutError):
            await bot.until(lambda: bot.receiver.story == bot.stands())
        assert bot.receiver.story == bot.stands()


async def _happen(bot: Ears, chance: Random, number: int) -> None:
    author = chance.choice((bot.tobias, bot.other))
    original = await bot.post(f"Post {number}.", author)
    if chance.random() < 0.2:
        await _proxied(bot, chance, original)
    theirs = [each for each in bot.discord.messages(bot.thread)[-12:] if each.author is author]
    match chance.randrange(12) if theirs else 11:
        case 0 | 1:
            await bot.discord.edit(author, chance.choice(theirs), f"Post {number}, changed.")
        case 2:
            await bot.discord.delete(chance.choice(theirs))
        case 3:
            await bot.discord.bulk_delete(chance.sample(theirs, min(3, len(theirs))))
        case 4 if bot.running:
            await bot.discord.gateway.cut()
        case 5 if bot.running:
            await bot.stop()
        case 6 | 7 if not bot.running:
            await bot.start()
        case 8 | 9 | 10 if bot.running:
            heard = len(bot.receiver.events)
            await bot.until(lambda: len(bot.receiver.events) > heard)


async def _proxied(bot: Ears, chance: Random, original: Message) -> None:
    """A proxy posts a message again and deletes it, in either order, at once or after it was heard."""
    heard = len(bot.receiver.events)
    is_late = bool(bot.running) and chance.random() < 0.5
    if is_late:
        await bot.until(lambda: len(bot.receiver.events) > heard)
    deletes_first = chance.random() < 0.5
    if deletes_first:
        await bot.discord.delete(original)
    await bot.discord.proxy_post(bot.thread, chance.choice(("Mira", "Hester")), original.content)
    if not deletes_first:
        await bot.discord.delete(original)
