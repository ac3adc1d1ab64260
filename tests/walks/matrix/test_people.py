"""What people ask of the bot on Matrix beside the story: help, cards as files, adults' stories, and what is refused."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.cards.reading import read_card
from bot.cards.writing import write_png
from bot.story.policy import Rating
from tests.builders import MIRA
from tests.homeserver.people import people
from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, whole

WREN = replace(MIRA, name="Wren", greeting="Wren put a finger to her lips.", rating=Rating.GENERAL)
VESPER = replace(MIRA, name="Vesper", greeting="Vesper bars the door.", rating=Rating.ADULT)


def face() -> bytes:
    out = BytesIO()
    Image.new("RGB", (200, 300), "teal").save(out, "PNG")
    return out.getvalue()


async def test_unknown_commands_and_characters_are_refused_in_a_reply(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path) as bot:
        room = await bot.room()
        wrong = await bot.player.say(room, "!rp dance")
        assert "dance" in await bot.answer(room, wrong)
        nobody = await bot.player.say(room, "!rp start Nobody")
        assert "Nobody" in await bot.answer(room, nobody)
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
        assert "adult" in await bot.answer(room, refused)
        word = await bot.player.say(room, "!rp adults on")
        assert "adults only now" in await bot.answer(room, word)
        await bot.player.say(room, "!rp start Vesper")
        await bot.shows(room, VESPER.greeting)
        opened = await bot.player.say(public, "!rp adults on")
        assert "without an invitation" in await bot.answer(public, opened)


async def test_a_card_that_was_sent_encrypted_is_taken_in_by_a_command_in_reply_and_taken_home_again(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, ["Wren nods."], is_sealed=True) as bot:
        room = await bot.room(encrypted=True)
        file = await bot.player.send_file(room, write_png(WREN, face()), "wren.png", "image/png")
        await bot.player.say(room, "!rp character import", reply_to=file)
        await bot.quiet(room)
        await bot.post(room, "!rp start Wren")
        greeting = (await bot.shows(room, WREN.greeting))[-1]
        profile = greeting.content["com.beeper.per_message_profile"]
        assert Image.open(BytesIO(await bot.player.download(profile["avatar_url"]))).size[0] > 0, "its face is shown"
        await bot.post(room, "Tobias knocks.")
        await bot.post(room, "!rp export card")
        taken = (await bot.player.shown(room))[-1]
        assert ("file" in taken.content, "url" in taken.content) == (True, False), "what it sends there is encrypted likewise"
        assert read_card(await bot.player.open_file(taken.content)).card.greeting == WREN.greeting
        broken = await bot.player.send_file(room, b"no picture", "wren.png", "image/png", caption="!rp character import")
        assert await bot.answer(room, broken)
        await bot.check(room)


async def test_what_somebody_may_ask_for_follows_from_the_power_that_the_room_gives_them(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with (
        whole(homeserver, tmp_path, ["She nods."], start_level=50) as bot,
        people(homeserver, "ada", "ben") as (ada, ben),
    ):
        await bot.keep(VESPER)
        room = await bot.room(version="12")
        await bot.come(room, ada, ben)
        low = await ada.say(room, "!rp start Mira where:room")
        assert "power level of 50" in await bot.answer(room, low)
        await bot.post(room, "!rp start Mira where:room")
        await bot.shows(room, GREETING)
        assert await bot.told_in(room) == [GREETING], "who made the room has power, whatever the list of levels says"

        await bot.post(room, "Ada knocks.", by=ada)
        refused = await ada.say(room, "!rp settings turns:on_continue")
        assert "moderator" in await bot.answer(room, refused)
        word = await ada.say(room, "!rp adults on")
        assert "Only an administrator" in await bot.answer(room, word)
        await bot.player.set_power(room, {ada.user_id: 50, ben.user_id: 100})
        await bot.post(room, "!rp settings turns:on_continue", by=ada)
        word = await ada.say(room, "!rp adults on")
        assert "Only an administrator" in await bot.answer(room, word)
        marked = await ben.say(room, "!rp adults on")
        assert "adults only now" in await bot.answer(room, marked)
        asked = len(bot.engine.requests)
        await bot.post(room, "Ben waits.", by=ben)
        assert len(bot.engine.requests) == asked, "what a moderator set holds"

        await bot.player.set_power(room, {ada.user_id: 0})
        refused = await ada.say(room, "!rp settings turns:every_post")
        assert "moderator" in await bot.answer(room, refused)
        opened = await bot.player.say(room, "!rp adults off")
        assert "not for adults only any more" in await bot.answer(room, opened)
