"""Answers for one person alone on Matrix: in a direct chat, which is made once, encrypted, and found again."""

from pathlib import Path

from tests.homeserver.people import Person, people
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown
from tests.walks.matrix.whole import Whole, whole


async def _chats(bot: Whole) -> dict[str, str]:
    """The rooms that the player is in or invited to, without being alone there, with which of both it is."""
    news = await bot.player.wire.ask("GET", "/sync", timeout=0)
    return {room: kind for kind in ("join", "invite") for room in news["rooms"].get(kind, {})}


async def _notices(reader: Person, room: str) -> list[Shown]:
    return [each for each in await reader.shown(room) if each.msgtype == "m.notice"]


async def test_a_private_answer_in_a_room_of_three_comes_in_a_direct_chat_that_is_found_again(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, is_sealed=True) as bot, people(homeserver, "ada") as (ada,):
        room = await bot.room()
        await bot.come(room, ada)
        asked = await bot.player.say(room, "!rp character list")
        assert "direct chat" in await bot.answer(room, asked)
        await bot.quiet(room)
        assert list(await bot.player.reactions(room, asked)) == ["👍"]
        chats = await _chats(bot)
        (chat,) = [each for each, kind in chats.items() if kind == "invite"]
        await bot.player.join(chat)
        assert (await bot.player.state(chat, "m.room.encryption")) != {}

        async def read() -> list[Shown]:
            return await _notices(bot.player, chat)

        (told,) = await bot.player.until(read, bot.patience)
        assert "Mira" in told.text
        assert room in told.text, "it says where it was asked for"
        assert [each for each in await _notices(ada, room) if "Mira" in each.text] == []

        await bot.quiet(chat)
        await bot.restart()
        again = await bot.post(room, "!rp character list")
        assert len(await bot.player.until(lambda: _two(bot, chat), bot.patience)) == 2
        assert list(await bot.player.reactions(room, again)) == ["👍"]
        assert (await _chats(bot)).keys() == chats.keys(), "no second chat is made"
        assert [each.reply_to for each in await _notices(bot.player, room)] == [asked], "the sign is enough now"


async def _two(bot: Whole, chat: str) -> list[Shown]:
    notices = await _notices(bot.player, chat)
    return notices if len(notices) > 1 else []


async def test_a_chat_that_the_player_began_is_the_one_for_private_answers(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, is_sealed=True) as bot, people(homeserver, "ada") as (ada,):
        room, chat = await bot.room(), await bot.room(direct=True, encrypted=True)
        await bot.come(room, ada)
        await bot.post(room, "!rp character list")
        assert ["Mira" in each.text for each in await _notices(bot.player, chat)] == [True]
        assert set(await _chats(bot)) == {room, chat}


async def test_where_two_are_alone_a_private_answer_stands_where_it_was_asked_for(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path) as bot:
        room = await bot.room()
        asked = await bot.player.say(room, "!rp character list")
        assert "Mira" in await bot.answer(room, asked)
        await bot.quiet(room)
        assert set(await _chats(bot)) == {room}
