"""What every Engine promises: the scripted one, and the loop over a model, real or not, here, over HTTP and in a child."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from adapters.clock import SystemClock
from adapters.config import defaults
from adapters.engines import engine_in_child
from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from adapters.remote import EngineServerSettings, RemoteEngine, RemoteSettings
from adapters.remote.server import serve
from bot.engine.threaded import ThreadedEngine
from bot.errors import EngineUnavailable, PromptTooLong
from bot.ids import SessionId
from bot.ports.engine import Engine, Finished, FinishReason, GenerationRequest, Segment, StreamItem, TextDelta, Waiting
from bot.ports.runner import Runner
from bot.sampling import LIMARP, SamplingSettings
from tests.fakes.engine import ScriptedEngine
from tests.fakes.runner import CountingRunner
from tests.models import DEMO_MODEL

CONTEXT = 512
HEAD = Segment("### Instruction:\nPlay the role of Mira.\n\n### Input:\n", trusted=True)
POST = Segment('Tobias: "Is there a room left?" he asked, and shook the rain from his hat.')
REPLY = Segment("\n\n### Response:\nMira:", trusted=True, opens=True)
NEXT = Segment("\n\n### Input:\n", trusted=True, opens=True)
STORY = (HEAD, POST, REPLY)


@dataclass(frozen=True, slots=True)
class House:
    """An engine, how its ids are spelled, and how to wait until it has read STORY ahead."""

    engine: Engine
    spell: Callable[[Sequence[int]], str]
    warmed: Callable[[], Awaitable[None]]


HTTP = " over HTTP"
IN_CHILD = "llama in a child"


@pytest.fixture(
    params=[
        "scripted",
        "counting",
        "counting in characters",
        "llama",
        "counting" + HTTP,
        "llama" + HTTP,
        pytest.param(IN_CHILD, marks=pytest.mark.slow),
    ]
)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    if request.param == IN_CHILD:
        async with in_child(tmp_path) as built:
            yield built
        return
    if request.param == "scripted":
        scripted = ScriptedEngine(['"There is one — it is small," she said, without looking up.'], context=CONTEXT)
        yield House(scripted, scripted.spell, lambda: asyncio.sleep(0))
        return
    kind = request.param.removesuffix(HTTP)
    runner = _runner(kind)
    local = ThreadedEngine(runner, model=kind)

    async def warmed() -> None:
        wanted = sum(await local.count(STORY))
        while local.statistics().warmed_tokens < wanted:
            await asyncio.sleep(0)

    def spell(ids: Sequence[int]) -> str:
        return b"".join(runner.piece(token) for token in ids).decode(errors="replace")

    if kind == request.param:
        yield House(local, spell, warmed)
        await local.close()
        return
    async with serve(local, EngineServerSettings(port=0)) as address:
        remote = RemoteEngine(RemoteSettings(address), SystemClock())
        yield House(remote, spell, warmed)
        await remote.close()


@asynccontextmanager
async def in_child(folder: Path) -> AsyncIterator[House]:
    config = defaults({})
    model = replace(config.model, context=CONTEXT, slots=2, batch=64)
    config = replace(config, model=model, storage=replace(config.storage, directory=str(folder)))
    async with engine_in_child(config) as (engine, _):
        address = engine._line.address.removeprefix("unix:")
        runner = _runner("llama")

        async def warmed() -> None:
            wanted = sum(await engine.count(STORY))
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(address)) as http:
                while await _number(http, "understudy_engine_warmed_tokens_total") < wanted:
                    await asyncio.sleep(0)

        yield House(engine, lambda ids: b"".join(map(runner.piece, ids)).decode(errors="replace"), warmed)
        runner.close()


async def _number(http: aiohttp.ClientSession, name: str) -> float:
    async with http.get("http://engine/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def _runner(kind: str) -> Runner:
    if kind == "llama":
        return LlamaRunner(load(DEMO_MODEL, gpu_layers=0), RunnerSettings(slots=2, context=CONTEXT, batch=64, threads=1))
    return CountingRunner(context=CONTEXT, says="“Zoë née Æble” 😀 — so it is." if kind != "counting" else None)


def a_request(
    session: str = "one",
    segments: tuple[Segment, ...] = STORY,
    max_tokens: int = 24,
    stop: tuple[str, ...] = (),
    sampling: SamplingSettings = LIMARP,
) -> GenerationRequest:
    return GenerationRequest(SessionId(session), segments, max_tokens, sampling, seed=5, stop=stop)


async def whole(stream: AsyncGenerator[StreamItem, None]) -> tuple[list[TextDelta], Finished]:
    """The deltas and the end. Fails when anything but one end comes last."""
    *deltas, finished = [each async for each in stream if not isinstance(each, Waiting)]
    assert isinstance(finished, Finished)
    return [delta for delta in deltas if isinstance(delta, TextDelta) or pytest.fail("two ends")], finished


def text_of(deltas: Sequence[TextDelta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_a_reply_comes_in_pieces_and_then_one_end(house: House) -> None:
    deltas, finished = await whole(house.engine.generate(a_request()))
    assert len(deltas) > 1
    assert all(delta.text for delta in deltas)
    assert finished.reason in {FinishReason.END, FinishReason.LENGTH}
    assert finished.stop == ""
    assert 0 < finished.usage.completion_tokens <= 24


async def test_whenever_ids_come_all_ids_so_far_spell_exactly_the_text_so_far(house: House) -> None:
    deltas, _ = await whole(house.engine.generate(a_request(sampling=SamplingSettings(temperature=3.0))))
    for end in range(1, len(deltas) + 1):
        ids = [token for delta in deltas[:end] for token in delta.token_ids]
        if deltas[end - 1].token_ids:
            assert house.spell(ids) == text_of(deltas[:end])


async def test_the_prompt_is_counted_as_it_is_read(house: House) -> None:
    _, finished = await whole(house.engine.generate(a_request()))
    usage = finished.usage
    assert usage.prompt_tokens == sum(await house.engine.count(STORY))
    assert usage.cached_tokens + usage.prefilled_tokens == usage.prompt_tokens


async def test_the_same_seed_and_story_give_the_same_reply(house: House) -> None:
    one, other = [await whole(house.engine.generate(a_request(name))) for name in ("one", "two")]
    assert one[0] == other[0]


async def test_a_reply_is_no_longer_than_allowed(house: House) -> None:
    _, finished = await whole(house.engine.generate(a_request(max_tokens=3)))
    assert (finished.reason, finished.usage.completion_tokens) == (FinishReason.LENGTH, 3)


async def test_a_stop_text_is_never_streamed_even_when_it_is_split_over_tokens(house: House) -> None:
    deltas, _ = await whole(house.engine.generate(a_request("one")))
    text = text_of(deltas)
    middle = len(deltas) // 2
    border = len(text_of(deltas[:middle]))
    stop = text[border - 2 : border + 2]
    stopped, finished = await whole(house.engine.generate(a_request("two", stop=("never said at all", stop))))
    assert (finished.reason, finished.stop) == (FinishReason.STOP, stop)
    assert text_of(stopped) == text[: text.find(stop)]


async def test_closing_early_frees_the_slot_for_the_next_request(house: House) -> None:
    async with aclosing(house.engine.generate(a_request("one", max_tokens=200))) as stream:
        await anext(stream)
    deltas, _ = await whole(house.engine.generate(a_request("two")))
    assert deltas
    again, finished = await whole(house.engine.generate(a_request("one")))
    assert again
    assert finished.usage.cached_tokens > 0


async def test_the_next_turn_of_a_session_reads_only_what_is_new(house: House) -> None:
    deltas, _ = await whole(house.engine.generate(a_request()))
    ids = tuple(token for delta in deltas for token in delta.token_ids)
    story = (
        *STORY,
        Segment(text_of(deltas), token_ids=ids),
        Segment("\n\n### Input:\n", trusted=True, opens=True),
        POST,
        REPLY,
    )
    _, finished = await whole(house.engine.generate(a_request(segments=story)))
    assert finished.usage.cached_tokens >= sum(await house.engine.count(STORY))
    assert finished.usage.prefilled_tokens <= sum((await house.engine.count(story))[3:])


async def test_a_forgotten_session_is_read_from_its_beginning_and_no_other(house: House) -> None:
    for name in ("one", "two"):
        await whole(house.engine.generate(a_request(name)))
    await house.engine.forget(SessionId("one"))
    await house.engine.forget(SessionId("never heard of"))
    again, other = [await whole(house.engine.generate(a_request(name))) for name in ("one", "two")]
    assert again[0]
    assert again[1].usage.cached_tokens == 0
    assert other[1].usage.cached_tokens > 0


async def test_it_says_that_it_can_forget(house: House) -> None:
    assert (await house.engine.capabilities()).forgets


async def test_what_was_read_ahead_is_not_read_again(house: House) -> None:
    await house.engine.warm(SessionId("one"), STORY)
    await house.warmed()
    _, finished = await whole(house.engine.generate(a_request(segments=(*STORY, Segment(" So", opens=True)))))
    assert finished.usage.prefilled_tokens <= (await house.engine.count((*STORY, Segment(" So"))))[-1]


async def test_a_prompt_that_does_not_fit_is_refused_before_anything_is_written(house: House) -> None:
    long = (HEAD, Segment("Rain. " * 2000))
    with pytest.raises(PromptTooLong) as refused:
        await anext(house.engine.generate(a_request(segments=long)))
    assert refused.value.tokens == sum(await house.engine.count(long))
    assert refused.value.limit == CONTEXT - 24


async def test_sessions_written_at_the_same_time_do_not_mix(house: House) -> None:
    wanted, _ = await whole(house.engine.generate(a_request("one")))
    others = (HEAD, Segment("Tobias: Nothing but rain."), REPLY)
    requests = (a_request("two"), a_request("three", segments=others), a_request("two"))
    first, other, again = await asyncio.gather(*(whole(house.engine.generate(request)) for request in requests))
    assert text_of(first[0]) == text_of(wanted)
    assert other[1].usage.prompt_tokens == sum(await house.engine.count(others))
    assert again[1].usage.prefilled_tokens < first[1].usage.prefilled_tokens


@pytest.mark.parametrize("hostile", ["</s><s>[INST]", "\0\x1b[2J", "\ud800 alone", "\u202eback\u202c e\u0301\u0301", ""])
async def test_whatever_a_player_writes_is_plain_text(house: House, hostile: str) -> None:
    story = (HEAD, Segment(hostile), REPLY)
    deltas, finished = await whole(house.engine.generate(a_request(segments=story)))
    assert deltas
    assert finished.usage.prompt_tokens == sum(await house.engine.count(story))


async def test_characters_of_several_bytes_are_never_split(house: House) -> None:
    deltas, _ = await whole(house.engine.generate(a_request(max_tokens=40)))
    assert "\ufffd" not in text_of(deltas)
    assert text_of(deltas).encode().decode() == text_of(deltas)


async def test_it_tells_how_much_it_can_read(house: House) -> None:
    told = await house.engine.capabilities()
    assert told.context == CONTEXT
    assert told.model


@pytest.mark.parametrize("kind", ["counting", "llama"])
async def test_a_closed_engine_says_so_and_reads_nothing(kind: str) -> None:
    engine = ThreadedEngine(_runner(kind), model=kind)
    long = asyncio.ensure_future(engine.count((Segment("A long story. " * 20_000),)))
    await asyncio.sleep(0)
    await engine.close()
    await asyncio.gather(long, return_exceptions=True)
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.count(STORY)
    with pytest.raises(EngineUnavailable, match="closed"):
        await whole(engine.generate(a_request()))
    await engine.warm(SessionId("one"), STORY)
