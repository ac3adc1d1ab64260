from collections.abc import AsyncGenerator

import pytest

from adapters.discord.words import author_of, event_of, place_of
from bot.errors import Refused
from bot.ids import EventId
from bot.posts import Deleted, Edited, Fate, InboundPost
from tests.adapters.discord.ears.ears import Ears, begin_story, ears
from tests.fakes.discord import Channel


@pytest.fixture
async def bot() -> AsyncGenerator[Ears, None]:
    async with ears() as opened:
        await opened.start()
        yield opened


async def test_what_a_person_writes_in_a_story_is_a_post(bot: Ears) -> None:
    message = await bot.post("I knock.")
    await bot.until_posted("I knock.")
    assert bot.receiver.posts == [
        InboundPost(event_of(message.id), bot.place, author_of(bot.tobias.id), "Tobias", "I knock.", ())
    ]


async def test_messages_without_a_pause_are_one_post(bot: Ears) -> None:
    messages = [await bot.post(text) for text in ("I knock.", "Nobody answers.", "I knock again.")]
    await bot.until_posted("I knock.\n\nNobody answers.\n\nI knock again.")
    assert bot.receiver.posts[0].parts == tuple(event_of(each.id) for each in messages)


async def test_somebody_elses_message_comes_after_what_was_written_before(bot: Ears) -> None:
    for number in range(4):
        await bot.post(f"Post {number}.", bot.other if number % 2 else bot.tobias)
    await bot.until_posted(*(f"Post {number}." for number in range(4)))


async def test_elsewhere_the_bot_is_deaf_and_silent(bot: Ears) -> None:
    await bot.discord.post(bot.tobias, bot.text, f"<@{bot.discord.bot_id}> hello")
    await bot.quiet()
    assert bot.receiver.texts == ["The door creaks."]
    assert bot.discord.asked("POST") == []


async def test_a_place_is_heard_from_when_its_story_begins_until_it_ends(bot: Ears) -> None:
    place = place_of(bot.text.id)
    early = await bot.discord.post(bot.tobias, bot.text, "Before.")
    await begin_story(bot.store, place)
    missed = await bot.discord.post(bot.tobias, bot.text, "While it was made.")
    await bot.hearing.watch(place, early.id)
    await bot.until(lambda: bot.receiver.posts)
    assert bot.hearing.watched == {bot.place, place}
    await bot.hearing.unwatch(place)
    await bot.discord.post(bot.tobias, bot.text, "After.")
    await bot.quiet()
    assert [post.event for post in bot.receiver.posts if post.place == place] == [event_of(missed.id)]
    assert place.channel not in await bot.store.bookmarks(place.platform)


async def test_an_edit_before_a_post_is_handed_in_changes_it(bot: Ears) -> None:
    first, second = await bot.post("I knock."), await bot.post("I enter.")
    await bot.discord.edit(bot.tobias, first, "I knock twice.")
    await bot.discord.delete(second)
    await bot.until_posted("I knock twice.")
    assert bot.receiver.changes == []


async def test_a_post_whose_messages_are_gone_in_time_never_was(bot: Ears) -> None:
    message = await bot.post("I knock.")
    await bot.discord.delete(message)
    await bot.quiet()
    assert bot.receiver.texts == ["The door creaks."]
    assert bot.receiver.changes == []


async def test_an_edit_of_a_part_changes_the_whole_post(bot: Ears) -> None:
    first, second = await bot.post("I knock."), await bot.post("I enter.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.discord.edit(bot.tobias, second, "I wait.")
    await bot.until(lambda: bot.receiver.changes)
    (edit,) = bot.receiver.changes
    assert isinstance(edit, Edited)
    assert (edit.post, edit.author, edit.text) == (event_of(first.id), author_of(bot.tobias.id), "I knock.\n\nI wait.")
    assert edit.event.startswith(f"{second.id}/edited/")


async def test_deletions_take_parts_and_the_last_one_the_post(bot: Ears) -> None:
    first, second = await bot.post("I knock."), await bot.post("I enter.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.discord.delete(first)
    await bot.discord.delete(second)
    await bot.until(lambda: len(bot.receiver.changes) == 2)
    assert bot.receiver.changes == [
        Edited(EventId(f"{first.id}/deleted"), bot.place, author_of(bot.tobias.id), event_of(first.id), "I enter."),
        Deleted(EventId(f"{second.id}/deleted/2"), bot.place, event_of(first.id)),
    ]


async def test_many_deletions_at_once_are_told_post_by_post_in_order(bot: Ears) -> None:
    messages = [await bot.post(f"Post {number}.", (bot.tobias, bot.other)[number // 2 % 2]) for number in range(6)]
    await bot.until(lambda: len(bot.receiver.posts) == 3)
    await bot.discord.bulk_delete([messages[number] for number in (4, 1, 0)])
    await bot.until(lambda: len(bot.receiver.changes) == 2)
    assert bot.receiver.changes == [
        Deleted(EventId(f"{messages[1].id}/deleted/2"), bot.place, event_of(messages[0].id)),
        Edited(EventId(f"{messages[4].id}/deleted"), bot.place, author_of(bot.tobias.id), event_of(messages[4].id), "Post 5."),
    ]


async def test_changes_of_posts_of_an_earlier_run_are_followed(bot: Ears) -> None:
    first, second = await bot.post("I knock."), await bot.post("I enter.")
    alone = await bot.post("I look up.", bot.other)
    await bot.until(lambda: len(bot.receiver.posts) == 2)
    await bot.stop()
    await bot.start()
    await bot.discord.edit(bot.tobias, second, "I wait.")
    await bot.discord.delete(alone)
    await bot.until(lambda: len(bot.receiver.changes) == 2)
    edit, deletion = bot.receiver.changes
    assert isinstance(edit, Edited)
    assert (edit.post, edit.text, edit.author) == (event_of(first.id), "I knock.\n\nI wait.", author_of(bot.tobias.id))
    assert deletion == Deleted(EventId(f"{alone.id}/deleted"), bot.place, event_of(alone.id))


async def test_what_discord_adds_to_a_message_is_no_edit(bot: Ears) -> None:
    message = await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.discord.edit(bot.tobias, message, "I knock.")
    await bot.quiet()
    assert bot.receiver.changes == []


async def test_a_file_alone_is_shown_to_be_ignored(bot: Ears) -> None:
    message = await bot.post("", files={"map.png": b"picture"})
    await bot.until(lambda: bot.fates.told)
    assert bot.fates.told == [(event_of(message.id), Fate.IGNORED)]
    assert bot.receiver.events == []


async def test_a_refused_edit_is_marked_until_it_is_edited_into_something_that_is_taken(bot: Ears) -> None:
    bot.receiver.refuses = "Refuse me"
    message = await bot.post("I knock.")
    await bot.until_posted("I knock.")
    await bot.discord.edit(bot.tobias, message, "Refuse me.")
    await bot.until(lambda: bot.fates.told == [(event_of(message.id), Fate.IGNORED)])
    await bot.discord.edit(bot.tobias, message, "I knock twice.")
    await bot.until(lambda: bot.fates.told[1:] == [(event_of(message.id), None)])


async def test_a_refused_post_is_answered_and_marked_and_pings_nobody(bot: Ears) -> None:
    bot.receiver.refuses = "@everyone"
    message = await bot.post("@everyone look")
    await bot.until(lambda: bot.said() and bot.fates.told)
    (answer,) = bot.discord.asked("POST", "/messages")
    assert answer.body["content"] == "That is too long to be one post."
    assert answer.body["message_reference"]["message_id"] == message.id
    assert answer.body["allowed_mentions"] == {"parse": []}
    assert bot.fates.told == [(event_of(message.id), Fate.IGNORED)]


async def test_while_the_store_is_away_posts_wait_in_order(bot: Ears) -> None:
    bot.receiver.away = 1
    await bot.post("First.")
    await bot.post("Second.", bot.other)
    await bot.until_posted("First.", "Second.")


async def test_whoever_types_is_waited_for() -> None:
    async with ears(join_limit_seconds=0.4) as bot:
        await bot.start()
        await bot.post("I knock.")
        await bot.discord.typing(bot.tobias, bot.thread)
        began = bot.clock.ticks()
        await bot.until_posted("I knock.")
        # Not the pause of 0.15 s, but as long as a post may take.
        assert bot.clock.ticks() - began > 0.3


@pytest.mark.parametrize("end", ["delete", "lock", "parent", "guild"])
async def test_a_place_that_is_no_more_ends_its_story(bot: Ears, end: str) -> None:
    await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    match end:
        case "delete":
            await bot.discord.delete_channel(bot.thread)
        case "lock":
            await bot.discord.lock(bot.thread)
        case "parent":
            await bot.discord.delete_channel(bot.text)
        case _:
            await bot.discord.take_guild_away(bot.guild, outage=False)
    await bot.until(lambda: bot.receiver.gone)
    await bot.until(lambda: not bot.hearing.watched)
    assert bot.receiver.gone == [bot.place]
    await bot.until(lambda: bot.store._bookmarks == {})


async def test_an_outage_and_an_archived_thread_end_nothing(bot: Ears) -> None:
    await bot.discord.archive(bot.thread)
    await bot.discord.take_guild_away(bot.guild)
    await bot.discord.bring_guild_back(bot.guild)
    await bot.post("I knock.")
    await bot.until_posted("I knock.")
    assert bot.receiver.gone == []
    assert bot.thread.id in bot.changed


async def test_a_message_of_a_place_without_a_story_cannot_be_taken(bot: Ears) -> None:
    message = await bot.discord.post(bot.tobias, bot.text, "I knock.")
    found = await bot.line.client.get_partial_messageable(bot.text.id).fetch_message(message.id)
    with pytest.raises(Refused, match="No story is played here"):
        await bot.hearing.take(found)


async def test_what_somebody_wrote_is_handed_in_for_their_command_without_a_pause(bot: Ears) -> None:
    await bot.stop()
    await bot.start(join_seconds=3600.0)
    await bot.post("I knock.")
    await bot.until(lambda: bot.hearing._watches[bot.thread.id].ear._gathering.author)
    await bot.hearing.hand_in(bot.place, author_of(bot.other.id))
    assert bot.receiver.posts == []
    await bot.hearing.hand_in(bot.place, author_of(bot.tobias.id))
    assert bot.receiver.texts == ["I knock."]
    await bot.hearing.hand_in(place_of(bot.text.id), author_of(bot.tobias.id))


async def test_a_direct_message_can_hold_a_story(bot: Ears) -> None:
    private = bot.discord.add_dm(bot.tobias)
    place = place_of(private.id)
    await begin_story(bot.store, place)
    await bot.hearing.watch(place, private.id)
    await bot.discord.post(bot.tobias, private, "I knock.")
    await bot.until_posted("I knock.")
    await bot.stop()
    await bot.discord.post(bot.tobias, private, "I enter.")
    await bot.start()
    await bot.until_posted("I knock.", "I enter.")
    assert {post.place for post in bot.receiver.posts} == {place}


@pytest.mark.slow  # shards identify five seconds apart
async def test_each_shard_catches_up_with_its_own_guilds() -> None:
    async with ears(shard_count=2) as bot:
        places: dict[int, Channel] = {}
        while len(places) < 2:
            guild = bot.discord.add_guild("Another")
            places[(guild.id >> 22) % 2] = bot.discord.add_channel(guild, "tavern", kind="text")
        for shard, channel in places.items():
            await begin_story(bot.store, place_of(channel.id))
            await bot.store.bookmark(place_of(channel.id), f"{channel.id} {channel.id}")
            await bot.discord.post(bot.tobias, channel, f"Missed on {shard}.")
        await bot.start()
        await bot.until(lambda: len(bot.receiver.posts) == 2)
        asked = len(bot.discord.asked("GET", "/messages"))
        await bot.discord.gateway.invalidate(resumable=False, shard=1)
        await bot.discord.post(bot.tobias, places[1], "Missed again.")
        await bot.until(lambda: len(bot.receiver.posts) == 3, 15)
        assert sorted(bot.receiver.texts) == ["Missed again.", "Missed on 0.", "Missed on 1."]
        # The first place stands in a guild of one of the shards as well.
        on_second = 1 + ((bot.guild.id >> 22) % 2)
        await bot.until(lambda: len(bot.discord.asked("GET", "/messages")) == asked + on_second)
