"""The loopback Discord's messages, channels and threads, as an unmodified discord.py sees them over REST."""

import io
from collections.abc import Awaitable, Callable

import discord
import pytest

from tests.adapters.discord.plain_client import Scene, scene
from tests.fakes.discord import LoopbackDiscord


async def refusal(call: Awaitable[object]) -> tuple[int, int]:
    """The status and the code that a call is refused with."""
    with pytest.raises(discord.HTTPException) as refused:
        await call
    return refused.value.status, refused.value.code


async def a_thread(here: Scene, name: str = "A thread") -> discord.Thread:
    return await here.tavern().create_thread(name=name, type=discord.ChannelType.public_thread)


async def test_what_is_sent_stands_in_the_record_and_comes_back_as_an_event() -> None:
    async with scene() as here:
        embed = discord.Embed(title="A title", description="A text")
        sent = await here.tavern().send("  Hello  ", embed=embed, file=discord.File(io.BytesIO(b"text"), "a.txt"), silent=True)
        await here.client.wait_for_note("message")

        (standing,) = here.loopback.messages(here.text)
        assert (standing.id, standing.content, standing.files, standing.author_name) == (
            *(sent.id, "Hello", {"a.txt": b"text"}, "Understudy"),
        )
        assert here.client.heard[0].embeds[0].title == "A title"
        assert here.client.heard[0].flags.silent
        assert await here.client.heard[0].attachments[0].read() == b"text"


async def test_the_address_of_an_attachment_lapses() -> None:
    async with scene() as here:
        sent = await here.tavern().send(file=discord.File(io.BytesIO(b"text"), "a.txt"))
        here.loopback.clock.move(2 * 86_400)
        with pytest.raises(discord.NotFound):
            await sent.attachments[0].read()

        again = await here.tavern().fetch_message(sent.id)
        assert await again.attachments[0].read() == b"text"


async def test_an_edit_and_a_deletion_stand_in_the_history() -> None:
    async with scene() as here:
        sent = await here.tavern().send("one")
        await sent.edit(content="two")
        await sent.delete()
        await here.client.wait_for_note("edit two", f"delete {sent.id}")

        assert here.loopback.messages(here.text) == []
        changes = [(each.kind, each.id, each.content) for each in here.loopback.history(here.text)]
        assert changes == [("create", sent.id, "one"), ("edit", sent.id, "two"), ("delete", sent.id, "two")]


async def test_the_same_nonce_gives_back_the_first_message_for_some_minutes() -> None:
    async with scene() as here:
        first = await here.tavern().send("once", nonce="turn-1")
        second = await here.tavern().send("once", nonce="turn-1")
        here.loopback.clock.move(600)
        later = await here.tavern().send("once", nonce="turn-1")

        assert second.id == first.id
        assert [each.id for each in here.loopback.messages(here.text)] == [first.id, later.id]


async def test_the_nonce_of_a_deleted_message_is_answered_with_unknown_message() -> None:
    async with scene() as here:
        await (await here.tavern().send("once", nonce="turn-1")).delete()

        assert await refusal(here.tavern().send("once", nonce="turn-1")) == (404, 10008)
        assert await refusal(here.tavern().send("once", nonce="n" * 26)) == (400, 50035)


@pytest.mark.parametrize(
    ("content", "refused"),
    [("😀" * 2000, None), ("😀" * 2001, (400, 50035)), (" \n ", (400, 50006)), (" " * 2001 + "a", None)],
)
async def test_two_thousand_code_points_are_the_limit_once_blanks_are_trimmed(
    content: str, refused: tuple[int, int] | None
) -> None:
    async with scene() as here:
        if refused is None:
            assert (await here.tavern().send(content)).content == content.strip()
        else:
            assert await refusal(here.tavern().send(content)) == refused
            assert here.loopback.messages(here.text) == []


async def test_history_is_read_before_after_and_around_a_message() -> None:
    async with scene() as here:
        posted = [await here.loopback.post(here.player, here.text, str(number)) for number in range(120)]
        middle = discord.Object(posted[60].id)
        tavern = here.tavern()

        assert [each.content async for each in tavern.history(limit=None, oldest_first=True)] == [str(n) for n in range(120)]
        assert [each.content async for each in tavern.history(after=middle, limit=2)] == ["61", "62"]
        assert [each.content async for each in tavern.history(before=middle, limit=2)] == ["59", "58"]
        assert sorted([each.content async for each in tavern.history(around=middle, limit=3)]) == ["59", "60", "61"]
        here.loopback.forbid(here.text, "read_message_history")
        assert [each async for each in tavern.history()] == []


async def test_a_reply_refers_to_its_message_and_to_none_that_is_gone() -> None:
    async with scene() as here:
        asked = await here.loopback.post(here.player, here.text, "A question")
        target = here.tavern().get_partial_message(asked.id)
        answer = await here.tavern().send("An answer", reference=target)
        back = await here.loopback.post(here.player, here.text, "Thanks", reply_to=here.loopback.messages(here.text)[-1])
        await here.loopback.delete(asked)

        assert answer.reference is not None
        assert answer.reference.message_id == asked.id
        assert [each.id for each in back.mentions] == [here.loopback.bot_id]
        assert await refusal(here.tavern().send("Too late", reference=target)) == (400, 50035)


async def test_reactions_are_added_and_taken_away() -> None:
    async with scene() as here:
        posted = await here.loopback.post(here.player, here.text, "Hello")
        message = await here.tavern().fetch_message(posted.id)
        await message.add_reaction("⏳")
        await message.add_reaction("👀")
        await message.remove_reaction("⏳", here.client.guilds[0].me)

        assert posted.reactions == {"👀": [here.loopback.bot_id]}
        await message.clear_reactions()
        assert posted.reactions == {}
        here.loopback.forbid(here.text, "add_reactions")
        assert await refusal(message.add_reaction("👀")) == (403, 50013)


async def test_many_messages_are_deleted_at_once_unless_they_are_old() -> None:
    async with scene() as here:
        posted = [await here.loopback.post(here.player, here.text, each) for each in ("one", "two", "three", "four")]
        found = [here.tavern().get_partial_message(each.id) for each in posted]
        await here.tavern().delete_messages(found[:2])
        await here.client.wait_for_note(f"bulk delete {[posted[0].id, posted[1].id]}")
        here.loopback.clock.move(15 * 86_400)

        assert await refusal(here.tavern().delete_messages(found[2:])) == (400, 50034)


async def test_typing_is_told() -> None:
    async with scene() as here, here.tavern().typing():
        await here.client.wait_for_note(f"typing {here.loopback.bot_id}")


async def test_direct_messages_go_both_ways_unless_the_person_takes_none() -> None:
    async with scene() as here:
        user = await here.client.fetch_user(here.player.id)
        await user.send("Hello")

        assert [each.content for each in here.loopback.messages(here.dm)] == ["Hello"]
        here.player.accepts_dms = False
        assert await refusal(user.send("Hello")) == (403, 50007)


async def test_a_forum_post_is_a_thread_whose_first_message_has_its_id() -> None:
    async with scene() as here:
        forum = here.stories()
        thread, message = await forum.create_thread(name="A story", content="Once", applied_tags=forum.available_tags)
        await here.client.wait_for_note("thread A story", "message")

        assert thread.id == message.id
        found = here.loopback.find_thread("A story")
        assert found.applied_tags == (here.forum.tags["open"],)
        assert [each.content for each in here.loopback.messages(found)] == ["Once"]


async def test_a_forum_may_require_a_tag() -> None:
    async with scene() as here:
        forum = here.loopback.add_channel(here.guild, "tagged", "forum", tags=("open",), requires_tag=True)
        await here.client.wait_for_note("channel created tagged")
        channel = here.client.get_channel(forum.id)
        assert isinstance(channel, discord.ForumChannel)

        assert channel.flags.require_tag
        assert await refusal(channel.create_thread(name="A story", content="Once")) == (400, 40067)
        assert here.loopback.threads(forum) == []


async def test_a_forum_post_that_is_refused_opens_nothing() -> None:
    async with scene() as here:
        assert await refusal(here.stories().create_thread(name="A story", content="x" * 2001)) == (400, 50035)
        assert await refusal(here.stories().create_thread(name="n" * 101, content="x")) == (400, 50035)
        assert here.loopback.threads() == []
        assert "thread A story" not in here.client.noted


async def test_a_message_has_one_thread_with_its_own_id() -> None:
    async with scene() as here:
        message = await here.tavern().send("The start")
        thread = await message.create_thread(name="A thread")

        assert thread.id == message.id
        assert await refusal(message.create_thread(name="Another")) == (400, 160004)
        system = here.loopback.messages(here.loopback.find_thread("A thread"), system=True)
        assert [each.type.name for each in system] == ["THREAD_STARTER"]


async def test_a_thread_without_a_message_leaves_a_line_in_its_channel() -> None:
    async with scene() as here:
        thread = await a_thread(here)

        assert here.loopback.messages(here.text) == []
        (line,) = here.loopback.messages(here.text, system=True)
        assert line.id != thread.id
        assert line.content == "A thread"


async def test_writing_wakes_an_archived_thread_in_which_nothing_can_be_edited() -> None:
    async with scene() as here:
        thread = await a_thread(here)
        sent = await thread.send("one")
        await here.loopback.archive(here.loopback.find_thread("A thread"))

        assert await refusal(sent.edit(content="two")) == (400, 50083)
        assert await refusal(sent.add_reaction("👀")) == (400, 50083)
        assert await refusal(thread.edit(name="Another")) == (400, 50083)
        await thread.send("two")
        assert not here.loopback.find_thread("A thread").archived


async def test_a_locked_thread_wants_the_permission_to_manage_threads() -> None:
    async with scene() as here:
        thread = await a_thread(here)
        await here.loopback.lock(here.loopback.find_thread("A thread"))
        here.loopback.forbid(here.guild, "manage_threads")

        assert await refusal(thread.send("one")) == (403, 50083)
        assert await refusal(thread.edit(archived=False)) == (403, 50083)
        here.loopback.allow(here.guild, "manage_threads")
        await thread.send("one")


async def test_a_thread_is_renamed_archived_locked_and_deleted() -> None:
    async with scene() as here:
        thread = await a_thread(here)
        await thread.edit(name="A story")
        await thread.edit(archived=True, locked=True)
        await here.client.wait_for_note("thread archived=True locked=True")
        fetched = await here.client.fetch_channel(thread.id)
        assert isinstance(fetched, discord.Thread)
        assert (fetched.name, fetched.archived, fetched.locked) == ("A story", True, True)
        await fetched.delete()

        assert await refusal(here.client.fetch_channel(thread.id)) == (404, 10003)
        assert here.loopback.threads() == []


@pytest.mark.parametrize("lacking", ["send_messages_in_threads", "create_public_threads", "manage_webhooks", "send_messages"])
async def test_a_permission_that_is_taken_away_is_missed(lacking: str) -> None:
    async with scene() as here:
        thread = await a_thread(here)
        here.loopback.forbid(here.guild, lacking)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "send_messages_in_threads": lambda: thread.send("one"),
            "create_public_threads": lambda: a_thread(here, "Another"),
            "manage_webhooks": lambda: here.tavern().create_webhook(name="Mira"),
            "send_messages": lambda: here.tavern().send("one"),
        }

        for name, call in calls.items():
            if name == lacking:
                assert await refusal(call()) == (403, 50013)
            else:
                await call()


async def test_age_restriction_is_fetched_with_the_channel_and_its_guild() -> None:
    async with scene() as here:
        await here.loopback.restrict_age(here.text)
        await here.loopback.set_nsfw_level(here.guild, 3)
        channel = await here.client.fetch_channel(here.text.id)
        guild = await here.client.fetch_guild(here.guild.id)

        assert isinstance(channel, discord.TextChannel)
        assert channel.is_nsfw()
        assert guild.nsfw_level is discord.NSFWLevel.age_restricted
        assert "nsfw" not in here.loopback.asked("GET", f"/channels/{here.text.id}")[0].answer.get("thread_metadata", {})


async def test_a_request_that_discord_does_not_know_is_noted_as_strange() -> None:
    async with LoopbackDiscord() as loopback:
        client = discord.Client(intents=discord.Intents.none(), connector=loopback.connector())
        await client.login(loopback.token)
        with pytest.raises(discord.NotFound):
            await client.http.request(discord.http.Route("GET", "/no/such/route"))
        await client.close()

        assert [each.route for each in loopback.strange] == ["GET /no/such/route"]


async def test_every_exchange_and_event_is_handed_to_whoever_checks_them() -> None:
    async with scene() as here:
        exchanges: list[tuple[str, int]] = []
        events: list[str] = []
        here.loopback.on_exchange.append(lambda each: exchanges.append((each.route, each.status)))
        here.loopback.on_event.append(lambda name, _: events.append(name))
        await here.tavern().send("Hello", file=discord.File(io.BytesIO(b"text"), "a.txt"))

        assert exchanges == [(f"POST /channels/{here.text.id}/messages", 200)]
        assert events == ["MESSAGE_CREATE"]
        assert here.loopback.requests[-1].body["content"] == "Hello"
        assert here.loopback.requests[-1].files == ("a.txt",)


async def test_a_custom_id_stands_once_in_a_message_and_components_come_back_with_ids() -> None:
    async with scene() as here:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Retry", custom_id="retry"))
        await here.tavern().send("one", view=view)
        (standing,) = here.loopback.messages(here.text)
        assert standing.custom_ids == ("retry",)
        assert [each["id"] for each in standing.components] == [1]
        view.add_item(discord.ui.Button(label="Again", custom_id="retry"))

        assert await refusal(here.tavern().send("two", view=view)) == (400, 50035)
        assert here.loopback.messages(here.text) == [standing]


async def test_everyone_is_called_only_where_the_message_and_the_permissions_allow_it() -> None:
    async with scene() as here:
        await here.tavern().send("@everyone")
        here.loopback.allow(here.guild, "mention_everyone")
        await here.tavern().send(f"@everyone <@{here.player.id}>")
        await here.tavern().send(f"@everyone <@{here.player.id}>", allowed_mentions=discord.AllowedMentions.none())

        standing = here.loopback.messages(here.text)
        assert [each.mentions_everyone for each in standing] == [False, True, False]
        assert [each.mentions for each in standing] == [(), (here.player,), ()]


async def test_a_guild_that_throws_the_bot_out_is_gone() -> None:
    async with scene() as here:
        await here.loopback.take_guild_away(here.guild, outage=False)
        assert await refusal(here.client.fetch_guild(here.guild.id)) == (404, 10004)
        assert await refusal(here.client.fetch_channel(here.text.id)) == (404, 10003)
