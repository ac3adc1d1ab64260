"""Who may play what where: adult play in places for adults, minors nowhere near it, and no refused word kept."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.ids import AuthorId, EventId
from bot.ports.store import Change
from bot.posts import Command, Deleted, Edited
from bot.safety.blocklist import Blocklist
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import with_window
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_post, a_session
from tests.flow.stage import ADULTS, Stage, a_stage, adult_stage

ANN = AuthorId("author-2")
MINOR = "A girl of fifteen came in and asked for bread."
LEAD = "The rain had not stopped for a week, and the road to the coast was mud from end to end. " * 6


async def test_an_adult_story_begins_in_a_place_for_adults_only() -> None:
    async with a_stage(begin=False) as stage:
        with pytest.raises(Refused, match="adults only"):
            await stage.service.begin(a_session(rating=Rating.ADULT))
    async with adult_stage() as stage:
        assert stage.shown == (MIRA.greeting,)


async def test_a_place_that_is_no_longer_for_adults_takes_no_more_posts() -> None:
    async with adult_stage("One.") as stage:
        stage.courier.channel_limits = replace(ADULTS, adults_only=False)
        await stage.post("Hello?")
        assert not stage.engine.requests
        assert "adults only" in stage.shown[-1]


async def test_a_general_story_takes_no_adult_character_wherever_it_is() -> None:
    async with a_stage(limits=ADULTS, begin=False) as stage:
        with pytest.raises(Refused, match="general audience"):
            await stage.service.begin(a_session(character=replace(MIRA, rating=Rating.UNRATED)))


@pytest.mark.parametrize(
    "session",
    [
        a_session(rating=Rating.ADULT, character=replace(MIRA, description="She is fifteen years old.")),
        a_session(rating=Rating.ADULT, character=replace(MIRA, alternate_greetings=("I am 16, said the girl.",))),
        a_session(rating=Rating.ADULT, personas=(Persona(TOBIAS.author, "Tobias", "A boy of twelve."),)),
        a_session(rating=Rating.ADULT, scenario="Two high school freshmen meet."),
    ],
)
async def test_an_adult_story_with_a_minor_in_it_does_not_begin(session: object) -> None:
    async with a_stage(limits=ADULTS, begin=False) as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.service.begin(session)  # type: ignore[arg-type]  # parametrized
        assert await stage.store.session_at(HERE) is None


async def test_a_post_that_brings_a_minor_into_an_adult_story_is_refused_and_none_of_its_words_are_kept() -> None:
    async with adult_stage("One.") as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.post(MINOR, event="bad")
        assert not stage.engine.requests
        assert await stage.store.waiting() == ()
        (refusal,) = await stage.store.refusals(HERE)
        assert refusal.event == "bad"
        assert "fifteen" not in repr(refusal)


async def test_the_same_post_is_taken_in_a_story_for_a_general_audience() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post(MINOR)
        assert len(stage.engine.requests) == 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("note", {"text": MINOR}),
        ("pin", {"text": MINOR}),
        ("scenario", {"text": MINOR}),
        ("edit", {"turn": 0, "text": MINOR}),
        ("persona set", {"name": "Tom", "description": "A boy of twelve."}),
        ("lore add", {"keys": "girl", "text": MINOR}),
        ("summary edit", {"text": MINOR}),
    ],
)
async def test_no_command_brings_a_minor_into_an_adult_story(name: str, values: dict[str, str | int]) -> None:
    async with adult_stage("One.") as stage:
        before = await stage.session()
        with pytest.raises(Refused, match="under 18"):
            await stage.act(name, **values)
        assert await stage.session() == before


async def test_a_reply_in_which_a_minor_appears_is_taken_back_before_a_word_of_that_is_shown() -> None:
    async with adult_stage(f"{LEAD}\n\n{MINOR} {LEAD}", "She poured the wine.") as stage:
        await stage.post("Hello?")
        assert all("fifteen" not in text for call in stage.courier.calls if call.post for text in [call.post.text])
        assert all("fifteen" not in draft.text for _, draft in stage.courier.drafts)
        assert stage.shown[0] == MIRA.greeting
        assert len(stage.shown) == 2
        assert "under 18" in stage.shown[1]
        story = await stage.session()
        assert [turn.text for turn in story.turns] == [MIRA.greeting, "Hello?"]
        await stage.act("retry")
        assert (await stage.session()).turns[-1].text == "She poured the wine."


async def test_a_minor_at_the_very_end_of_a_reply_is_found_too() -> None:
    async with adult_stage("She said that she was fifteen") as stage:
        await stage.post("How old are you?")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting, "How old are you?"]


async def test_a_general_story_shows_its_reply_as_it_grows_and_an_adult_one_holds_the_end_back() -> None:
    async with a_stage([LEAD], context=8192) as stage:
        await stage.post("Hello?")
        assert any(draft.text.startswith("The rain") for _, draft in stage.courier.drafts[:4])
    async with adult_stage(LEAD) as stage:
        await stage.post("Hello?")
        assert (await stage.session()).turns[-1].text == LEAD.strip()
        assert stage.courier.drafts[1][1].text == ""


async def test_words_of_the_operators_list_join_no_story() -> None:
    async with a_stage(["They spoke of the Red Hand.", "One."]) as stage:
        stage.service = stage.new_service(blocklist=Blocklist.from_lines(["red hand"]))
        await stage.service.start()
        with pytest.raises(Refused, match="list"):
            await stage.post("The red hand is here.")
        await stage.post("Who is here?")
        assert "list does not allow" in stage.shown[-1]
        assert (await stage.session()).turns[-1].text == "Who is here?"
        await stage.service.close()


async def test_what_came_while_the_engine_was_away_is_judged_when_it_says_that_its_model_is_adult() -> None:
    async with a_stage(["One."], limits=ADULTS) as stage:
        stage.engine.away = True
        posting = asyncio.create_task(stage.post(MINOR, event="bad"))
        while not stage.clock.sleeping:
            await asyncio.sleep(0)
        stage.engine.rating = Rating.ADULT
        stage.engine.away = False
        stage.clock.move(5.0)
        await posting
        assert not stage.engine.requests
        assert (await stage.store.refusals(HERE))[0].event == "bad"
        assert "under 18" in stage.shown[-1]
        assert all("fifteen" not in turn.text for turn in (await stage.session()).turns)


async def edit(stage: Stage, post: str, text: str, event: str = "an edit") -> None:
    await stage.service.receiver.receive(Edited(EventId(event), HERE, TOBIAS.author, EventId(post), text))
    await stage.service.receiver.settled(HERE)


async def test_an_edit_is_read_after_the_post_before_it_and_not_after_the_newest() -> None:
    async with adult_stage("How old are you?", "How old is the inn?") as stage:
        await stage.post("Hello?")
        await stage.post("Older than you.", event="answer")
        await edit(stage, "answer", "Fifteen.")
        assert (await stage.session()).turns[3].text == "Older than you."
        assert "under 18" in stage.shown[-1]
        assert (await stage.store.refusals(HERE))[0].event == "an edit"


async def test_a_number_that_answers_nothing_where_it_stands_may_be_edited_in() -> None:
    async with adult_stage("We close.", "How old is the inn? How old are you?") as stage:
        await stage.post("When do you close?", event="first")
        await stage.post("And then?")
        await edit(stage, "first", "Fifteen.")
        assert (await stage.session()).turns[1].text == "Fifteen."


async def test_an_edit_that_makes_the_next_post_a_minors_answer_is_refused() -> None:
    async with adult_stage("Fifteen.") as stage:
        await stage.post("How many rooms are there?", event="question")
        await edit(stage, "question", "How old are you?")
        await stage.act("edit", turn=1, text="How old are you?")
        assert (await stage.session()).turns[1].text == "How many rooms are there?"
        assert "post number 2" in stage.shown[-1]
        assert await stage.store.waiting() == ()


async def test_an_edit_of_what_left_the_window_is_read_beside_its_neighbours_too() -> None:
    async with a_stage(
        ["How old are you?", *["The rain went on. " * 10] * 11], limits=ADULTS, begin=False, context=600
    ) as stage:
        await stage.service.begin(a_session(rating=Rating.ADULT))
        for number in range(6):
            await stage.post("The rain went on. " * 9, event=f"post {number}")
        assert (await stage.session()).window_start > 4
        await edit(stage, "post 1", "Fifteen.")
        story = await stage.store.turns((await stage.session()).id)
        assert story[3].text.startswith("The rain")
        assert "under 18" in stage.shown[-1]


async def test_a_deletion_that_brings_a_minors_answer_to_its_question_stands_and_closes_the_story_until_that_goes_too() -> None:
    async with adult_stage("How old are you?", "Fifteen.", "Good evening.") as stage:
        await stage.post("Hello?")
        await stage.post("How many rooms are there?", event="between")
        await stage.service.receiver.receive(Deleted(EventId("gone"), HERE, EventId("between")))
        await stage.service.receiver.settled(HERE)
        assert [turn.number for turn in (await stage.session()).turns] == [0, 1, 2, 4]
        assert "post number 4" in stage.shown[-1]
        written = len(stage.engine.requests)
        await stage.post("Good evening.")
        await stage.act("retry")
        assert len(stage.engine.requests) == written
        assert "post number 4" in stage.shown[-1]
        await stage.act("delete", turn=4)
        await stage.post("Good evening.")
        assert (await stage.session()).turns[-1].text == "Good evening."


async def test_a_deletion_at_the_beginning_of_the_window_is_read_beside_what_stands_before_it() -> None:
    async with adult_stage("How old are you?", "Fifteen.") as stage:
        await stage.post("Hello?")
        await stage.post("How many rooms are there?", event="between")
        session = await stage.session()
        await stage.store.save(Change(session, with_window(session, 3)))
        await stage.act("delete", turn=3)
        assert "post number 4" in stage.shown[-1]


async def test_a_swipe_shows_no_version_that_may_not_stand_where_it_would() -> None:
    async with a_stage(["Fifteen.", "Two."], limits=ADULTS) as stage:
        await stage.post("How old are you?")
        await stage.act("retry")
        stage.engine.rating = Rating.ADULT
        await stage.act("swipe", side="left")
        assert (await stage.session()).turns[-1].text == "Two."


async def test_a_player_who_is_a_minor_by_default_does_not_join_an_adult_story() -> None:
    async with adult_stage("One.") as stage:
        await stage.store.keep_default_persona(Persona(ANN, "Ann", "A girl of twelve."))
        await stage.post("Hello?", author=ANN, author_name="Ann", event="joins")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting]
        assert "under 18" in stage.shown[-1]
        assert "twelve" not in stage.shown[-1]
        assert not stage.engine.requests
        assert [each.event for each in await stage.store.refusals(HERE)] == ["joins"]
        await stage.service.receiver.receive(
            Command(EventId("who"), HERE, ANN, "persona set", {"name": "Ann", "description": "A woman of forty."})
        )
        await stage.post("Hello?", author=ANN, author_name="Ann")
        assert (await stage.session()).turns[-1].text == "One."


async def test_what_came_before_there_was_a_story_is_judged_when_it_meets_an_adult_one() -> None:
    async with adult_stage("One.") as stage:
        await stage.store.receive(a_post(MINOR, "early"))
        service = stage.new_service()
        await service.start()
        await service.receiver.settled(HERE)
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting]
        assert [each.event for each in await stage.store.refusals(HERE)] == ["early"]
        assert await stage.store.waiting() == ()
        await service.close()


async def test_lines_and_veils_may_name_what_an_adult_story_keeps_out_but_not_what_the_operator_does() -> None:
    async with adult_stage("One.") as stage:
        service = stage.service = stage.new_service(blocklist=Blocklist.from_lines(["red hand"]))
        await service.start()
        await stage.act("lines add", text="harm to children")
        await stage.act("veils add", text="school")
        table = (await stage.session()).table
        assert (table.lines, table.veils) == (("harm to children",), ("school",))
        await stage.post("Hello?")
        assert stage.shown[-1] == "One."
        with pytest.raises(Refused, match="list"):
            await stage.act("lines add", text="the red hand")
        await service.close()


async def test_a_name_that_a_command_would_bring_into_the_story_is_judged() -> None:
    async with adult_stage("One.") as stage:
        command = Command(EventId("set"), HERE, ANN, "persona set", {"description": "She sings."}, author_name="Ann, 15")
        with pytest.raises(Refused, match="under 18"):
            await stage.service.receiver.receive(command)
        own = Command(EventId("own"), HERE, TOBIAS.author, "ooc", {"text": "Good evening."}, author_name="Tobias, 15")
        await stage.service.receiver.receive(own)
        await stage.service.receiver.settled(HERE)
        assert (await stage.session()).turns[-1].name == "Tobias"


@pytest.mark.parametrize(
    ("name", "values"),
    [("ooc", {"text": MINOR}), ("roll", {"dice": "d20", "reason": "the girl of fifteen"})],
)
async def test_neither_talk_nor_dice_bring_a_minor_into_an_adult_story(name: str, values: dict[str, str | int]) -> None:
    async with adult_stage("One.") as stage:
        before = await stage.session()
        with pytest.raises(Refused, match="under 18"):
            await stage.act(name, **values)
        assert await stage.session() == before


async def test_dice_do_not_say_how_young_somebody_is() -> None:
    async with adult_stage("One.") as stage:
        await stage.act("roll", dice="1d1+14", reason="her age")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting]
        await stage.act("roll", dice="1d1+14", reason="courage")
        assert (await stage.session()).turns[-1].rolls[0].total == 15


async def test_a_report_about_a_minor_reaches_the_operator() -> None:
    async with adult_stage("One.") as stage:
        await stage.service.desk.answer(a_command("report", reason=MINOR))
        (kept,) = await stage.store.reports()
        assert kept.report.reason == MINOR


async def test_a_post_that_is_in_the_story_and_comes_again_is_not_called_refused() -> None:
    async with a_stage(["One."], limits=ADULTS) as stage:
        await stage.post(MINOR, event="once")
        stage.engine.rating = Rating.ADULT
        shown = stage.shown
        await stage.post(MINOR, event="once")
        assert stage.shown == shown
        assert await stage.store.refusals(HERE) == ()


async def test_a_post_that_was_refused_and_comes_again_is_refused_again() -> None:
    async with adult_stage("One.") as stage:
        for _ in range(2):
            with pytest.raises(Refused, match="under 18"):
                await stage.post(MINOR, event="bad")
        assert len(await stage.store.refusals(HERE)) == 1


async def test_a_name_under_which_somebody_only_talks_beside_the_story_is_judged_too() -> None:
    async with adult_stage("One.") as stage:
        await stage.store.keep_default_persona(Persona(ANN, "Ann, 15"))
        await stage.post("((Good evening.))", author=ANN, author_name="Ann")
        assert [turn.name for turn in (await stage.session()).turns] == ["Mira"]
        assert "under 18" in stage.shown[-1]
