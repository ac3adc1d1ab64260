"""The same evening on Discord and on Matrix puts the very same prompt before the model."""

from pathlib import Path

from bot.ports.engine import Segment
from bot.prompt.build import build
from tests.homeserver.server import Synapse
from tests.walks.discord import whole as discord
from tests.walks.matrix import whole as matrix

REPLIES = ("She nods.", "She smiles.", "She waits.", "She laughs.")


async def _on_discord(folder: Path) -> tuple[list[str], tuple[Segment, ...], tuple[Segment, ...]]:
    async with discord.whole(folder, REPLIES) as bot:
        thread = await bot.story()
        [post] = await bot.post(thread, "Tobias *knocks*.")
        await bot.ask(thread, "retry")
        await bot.post(thread, "Tobias comes in.")
        await bot.ask(thread, "undo")
        await bot.discord.edit(bot.player, post, "Tobias *rings*.")
        await bot.quiet()
        await bot.post(thread, "Tobias sits down.")
        prompt = build(await bot.session(thread), discord.FORMAT).segments
        return await bot.told_in(thread), tuple(prompt), tuple(bot.engine.requests[-1].segments)


async def _on_matrix(homeserver: Synapse, folder: Path) -> tuple[list[str], tuple[Segment, ...], tuple[Segment, ...]]:
    async with matrix.whole(homeserver, folder, REPLIES) as bot:
        await bot.player.set_display_name("Tobias")
        room = await bot.room()
        await bot.player.say(room, "!rp start Mira")
        await bot.shows(room, matrix.GREETING)
        post = await bot.player.say(room, "Tobias *knocks*.")
        reply = (await bot.shows(room, "She nods."))[-1]
        await bot.player.react(room, reply.event_id, "🔄")
        await bot.shows(room, "She smiles.")
        await bot.quiet(room)
        await bot.player.say(room, "Tobias comes in.")
        reply = (await bot.shows(room, "She waits."))[-1]
        await bot.player.react(room, reply.event_id, "❌")
        await bot.quiet(room)
        await bot.player.edit(room, post, "Tobias *rings*.")
        await bot.quiet(room)
        await bot.player.say(room, "Tobias sits down.")
        await bot.shows(room, "She laughs.")
        await bot.quiet(room)
        prompt = build(await bot.session(room), matrix.FORMAT).segments
        return await bot.told_in(room), tuple(prompt), tuple(bot.engine.requests[-1].segments)


async def test_the_same_evening_builds_the_same_prompt_on_discord_and_on_matrix(homeserver: Synapse, tmp_path: Path) -> None:
    here, there = tmp_path / "discord", tmp_path / "matrix"
    here.mkdir()
    there.mkdir()
    told, prompt, asked = await _on_discord(here)
    assert "Tobias *rings*." in told
    assert told[-2:] == ["Tobias sits down.", "She laughs."]
    assert await _on_matrix(homeserver, there) == (told, prompt, asked)
