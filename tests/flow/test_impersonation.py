"""Where the model begins to speak for a player, the reply is over; where little was written by then, it is asked once more."""

from bot.story.settings import Length
from tests.builders import MIRA
from tests.fakes.engine import ScriptedReply
from tests.flow.stage import a_stage

ENOUGH = "She poured the wine and told him of the road, and of the river that had taken the bridge in the spring. " * 3


async def test_a_short_reply_that_turns_to_a_player_is_asked_for_once_more_and_shorter() -> None:
    async with a_stage(["She nods.\nTobias: I see.", "She pours the wine and says nothing."]) as stage:
        await stage.post("Hello?")
        assert stage.shown == (MIRA.greeting, "She pours the wine and says nothing.")
        reply = (await stage.session()).turns[-1]
        assert [variant.length for variant in reply.variants] == [Length.HUMONGOUS]
        assert "(length = humongous)" in "".join(segment.text for segment in stage.engine.requests[-1].segments)


async def test_it_is_asked_for_no_more_than_once() -> None:
    async with a_stage(["She nods.\nTobias: I see."]) as stage:
        await stage.post("Hello?")
        assert stage.shown == (MIRA.greeting, "She nods.")
        assert len(stage.engine.requests) == 2


async def test_a_reply_that_has_said_enough_by_then_is_kept() -> None:
    async with a_stage([f"{ENOUGH}\nTobias: I see."], context=4096) as stage:
        await stage.post("Hello?")
        assert len(stage.engine.requests) == 1
        assert (await stage.session()).turns[-1].text == ENOUGH.strip()


async def test_what_the_model_wrote_for_players_is_counted_with_the_session() -> None:
    async with a_stage([f"{ENOUGH}\nTobias: I see.", f"{ENOUGH}\n**TOBIAS**: I see.", ENOUGH], context=4096) as stage:
        for _ in range(3):
            await stage.post("Hello?")
        assert (await stage.session()).table.impersonations == 2


async def test_a_header_in_a_reply_is_no_player_who_speaks() -> None:
    async with a_stage([ScriptedReply(("She nods.", "\n", "###", " Input"))]) as stage:
        await stage.post("Hello?")
        assert (await stage.session()).table.impersonations == 0
        assert stage.shown == (MIRA.greeting, "She nods.")
