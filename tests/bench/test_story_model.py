"""What is measured of a model's replies is what it wrote: lengths, endings, and a table that can be used."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.ports.engine import FinishReason
from bot.prompt.format import ALPACA, LIMARP, PromptFormat
from bot.prompt.length import table_of
from bot.sampling import LIMARP as SAMPLING
from bot.story.settings import Length
from tests.bench import story_model
from tests.bench.model_scenes import PAIRS, PARTIES, Scene
from tests.bench.play_scenes import HEADER, MERGED, OWN_TURNS, Play, Theatre, Way
from tests.bench.replies import FEWEST, Ending, Reply, figures, length_table
from tests.fakes.clock import FrozenClock
from tests.fakes.engine import ScriptedEngine, ScriptedReply

SCENE, PARTY = PAIRS[0], PARTIES[0]


def a_reply(tokens: int = 10, length: Length | None = Length.SHORT, ending: Ending = Ending.OWN, **changes: str) -> Reply:
    named = {"scene": SCENE.name, "way": OWN_TURNS.name} | changes
    return Reply(named["scene"], named["way"], length, "words", tokens, ending)


async def played(
    replies: Sequence[str | ScriptedReply],
    scene: Scene = SCENE,
    way: Way = OWN_TURNS,
    length: Length | None = Length.SHORT,
    fmt: PromptFormat = LIMARP,
) -> tuple[list[Reply], ScriptedEngine]:
    """The replies that were noted, one round of the scene for each that was scripted, and the engine."""
    engine = ScriptedEngine(replies, context=4096)
    noted: list[Reply] = []
    theatre = Theatre(engine, fmt, SAMPLING, FrozenClock(), 1e9, rounds=len(replies))
    await theatre.play(Play(scene, length, way, seed=1), noted.append)
    return noted, engine


def prompts(engine: ScriptedEngine) -> list[str]:
    return ["".join(segment.text for segment in request.segments) for request in engine.requests]


@pytest.mark.parametrize(
    ("script", "text", "ending"),
    [
        (' "Come in," she said.', '"Come in," she said.', Ending.OWN),
        (' "Come in," she said.\n\n### Input:\nBram', '"Come in," she said.', Ending.HEADER),
        (' "Come in," she said.\nBram: "Thanks."', '"Come in," she said.', Ending.PLAYER),
        (' "Come in," she said.\n*BRAM* : "Thanks."', '"Come in," she said.', Ending.PLAYER),
        (" ### Input:\nBram", "", Ending.HEADER),
        ("\n", "", Ending.EMPTY),
        (ScriptedReply((" One.", " Two"), reason=FinishReason.LENGTH), "One.", Ending.CUT),
    ],
)
async def test_a_reply_is_noted_as_the_guards_leave_it_with_its_ending(
    script: str | ScriptedReply, text: str, ending: Ending
) -> None:
    [reply], _ = await played([script])
    assert (reply.text, reply.ending, reply.length) == (text, ending, Length.SHORT)
    assert (reply.tokens > 0) == bool(text)


async def test_a_scene_goes_on_with_what_was_written_and_is_forgotten_at_its_end() -> None:
    noted, engine = await played([" One.", "\n", " Three."])
    assert [reply.text for reply in noted] == ["One.", "", "Three."]
    last = prompts(engine)[-1]
    assert "Odile: One." in last
    assert last.endswith("### Response: (length = short)\nOdile:")
    assert engine.forgotten == [engine.requests[0].session]


async def test_each_way_names_the_players_as_it_says() -> None:
    told = [prompts((await played([" Yes."], PARTY, way))[1])[0] for way in (OWN_TURNS, MERGED, HEADER)]
    assert [prompt.count("### Input:\n") for prompt in told] == [3, 1, 3]
    assert all(f"{name}: " in prompt for prompt in told for name in ("Joss", "Pell", "Ada"))
    assert ["Present in this scene: Hesper; and, played by others, Joss, Pell and Ada." in prompt for prompt in told] == [
        False,
        False,
        True,
    ]


async def test_speaking_for_any_of_the_players_is_seen_whatever_the_way() -> None:
    for way in (OWN_TURNS, MERGED, HEADER):
        [reply], _ = await played([' She nodded.\nAda: "It was me."'], PARTY, way)
        assert reply.ending is Ending.PLAYER


async def test_when_time_is_over_nothing_more_is_begun() -> None:
    engine = ScriptedEngine([" Yes."], context=4096)
    noted: list[Reply] = []
    await Theatre(engine, LIMARP, SAMPLING, FrozenClock(), until=0.0).play(Play(SCENE, None, OWN_TURNS, 1), noted.append)
    assert noted == []
    assert engine.requests == []


async def test_a_reply_that_time_cut_off_is_not_counted() -> None:
    noted, _ = await played([ScriptedReply((" Ye",), reason=FinishReason.DEADLINE)])
    assert noted == []


def test_figures_count_tokens_and_endings() -> None:
    replies = [a_reply(tokens) for tokens in range(1, 97)]
    replies += [a_reply(ending=Ending.PLAYER), a_reply(ending=Ending.HEADER), a_reply(500, ending=Ending.CUT)]
    found = figures([*replies, a_reply(0, ending=Ending.EMPTY)])
    assert (found.replies, found.own, found.player, found.cut, found.empty) == (100, 0.96, 0.01, 0.01, 0.01)
    assert found.p10 == 10  # the tenth of 99 that are not empty
    assert found.p10 < found.median < found.p90 < found.p95 < 500


def test_a_table_holds_what_is_known_and_can_be_read_back() -> None:
    enough = [a_reply(tokens) for tokens in range(41, 41 + FEWEST)]
    cut = [a_reply(900, Length.HUGE, Ending.CUT) for _ in range(FEWEST)]
    few = [a_reply(5, Length.MICRO) for _ in range(FEWEST - 1)]
    fingerprint, table = table_of(json.loads(json.dumps(length_table([*enough, *cut, *few], "a model", "abc"))))
    assert fingerprint == "abc"
    assert table.median == {Length.SHORT: 51, Length.HUGE: 900}
    assert table.most == {Length.SHORT: 74}  # 59 tokens, of which 95 of 100 have no more, and a quarter


def test_without_enough_replies_there_is_no_table() -> None:
    with pytest.raises(ValueError, match="give it more time"):
        length_table([a_reply()], "a model", "abc")


def test_every_modifier_and_way_is_played_about_as_often_whenever_time_is_over() -> None:
    plan = story_model.plan_of(LIMARP, 2, is_quick=False)
    halfway = plan.plays[: len(plan.plays) // 2]
    asked = [sum(play.length is length and play.scene in PAIRS for play in halfway) for length in (*Length, None)]
    assert set(asked) == {len(PAIRS)}
    assert [sum(play.way is way and play.scene in PARTIES for play in halfway) for way in (OWN_TURNS, MERGED, HEADER)] == [
        len(PARTIES) * story_model.PARTY_TIMES
    ] * 3
    assert len({play.opening.id for play in plan.plays}) == len(plan.plays)


def test_a_format_without_modifiers_is_measured_without_them() -> None:
    assert {play.length for play in story_model.plan_of(ALPACA, 1, is_quick=True).plays} == {None}


def test_names_and_scenes_are_whole() -> None:
    for scene in (*PAIRS, *PARTIES):
        people = [scene.session.character.name, *(persona.name for persona in scene.session.personas)]
        assert len(set(people)) == len(people)
        assert all(0 <= who < len(scene.session.personas) and text.strip() for posts in scene.rounds for who, text in posts)
    assert all({who for posts in party.rounds for who, _ in posts} == {0, 1, 2} for party in PARTIES)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_model_is_measured_in_a_short_while(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found.json"
    assert story_model.main(["--quick", "--context", "2048", "--threads", "1", "--json", str(found)]) == 0
    told = json.loads(found.read_text(encoding="utf-8"))
    assert set(told["lengths"]) == {*Length, "none"}
    assert set(told["ways"]) == {"own turns", "merged", "scene header"}
    medians = [told["lengths"][length]["median"] for length in (Length.MICRO, Length.MEDIUM, Length.MASSIVE)]
    assert medians == sorted(medians)
    assert told["fingerprint"]
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("humongous", "scene header", "own turns", "merged", "median"))


def test_what_cannot_be_measured_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert story_model.main(["--model", str(tmp_path / "none.gguf")]) == 1
    assert capsys.readouterr().err.strip().startswith("error: There is no model file at")
