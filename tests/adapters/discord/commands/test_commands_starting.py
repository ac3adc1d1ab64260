"""Stories that begin, end and come back by commands: in which place, who may, and what is left where it is refused."""

from dataclasses import replace

import pytest

from adapters.discord.words import event_of, place_of
from bot.story.policy import Rating
from bot.story.turn import Role
from tests.adapters.discord.commands.commands_stage import Stage, stage
from tests.builders import MIRA
from tests.fakes.discord import Channel
from tests.fakes.discord.asking import _told
from tests.fakes.discord.world import Event

GREETING = 'Mira looked up from the ledger. "We close at ten," she said.'


async def refusal(on: Stage, channel: Channel, command: str = "rp start", **options: object) -> str:
    asked = await on.loopback.slash(on.player, channel, command, options or {"character": "Mira"})
    said = await asked.wait_for_message()
    assert said.ephemeral
    return said.content


async def test_a_story_in_a_thread_is_bound_to_it_and_greets() -> None:
    async with stage() as on:
        thread = await on.thread()
        await on.start(thread)
        assert [each.content for each in on.shown(thread)] == [GREETING]
        assert (await on.session(thread)).table.owner == f"discord:{on.player.id}"
        assert place_of(thread.id) in on.ears.watched


async def test_a_story_begun_in_a_text_channel_opens_a_thread_there() -> None:
    async with stage() as on:
        thread = await on.start(on.text, scenario="A stranger asks for shelter.")
        assert thread.parent is on.text
        assert thread.name == "Mira: A stranger asks for shelter."
        assert [each.content for each in on.shown(thread)] == [GREETING]
        assert on.ears.marks == {place_of(thread.id): thread.id}


async def test_a_story_begun_into_a_forum_opens_a_post_that_says_how_to_play() -> None:
    async with stage() as on:
        post = await on.start(on.text, into=on.forum, scenario="A stranger asks for @everyone's *shelter*.")
        assert post.parent is on.forum
        opening = on.loopback.messages(post)[0].content
        assert opening.startswith("**Mira** and **Tobias**\n> A stranger asks for @everyone's \\*shelter\\*.")
        assert "//" in opening
        assert "/help" in opening
        assert (await on.session(post)).scenario == "A stranger asks for @everyone's *shelter*."


async def test_a_story_is_begun_in_a_direct_message() -> None:
    async with stage() as on:
        await on.start(on.dm)
        assert GREETING in on.loopback.messages(on.dm)[-1].content


async def test_the_answer_says_where_the_story_is_to_whoever_began_it_alone() -> None:
    async with stage() as on:
        asked = await on.loopback.slash(on.player, on.text, "rp start", {"character": "mira"})
        said = await asked.wait_for_message()
        assert said.ephemeral
        assert f"<#{on.loopback.threads(on.text)[0].id}>" in said.content


async def test_a_character_that_the_library_lacks_is_refused_before_a_thread_is_opened() -> None:
    async with stage() as on:
        said = await refusal(on, on.text, character="Nobody")
        assert said == "The library has no character Nobody; it has Mira."
        assert on.loopback.threads(on.text) == []


async def test_a_character_for_adults_is_refused_before_a_thread_is_opened_where_everybody_may_be() -> None:
    async with stage() as on:
        await on.keep(replace(MIRA, name="Vane", rating=Rating.ADULT))
        said = await refusal(on, on.text, character="Vane")
        assert "adults only" in said
        assert on.loopback.asked("POST", "/threads") == []


async def test_what_the_desk_refuses_takes_the_thread_away_again() -> None:
    async with stage() as on:
        await on.keep(replace(MIRA, name="Vane", rating=Rating.ADULT, greeting="Vane, fourteen years old, undressed."))
        await on.loopback.restrict_age(on.text)
        said = await refusal(on, on.text, character="Vane")
        assert "refused" in said
        assert on.loopback.threads(on.text) == []
        assert on.loopback.asked("DELETE", "/channels/")
        assert on.loopback.messages(on.text) == []
        assert on.ears.marks == {}


async def test_a_place_with_a_story_takes_no_second_one() -> None:
    async with stage() as on:
        thread = await on.start()
        assert await refusal(on, thread) == "This place already has a story; end it first, or begin another one elsewhere."


async def test_a_channel_where_the_player_may_not_write_is_refused() -> None:
    async with stage() as on:
        asked = await on.loopback.slash(
            on.player, on.text, "rp start", {"character": "Mira"}, permissions=("view_channel", "use_application_commands")
        )
        assert await on.said(asked) == f"You may not write in <#{on.text.id}> yourself; choose a channel where you may."
        assert on.loopback.threads(on.text) == []


async def test_stories_begin_only_in_the_channels_that_the_operator_named_and_their_threads() -> None:
    async with stage() as on:
        on.settings = replace(on.settings, start_channels=frozenset({on.forum.id}))
        await on.restart()
        assert await refusal(on, on.text) == f"Stories begin only in <#{on.forum.id}>; use the command there."
        post = await on.loopback.open_post(on.player, on.forum, "Evening", "Who plays?")
        await on.start(post)
        assert await refusal(on, on.dm) == "The operator does not let stories begin in direct messages."


async def test_only_members_with_a_role_that_the_operator_named_begin_stories() -> None:
    async with stage() as on:
        role = on.loopback.add_role(on.guild, "Writers")
        on.settings = replace(on.settings, start_roles=frozenset({role.id}))
        await on.restart()
        assert f"<@&{role.id}>" in await refusal(on, on.text)
        on.loopback.give_role(on.guild, on.player, role)
        await on.start(on.text)


async def test_operators_are_bound_by_none_of_that() -> None:
    async with stage() as on:
        on.settings = replace(on.settings, guilds=frozenset({1}), operators=frozenset({on.player.id}))
        await on.restart()
        await on.start(on.dm)


async def test_an_ended_story_is_told_to_all_and_not_listened_to() -> None:
    async with stage() as on:
        thread = await on.start()
        asked = await on.loopback.slash(on.player, thread, "rp end")
        said = await asked.wait_for_message()
        assert (said.ephemeral, said.content.split(".")[0]) == (False, "The story has ended")
        assert on.ears.left == [place_of(thread.id)]
        assert await on.store.session_at(place_of(thread.id)) is None


async def test_a_story_comes_back_where_it_ended_and_is_listened_to_again() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, "rp end")
        assert await on.ask(thread, "rp resume") == "The story with Mira goes on."
        assert place_of(thread.id) in on.ears.watched


async def test_a_story_whose_thread_is_gone_comes_back_in_a_new_thread() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, "rp end")
        await on.loopback.delete_channel(thread)
        assert await on.loopback.autocomplete(on.player, on.text, "rp resume", "story", "mi") == [
            {"name": "Mira", "value": "Mira"}
        ]
        said = await on.ask(on.text, "rp resume", {"story": "Mira"})
        (opened,) = on.loopback.threads(on.text)
        assert said == f"The story with Mira goes on. It is in <#{opened.id}>."
        assert place_of(opened.id) in on.ears.watched


async def test_which_story_comes_back_in_a_channel_must_be_said() -> None:
    async with stage() as on:
        asked = await on.loopback.slash(on.player, on.text, "rp resume")
        assert (await on.said(asked)).startswith("Say which story")
        assert on.loopback.threads(on.text) == []


async def test_the_posts_of_a_thread_become_its_story() -> None:
    async with stage() as on:
        thread = await on.thread()
        first = await on.loopback.post(on.player, thread, "Tobias knocks.")
        await on.loopback.proxy_post(thread, "Mira", '"Come in."')
        await on.loopback.proxy_post(thread, "Joren", "Joren follows.")
        last = await on.loopback.post(on.player, thread, "He sits down.")
        await on.ask(thread, "rp adopt", {"character": "mira"})
        session = await on.session(thread)
        assert [(turn.role, turn.name, turn.text) for turn in session.turns] == [
            (Role.PLAYER, "Tobias", "Tobias knocks."),
            (Role.CHARACTER, "Mira", '"Come in."'),
            (Role.PLAYER, "Joren", "Joren follows."),
            (Role.PLAYER, "Tobias", "He sits down."),
        ]
        assert session.turns[0].sources == (event_of(first.id),)
        assert on.ears.marks[place_of(thread.id)] >= last.id


async def test_neither_answers_nor_openings_of_the_bot_are_taken_for_the_characters_words() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start(on.text, into=on.forum)
        await on.post(thread, "Tobias knocks.")
        await on.ask(thread, "summary edit", {"text": "What happened before. " * 150})
        shown = await on.loopback.slash(on.player, thread, "summary show")
        await shown.wait_for_message(number=2)
        await on.ask(thread, "rp end")
        await on.loopback.post(on.player, thread, "**Tobias**\nHe sits down.")
        await on.ask(thread, "rp adopt", {"character": "Mira"})
        assert [turn.text for turn in (await on.session(thread)).turns] == [
            GREETING,
            "Tobias knocks.",
            "She nods.",
            "**Tobias**\nHe sits down.",
        ]


async def test_the_bots_own_posts_under_a_characters_name_are_its_words() -> None:
    async with stage(["She nods."]) as on:
        await on.start(on.dm)
        await on.post(on.dm, "Tobias knocks.")
        await on.ask(on.dm, "rp end")
        await on.ask(on.dm, "rp adopt", {"character": "Mira"})
        assert [turn.text for turn in (await on.session(on.dm)).turns] == [GREETING, "Tobias knocks.", "She nods."]


async def test_a_permission_that_the_bot_lacks_is_named() -> None:
    async with stage() as on:
        on.loopback.forbid(on.text, "create_public_threads")
        assert "Create Public Threads" in await refusal(on, on.text)
        thread = await on.thread()
        on.loopback.forbid(on.text, "read_message_history")
        assert "Read Message History" in await refusal(on, thread, "rp adopt", character="Mira")


async def test_whoever_may_not_read_a_threads_history_does_not_adopt_it() -> None:
    async with stage() as on:
        thread = await on.thread()
        await on.loopback.post(on.player, thread, "A secret of long ago.")
        may = ("view_channel", "use_application_commands", "send_messages_in_threads")
        asked = await on.loopback.slash(on.player, thread, "rp adopt", {"character": "Mira"}, permissions=may)
        assert (await asked.wait_for_message()).content.startswith("You may not read what stands here yourself")
        assert await on.store.session_at(place_of(thread.id)) is None


async def test_the_posts_of_a_whole_channel_become_none() -> None:
    async with stage() as on:
        assert (await refusal(on, on.text, "rp adopt", character="Mira")).startswith("The posts of a whole channel")


async def test_a_branch_is_listened_to_once_it_is_there() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        await on.ask(thread, "rp branch", {"turn": 0})
        await on.loopback.wait_until(lambda: len(on.ears.watched) == 2)
        (other,) = set(on.ears.watched) - {place_of(thread.id)}
        assert (await on.store.session_at(other)) is not None


@pytest.mark.parametrize("where", ["text", "forum"])
async def test_a_start_that_discord_tells_of_twice_opens_one_thread(where: str) -> None:
    async with stage() as on:
        channel = on.text if where == "text" else on.forum
        asked = await on.loopback.slash(on.player, on.text, "rp start", {"character": "Mira", "where": channel})
        on.loopback.world.emit(Event("INTERACTION_CREATE", _told(asked, None), on.guild))
        await on.said(asked)
        await on.loopback.wait_until(lambda: len(on.loopback.asked("POST", "/callback")) == 2)
        await on.restart()
        assert len(on.loopback.threads(channel)) == 1
        assert len(await on.store.places()) == 1
