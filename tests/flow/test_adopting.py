"""Posts that stand in a place become its story; a story whose place is gone rests, and goes on elsewhere."""

from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.flow.desk.adopting import LONGEST, adopted
from bot.ids import AuthorId, EventId
from bot.ports.store import Change
from bot.posts import OldPost
from bot.story.turn import Role
from tests.builders import HERE, TOBIAS, a_command, a_post, a_session
from tests.contracts.stories import ELSEWHERE
from tests.flow.stage import ADULTS, LIMITS, a_stage, adult_stage
from tests.flow.test_desk import HESTER, a_desk, ask

ANN = AuthorId("author-2")


def old(number: int, author: AuthorId | None, text: str, name: str = "Ann") -> OldPost:
    return OldPost(EventId(f"m-{number}"), author, name, text)


def test_what_somebody_posted_in_a_row_is_one_turn_that_follows_each_of_its_messages() -> None:
    posts = [
        old(1, ANN, "The door opened."),
        old(2, ANN, "Nobody came in."),
        old(3, None, "Mira looked up."),
        old(4, None, "Hm."),
    ]
    session = adopted(a_session(personas=()), posts)
    assert [(turn.number, turn.role, turn.text) for turn in session.turns] == [
        (0, Role.PLAYER, "The door opened.\n\nNobody came in."),
        (1, Role.CHARACTER, "Mira looked up.\n\nHm."),
    ]
    assert session.turns[0].sources == (EventId("m-1"), EventId("m-2"))
    assert session.next_number == 2
    assert [persona.name for persona in session.personas] == ["Ann"]


def test_talk_beside_the_story_becomes_an_aside_and_a_name_that_is_taken_is_told_apart() -> None:
    session = adopted(
        a_session(), [old(1, ANN, "// brb\n\nThe door opened.", name="Mira"), old(2, TOBIAS.author, "Hello?", "x")]
    )
    assert [(turn.role, turn.name, turn.text) for turn in session.turns] == [
        (Role.ASIDE, "Mira 2", "// brb"),
        (Role.PLAYER, "Mira 2", "The door opened."),
        (Role.PLAYER, "Tobias", "Hello?"),
    ]


@pytest.mark.parametrize("texts", [[], ["", "\u200b"]])
def test_without_a_word_there_is_nothing_to_adopt(texts: list[str]) -> None:
    with pytest.raises(Refused, match="no posts here"):
        adopted(a_session(), [old(number, ANN, text) for number, text in enumerate(texts)])


def test_a_flood_of_one_person_is_bounded() -> None:
    session = adopted(a_session(), [old(number, ANN, "word " * 400) for number in range(100)])
    assert len(session.turns[0].text) <= LONGEST


async def test_a_thread_becomes_a_story_that_is_played_on_and_follows_its_old_posts() -> None:
    async with a_desk() as stage:
        await ask(stage, "character import", HESTER)
        with pytest.raises(Refused, match="no posts"):
            await ask(stage, "adopt", character="Hester Vaunce")
        command = a_command("adopt", "adopting", character="Hester Vaunce")
        answer = await stage.service.desk.adopt(command, [old(1, None, "Rain."), old(2, TOBIAS.author, "Is the lamp lit?")])
        assert "2 posts are the story now" in answer.text
        assert not list(stage.shown)
        await stage.act("continue")
        assert stage.shown == ("One.",)
        with pytest.raises(Refused, match="already has a story"):
            await stage.service.desk.adopt(command, [old(1, None, "Rain.")])


async def test_a_story_whose_place_is_gone_goes_on_where_its_owner_likes() -> None:
    async with a_desk(begin=True) as stage:
        await stage.post("Is the lamp lit?")
        before = await stage.session()
        await stage.service.receiver.place_gone(HERE)
        await stage.service.receiver.place_gone(HERE)
        assert await stage.store.session_at(HERE) is None
        resume = a_command("resume", "resuming", story="hester vaunce")
        elsewhere = type(resume)(resume.event, ELSEWHERE, resume.author, resume.name, resume.values)
        stranger = type(resume)(resume.event, ELSEWHERE, ANN, resume.name, resume.values)
        with pytest.raises(Refused, match="start begins a new one"):
            await stage.service.desk.answer(stranger)
        with pytest.raises(Refused, match="of yours there is Hester Vaunce: name one"):
            await stage.service.desk.answer(type(resume)(resume.event, ELSEWHERE, resume.author, resume.name, {}))
        await stage.service.desk.answer(elsewhere)
        resumed = await stage.store.session_at(ELSEWHERE)
        assert resumed is not None
        assert resumed.turns == before.turns


async def test_a_post_of_several_messages_follows_when_any_of_them_changes() -> None:
    async with a_stage(["One.", "Two."]) as stage:
        await stage.service.receiver.receive(a_post("The door.\n\nIt opened.", "m-1", parts=(EventId("m-1"), EventId("m-2"))))
        await stage.service.receiver.settled(HERE)
        assert await stage.store.turn_of(HERE, EventId("m-2")) == 1


async def test_a_story_for_adults_stays_in_the_bin_where_everybody_comes_in() -> None:
    async with adult_stage("One.") as stage:
        session = await stage.session()
        owned = replace(session, table=replace(session.table, owner=TOBIAS.author))
        await stage.store.save(Change(session, owned))
        await stage.service.receiver.place_gone(HERE)
        stage.courier.channel_limits = LIMITS
        with pytest.raises(Refused, match="marked for adults only"):
            await stage.service.desk.answer(a_command("resume", "resuming"))
        assert await stage.store.session_at(HERE) is None
        assert len(await stage.store.ended(HERE)) == 1
        stage.courier.channel_limits = ADULTS
        assert "goes on" in (await stage.service.desk.answer(a_command("resume", "again"))).text
