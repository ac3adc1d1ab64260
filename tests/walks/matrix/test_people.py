"""What people ask of the bot on Matrix beside the story: help, cards as files, adults' stories, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.cards.writing import write_png
from bot.story.policy import Rating
from tests.builders import MIRA
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown
from tests.walks.matrix.whole import GREETING, Whole, whole

WREN = replace(MIRA, name="Wren", greeting="Wren put a finger to her lips.", rating=Rating.GENERAL)
VESPER = replace(MIRA, name="Vesper", greeting="Vesper bars the door.", rating=Rating.ADULT)


def face() -> bytes:
    out = BytesIO()
    Image.new("RGB", (200, 300), "teal").save(out, "PNG")
    return out.getvalue()


async def _answered(bot: Whole, room: str, asked: str, holds: Callable[[Shown], bool] = bool) -> Shown:
    """The notice that answers an event, as soon as it stands."""

    async def look() -> list[Shown]:
        seen = await bot.player.shown(room)
        return [each for each in seen if each.reply_to == asked and each.msgtype == "m.notice" and holds(each)]

    return (await bot.player.until(look, bot.patience))[0]


async def test_unknown_commands_and_characters_are_refused_in_a_reply(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path) as bot:
        room = await bot.room()
        wrong = await bot.player.say(room, "!rp dance")
        assert "dance" in (await _answered(bot, room, wrong)).text
        nobody = await bot.player.say(room, "!rp start Nobody")
        assert "Nobody" in (await _answered(bot, room, nobody)).text
        assert await bot.store.places() == ()


async def test_a_card_sent_with_its_command_as_caption_can_be_played(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path) as bot:
        room = await bot.room()
        card = write_png(WREN, face())
        await bot.player.send_file(room, card, "wren.png", "image/png", caption="!rp character import")
        await bot.quiet(room)
        await bot.player.say(room, "!rp start Wren")
        greeting = (await bot.shows(room, WREN.greeting))[-1]
        assert greeting.name == "Wren"
        assert str(greeting.content["com.beeper.per_message_profile"]["avatar_url"]).startswith("mxc://")


async def test_a_character_for_adults_waits_for_an_administrators_word(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path) as bot:
        await bot.keep(VESPER)
        public, room = await bot.room(public=True), await bot.room()
        refused = await bot.player.say(room, "!rp start Vesper")
        assert "adult" in (await _answered(bot, room, refused)).text
        word = await bot.player.say(room, "!rp adults on")
        assert "adults only now" in (await _answered(bot, room, word)).text
        await bot.player.say(room, "!rp start Vesper")
        await bot.shows(room, VESPER.greeting)
        opened = await bot.player.say(public, "!rp adults on")
        assert "without an invitation" in (await _answered(bot, public, opened)).text


async def test_an_undo_by_reaction_takes_the_last_reply_away(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods."]) as bot:
        room = await bot.room()
        await bot.player.say(room, "!rp start Mira")
        await bot.shows(room, GREETING)
        await bot.player.say(room, "Tobias knocks.")
        reply = (await bot.shows(room, "She nods."))[-1]
        await bot.player.react(room, reply.event_id, "❌")
        await bot.quiet(room)
        assert "She nods." not in await bot.told_in(room)
        assert "She nods." not in [each.text for each in await bot.player.shown(room)]


async def test_a_post_that_its_player_redacts_leaves_the_story(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods.", "She smiles."]) as bot:
        room = await bot.room()
        await bot.player.say(room, "!rp start Mira")
        await bot.shows(room, GREETING)
        post = await bot.player.say(room, "Tobias knocks.")
        await bot.shows(room, "She nods.")
        await bot.player.redact(room, post)
        await bot.quiet(room)
        assert "Tobias knocks." not in await bot.told_in(room)
