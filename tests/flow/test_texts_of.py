"""What a session says is all judged, as the model is told it: macros filled in, lore with its names, posts in their order."""

import json
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook, LoreEntry
from bot.story.policy import Rating
from bot.story.table import Memory
from tests.builders import HERE, MIRA, a_command, a_session
from tests.flow.stage import ADULTS, a_stage, adult_stage

ENTRY = LoreEntry("The inn has a cellar.", ("cellar",))
DISGUISED = [
    "She is fif{{// not said}}teen.",
    "She is fif{{comment: not said}}teen.",
    "She is {{random:fifteen,fifteen}}.",
    "She is {{random:thirty,forty,fifteen,fifty}}.",
    "She is {{pick::thirty::fifteen}}.",
    "She is {{reverse:neetfif}}.",
    "She is {{roll:1d1+14}} years old.",
]


@pytest.mark.parametrize("text", DISGUISED)
@pytest.mark.parametrize("place", ["description", "greeting", "system_prompt", "post_history"])
async def test_what_macros_make_of_a_card_is_judged(place: str, text: str) -> None:
    card = replace(MIRA, **{place: text})  # type: ignore[arg-type]  # texts, all of them
    async with a_stage(limits=ADULTS, begin=False) as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.service.begin(a_session(rating=Rating.ADULT, character=card))
        assert await stage.store.session_at(HERE) is None


async def test_a_description_is_judged_together_with_the_personality_that_follows_it() -> None:
    async with a_stage(limits=ADULTS, begin=False) as stage:
        card = replace(MIRA, description="How old is she?", personality="Fifteen.")
        with pytest.raises(Refused, match="under 18"):
            await stage.service.begin(a_session(rating=Rating.ADULT, character=card))


@pytest.mark.parametrize(
    "book",
    [
        Lorebook((replace(ENTRY, content="She is {{random:thirty,fifteen}}."),)),
        Lorebook((replace(ENTRY, content="@@depth 2\nShe is {{reverse:neetfif}}."),)),
        Lorebook((replace(ENTRY, secondary_keys=("girl of fifteen",)),)),
        Lorebook((replace(ENTRY, name="A girl of fifteen"),)),
        Lorebook((ENTRY,), name="A girl of fifteen"),
    ],
)
async def test_all_of_a_lorebook_is_judged_in_a_card_and_beside_it(book: Lorebook) -> None:
    async with a_stage(limits=ADULTS, begin=False) as stage:
        for session in (a_session(character=replace(MIRA, book=book)), a_session(memory=Memory(lore=(book,)))):
            with pytest.raises(Refused, match="under 18"):
                await stage.service.begin(replace(session, rating=Rating.ADULT))
        assert await stage.store.session_at(HERE) is None


async def test_a_player_whose_name_makes_a_minor_of_a_card_does_not_join() -> None:
    card = replace(MIRA, description="She looks as old as fift{{user}}.")
    async with a_stage(limits=ADULTS, begin=False) as stage:
        await stage.service.begin(a_session(rating=Rating.ADULT, character=card, personas=()))
        await stage.post("Hello?", author_name="Een", event="joins")
        assert [turn.text for turn in (await stage.session()).turns] == [MIRA.greeting]
        assert "under 18" in stage.shown[-1]
        assert (await stage.store.refusals(HERE))[0].event == "joins"


@pytest.mark.parametrize("text", DISGUISED[:6])
async def test_a_card_in_disguise_is_not_taken_into_the_library(text: str) -> None:
    card = json.dumps({"spec": "chara_card_v2", "data": {"name": "Ann", "description": text}}).encode()
    async with a_stage() as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.service.desk.answer(replace(a_command("character import"), is_moderator=True), card)
        assert await stage.store.library() == ()


async def test_a_card_that_is_rated_general_may_tell_of_children() -> None:
    data = {"name": "Ann", "description": "A girl of twelve.", "extensions": {"understudy": {"rating": "general"}}}
    card = json.dumps({"spec": "chara_card_v2", "data": data}).encode()
    async with a_stage() as stage:
        await stage.service.desk.answer(a_command("character import"), card)
        assert [title.name for title in await stage.store.library()] == ["Ann"]


async def test_lore_in_disguise_is_not_imported_into_an_adult_story() -> None:
    book = json.dumps({"entries": [{"keys": ["inn"], "content": "She is {{reverse:neetfif}}."}]}).encode()
    async with adult_stage() as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.service.desk.answer(replace(a_command("lore import"), is_moderator=True), book)
        assert (await stage.session()).memory.lore == ()


async def test_an_innocent_card_with_macros_is_played() -> None:
    card = CharacterCard(
        "Mira", "{{char}} likes {{random:rain,{{user}},snow}}. <USER> knows.", "Hello, {{user}}.", Rating.GENERAL
    )
    async with a_stage(["One."], limits=ADULTS, begin=False) as stage:
        await stage.service.begin(a_session(rating=Rating.ADULT, character=card))
        await stage.post("Hello?")
        assert stage.shown == ("Hello, Tobias.", "One.")
