"""Stop texts over the wire: however many there are, each ends a reply, whoever looks for it."""

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.engines import served_to_parent
from adapters.remote import EngineServerSettings, RemoteEngine, RemoteSettings
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, GenerationRequest, Segment, TextDelta
from bot.prompt.format import LIMARP
from bot.prompt.guard import stop_texts
from bot.sampling import SamplingSettings
from bot.story.persona import Persona
from bot.story.session import Session
from tests.adapters.remote.stage import Stage, a_stage
from tests.builders import a_session

LAST = "\nPlayer 20:"


def with_players(count: int) -> Session:
    people = tuple(Persona(f"player-{number}", f"Player {number}") for number in range(1, count + 1))  # type: ignore[arg-type] # any id
    return replace(a_session(), personas=people)


async def written(stage: Stage, stops: tuple[str, ...]) -> tuple[list[TextDelta], Finished]:
    engine = RemoteEngine(RemoteSettings(stage.address), SystemClock())
    request = GenerationRequest(SessionId("one"), (Segment("A door."),), 50, SamplingSettings(), seed=5, stop=stops)
    async with aclosing(engine.generate(request)) as stream:
        items = [item async for item in stream]
    await engine.close()
    assert isinstance(items[-1], Finished)
    return [item for item in items if isinstance(item, TextDelta)], items[-1]


REPLY = ("Come", " in", ".", "\nPlayer", " 20:", " I", " do")


async def test_the_stops_of_twenty_players_reach_the_engine() -> None:
    stops = stop_texts(with_players(20), LIMARP)
    assert len(stops) > 120
    async with a_stage(REPLY) as stage:
        deltas, finished = await written(stage, stops)
        assert stage.engine.requests[0].stop == stops
    assert ("".join(delta.text for delta in deltas), finished.reason, finished.stop) == ("Come in.", FinishReason.STOP, LAST)


@pytest.mark.parametrize("limits", [{"stops": 5}, {"stop_length": 5}])
async def test_stops_beyond_what_a_host_takes_are_looked_for_on_this_side(limits: dict[str, int]) -> None:
    stops = stop_texts(with_players(20), LIMARP)
    async with a_stage(REPLY, settings=EngineServerSettings(port=0, **limits)) as stage:  # type: ignore[arg-type] # numbers
        deltas, finished = await written(stage, stops)
        assert LAST not in stage.engine.requests[0].stop
    assert ("".join(delta.text for delta in deltas), finished.reason, finished.stop) == ("Come in.", FinishReason.STOP, LAST)
    assert [delta.token_ids for delta in deltas if delta.text] == [(delta,) for delta in range(1000, 1003)]


async def test_ids_of_what_is_held_back_for_a_while_come_with_the_text_that_they_spell() -> None:
    reply = ("Come", "\nPlay", "fully", ".")
    async with a_stage(reply, settings=EngineServerSettings(port=0, stops=1)) as stage:
        deltas, finished = await written(stage, ("\n\n", LAST))
        spelled = [(delta.text, stage.engine.spell(delta.token_ids)) for delta in deltas]
    assert spelled == [("Come", "Come"), ("\nPlayfully", "\nPlayfully"), (".", ".")]
    assert finished.reason is FinishReason.END


async def test_what_is_held_back_at_the_end_brings_its_ids() -> None:
    async with a_stage(("Come", "\nPlayer"), settings=EngineServerSettings(port=0, stops=1)) as stage:
        deltas, _ = await written(stage, ("\n\n", LAST))
        assert [(delta.text, stage.engine.spell(delta.token_ids)) for delta in deltas] == [
            ("Come", "Come"),
            ("\nPlayer", "\nPlayer"),
        ]


async def test_the_child_of_a_bot_takes_more_stops_than_any_story_has(tmp_path: Path) -> None:
    stops = stop_texts(with_players(500), LIMARP)
    async with a_stage(REPLY, settings=served_to_parent(tmp_path / "engine")) as stage:
        _, finished = await written(stage, stops)
        assert stage.engine.requests[0].stop == stops
    assert finished.stop == LAST
