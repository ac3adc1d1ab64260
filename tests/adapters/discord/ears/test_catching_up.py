from collections.abc import AsyncGenerator

import pytest

from adapters.discord.ears.catching_up import Mark
from adapters.discord.ears.telling import SKIPPED
from adapters.discord.words import author_of, event_of
from bot.ids import EventId
from bot.ports.store import Change
from bot.posts import Deleted, Edited
from bot.story.session import with_window
from tests.adapters.discord.ears.ears import Ears, ears
from tests.fakes.discord import Message


@pytest.fixture
async def bot() -> AsyncGenerator[Ears, None]:
    async with ears() as opened:
        yield opened


async def written(bot: Ears, *texts: str) -> list[Message]:
    """Posts of two people in turn, in a thread where the bot is not."""
    return [await bot.post(text, (bot.tobias, bot.other)[number % 2]) for number, text in enumerate(texts)]


async def test_what_was_written_before_the_start_is_heard_in_order(bot: Ears) -> None:
    texts = [f"Post {number}." for number in range(120)]
    await written(bot, *texts)
    await bot.start()
    await bot.until_posted(*texts)
    assert len(bot.discord.asked("GET", "/messages")) == 2


async def test_a_restart_repeats_nothing_and_loses_nothing(bot: Ears) -> None:
    await bot.start()
    await written(bot, "One.", "Two.", "Three.")
    await bot.until(lambda: len(bot.receiver.posts) == 3)
    await bot.stop()
    await written(bot, "Four.", "Five.")
    await bot.start()
    await bot.until_posted("One.", "Two.", "Three.", "Four.", "Five.")
    assert bot.receiver.repeated == []


async def test_what_was_being_gathered_at_the_end_is_heard_at_the_next_start(bot: Ears) -> None:
    await bot.start(join_seconds=60.0)
    await bot.post("I knock.")
    await bot.post("I enter.")
    await bot.until(lambda: bot.hearing._watches[bot.thread.id].ear._gathering.ids)
    await bot.stop()
    assert bot.receiver.posts == []
    await bot.start()
    await bot.until_posted("I knock.\n\nI enter.")


async def test_missed_messages_without_a_pause_are_one_post(bot: Ears) -> None:
    messages = [await bot.post(text) for text in ("I knock.", "I enter.")]
    await bot.start()
    await bot.until_posted("I knock.\n\nI enter.")
    assert bot.receiver.posts[0].parts == tuple(event_of(each.id) for each in messages)


async def test_missed_posts_bear_the_name_that_the_guild_knows(bot: Ears) -> None:
    await bot.post("I knock.")
    await bot.start()
    await bot.until(lambda: bot.receiver.posts)
    assert bot.discord.asked("GET", f"/members/{bot.tobias.id}")
    assert bot.receiver.posts[0].author_name == "Tobias"


async def test_live_messages_wait_until_what_was_missed_is_heard(bot: Ears) -> None:
    await written(bot, "Missed one.", "Missed two.")
    held = bot.discord.faults.add(route="GET /channels/*/messages", nth=1, kind="delay")
    await bot.start()
    await held.reached.wait()
    await written(bot, "Live one.", "Live two.")
    held.release()
    await bot.until_posted("Missed one.", "Missed two.", "Live one.", "Live two.")
    assert bot.receiver.repeated == []


async def test_a_crash_between_bookmark_and_store_changes_no_post(bot: Ears) -> None:
    # Just before the end, two messages were about to be handed in as one post; then a third came.
    messages = [await bot.post(text) for text in ("I knock.", "I enter.", "I wait.")]
    await bot.store.bookmark(bot.place, f"{bot.thread.id} {messages[0].id - 1} {messages[0].id} {messages[1].id}")
    await bot.start()
    await bot.until_posted("I knock.\n\nI enter.", "I wait.")


@pytest.mark.parametrize("joins", [True, False], ids=["in the story", "still waiting"])
async def test_a_crash_right_after_a_post_was_stored_repeats_nothing(bot: Ears, *, joins: bool) -> None:
    bot.receiver.joins = joins
    await bot.start()
    first = await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    assert (await bot.store.bookmarks(bot.place.platform))[bot.place.channel].endswith(str(first.id))
    await bot.post("I enter.")
    await bot.start()
    await bot.until_posted("I knock.", "I enter.")
    assert bot.receiver.repeated == []


@pytest.mark.parametrize("is_gone", [False, True], ids=["edited", "deleted"])
async def test_a_change_of_a_post_that_waits_to_join_the_story_is_followed_after_a_crash(bot: Ears, *, is_gone: bool) -> None:
    bot.receiver.joins = False
    await bot.start()
    first = await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    await (bot.discord.delete(first) if is_gone else bot.discord.edit(bot.tobias, first, "I enter."))
    # What comes after the change moves the bookmark beyond it.
    await bot.post("The door creaks.", bot.other)
    await bot.start()
    await bot.until(lambda: len(bot.receiver.posts) == 2)
    assert bot.receiver.story == (["The door creaks."] if is_gone else ["I enter.", "The door creaks."])


async def test_a_change_of_a_post_that_the_model_reads_no_longer_is_followed(bot: Ears) -> None:
    await bot.start()
    first = await bot.post("I knock.")
    await bot.post("The door creaks.", bot.other)
    await bot.until(lambda: len(bot.receiver.posts) == 2)
    await bot.stop()
    session = await bot.store.session_at(bot.place)
    assert session is not None
    await bot.store.save(Change(session, with_window(session, session.turns[1].number)))
    await bot.discord.edit(bot.tobias, first, "I enter.")
    await bot.start()
    await bot.until(lambda: bot.receiver.changes)
    assert bot.receiver.story == ["I enter.", "The door creaks."]


async def test_an_edit_of_a_post_that_the_last_run_took_in_and_that_waits_still_is_followed(bot: Ears) -> None:
    bot.receiver.joins = False
    await bot.start()
    first = await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    await bot.start()
    await bot.quiet()
    await bot.discord.edit(bot.tobias, first, "I enter.")
    await bot.quiet()
    assert bot.receiver.story == ["I enter.", "The door creaks.", "The door creaks."]


async def test_without_a_bookmark_a_place_is_heard_from_its_newest_post_on(bot: Ears) -> None:
    await bot.start()
    await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    await bot.store.bookmark(bot.place, "")
    await bot.post("I enter.")
    await bot.start()
    await bot.until_posted("I knock.", "I enter.")


async def test_more_than_the_bound_is_skipped_and_said(bot: Ears) -> None:
    await written(bot, *(f"Post {number}." for number in range(9)))
    await bot.start(catch_up_messages=3)
    await bot.until(bot.said)
    await bot.until_posted("Post 6.", "Post 7.", "Post 8.")
    assert bot.said() == [SKIPPED]
    await bot.stop()
    await bot.start(catch_up_messages=3)
    await bot.quiet()
    assert bot.said() == [SKIPPED]


async def test_what_is_too_old_is_skipped_and_said(bot: Ears) -> None:
    await written(bot, "Long ago.")
    bot.discord.clock.move(3 * 3600)
    await bot.start(catch_up_hours=-1.0)
    await bot.until(bot.said)
    assert bot.said() == [SKIPPED]
    assert bot.receiver.posts == []


async def test_a_fresh_session_fetches_once_and_a_resumed_one_nothing(bot: Ears) -> None:
    await bot.start()
    await bot.post("One.")
    await bot.until_posted("One.")
    asked = len(bot.discord.asked("GET", "/messages"))
    await bot.discord.gateway.cut()
    await bot.post("Two.", bot.other)
    await bot.until_posted("One.", "Two.")
    assert len(bot.discord.asked("GET", "/messages")) == asked
    assert len(bot.discord.gateway.sessions) == 1


@pytest.mark.slow  # the library waits five seconds before it identifies anew
async def test_what_is_lost_between_two_sessions_is_fetched(bot: Ears) -> None:
    await bot.start()
    await bot.post("One.")
    await bot.until_posted("One.")
    asked = len(bot.discord.asked("GET", "/messages"))
    await bot.discord.gateway.invalidate(resumable=False)
    await written(bot, "Two.", "Three.")
    await bot.until_posted("One.", "Two.", "Three.")
    assert len(bot.discord.asked("GET", "/messages")) == asked + 1
    assert bot.receiver.repeated == []


async def test_changes_of_the_last_posts_are_followed(bot: Ears) -> None:
    await bot.start()
    first, _, gone = await bot.post("I knock."), await bot.post("I enter."), await bot.post("I look up.", bot.other)
    await bot.until(lambda: len(bot.receiver.posts) == 2)
    await bot.stop()
    await bot.discord.edit(bot.tobias, first, "I knock twice.")
    await bot.discord.delete(gone)
    await bot.start()
    await bot.until(lambda: len(bot.receiver.changes) == 2)
    edit, deletion = bot.receiver.changes
    assert isinstance(edit, Edited)
    assert (edit.post, edit.author) == (event_of(first.id), author_of(bot.tobias.id))
    assert edit.text == "I knock twice.\n\nI enter."
    assert deletion == Deleted(EventId(f"{gone.id}/deleted"), bot.place, event_of(gone.id))
    assert len(bot.receiver.posts) == 2


async def test_a_story_that_was_played_elsewhere_loses_nothing_here(bot: Ears) -> None:
    await bot.start()
    await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    # The story came here from another place: its posts were never messages of this one.
    (message,) = bot.discord.messages(bot.thread)
    await bot.discord.delete(message)
    here = await bot.post("Not yet here.")
    await bot.store.bookmark(bot.place, f"{here.id} {here.id}")
    await bot.start()
    await bot.quiet()
    assert bot.receiver.changes == []


async def test_the_very_first_post_of_a_place_can_be_lost(bot: Ears) -> None:
    await bot.start()
    first = await bot.post("I knock.")
    await bot.until(lambda: bot.receiver.posts)
    await bot.stop()
    await bot.discord.delete(first)
    await bot.start()
    await bot.until(lambda: bot.receiver.changes)
    assert bot.receiver.changes == [Deleted(EventId(f"{first.id}/deleted"), bot.place, event_of(first.id))]


async def test_a_connection_that_breaks_while_it_fetches_loses_no_order(bot: Ears) -> None:
    await written(bot, "Missed one.", "Missed two.")
    held = bot.discord.faults.add(route="GET /channels/*/messages", nth=1, kind="delay")
    await bot.start()
    await held.reached.wait()
    await written(bot, "Live one.")
    bot.discord.gateway.send_malformed("MESSAGE_CREATE", {"id": "no number"})
    await bot.until(lambda: not bot.line.is_open)
    held.release()
    await bot.until_posted("Missed one.", "Missed two.", "Live one.")
    assert bot.receiver.repeated == []


async def test_a_thread_that_was_locked_meanwhile_ends_its_story(bot: Ears) -> None:
    await bot.discord.lock(bot.thread)
    await bot.start()
    await bot.until(lambda: bot.receiver.gone == [bot.place])


async def test_a_thread_that_is_gone_ends_its_story(bot: Ears) -> None:
    await bot.discord.delete_channel(bot.thread)
    await bot.start()
    await bot.until(lambda: bot.receiver.gone == [bot.place])


async def test_an_archived_thread_is_heard_like_another(bot: Ears) -> None:
    await written(bot, "One.")
    await bot.discord.archive(bot.thread)
    await bot.start()
    await bot.until_posted("One.")
    assert bot.receiver.gone == []


async def test_what_cannot_be_fetched_is_tried_again(bot: Ears) -> None:
    await written(bot, "One.")
    bot.discord.faults.add(route="GET /channels/*/messages", nth=1, kind="cut before")
    await bot.start()
    await bot.until_posted("One.")


@pytest.mark.slow  # the tries are seconds apart
async def test_after_three_tries_a_place_goes_on_without_what_was_missed(bot: Ears, caplog: pytest.LogCaptureFixture) -> None:
    await written(bot, "Missed.")
    bot.discord.faults.add(route="GET /channels/*", nth=1, times=100, kind="cut before")
    await bot.start()
    await bot.post("Live.", bot.other)
    await bot.until(lambda: bot.receiver.posts, 20)
    assert bot.receiver.texts == ["Live."]
    assert "giving up" in caplog.text


@pytest.mark.parametrize("text", ["", "5", "five six", "5 6 -7", "5 ²"])
def test_what_is_no_mark_is_told_from_one(text: str) -> None:
    assert Mark.read(text) is None


def test_a_mark_comes_back_as_it_was_kept() -> None:
    for mark in (Mark(1, 5), Mark(1, 5, (6, 9))):
        assert Mark.read(mark.text) == mark
    assert (Mark(1, 5, (9, 6)).newest, Mark(1, 5).newest) == (9, 5)
