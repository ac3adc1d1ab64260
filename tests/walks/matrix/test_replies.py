"""Replies of several posts on Matrix: other versions and other words change the same events, in clear and encrypted rooms."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.engine import Pause, ScriptedReply
from tests.homeserver.people import Person
from tests.homeserver.server import Synapse
from tests.homeserver.shown import Shown, relation
from tests.walks.matrix.test_reactions import pieces
from tests.walks.matrix.whole import GREETING, Whole, whole

MEDIUM = "\n\n".join(f"{number}. The rain drummed on the shutters all evening." for number in range(1, 16))
LONG = "\n\n".join(f"{number}. Nobody came up the road, and nobody went." for number in range(21, 51))
SHORT = "She says little."

pytestmark = pytest.mark.usefixtures("short_posts")


def words(posts: list[Shown]) -> list[str]:
    """What posts say, wherever they were cut."""
    return " ".join(each.text for each in posts).split()


def ids(posts: list[Shown]) -> list[str]:
    return [each.event_id for each in posts]


async def _changes(bot: Whole, room: str, since: int) -> list[Any]:
    """What the bot sent since then, as the homeserver has it: which event each edit replaces, or that it is a new one."""
    async with Person(bot.player.login) as outside:
        events = [each for each in (await outside.timeline(room))[since:] if each["sender"] == bot.login.user_id]
    wanted = "m.room.encrypted" if bot.courier.rooms.of(room).is_encrypted else "m.room.message"
    messages = [each for each in events if each["type"] == wanted]
    return [relation(each).get("event_id") if relation(each).get("rel_type") == "m.replace" else "new" for each in messages]


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_versions_of_several_posts_are_edits_of_the_same_events(
    homeserver: Synapse, tmp_path: Path, *, is_sealed: bool
) -> None:
    async with whole(homeserver, tmp_path, [MEDIUM, LONG, SHORT], is_sealed=is_sealed) as bot:
        room = await bot.story(encrypted=is_sealed)
        await bot.post(room, "Tobias knocks.")
        greeting, *first = await bot.posts(room)
        assert (len(first), words(first)) == (3, MEDIUM.split())

        since = len(await bot.player.timeline(room))
        await bot.react(room, first[0].event_id, "🔄")
        longer = (await bot.posts(room))[1:]
        assert words(longer) == LONG.split()
        assert ids(longer)[:3] == ids(first)
        assert len(longer) > 3
        changed = await _changes(bot, room, since)
        assert changed == [*ids(first), *["new"] * (len(longer) - 3)], "each post was changed once, and others came after"
        await bot.check(room)

        await bot.react(room, longer[-1].event_id, "🔄")
        shortest = (await bot.posts(room))[1:]
        assert ids(shortest) == ids(first)[:1]
        assert words(shortest) == SHORT.split()
        gone = {each["event_id"] for each in await bot.player.timeline(room) if not each["content"]}
        assert set(ids(longer)[1:]) <= gone, "what is left over is redacted"
        await bot.check(room)

        await bot.react(room, shortest[0].event_id, "⬅️")
        again = (await bot.posts(room))[1:]
        assert (words(again), ids(again)[0]) == (LONG.split(), ids(first)[0])
        assert greeting.text == GREETING
        await bot.check(room)


async def test_a_reply_is_edited_as_a_whole_by_its_number_and_post_by_post_in_reply(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, [MEDIUM], is_sealed=True) as bot:
        room = await bot.story(encrypted=True)
        await bot.post(room, "Tobias knocks.")
        first, second, third = (await bot.posts(room))[1:]
        new = second.text.replace("rain", "snow")
        await bot.player.say(room, f"!rp edit {new}", reply_to=second.event_id)
        await bot.quiet(room)
        after = (await bot.posts(room))[1:]
        assert [(each.event_id, each.text) for each in after] == [
            (first.event_id, first.text),
            (second.event_id, new),
            (third.event_id, third.text),
        ]
        await bot.check(room)

        number = (await bot.turns(room))[-1].number
        await bot.post(room, f"!rp edit {number} {SHORT}")
        assert [(each.event_id, each.text) for each in (await bot.posts(room))[1:]] == [(first.event_id, SHORT)]
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", SHORT]
        await bot.check(room)


async def test_a_post_of_a_reply_that_a_moderator_redacted_stands_again_with_the_next_version(
    homeserver: Synapse, tmp_path: Path
) -> None:
    async with whole(homeserver, tmp_path, [LONG, MEDIUM]) as bot:
        room = await bot.story()
        await bot.post(room, "Tobias knocks.")
        first = (await bot.posts(room))[1:]
        await bot.player.redact(room, first[1].event_id)
        await bot.post(room, "!rp retry")
        assert words((await bot.posts(room))[1:]) == MEDIUM.split()
        await bot.check(room)


async def test_a_reply_of_several_posts_goes_on_where_a_restart_cut_it_off(homeserver: Synapse, tmp_path: Path) -> None:
    pause, rest = Pause(before=len(pieces(LONG)) - 20), "\n\nAnd so it went."
    async with whole(homeserver, tmp_path, [ScriptedReply(pieces(LONG), pause=pause), rest], is_sealed=True) as bot:
        room = await bot.story(encrypted=True)
        await bot.player.say(room, "Tobias knocks.")
        await pause.reached.wait()
        await bot.player.until(lambda: _more_than(bot, room, 2), bot.patience)
        await bot.restart()
        await bot.quiet(room)
        told = (await bot.told_in(room))[-1]
        assert told.endswith(rest)
        assert LONG.startswith(told.removesuffix(rest))
        assert len(bot.engine.requests) == 2
        await bot.check(room)


async def _more_than(bot: Whole, room: str, count: int) -> bool:
    return len(await bot.posts(room)) > count


async def test_a_post_that_waits_for_a_reply_to_end_bears_a_sign_until_it_is_taken_up(
    homeserver: Synapse, tmp_path: Path
) -> None:
    pause = Pause(before=1)
    async with whole(homeserver, tmp_path, [ScriptedReply(("She", " nods."), pause=pause), "She smiles."]) as bot:
        room = await bot.story()
        await bot.player.say(room, "Tobias knocks.")
        await pause.reached.wait()
        waits = await bot.player.say(room, "Tobias looks in.")

        async def signs() -> list[str]:
            return list(await bot.player.reactions(room, waits))

        async def no_signs() -> bool:
            return not await signs()

        assert await bot.player.until(signs, bot.patience) == ["⏳"]
        pause.go.set()
        await bot.player.until(no_signs, bot.patience)
        await bot.quiet(room)
        assert await bot.told_in(room) == [GREETING, "Tobias knocks.", "She nods.", "Tobias looks in.", "She smiles."]
        await bot.check(room)
