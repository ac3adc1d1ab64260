"""Threads of rooms on Matrix: each holds a story of its own, and what belongs to it says so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.matrix.words import root_of
from tests.homeserver.people import people
from tests.homeserver.server import Synapse
from tests.homeserver.shown import relation
from tests.walks.matrix.whole import GREETING, Whole, whole

REPLIES = ["She nods.", "She smiles.", "She sits.", "She laughs."]


async def _relation_of(bot: Whole, room: str, event: str) -> Mapping[str, Any]:
    return relation(await bot.player.event(room, event))


async def test_a_room_and_its_threads_hold_stories_side_by_side(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, ["She nods."]) as bot, people(homeserver, "ada") as (ada,):
        room = await bot.story()
        await bot.come(room, ada)
        first, second = await bot.thread(room), await bot.thread(room)
        for number in range(2):
            await bot.player.say(room, f"Tobias knocks {number}.", thread=first)
            await ada.say(room, f"Ada waits {number}.", thread=second)
            await bot.player.say(room, f"Tobias sings {number}.")
            await bot.quiet(room)
        for root, said in (("", "Tobias sings"), (first, "Tobias knocks"), (second, "Ada waits")):
            told = await bot.told_in(room, root)
            assert told == [GREETING, f"{said} 0.", "She nods.", f"{said} 1.", "She nods."]
            await bot.check(room, root)
        asked = len(bot.engine.requests)
        aside = await ada.say(room, "Nobody plays here.", msgtype="m.notice")
        await ada.say(room, "Just talk.", thread=aside)
        await bot.quiet(room)
        assert len(bot.engine.requests) == asked, "a thread without a story is let be"


async def test_posts_of_a_thread_say_that_they_stand_in_it_and_what_came_before_them(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, REPLIES) as bot:
        room = await bot.room()
        own = await bot.player.say(room, "Shall we play?")
        await bot.post(room, "!rp start Mira", own)
        await bot.post(room, "Tobias knocks.", own)
        await bot.restart()
        await bot.post(room, "Tobias comes in.", own)
        assert await bot.posts(room) == []
        posts = await bot.posts(room, own)
        assert [each.text for each in posts] == [GREETING, "She nods.", "She smiles."]
        # What is known of a thread is known until a restart; then, a post falls back to the thread's root.
        for each, before in zip(posts, (own, posts[0].event_id, own), strict=True):
            said = {"rel_type": "m.thread", "event_id": own, "is_falling_back": True}
            assert await _relation_of(bot, room, each.event_id) == said | {"m.in_reply_to": {"event_id": before}}

        newest = posts[-1].event_id
        await bot.react(room, newest, "🔄")
        [*_, last] = await bot.posts(room, own)
        assert (last.event_id, last.text) == (newest, "She sits.")
        edit = next(each for each in reversed(await bot.player.timeline(room)) if each["type"] == "m.room.message")
        assert relation(edit) == {"rel_type": "m.replace", "event_id": newest}
        refused = await bot.player.say(room, "!rp dance", thread=own)
        await bot.answer(room, refused)
        [*_, notice] = await bot.player.shown(room, own)
        assert (notice.msgtype, notice.root, notice.reply_to) == ("m.notice", own, refused), "it is answered where it was asked"
        await bot.check(room, own)


async def test_a_story_in_an_encrypted_thread_ends_comes_back_there_and_is_taken_home(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, REPLIES, is_sealed=True) as bot, people(homeserver, "ada") as (ada,):
        room = await bot.room(encrypted=True)
        await bot.come(room, ada)
        root = await bot.thread(room)
        await bot.post(room, "Tobias knocks.", root)
        await bot.post(room, "!rp end", root)
        await bot.post(room, "Tobias is unheard.", root)
        await bot.post(room, "!rp resume", root)
        [_, reply] = await bot.posts(room, root)
        await bot.react(room, reply.event_id, "🔄")
        [_, after] = await bot.posts(room, root)
        assert (after.event_id, after.text) == (reply.event_id, "She smiles."), "posts from before the end are changed in place"
        await bot.check(room, root)

        await bot.post(room, "!rp export", root)
        news = await bot.player.wire.ask("GET", "/sync", timeout=0)
        (chat,) = news["rooms"]["invite"]
        await bot.player.join(chat)
        await bot.quiet(chat)
        (file,) = [each for each in await bot.player.shown(chat) if each.msgtype == "m.file"]
        assert b"She smiles." in await bot.player.open_file(file.content)
        assert "file" in file.content, "it is encrypted, and only its reader has the key"
        assert [each.msgtype for each in await bot.player.shown_everywhere(room) if each.msgtype == "m.file"] == []


async def test_a_branch_and_a_part_open_threads_with_links_there_and_back(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, REPLIES) as bot:
        room = await bot.story()
        await bot.post(room, "Tobias knocks.")
        branch = await _opened_by(bot, room, "!rp branch 2")
        await bot.post(room, "Tobias leaves.", branch)
        assert await bot.told_in(room, branch) == [GREETING, "Tobias knocks.", "She nods.", "Tobias leaves.", "She smiles."]
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods."]

        part = await _opened_by(bot, room, '!rp part title:"The Second Night" They met.')
        assert "The Second Night" in (await bot.player.shown(room, part))[0].text
        await bot.post(room, "The sun rises.", part)
        assert (await bot.told_in(room, part))[-2:] == ["The sun rises.", "She sits."]
        await bot.post(room, "Too late.")
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods."]
        said = [each.text for each in await bot.player.shown(room) if each.msgtype == "m.notice"]
        assert said[-1].startswith("This part of the story has ended")
        assert [any(root in text for text in said) for root in (branch, part)] == [True, True], "the room links to both"


async def _opened_by(bot: Whole, room: str, line: str) -> str:
    """The root of the thread that a command opens."""
    before = set(await bot.store.places())
    await bot.post(room, line)
    (opened,) = set(await bot.store.places()) - before
    root = root_of(opened)
    await bot.quiet(room)
    there = [each.text for each in await bot.player.shown(room, root)]
    assert any("matrix.to" in text for text in there), f"the thread links back: {there}"
    return root
