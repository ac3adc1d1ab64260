"""Commands by lines and by signs: what they do, who may, and how they are answered: once, in the right place, always."""

import asyncio
from dataclasses import replace

import pytest

from adapters.matrix.heard import FileThere, Reacted, Said
from adapters.matrix.words import place_of
from bot.cards.writing import write_png
from bot.errors import OutcomeUnknown, PostRefused, TryLater
from bot.ids import Place
from bot.ports.store import Change
from bot.story.card import CharacterCard
from bot.story.policy import Rating
from bot.story.settings import Length
from tests.adapters.matrix.commands.commands_stage import (
    ADA,
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
from tests.fakes.engine import Pause, ScriptedReply

JOREN = CharacterCard("Joren", "Joren is a ferryman.", "Joren coiled the rope.", Rating.GENERAL)


def newest_post(on: Stage, place: Place) -> str:
    """The message of ours that stands last in a place."""
    return list(on.courier.standing[place])[-1]


async def answered(on: Stage, room: str = PARLOUR) -> Place:
    place = await on.start(room)
    await on.say("Tobias knocks.", room)
    return place


async def test_a_command_of_the_story_is_carried_out_and_bears_a_nod_where_nothing_else_shows_it() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("!rp length short", PARLOUR)
        assert (await on.session(place)).settings.length is Length.SHORT
        assert on.answers_to(event) == [Told(place, "", event, "👍")]


async def test_what_the_place_sees_by_itself_is_not_nodded_at() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await answered(on)
        event = await on.say("!rp retry", PARLOUR)
        assert (await on.told_texts(place))[-1] == "Two."
        assert on.answers_to(event) == []


async def test_a_question_is_answered_in_its_place_in_reply_to_it() -> None:
    async with stage() as on:
        place = await on.start(TAVERN)
        event = await on.say("!rp status", root=place.channel.partition("/")[2])
        [told] = on.answers_to(event)
        assert (told.place, told.text.partition("\n")[0]) == (place, "Mira with Tobias.")


async def test_what_is_asked_in_private_is_answered_in_a_direct_chat_and_nodded_at_in_place() -> None:
    async with stage() as on:
        await on.start()
        event = await on.say("!rp why", PARLOUR)
        [chat, nod] = on.said[-2:]
        assert chat.place == place_of(f"!with-{TOBIAS}")
        assert "`!rp why`" in chat.text
        assert nod == Told(place_of(PARLOUR), "", event, "👍")


async def test_whoever_has_not_accepted_the_invitation_is_told_of_it_in_place() -> None:
    async with stage() as on:
        on.homeserver.uninvited.add(TOBIAS)
        event = await on.say("!rp character list", TAVERN)
        assert [(told.sign, "invitation" in told.text) for told in on.answers_to(event)] == [("👍", False), ("", True)]


async def test_where_two_are_alone_private_answers_are_told_at_once() -> None:
    async with stage() as on:
        event = await on.say("!rp character list", CHAT)
        assert on.answers_to(event) == [Told(place_of(CHAT), "- Mira (general)", event)]


async def test_a_direct_chat_that_cannot_be_had_is_told_and_the_answer_kept_back() -> None:
    async with stage() as on:
        on.homeserver.trouble.append(PostRefused("I cannot open a direct chat with you here: you ignore me."))
        event = await on.say("!rp privacy show", TAVERN)
        [told] = on.answers_to(event)
        assert "you ignore me" in told.text
        assert "Kept of you" not in told.text


async def test_in_a_room_that_others_can_come_into_two_are_not_alone() -> None:
    async with stage() as on:
        await on.open_room(CHAT, TOBIAS, maker=TOBIAS, state={"m.room.join_rules": {"join_rule": "public"}})
        event = await on.say("!rp character list", CHAT)
        assert [told.sign for told in on.answers_to(event)] == ["👍"]
        assert "- Mira (general)" in on.said[-2].text


async def test_what_an_answer_quotes_cannot_turn_around_how_the_rest_of_it_reads() -> None:
    async with stage() as on:
        await on.say("!rp fl\u202ey\x00")
        assert on.last.text == 'There is no command "fly"; help lists them all.'


async def test_a_refusal_is_told_in_place_even_of_what_is_private() -> None:
    async with stage() as on:
        event = await on.say("!rp export", TAVERN)
        [told] = on.answers_to(event)
        assert (told.place, told.text) == (place_of(TAVERN), "Only those who play in this story can do that; post in it first.")


async def test_a_command_of_the_story_where_there_is_none_says_how_to_begin_and_keeps_nothing() -> None:
    async with stage() as on:
        event = await on.say("!rp ooc Is anybody there?", TAVERN)
        assert "!rp start" in on.answers_to(event)[0].text
        assert await on.store.waiting() == ()


async def test_a_mistyped_command_names_the_nearest() -> None:
    async with stage() as on:
        await on.say("!rp retri", TAVERN)
        assert on.last.text == 'There is no command "retri"; the nearest is: retry [length].'
        await on.say("!rp adlts on", TAVERN)
        assert on.last.text == 'There is no command "adlts"; the nearest is: adults.'


@pytest.mark.parametrize("line", ["!rp", "!rp help", "!RP HELP"])
async def test_help_is_told_where_it_is_asked_for(line: str) -> None:
    async with stage() as on:
        event = await on.say(line, TAVERN)
        [told] = on.answers_to(event)
        assert "Write !rp help and a command" in told.text
        assert "!rp adults" in told.text


async def test_help_on_one_command_shows_how_it_is_written_here() -> None:
    async with stage() as on:
        await on.say("!rp help retry", TAVERN)
        assert on.last.text.startswith("!rp retry [length]")
        await on.say("!rp help !rp retry", TAVERN)
        assert on.last.text.startswith("!rp retry [length]")
        await on.say("!rp help adults", TAVERN)
        assert on.last.text.startswith("!rp adults [on|off]")
        await on.say("!rp help retri", TAVERN)
        assert 'the nearest is "retry"' in on.last.text


async def test_a_command_that_answers_a_post_means_that_post() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await answered(on)
        knock = on.kept[-1].event
        await on.say("He waits.", PARLOUR)
        await on.say("!rp delete", PARLOUR, answers=knock)
        assert await on.told_texts(place) == [GREETING, "One.", "He waits.", "Two."]
        await on.say("!rp edit She shrugs.", PARLOUR, answers=newest_post(on, place))
        assert (await on.told_texts(place))[-1] == "She shrugs."


async def test_a_command_that_answers_something_else_means_no_post_at_all() -> None:
    async with stage() as on:
        place = await answered(on)
        event = await on.say("!rp delete", PARLOUR, answers="$something-else")
        assert "Answer the post that you mean" in on.answers_to(event)[0].text
        assert len(await on.told_texts(place)) == 3


async def test_one_post_of_a_long_reply_is_edited_alone() -> None:
    first, second = "She pours. " * 20, "She sits down. " * 18
    async with stage([f"{first.strip()}\n\n{second.strip()}"]) as on:
        place = await answered(on)
        [*_, one, two] = on.courier.standing[place]
        waits = "She waits. " * 18
        await on.say(f"!rp edit {waits}", PARLOUR, answers=two)
        assert (await on.told_texts(place))[-1] == f"{first.strip()}\n\n{waits.strip()}"
        assert on.courier.standing[place][two].text == waits.strip()
        assert on.courier.standing[place][one].text == first.strip()


async def test_a_text_too_long_for_a_message_comes_as_a_file() -> None:
    async with stage() as on:
        place = await answered(on)
        on.homeserver.contents["mxc://matrix.test/text"] = b"She nods.\n\nThen she smiles."
        await on.say("!rp edit", PARLOUR, file=FileThere("mxc://matrix.test/text", "text.txt"))
        assert (await on.told_texts(place))[-1] == "She nods.\n\nThen she smiles."


async def test_a_card_comes_into_the_library_with_its_command_as_the_caption_or_in_reply_to_it() -> None:
    async with stage() as on:
        on.homeserver.contents["mxc://matrix.test/card"] = write_png(JOREN, b"")
        card = FileThere("mxc://matrix.test/card", "joren.png", "image/png")
        await on.say("!rp character import", CHAT, file=card)
        assert on.last.text.startswith("Joren is in the library")
        on.homeserver.note(Said(room=CHAT, event="$card", sender=TOBIAS, at=0, text="", file=card))
        await on.say("!rp character import", CHAT, answers="$card")
        assert on.last.text.startswith("Joren is in the library")
        assert [title.name for title in await on.store.library()] == ["Joren", "Mira"]


async def test_a_command_about_a_file_that_comes_without_one_says_so() -> None:
    async with stage() as on:
        event = await on.say("!rp character import", TAVERN)
        assert on.answers_to(event)[0].text.startswith("Send the file with the command")
        event = await on.say("!rp character import", TAVERN, answers="$no-file")
        assert on.answers_to(event)[0].text.startswith("Send the file with the command")


async def test_a_story_is_taken_home_as_a_file() -> None:
    async with stage() as on:
        await on.start(CHAT)
        event = await on.say("!rp export html", CHAT)
        [told] = on.answers_to(event)
        assert (told.name, told.text) == ("mira.html", "The story, to take home.")
        assert b"We close at ten" in told.file


async def test_an_answer_that_is_too_long_to_be_read_in_messages_is_a_file() -> None:
    async with stage() as on:
        place = await on.start(CHAT)
        for number in range(8):
            await on.say(f"!rp note {number} {'The storm grows worse. ' * 80}", CHAT)
        session = await on.session(place)
        summary = replace(session.memory, summary="It rained. " * 1_000)
        await on.store.save(Change(session, replace(session, memory=summary)))
        event = await on.say("!rp summary show", CHAT)
        [told] = on.answers_to(event)
        assert (told.name, told.file[:10]) == ("answer.md", b"It rained.")


async def test_moderators_of_the_room_decide_and_others_do_not() -> None:
    async with stage() as on:
        place = await on.start(TAVERN)
        root = place.channel.partition("/")[2]
        refused = await on.say("!rp end", root=root, by=MIRELA)
        assert on.answers_to(refused)[0].text.startswith("Only who began this story, or a moderator")
        await on.say("!rp end", root=root, by=ADA)
        assert await on.store.places() == ()


async def test_where_two_talk_either_decides() -> None:
    async with stage() as on:
        await on.open_room("!odd", TOBIAS, maker=ADA)
        await on.keep(JOREN)
        place = await on.start("!odd")
        await on.say("!rp scenario Night.", "!odd")
        assert (await on.session(place)).scenario == "Night."


async def test_operators_may_what_only_they_may() -> None:
    async with stage(operators=frozenset({MIRELA})) as on:
        refused = await on.say("!rp character delete Mira", CHAT)
        assert on.answers_to(refused)[0].text == "Only the operator of this program can do that."
        await on.say("!rp character delete Mira", TAVERN, by=MIRELA)
        assert await on.store.library() == ()


async def test_a_sign_at_any_post_of_the_newest_reply_asks_for_what_it_stands_for() -> None:
    async with stage(["She pours. " * 40, "Two.", " And on."]) as on:
        place = await answered(on)
        first = list(on.courier.standing[place])[1]
        await on.react("🔄", first, PARLOUR)
        assert (await on.told_texts(place))[-1] == "Two."
        await on.react("⬅", newest_post(on, place), PARLOUR)
        assert (await on.told_texts(place))[-1].startswith("She pours.")
        await on.react("➡", newest_post(on, place), PARLOUR)
        assert (await on.told_texts(place))[-1] == "Two."
        await on.react("⏩", newest_post(on, place), PARLOUR)
        assert (await on.told_texts(place))[-1] == "Two. And on."
        await on.react("❌", newest_post(on, place), PARLOUR)
        assert await on.told_texts(place) == [GREETING]


async def test_a_sign_elsewhere_or_another_sign_asks_for_nothing() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await answered(on)
        greeting = next(iter(on.courier.standing[place]))
        before = await on.told_texts(place)
        await on.react("❌", greeting, PARLOUR)
        await on.react("❌", on.kept[1].event, PARLOUR)
        await on.react("👍", newest_post(on, place), PARLOUR)
        assert await on.told_texts(place) == before
        assert on.said[1:] == []


async def test_whoever_may_not_is_told_so_beside_the_post_that_they_put_a_sign_at() -> None:
    async with stage() as on:
        place = await answered(on)
        post = newest_post(on, place)
        await on.react("🔄", post, PARLOUR, by=MIRELA)
        assert [told.text for told in on.answers_to(post)] == [
            "Only those who play in this story can do that; post in it first."
        ]


async def test_a_reply_is_stopped_by_a_sign_at_the_post_that_it_answers() -> None:
    pause = Pause(before=1)
    async with stage([ScriptedReply(("One word", " and another."), pause=pause)]) as on:
        place = await on.start()
        post = Said(room=PARLOUR, event="$post", sender=TOBIAS, at=on.clock.now(), text="Tobias knocks.")
        await on.conversation.heard(post)
        await pause.reached.wait()
        await on.react("⏹", "$post", PARLOUR)
        assert (await on.told_texts(place))[-1] == "One word"


async def test_two_players_who_want_another_reply_at_once_get_one() -> None:
    async with stage(["One.", "Two.", "Three."]) as on:
        place = await answered(on)
        await on.say("I look on.", PARLOUR, by=MIRELA)
        post = newest_post(on, place)
        heard = [event_of_reaction(on, post, by) for by in (TOBIAS, MIRELA)]
        for each in heard:
            await on.conversation.heard(each)
        await on.settled()
        assert len((await on.session(place)).turns[-1].variants) == 2
        assert [told.text for told in on.answers_to(post)] == [
            "A reply is being written already; wait for its end, or stop it with ⏹️."
        ]


def event_of_reaction(on: Stage, post: str, by: str) -> Reacted:
    return Reacted(room=PARLOUR, event=f"$by-{by}", sender=by, at=on.clock.now(), of=post, sign="🔄")


async def test_an_answer_waits_as_long_as_the_homeserver_asks_and_is_given_once() -> None:
    async with stage() as on:
        on.voice.trouble += [TryLater(4.0), OutcomeUnknown("lost")]
        said = Said(room=TAVERN, event="$ask", sender=TOBIAS, at=on.clock.now(), text="!rp status")
        asking = asyncio.create_task(on.conversation.heard(said))
        for seconds in (4.0, 2.0):
            while seconds not in on.clock.sleeping:
                await asyncio.sleep(0)
            assert on.said == []
            on.clock.move(seconds)
        await asking
        assert len(on.answers_to("$ask")) == 1


async def test_an_answer_that_can_never_be_given_holds_up_nothing() -> None:
    async with stage() as on:
        on.voice.trouble.append(PostRefused("I may not write here."))
        await on.say("!rp status", TAVERN)
        assert on.said == []


@pytest.mark.parametrize(
    "line",
    [
        "!rp status",
        "!rp character list",
        "!rp end",
        "!rp export",
        "!rp privacy forget",
        "!rp length long",
        "!rp retry",
        "!rp undo",
        "!rp pin It rains.",
        "!rp persona set Vane",
        "!rp stop",
        "!rp adults on",
        "!rp help",
        "!rp nonsense",
    ],
)
async def test_a_command_that_comes_again_after_a_crash_is_done_and_answered_once(line: str) -> None:
    async with stage(["One.", "Two.", "Three."]) as on:
        place = await answered(on, CHAT)
        await on.say(line, CHAT)
        story, said, shown = await on.store.session_at(place), on.said, on.courier.texts(place)
        await on.again()
        assert await on.store.session_at(place) == story
        assert on.said == said
        assert on.courier.texts(place) == shown


async def test_a_defect_in_one_command_is_told_and_ends_nothing() -> None:
    async with stage() as on:
        on.homeserver.trouble.append(ZeroDivisionError("a defect"))
        event = await on.say("!rp why", TAVERN)
        assert "Something went wrong inside" in on.answers_to(event)[0].text
        await on.say("!rp help", TAVERN, by=STRANGER)
        assert "Write !rp help" in on.last.text
