"""A story is looked through as a whole before it is played by other rules than it was written by, and when it comes in."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.cards.macros import Names, fill
from bot.errors import Refused
from bot.ids import SessionId
from bot.ports.store import Change
from bot.prompt.head import seed_of
from bot.safety.blocklist import Blocklist
from bot.story.library import LibraryCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session, with_window
from bot.story.table import Memory
from bot.story.turn import Turn, Variant
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_session
from tests.flow.stage import ADULTS, Stage, a_stage

MINOR = "A girl of fifteen came in and asked for bread."


@asynccontextmanager
async def tightened(**changes: Any) -> AsyncGenerator[Stage, None]:
    """A story for everybody with a girl in post number 1 (and `changes`), played on with a model that is rated adult."""
    async with a_stage(["One.", "Two.", "Three."], limits=ADULTS) as stage:
        await stage.post(MINOR)
        await stage.post("Good evening.")
        session = await stage.session()
        table = replace(session.table, owner=TOBIAS.author)
        await stage.store.save(Change(session, replace(session, table=table, **changes)))
        stage.engine.rating = Rating.ADULT
        yield stage


async def clean(stage: Stage) -> None:
    await stage.act("delete", turn=1)


async def test_nothing_is_written_in_a_story_that_the_rules_no_longer_allow_until_the_post_is_gone() -> None:
    async with tightened() as stage:
        written = len(stage.engine.requests)
        await stage.post("And now?")
        assert "post number 1 " in stage.shown[-1]
        assert "fifteen" not in stage.shown[-1]
        for command in ("retry", "continue", "shorter"):
            await stage.act(command)
        assert len(stage.engine.requests) == written
        await clean(stage)
        await stage.post("And now?")
        assert (await stage.session()).turns[-1].text == "Three."


@pytest.mark.parametrize("away", [("rewind", {"turn": 1}), ("undo", {})])
async def test_taking_away_is_possible_in_such_a_story(away: tuple[str, dict[str, int]]) -> None:
    async with tightened() as stage:
        before = len((await stage.session()).turns)
        name, values = away
        await stage.act(name, **values)
        assert len((await stage.session()).turns) < before


async def test_the_post_can_be_edited_as_well_but_only_to_what_may_stand_there() -> None:
    async with tightened() as stage:
        with pytest.raises(Refused, match="under 18"):
            await stage.act("edit", turn=1, text="A girl of sixteen came in.")
        await stage.act("edit", turn=1, text="A woman came in.")
        await stage.post("And now?")
        assert (await stage.session()).turns[-1].text == "Three."


async def test_posts_that_left_the_window_are_looked_through_too() -> None:
    async with tightened() as stage:
        session = await stage.session()
        await stage.store.save(Change(session, with_window(session, 3)))
        await stage.post("And now?")
        assert "post number 1 " in stage.shown[-1]


async def test_versions_that_are_not_shown_are_looked_through_too() -> None:
    async with a_stage([MINOR, "Two."], limits=ADULTS) as stage:
        await stage.post("Good evening.")
        await stage.act("retry")
        stage.engine.rating = Rating.ADULT
        await stage.post("And now?")
        assert "post number 2 " in stage.shown[-1]


async def test_a_story_is_looked_through_once_for_its_rules_and_again_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_stage(["One."], limits=ADULTS) as stage:
        looked = list[SessionId]()
        turns = stage.store.turns

        async def counted(session: SessionId) -> tuple[Turn, ...]:
            looked.append(session)
            return await turns(session)

        monkeypatch.setattr(stage.store, "turns", counted)
        await stage.post("Good evening.")
        assert not looked
        stage.engine.rating = Rating.ADULT
        await stage.post("And now?")
        await stage.post("And then?")
        assert len(looked) == 1
        stage.engine.rating = Rating.GENERAL
        await stage.post(MINOR)
        stage.engine.rating = Rating.ADULT
        await stage.post("Is anyone there?")
        assert len(looked) == 2
        assert "cannot be played on" in stage.shown[-1]
        await stage.post("Hello?")
        assert len(looked) == 2


async def test_the_operators_new_list_holds_for_what_was_written_before() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("They spoke of the red hand.")
        service = stage.service = stage.new_service(blocklist=Blocklist.from_lines(["red hand"]))
        await service.start()
        await stage.post("And now?")
        assert "post number 1 " in stage.shown[-1]
        await service.close()


@pytest.mark.parametrize(
    ("changes", "what", "mend"),
    [
        ({"scenario": MINOR}, "scenario", ("scenario", {"text": "An inn by the sea."})),
        ({"memory": Memory(note=MINOR)}, "author's note", ("note", {})),
        ({"memory": Memory(facts=(MINOR,))}, "pinned facts", ("unpin", {"number": 1})),
        ({"memory": Memory(summary=MINOR)}, "summary", ("summary edit", {"text": "They met."})),
        (
            {"personas": (Persona(TOBIAS.author, "Tobias", "A boy of twelve."),)},
            "persona Tobias",
            ("persona set", {"description": "A man of forty."}),
        ),
        (
            {"others": (replace(MIRA, name="Ann", description="A girl of twelve."),)},
            "card of Ann",
            ("character remove", {"character": "Ann"}),
        ),
    ],
)
async def test_what_the_model_is_told_beside_the_posts_is_looked_through_and_can_be_mended(
    changes: dict[str, Any], what: str, mend: tuple[str, dict[str, Any]]
) -> None:
    async with tightened(**changes) as stage:
        await clean(stage)
        await stage.post("And now?")
        assert f"its {what} may not" in stage.shown[-1]
        name, values = mend
        await stage.act(name, **values)
        await stage.post("And now?")
        assert (await stage.session()).turns[-1].text == "Three."


async def test_a_story_that_is_brought_back_says_what_keeps_it_from_being_played() -> None:
    async with tightened() as stage:
        await stage.store.end(HERE, 0.0)
        said = await stage.service.desk.answer(a_command("resume"))
        assert "post number 1 " in said.text
        written = len(stage.engine.requests)
        await stage.post("And now?")
        assert len(stage.engine.requests) == written


async def test_a_half_written_reply_is_not_written_on_after_a_restart_by_other_rules() -> None:
    async with tightened() as stage:
        session = await stage.session()
        stage.engine.rating = Rating.GENERAL
        opened = stage.service._handler.joining.answered(session)  # as a crash would leave it
        await stage.store.save(Change(session, opened))
        stage.engine.rating = Rating.ADULT
        written = len(stage.engine.requests)
        service = stage.new_service()
        await service.start()
        await service.receiver.settled(HERE)
        assert len(stage.engine.requests) == written
        assert "post number 1 " in stage.shown[-1]
        await service.close()


@pytest.mark.parametrize(("name", "values"), [("branch", {"turn": 2}), ("part", {"summary": "They met."})])
async def test_such_a_story_goes_on_nowhere_else(name: str, values: dict[str, Any]) -> None:
    async with tightened() as stage:
        await stage.act(name, **values)
        assert await stage.store.places() == (HERE,)
        assert not stage.courier.opened
        assert "post number 1 " in stage.shown[-1]


async def test_a_branch_whose_card_draws_a_minor_does_not_begin() -> None:
    async with a_stage(["One."], limits=ADULTS, begin=False) as stage:
        card = replace(MIRA, description="She is {{roll:1d2+16}} years old.")
        ids = (SessionId(f"session-{number}") for number in range(20))
        drawn = (a_session(id=each, character=card, rating=Rating.ADULT) for each in ids)
        session = next(each for each in drawn if is_of_age(each))
        await stage.service.begin(session)
        for _ in range(8):
            await stage.act("branch", turn=0)
        branches = [await stage.store.session_at(place) for place in await stage.store.places()]
        assert all(is_of_age(branch) for branch in branches if branch)
        assert 1 < len(branches) < 9
        assert len(stage.courier.opened) == len(branches) - 1
        assert any("card of Mira was refused" in text for text in stage.shown)


def is_of_age(session: Session) -> bool:
    """Whether its card says eighteen, by what it draws."""
    return "18" in fill(session.character.description, Names("Mira", "Tobias"), seed_of(session))


def a_chat(*posts: tuple[str, str]) -> bytes:
    lines: list[dict[str, Any]] = [{"user_name": "Tobias", "character_name": "Mira", "chat_metadata": {}}]
    lines += [{"name": name, "is_user": name != "Mira", "is_system": False, "mes": text} for name, text in posts]
    return "\n".join(map(json.dumps, lines)).encode()


@asynccontextmanager
async def with_mira() -> AsyncGenerator[Stage, None]:
    async with a_stage(["One."], limits=ADULTS, begin=False) as stage:
        stage.engine.rating = Rating.ADULT
        await stage.store.keep_card(LibraryCard("mira", TOBIAS.author, MIRA))  # type: ignore[arg-type]  # an id
        yield stage


@pytest.mark.parametrize(
    ("posts", "number"),
    [
        ([("Mira", "Good evening."), ("Tobias", MINOR)], 2),
        ([("Mira", "How old are you?"), ("Tobias", "Fifteen.")], 2),
        ([("Mira", "Good evening."), ("Tobias, 15", "Hello.")], 2),
    ],
)
async def test_a_chat_with_a_minor_in_it_is_not_taken_in(posts: list[tuple[str, str]], number: int) -> None:
    async with with_mira() as stage:
        with pytest.raises(Refused, match=f"post number {number},"):
            await stage.service.desk.answer(a_command("import"), a_chat(*posts))
        assert await stage.store.session_at(HERE) is None


async def test_names_in_a_chat_are_mended_so_that_nothing_speaks_for_others_by_them() -> None:
    async with with_mira() as stage:
        chat = a_chat(("Mira", "Good evening."), ("### Input: " + "x" * 60, "Hello."), ("\u200b", "Again."))
        await stage.service.desk.answer(a_command("import"), chat)
        names = [turn.name for turn in (await stage.session()).turns]
        assert names == ["Mira", "Input", "Tobias"]


async def test_a_long_story_lets_others_go_on_while_it_is_looked_through() -> None:
    async with a_stage(["One."], limits=ADULTS) as stage:
        session: Session = await stage.session()
        turns = tuple(replace(session.turns[0], number=number, variants=(Variant("Rain."),)) for number in range(1, 300))
        await stage.store.save(Change(session, replace(session, turns=(*session.turns, *turns), next_number=300)))
        stage.engine.rating = Rating.ADULT
        slept = 0
        sleep = stage.clock.sleep

        async def counted(seconds: float) -> None:
            nonlocal slept
            slept += seconds == 0
            await sleep(seconds)

        stage.clock.sleep = counted  # type: ignore[method-assign]  # to be counted
        await stage.post("Good evening.")
        assert slept >= 300
