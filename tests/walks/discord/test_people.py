"""What people ask of the bot on Discord beside the story: cards with faces, files to take home, help, and to be forgotten."""

import io
from dataclasses import replace
from pathlib import Path

from PIL import Image

from bot.cards.writing import write_png
from bot.story.policy import Rating
from tests.builders import MIRA
from tests.walks.discord.whole import GREETING, whole

WREN = replace(MIRA, name="Wren", greeting="Wren put a finger to her lips.", rating=Rating.GENERAL)


def face() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 300), "teal").save(out, "PNG")
    return out.getvalue()


def stored(folder: Path) -> bytes:
    """All that the store has written to disk."""
    return b"".join(each.read_bytes() for each in folder.iterdir())


async def test_a_card_with_a_face_is_brought_in_and_speaks_with_that_face_before_and_after_a_restart(tmp_path: Path) -> None:
    async with whole(tmp_path, ["Wren nods."]) as bot:
        card = write_png(WREN, face())
        said = await bot.ask(bot.text, "character import", attachments={"file": ("wren.png", card)})
        assert "Wren" in said
        thread = await bot.story(character="Wren")
        await bot.post(thread, "Tobias knocks.")
        await bot.restart()
        await bot.post(thread, "Tobias waits.")
        (emoji,) = bot.discord.world.emojis.values()
        addresses = {each.avatar_url for each in bot.shown(thread)}
        assert addresses == {f"https://cdn.discordapp.com/emojis/{emoji.id}.png"}
        assert len(bot.shown(thread)) == 3
        assert all(each.author.avatar for each in bot.shown(thread)), "Discord could load it"
        await bot.check(thread)


async def test_a_story_is_taken_home_as_a_file_that_only_who_asked_sees(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        for kind, ending in (("markdown", "md"), ("html", "html"), ("epub", "epub"), ("jsonl", "jsonl"), ("card", "png")):
            answer = await bot.answer(thread, "rp export", {"format": kind})
            assert answer.ephemeral
            ((name, data),) = answer.files.items()
            assert name == f"mira.{ending}"
            if kind in {"markdown", "html", "jsonl"}:
                assert "Tobias knocks." in data.decode()
                assert "She nods." in data.decode()
        await bot.check(thread)


async def test_a_chat_that_was_taken_home_goes_on_in_another_thread(tmp_path: Path) -> None:
    async with whole(tmp_path, ["She nods.", "She smiles."]) as bot:
        thread = await bot.story()
        await bot.post(thread, "Tobias knocks.")
        ((name, data),) = (await bot.answer(thread, "rp export", {"format": "jsonl"})).files.items()
        elsewhere = await bot.thread("Another evening")
        said = await bot.ask(elsewhere, "rp import", attachments={"file": (name, data)})
        assert said.startswith("The story has come in, 3 posts of it")
        await bot.post(elsewhere, "Tobias comes in.")
        assert await bot.told_in(elsewhere) == [GREETING, "Tobias knocks.", "She nods.", "Tobias comes in.", "She smiles."]


async def test_help_writes_commands_as_discord_does(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        answer = await bot.answer(bot.text, "help")
        assert answer.ephemeral
        assert "Story: /rp (start, " in answer.content
        assert "Replies:" not in answer.content, "who plays nowhere has no replies to change"
        about = await bot.ask(bot.text, "help", {"command": "/rp start"})
        assert "/rp start Hester" in about


async def test_a_player_who_is_forgotten_is_gone_from_the_store_and_from_what_the_bot_posted(tmp_path: Path) -> None:
    async with whole(tmp_path, ['"Aled Pryce, is it?" she said.', "She nods."]) as bot:
        thread = await bot.story()
        await bot.ask(thread, "persona set", {"name": "Aled Pryce", "description": "A farrier from Dunmore."}, by=bot.other)
        await bot.post(thread, "Aled shows his horseshoe nail.", by=bot.other)
        await bot.post(thread, "Tobias knocks.")
        said = await bot.ask(thread, "privacy forget", by=bot.other)
        assert said
        session = await bot.session(thread)
        assert session.id in bot.engine.forgotten
        told = await bot.told_in(thread)
        assert not [each for each in told if "horseshoe" in each or "Pryce" in each]
        assert not [each for each in bot.shown(thread) if "Pryce" in each.content], "what the bot posted follows"
        files = stored(tmp_path)
        assert b"horseshoe" not in files
        assert b"Dunmore" not in files
        await bot.post(thread, "Tobias waits.")
        prompt = "".join(each.text for each in bot.engine.requests[-1].segments)
        assert not [word for word in ("horseshoe", "Dunmore", "Pryce") if word in prompt]
        await bot.check(thread)


async def test_the_operator_is_told_once_how_the_bot_is_let_in(tmp_path: Path) -> None:
    async with whole(tmp_path) as bot:
        (told,) = bot.told
        assert told.startswith("On Discord as Understudy.")
        assert f"client_id={bot.discord.application_id}" in told
