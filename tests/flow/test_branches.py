"""Stories that go on in another place: branches, and the next part."""

from dataclasses import replace

from bot.ids import EventId
from bot.posts import Command
from tests.builders import HERE, MIRA, TOBIAS, a_post
from tests.flow.stage import a_stage, owned


async def test_a_branch_tells_the_same_story_in_a_place_of_its_own_and_both_go_on_apart() -> None:
    async with a_stage(["One.", "Two.", "Three."]) as stage:
        await stage.post("First.")
        await stage.post("Second.")
        await stage.act("branch", turn=2)
        here = await stage.session()
        (link,) = here.goes_on_in
        there = await stage.store.session_at(link.place)
        assert there is not None
        assert [turn.text for turn in there.turns] == [MIRA.greeting, "First.", "One."]
        assert there.came_from is not None
        assert there.came_from.place == HERE
        assert stage.courier.texts(link.place)[0] == "One."
        await stage.service.receiver.receive(replace(a_post("Otherwise.", "branch-post"), place=link.place))
        await stage.service.receiver.settled(link.place)
        grown = await stage.store.session_at(link.place)
        assert grown is not None
        assert grown.next_number == 5
        assert (await stage.session()).next_number == here.next_number


async def test_a_branch_of_talk_alone_is_not_greeted_anew() -> None:
    async with a_stage() as stage:
        await owned(stage)
        await stage.act("rewind", turn=0)
        await stage.post("((Shall we begin again?))")
        await stage.act("branch", turn=1)
        (link,) = (await stage.session()).goes_on_in
        there = await stage.store.session_at(link.place)
        assert there is not None
        assert [turn.text for turn in there.turns] == ["((Shall we begin again?))"]


async def test_the_next_part_begins_with_a_summary_and_locks_the_one_before() -> None:
    async with a_stage(["One.", "They met at the inn."]) as stage:
        await owned(stage)
        await stage.post("First.")
        await stage.act("part", summary="They met at the inn.")
        here = await stage.session()
        assert here.locked
        (link,) = here.goes_on_in
        there = await stage.store.session_at(link.place)
        assert there is not None
        assert there.memory.summary == "They met at the inn."
        assert [turn.text for turn in there.turns] == ["One."]
        await stage.post("Too late.")
        assert "goes on in another place" in stage.shown[-1]


async def test_a_command_asked_for_twice_makes_one_branch() -> None:
    async with a_stage(["One."]) as stage:
        await stage.post("First.")
        command = Command(EventId("branch once"), HERE, TOBIAS.author, "branch", {"turn": 2})
        for _ in range(2):
            await stage.service.receiver.receive(command)
            await stage.service.receiver.settled(HERE)
        assert len((await stage.session()).goes_on_in) == 1
        assert len(await stage.store.places()) == 2


async def test_a_branch_that_makes_no_sense_opens_no_place() -> None:
    async with a_stage() as stage:
        await stage.act("branch", turn=40)
        assert not stage.courier.opened
        assert "no such post" in stage.shown[-1]
