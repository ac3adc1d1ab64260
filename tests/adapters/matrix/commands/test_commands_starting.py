"""Stories that begin, end and come back by commands: in which place, who may, what is left where it is refused, and once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.heard import FileThere, Said, Unreadable
from adapters.matrix.settings import Settings
from adapters.matrix.words import author_of, event_of, link_to, place_of
from bot.ids import Place
from bot.posts import Fate
from bot.story.policy import Rating
from bot.story.turn import Role
from tests.adapters.matrix.commands.commands_stage import (
    ADA,
    BOT,
    CHAT,
    GREETING,
    MIRELA,
    PARLOUR,
    STRANGER,
    TAVERN,
    TOBIAS,
    Stage,
    stage,
)
from tests.adapters.matrix.commands.noted import Told
from tests.builders import MIRA

CHAT_FILE = FileThere("mxc://matrix.test/chat", "mira.jsonl")


async def refusal(on: Stage, line: str = "!rp start Mira", room: str = TAVERN, *, by: str = TOBIAS, root: str = "") -> str:
    """What a command is refused with."""
    event = await on.say(line, room, by=by, root=root)
    [told] = on.answers_to(event)
    return told.text


async def test_a_story_begun_in_a_room_of_many_opens_a_thread_there_and_says_where() -> None:
    async with stage() as on:
        place = await on.start(TAVERN, line="!rp start Mira A stranger asks for *shelter*.")
        assert on.courier.begun[place][0] == "Mira: A stranger asks for *shelter*."
        body = on.courier.begun[place][1]
        assert "Mira and Tobias" in body
        assert "A stranger asks for \\*shelter\\*." in body
        assert "!rp help" in body
        assert on.courier.texts(place) == (GREETING,)
        assert on.last.place == place_of(TAVERN)
        assert on.last.text == f"The story with Mira begins. It is in {link_to(place)}."
        session = await on.session(place)
        assert (session.table.owner, session.scenario) == (author_of(TOBIAS), "A stranger asks for *shelter*.")


@pytest.mark.parametrize("room", [PARLOUR, CHAT])
async def test_where_few_are_the_room_itself_holds_the_story_and_its_greeting_shows_it(room: str) -> None:
    async with stage() as on:
        assert await on.start(room) == place_of(room)
        assert on.courier.texts(place_of(room)) == (GREETING,)
        assert on.said == [Told(place_of(room), "", on.kept[-1].event, "👍")]


async def test_in_a_thread_the_thread_holds_the_story() -> None:
    async with stage() as on:
        await on.say("!rp start Mira", root="$evening")
        assert await on.store.places() == (place_of(TAVERN, "$evening"),)
        assert on.courier.begun == {}


@pytest.mark.parametrize(
    ("line", "room", "root", "place"),
    [
        ("!rp start Mira where:room", TAVERN, "", place_of(TAVERN)),
        ("!rp start Mira where:room", TAVERN, "$evening", place_of(TAVERN)),
        ("!rp start Mira where:thread", PARLOUR, "", place_of(PARLOUR, "$root-$event-1")),
        ("!rp start Mira where:thread", TAVERN, "$evening", place_of(TAVERN, "$evening")),
    ],
)
async def test_whoever_begins_a_story_may_say_where(line: str, room: str, root: str, place: Place) -> None:
    async with stage() as on:
        await on.say(line, room, root=root)
        assert await on.store.places() == (place,)


async def test_a_second_story_in_the_same_place_is_refused_and_shown_the_way_to_a_thread() -> None:
    async with stage() as on:
        await on.start(PARLOUR)
        assert "where:thread" in await refusal(on, room=PARLOUR)
        await on.say("!rp start Mira where:thread", PARLOUR)
        assert len(await on.store.places()) == 2


async def test_what_can_be_refused_is_refused_before_a_thread_is_opened() -> None:
    async with stage() as on:
        await on.keep(replace(MIRA, name="Vane", rating=Rating.ADULT))
        assert await refusal(on, "!rp start Nobody") == "The library has no character Nobody; it has Mira, Vane."
        assert "adults only" in await refusal(on, "!rp start Vane")
        assert "where must be one of" in await refusal(on, "!rp start Mira where:cellar")
        assert await refusal(on, by=STRANGER) != ""
        assert on.courier.begun == {}


async def test_what_the_desk_refuses_takes_the_threads_first_message_away_again() -> None:
    async with stage() as on:
        await on.keep(replace(MIRA, name="Vane", rating=Rating.ADULT, greeting="Vane, fourteen years old, undressed."))
        on.courier.for_adults.add(TAVERN)
        assert "refused" in await refusal(on, "!rp start Vane")
        assert on.courier.taken_away == list(on.courier.begun)


async def test_only_those_begin_stories_whom_the_operator_lets() -> None:
    async with stage() as on:
        assert "The operator does not let you begin stories" in await refusal(on, by=STRANGER)
        on.settings = Settings(folder=Path("nowhere"), servers=frozenset({"elsewhere.test"}), start_level=50)
        await on.restart()
        assert "does not let you" in await refusal(on, by=TOBIAS)
        assert "power level of 50" in await refusal(on, by=STRANGER)
        on.settings = Settings(folder=Path("nowhere"), rooms=frozenset({TAVERN}), start_level=50)
        await on.restart()
        await on.start(TAVERN, by=ADA)


async def test_a_power_level_is_not_asked_for_where_two_talk() -> None:
    async with stage(start_level=50) as on:
        await on.open_room("!odd", TOBIAS, maker=ADA)
        await on.start("!odd")
        assert "power level" in await refusal(on, room=PARLOUR)


@pytest.mark.parametrize("line", ["!rp start Mira", "!rp start Mira where:room"])
async def test_a_start_that_comes_again_after_a_crash_begins_one_story_and_is_answered_once(line: str) -> None:
    async with stage() as on:
        place = await on.start(TAVERN, line=line)
        begun, said = dict(on.courier.begun), on.said
        await on.again()
        assert await on.store.places() == (place,)
        assert (on.courier.begun, on.said) == (begun, said)
        assert on.courier.texts(place) == (GREETING,)


async def test_a_start_whose_answer_a_crash_kept_back_is_answered_when_it_comes_again() -> None:
    async with stage() as on:
        place = await on.start(TAVERN)
        on.voice.said.clear()
        await on.again()
        assert on.last.text == f"That is done: the story with Mira is in {link_to(place)}."


async def test_a_story_ends_and_comes_back_where_it_ended() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await on.start(PARLOUR)
        await on.say("!rp end", PARLOUR)
        assert on.last.text.startswith("The story has ended")
        await on.say("Tobias knocks.", PARLOUR)
        assert len(on.kept) == 2
        await on.say("!rp resume", PARLOUR)
        assert on.last.text == "The story with Mira goes on."
        await on.say("Tobias knocks.", PARLOUR)
        assert (await on.told_texts(place))[1:] == ["Tobias knocks.", "One."]


async def test_an_end_that_comes_again_says_that_the_story_has_ended_and_one_without_a_story_that_there_is_none() -> None:
    async with stage() as on:
        await on.start(PARLOUR)
        await on.say("!rp end", PARLOUR)
        on.voice.said.clear()
        await on.again()
        assert on.last.text.startswith("The story has ended")
        on.clock.move(600)
        assert "no story in this place" in await refusal(on, "!rp end", PARLOUR, by=ADA)


async def test_a_story_comes_back_in_another_room_by_its_name_in_a_new_thread() -> None:
    async with stage() as on:
        await on.start(PARLOUR)
        await on.say("!rp end", PARLOUR)
        assert (await refusal(on, "!rp resume")).startswith("Say which story")
        await on.say("!rp resume Mira", TAVERN)
        [place] = await on.store.places()
        assert place in on.courier.begun
        assert on.last.text == f"The story with Mira goes on. It is in {link_to(place)}."
        said = on.said
        await on.again()
        assert (on.said, await on.store.places()) == (said, (place,))


async def test_a_resume_that_comes_again_says_that_the_story_is_here() -> None:
    async with stage() as on:
        await on.start(PARLOUR)
        await on.say("!rp end", PARLOUR)
        await on.say("!rp resume", PARLOUR)
        on.voice.said.clear()
        await on.again()
        assert "The story with Mira is here already" in on.last.text


async def test_a_story_that_ended_in_the_room_itself_comes_back_there() -> None:
    async with stage() as on:
        await on.start(TAVERN, line="!rp start Mira where:room")
        await on.say("!rp end", TAVERN)
        await on.say("!rp resume", TAVERN)
        assert await on.store.places() == (place_of(TAVERN),)


async def test_a_chat_from_elsewhere_comes_in_as_a_story_once() -> None:
    async with stage() as on:
        await on.start(CHAT)
        await on.say("Tobias knocks.", CHAT)
        await on.say("!rp export jsonl", CHAT)
        on.homeserver.contents[CHAT_FILE.url] = on.last.file
        await on.say("!rp import", PARLOUR, file=CHAT_FILE)
        assert on.last.text.startswith("The story has come in, 3 posts of it")
        place, said = place_of(PARLOUR), on.said
        assert (await on.told_texts(place))[0] == GREETING
        shown = on.courier.texts(place)
        await on.again()
        assert on.said == said
        assert on.courier.texts(place) == shown


async def test_a_file_that_is_no_chat_leaves_no_thread_behind() -> None:
    async with stage() as on:
        on.homeserver.contents[CHAT_FILE.url] = b"nonsense"
        event = await on.say("!rp import", TAVERN, file=CHAT_FILE)
        assert on.answers_to(event)[0].text
        assert on.courier.taken_away == list(on.courier.begun)
        assert await on.store.places() == ()


def stands(on: Stage, *messages: Said) -> None:
    """What stands in rooms already, oldest first."""
    for each in messages:
        on.homeserver.note(each)


def said(event: str, by: str, text: str, *, root: str = "$evening", room: str = TAVERN, **more: Any) -> Said:
    return Said(room=room, event=event, sender=by, text=text, root=root, **({"at": 2.0} | more))


async def test_the_posts_of_a_thread_become_its_story() -> None:
    async with stage() as on:
        stands(
            on,
            said("$1", TOBIAS, "Tobias knocks."),
            said("$2", ADA, '"Come in."', as_name="mira"),
            said("$3", BOT, '"Sit down."', as_name="Mira"),
            said("$4", BOT, "The story has ended.", is_notice=True),
            said("$5", MIRELA, "follows.", is_emote=True),
            said("$6", MIRELA, "Then she sits."),
            said("$7", TOBIAS, "!rp help"),
            said("$8", TOBIAS, "Elsewhere.", root=""),
            said("$9", TOBIAS, "He sits down."),
        )
        await on.say("!rp adopt Mira", root="$evening")
        session = await on.session(place_of(TAVERN, "$evening"))
        assert [(turn.role, turn.name, turn.text) for turn in session.turns] == [
            (Role.PLAYER, "Tobias", "Tobias knocks."),
            (Role.CHARACTER, "Mira", '"Come in."\n\n"Sit down."'),
            (Role.PLAYER, "Mirela", "*follows.*\n\nThen she sits."),
            (Role.PLAYER, "Tobias", "He sits down."),
        ]
        assert session.turns[2].sources == (event_of("$5"), event_of("$6"))
        assert on.last.text == "4 posts are the story now; post, or use continue to have it answered."
        told = on.said
        await on.again()
        assert on.said == told


async def test_messages_that_cannot_be_decrypted_are_not_in_an_adopted_story_and_that_is_said() -> None:
    async with stage() as on:
        stands(on, said("$1", TOBIAS, "Tobias knocks.", room=PARLOUR, root=""))
        await on.unreadable(PARLOUR)
        await on.say("!rp adopt Mira", PARLOUR)
        assert on.last.text.endswith("1 of the messages here are encrypted with keys that I was not given; they are not in it.")


async def test_what_was_written_before_somebody_came_in_is_not_theirs_to_adopt() -> None:
    async with stage() as on:
        joined = {"m.room.history_visibility": {"history_visibility": "joined"}}
        await on.open_room("!hall", TOBIAS, MIRELA, state=joined, since=100.0)
        stands(
            on,
            said("$1", ADA, "A secret.", room="!hall", root="", at=50.0),
            said("$2", MIRELA, "Hello.", room="!hall", root="", at=150.0),
        )
        on.homeserver.note(Unreadable(room="!hall", event="$3", sender=ADA, at=60.0, why="No key."))
        await on.say("!rp adopt Mira", "!hall")
        assert await on.told_texts(place_of("!hall")) == ["Hello."]
        assert on.last.text.startswith("1 post")
        assert "encrypted" not in on.last.text


async def test_the_talk_of_a_room_of_many_is_adopted_only_if_that_is_meant() -> None:
    async with stage() as on:
        stands(on, said("$1", TOBIAS, "Tobias knocks.", root=""))
        assert "add where:room" in await refusal(on, "!rp adopt Mira")
        await on.say("!rp adopt Mira where:room", TAVERN)
        assert await on.told_texts(place_of(TAVERN)) == ["Tobias knocks."]


async def test_an_adopted_post_of_several_messages_follows_when_one_of_them_changes_or_goes() -> None:
    async with stage() as on:
        stands(
            on,
            said("$1", TOBIAS, "Tobias knocks.", room=PARLOUR, root=""),
            said("$2", TOBIAS, "He waits.", room=PARLOUR, root=""),
            said("$3", ADA, '"Come in."', as_name="Mira", room=PARLOUR, root=""),
        )
        await on.say("!rp adopt Mira", PARLOUR)
        place = place_of(PARLOUR)
        await on.edit("$2", "He shivers.", PARLOUR)
        assert (await on.told_texts(place))[0] == "Tobias knocks.\n\nHe shivers."
        await on.redact("$2", PARLOUR)
        assert (await on.told_texts(place))[0] == "Tobias knocks."
        await on.redact("$1", PARLOUR)
        assert await on.told_texts(place) == ['"Come in."']
        assert (place, event_of("$1"), Fate.IGNORED) not in on.courier.fates
