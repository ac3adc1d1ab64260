"""What people write, react, edit and take away in rooms: what of it is kept, and what becomes of it in their stories."""

from dataclasses import replace

import pytest

from adapters.matrix.heard import Said
from adapters.matrix.words import author_of, event_of, place_of
from bot.errors import StoreUnavailable
from bot.ids import Place
from bot.posts import Fate
from bot.story.policy import Rating
from bot.story.turn import Role
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
from tests.builders import MIRA


async def test_a_post_joins_the_story_of_its_place_and_is_answered() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("Tobias knocks.", PARLOUR)
        session = await on.session(place)
        assert [(turn.name, turn.text) for turn in session.turns] == [
            ("Mira", GREETING),
            ("Tobias", "Tobias knocks."),
            ("Mira", '"Come in," she said.'),
        ]
        assert session.turns[1].sources == (event_of(event),)
        assert session.turns[1].author == author_of(TOBIAS)


async def test_chatter_where_no_story_is_played_is_kept_nowhere() -> None:
    async with stage() as on:
        await on.start(TAVERN)
        root = await on.say("Good evening, all.")
        await on.say("And to you.", root=root, by=MIRELA)
        await on.edit(root, "Good evening!", PARLOUR)
        await on.react("🔄", root, PARLOUR)
        await on.redact(root, PARLOUR)
        assert [each for each in on.kept if not getattr(each, "text", "").startswith("!rp")] == []


async def test_a_post_in_a_thread_belongs_to_the_thread_and_one_beside_it_to_the_room() -> None:
    async with stage(["In the thread.", "In the room."]) as on:
        thread = await on.start(TAVERN)
        room = await on.start(TAVERN, line="!rp start Mira where:room")
        await on.say("Below.", root=thread.channel.partition("/")[2])
        await on.say("Above.")
        assert (await on.told_texts(thread))[1:] == ["Below.", "In the thread."]
        assert (await on.told_texts(room))[1:] == ["Above.", "In the room."]
        assert room == place_of(TAVERN)


async def test_what_programs_say_is_neither_a_post_nor_a_command() -> None:
    async with stage() as on:
        place = await on.start()
        await on.say("The weather: rain.", PARLOUR, is_notice=True)
        await on.say("!rp end", PARLOUR, is_notice=True)
        assert await on.told_texts(place) == [GREETING]


async def test_the_characters_of_another_understudy_are_never_answered() -> None:
    async with stage() as on:
        place = await on.start()
        await on.say("Joren coils the rope.", PARLOUR, by=STRANGER, as_name="Joren", is_played=True)
        await on.say("!rp end", PARLOUR, by=STRANGER, is_played=True)
        assert await on.told_texts(place) == [GREETING]
        assert len(on.kept) == 1


async def test_what_somebody_does_is_a_post_in_asterisks_even_where_it_looks_like_a_command() -> None:
    async with stage(["", ""]) as on:
        place = await on.start()
        await on.say("bows.", PARLOUR, is_emote=True)
        assert (await on.told_texts(place))[1] == "*bows.*"


async def test_a_persona_of_the_message_itself_is_what_its_writer_is_called() -> None:
    async with stage() as on:
        place = await on.start(by=MIRELA)
        await on.say("I wait outside.", PARLOUR, as_name="Vane: the Grey")
        turn = (await on.session(place)).turns[1]
        assert (turn.author, turn.name) == (author_of(TOBIAS), "Vane, the Grey")


async def test_a_post_without_words_is_shown_to_be_none() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("", PARLOUR)
        assert on.courier.fates[-1] == (place, event, Fate.IGNORED)
        assert await on.told_texts(place) == [GREETING]


async def adult_story(on: Stage) -> Place:
    await on.keep(replace(MIRA, name="Vane", rating=Rating.ADULT))
    on.courier.for_adults.add(PARLOUR)
    return await on.start(line="!rp start Vane")


UNFIT = "Her sister, fourteen years old, undressed."


async def test_a_refused_post_is_answered_in_place_and_bears_a_sign() -> None:
    async with stage() as on:
        place = await adult_story(on)
        event = await on.say(UNFIT, PARLOUR)
        [said] = on.answers_to(event)
        assert "under 18" in said.text
        assert on.courier.fates[-1] == (place, event, Fate.IGNORED)
        assert len(await on.told_texts(place)) == 1


async def test_a_refused_post_that_is_edited_into_one_that_is_taken_joins_the_story_and_loses_its_sign() -> None:
    async with stage() as on:
        place = await adult_story(on)
        event = await on.say(UNFIT, PARLOUR)
        await on.edit(event, "Her sister, a widow of forty, laughs.", PARLOUR)
        assert (await on.told_texts(place))[1:] == ["Her sister, a widow of forty, laughs.", '"Come in," she said.']
        assert (place, event, None) in on.courier.fates
        await on.edit(event, "Her sister laughs.", PARLOUR)
        assert (await on.told_texts(place))[1] == "Her sister laughs."


async def test_a_refused_post_is_edited_by_whoever_wrote_it_and_in_its_room_only() -> None:
    async with stage() as on:
        place = await adult_story(on)
        event = await on.say(UNFIT, PARLOUR)
        await on.edit(event, "I was never here.", PARLOUR, by=MIRELA)
        await on.start(TAVERN)
        await on.edit(event, "From another room.", TAVERN)
        assert await on.told_texts(place) == [GREETING]


async def test_an_edit_that_is_refused_is_answered_and_one_that_is_taken_takes_the_sign_away() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await adult_story(on)
        event = await on.say("Good evening.", PARLOUR)
        await on.edit(event, UNFIT, PARLOUR)
        assert "refused" in on.last.text
        assert on.courier.fates[-1] == (place, event, Fate.IGNORED)
        await on.edit(event, "Good morning.", PARLOUR)
        assert (await on.told_texts(place))[1] == "Good morning."
        assert (place, event, None) in on.courier.fates


async def test_an_edited_post_changes_the_story_and_is_answered_anew() -> None:
    async with stage(["First answer.", "Second answer."]) as on:
        place = await on.start()
        event = await on.say("Tobias knocks.", PARLOUR)
        await on.edit(event, "Tobias waits.", PARLOUR)
        assert (await on.told_texts(place))[1] == "Tobias waits."


async def test_nobody_edits_what_somebody_else_wrote() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("Tobias knocks.", PARLOUR)
        await on.edit(event, "Tobias runs away.", PARLOUR, by=MIRELA)
        assert (await on.told_texts(place))[1] == "Tobias knocks."


async def test_a_message_that_is_taken_away_by_anybody_takes_its_post_with_it() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("Tobias knocks.", PARLOUR)
        await on.redact(event, PARLOUR, by=ADA)
        assert "Tobias knocks." not in await on.told_texts(place)


async def test_a_post_of_ours_that_a_moderator_takes_away_stays_in_the_story() -> None:
    async with stage() as on:
        place = await on.start()
        [message] = on.courier.standing[place]
        await on.redact(message, PARLOUR, by=ADA)
        assert await on.told_texts(place) == [GREETING]


async def test_the_edit_of_a_command_is_no_command_and_no_post() -> None:
    async with stage() as on:
        place = await on.start()
        event = await on.say("!rp status", PARLOUR)
        said = len(on.said)
        await on.edit(event, "!rp end", PARLOUR)
        await on.edit(event, "Tobias knocks.", PARLOUR)
        assert await on.told_texts(place) == [GREETING]
        assert len(on.said) == said


async def test_an_event_that_comes_again_after_a_crash_changes_nothing_more() -> None:
    async with stage(["One.", "Two.", "Three.", "Four."]) as on:
        place = await on.start()
        event = await on.say("Tobias knocks.", PARLOUR)
        await on.again()
        await on.edit(event, "Tobias waits.", PARLOUR)
        once = await on.session(place)
        await on.again()
        assert await on.session(place) == once
        await on.redact(event, PARLOUR)
        gone = await on.session(place)
        await on.again()
        assert await on.session(place) == gone


async def test_posts_in_places_that_the_story_itself_opened_are_heard() -> None:
    async with stage(["One.", "Two."]) as on:
        place = await on.start(TAVERN)
        root = place.channel.partition("/")[2]
        await on.say("Tobias knocks.", root=root)
        await on.say("!rp branch", root=root)
        [branch] = {each for each in await on.store.places() if each != place}
        await on.say("Tobias turns away.", root=branch.channel.partition("/")[2])
        assert "Tobias turns away." in await on.told_texts(branch)


async def test_a_room_that_is_gone_ends_the_stories_in_it_and_no_other() -> None:
    async with stage() as on:
        parlour, thread = await on.start(), await on.start(TAVERN)
        on.rooms.left(TAVERN)
        await on.conversation.gone(TAVERN)
        assert await on.store.places() == (parlour,)
        assert [each.name for each in await on.store.ended(thread)] == ["Mira"]
        await on.say("Is anybody there?", root=thread.channel.partition("/")[2])
        assert len(on.kept) == 2


async def test_somebody_alone_with_the_bot_is_told_how_to_begin_but_not_each_time() -> None:
    async with stage() as on:
        first = await on.say("Hello?", CHAT)
        await on.say("Anybody?", CHAT)
        [told] = on.said
        assert told.answers == first
        assert "!rp start" in told.text
        on.clock.move(3601)
        await on.say("Hello again.", CHAT)
        assert len(on.said) == 2


async def test_in_rooms_of_more_nobody_is_told_how_to_begin() -> None:
    async with stage() as on:
        await on.say("Hello?", TAVERN)
        await on.say("Hello?", PARLOUR)
        assert on.said == []


async def test_a_message_that_cannot_be_read_is_told_where_it_stands_once_to_each_writer() -> None:
    async with stage() as on:
        first = await on.unreadable(TAVERN, root="$root")
        await on.unreadable(TAVERN)
        other = await on.unreadable(TAVERN, by=MIRELA)
        assert [(told.place, told.answers) for told in on.said] == [
            (place_of(TAVERN, "$root"), first),
            (place_of(TAVERN), other),
        ]


async def test_nothing_is_dealt_with_while_the_store_is_away_and_all_of_it_afterwards() -> None:
    async with stage() as on:
        place = await on.start()
        post = Said(room=PARLOUR, event="$post", sender=TOBIAS, at=on.clock.now(), text="Tobias knocks.")

        async def away(_: object) -> bool:
            raise StoreUnavailable("The database is away.")

        receive, on.store.receive = on.store.receive, away  # type: ignore[method-assign, assignment]  # the database is away
        with pytest.raises(StoreUnavailable):
            await on.conversation.heard(post)
        on.store.receive = receive  # type: ignore[method-assign]  # it is back
        await on.hear(post)
        assert (await on.told_texts(place))[1] == "Tobias knocks."


async def test_a_player_who_was_removed_is_not_heard() -> None:
    async with stage() as on:
        place = await on.start(by=MIRELA)
        await on.say("I come in.", PARLOUR, by=TOBIAS)
        await on.say("!rp remove Tobias", PARLOUR, by=MIRELA)
        before = await on.told_texts(place)
        await on.say("Still here.", PARLOUR, by=TOBIAS)
        assert await on.told_texts(place) == before
        command = await on.say("!rp retry", PARLOUR, by=TOBIAS)
        assert [told.text for told in on.answers_to(command)] == ["You play in this story no longer."]


async def test_somebody_from_elsewhere_plays_along_where_they_were_let_in() -> None:
    async with stage() as on:
        place = await on.start(TAVERN)
        await on.say("I sit down.", root=place.channel.partition("/")[2], by=STRANGER)
        [turn] = [each for each in (await on.session(place)).turns if each.role is Role.PLAYER]
        assert turn.author == author_of(STRANGER)
