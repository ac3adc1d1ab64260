"""Who may play what where: adult play in places for adults only, minors nowhere near it, and no refused word kept."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.posts import ChannelLimits
from bot.safety.blocklist import Blocklist
from bot.story.persona import Persona
from bot.story.policy import Rating
from tests.builders import HERE, MIRA, TOBIAS, a_session
from tests.flow.stage import Stage, a_stage

ADULTS = ChannelLimits(300, streams=True, adults_only=True)
MINOR = "A girl of fifteen came in and asked for bread."
LEAD = "The rain had not stopped for a week, and the road to the coast was mud from end to end. " * 6


@asynccontextmanager
async def adult_stage(*replies: str) -> AsyncGenerator[Stage, None]:
    async with a_stage(replies, limits=ADULTS, begin=False, context=8192) as stage:
        await stage.service.begin(a_session(rating=Rating.ADULT))
        await stage.service.receiver.settled(HERE)
        yield stage


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
