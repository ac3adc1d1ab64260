"""Evenings on Discord of random acts: whatever two players do, the thread shows what the store says."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.discord import Channel, Message, NotOffered
from tests.walks.discord.whole import Whole, whole

ACTS = 14
PARAGRAPHS = 16


def reply(chance: random.Random, number: int) -> str:
    """A text like no other, of one post or of several."""
    paragraph = "She spoke of the weather, of the road, and of the long way down to the harbour. " * 5
    return "\n\n".join(f"{number}.{part} {paragraph.strip()}" for part in range(chance.choice([1, 1, 3, PARAGRAPHS])))


@dataclass(slots=True)
class Evening:
    """Two players in a thread who do what chance says."""

    bot: Whole
    thread: Channel
    chance: random.Random
    messages: list[Message] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def act(self) -> None:
        """One act, and all that comes of it."""
        acts: list[Callable[[], Awaitable[object]]] = [
            *[self.post] * 4,
            *[self.edit] * 2,
            *[self.delete, self.press, self.press, self.undo, self.cut, self.invalidate, self.restart, self.archive],
        ]
        chosen = self.chance.choice(acts)
        self.done.append(chosen.__name__)
        await chosen()
        await self.bot.quiet()
        await self.bot.check(self.thread)

    async def post(self) -> None:
        player = self.chance.choice([self.bot.player, self.bot.other])
        for _ in range(self.chance.randint(1, 3)):
            text = f"{player.name} did thing number {len(self.messages)}."
            self.messages.append(await self.bot.discord.post(player, self.thread, text))

    async def edit(self) -> None:
        if standing := self._standing():
            message = self.chance.choice(standing)
            await self.bot.discord.edit(message.author, message, f"{message.content} Or not.")

    async def delete(self) -> None:
        if standing := self._standing():
            await self.bot.discord.delete(self.chance.choice(standing))

    async def press(self) -> None:
        for dressed in self.bot.dressed(self.thread)[-1:]:
            pressed = self.chance.choice(["us:retry", "us:swipe:left", "us:swipe:right", "us:continue", "us:shorter"])
            try:
                await self.bot.press(dressed, pressed)
            except NotOffered:
                self.done[-1] = "press in vain"

    async def undo(self) -> None:
        await self.bot.ask(self.thread, "undo")

    async def cut(self) -> None:
        resumes = len(self.bot.discord.gateway.resumes)
        await self.bot.discord.gateway.cut()
        await self.post()
        await self.bot.until(lambda: len(self.bot.discord.gateway.resumes) > resumes)

    async def invalidate(self) -> None:
        identifies = len(self.bot.discord.gateway.identifies)
        await self.bot.discord.gateway.invalidate()
        await self.post()
        await self.edit()
        await self.bot.until(lambda: len(self.bot.discord.gateway.identifies) > identifies)

    async def restart(self) -> None:
        await self.post()
        await self.bot.close()
        await self.post()
        await self.edit()
        await self.bot.start()

    async def archive(self) -> None:
        await self.bot.discord.archive(self.thread)

    def _standing(self) -> list[Message]:
        return [each for each in self.messages if not each.is_deleted]


async def walked(folder: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed that can be tried again
    async with whole(folder, [reply(chance, number) for number in range(200)], join_seconds=0.5) as bot:
        bot.engine.context = 100_000
        evening = Evening(bot, await bot.story(length="unlimited"), chance)
        for _ in range(ACTS):
            try:
                await evening.act()
            except (AssertionError, TimeoutError, KeyError) as error:
                raise AssertionError(f"seed {seed}, after {evening.done}") from error


@pytest.mark.parametrize("seed", [0])
async def test_whatever_two_players_do_the_thread_shows_what_the_store_says(tmp_path: Path, seed: int) -> None:
    await walked(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 12))
async def test_whatever_they_do_on_other_evenings_too(tmp_path: Path, seed: int) -> None:
    await walked(tmp_path, seed)
