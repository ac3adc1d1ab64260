"""RemoteEngine when things go wrong: servers that are away, busy, broken or changed, and streams that break off."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from adapters.clock import SystemClock
from adapters.network.circuit import CircuitRules
from adapters.network.retry import Backoff
from adapters.remote import EngineServerSettings
from adapters.remote.client import RemoteEngine, RemoteSettings
from adapters.remote.connection import TimeLimits
from adapters.remote.server import EngineServer
from bot.engine.threaded import ThreadedEngine
from bot.errors import ConfigMistakes, EngineBusy, EngineError, EngineUnavailable, PromptTooLong
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, GenerationRequest, Segment, StreamItem, TextDelta
from bot.sampling import SamplingSettings
from bot.story.policy import Rating
from tests.adapters.remote.stage import ADAPTER, MODEL, ServedScript, a_stage
from tests.fakes.clock import FrozenClock
from tests.fakes.engine import Pause, ScriptedReply
from tests.fakes.runner import CountingRunner
from tests.fakes.servers import CONTEXT, LlamaServer, OpenAIServer, Script, serving

T = TypeVar("T")

STORY = (Segment("A door", trusted=True), Segment(" stands open.", opens=True))
QUICK = Backoff(first=1.0, longest=4.0, patience=10.0)
AWAY = {"error": {"message": "Loading model", "code": 503}}


def a_request(session: str = "one", **changes: object) -> GenerationRequest:
    request = GenerationRequest(SessionId(session), STORY, 20, SamplingSettings(), seed=5)
    return replace(request, **changes)  # type: ignore[arg-type] # any field


async def whole(stream: AsyncGenerator[StreamItem, None]) -> tuple[str, Finished]:
    items = [item async for item in stream]
    assert isinstance(items[-1], Finished)
    return "".join(item.text for item in items if isinstance(item, TextDelta)), items[-1]


async def hurried(clock: FrozenClock, work: Coroutine[Any, Any, T]) -> T:
    """The outcome of this work, with every wait of the clock cut short."""
    working = asyncio.ensure_future(work)
    async with asyncio.timeout(10):
        while not working.done():
            if clock.sleeping:
                clock.move(clock.sleeping[0])
            await asyncio.sleep(0)
    return await working


@asynccontextmanager
async def to_script(
    script: Script, server: type[OpenAIServer] = OpenAIServer, **changes: object
) -> AsyncGenerator[tuple[RemoteEngine, OpenAIServer, FrozenClock], None]:
    clock = FrozenClock()
    async with serving(server(script)) as opened:
        settings = RemoteSettings(opened.address, "openai", context=CONTEXT, backoff=QUICK, draw=lambda: 1.0)
        engine = RemoteEngine(replace(settings, **changes), clock)  # type: ignore[arg-type] # any field
        yield engine, opened, clock
        await engine.close()


@asynccontextmanager
async def to_ours(server_address: str, **changes: object) -> AsyncGenerator[RemoteEngine, None]:
    settings = replace(RemoteSettings(server_address), **changes)  # type: ignore[arg-type] # any field
    engine = RemoteEngine(settings, SystemClock())
    yield engine
    await engine.close()


@pytest.mark.parametrize("status", [408, 502, 503, 504])
async def test_a_server_that_is_away_for_a_while_is_asked_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with to_script(Script(refusals=[(status, AWAY)] * 2)) as (engine, server, clock):
        text, _ = await hurried(clock, whole(engine.generate(a_request())))
    assert text == "Come in."
    assert len(server.asked_at("/v1/completions")) == 3
    assert clock.ticks() == 3.0  # 1 and 2 seconds
    assert "Trying again in 2.0 seconds" in caplog.text


async def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    script = Script(refusals=[(503, AWAY)], headers={"Retry-After": "7"})
    async with to_script(script) as (engine, _, clock):
        await hurried(clock, whole(engine.generate(a_request())))
    assert clock.ticks() == 7.0


async def test_patience_ends_with_a_sentence_without_the_address_which_the_log_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with to_script(Script(refusals=[(503, AWAY)] * 50)) as (engine, server, clock):
        with pytest.raises(EngineUnavailable, match=r"^The engine cannot be used now: Loading model\.$"):
            await hurried(clock, whole(engine.generate(a_request())))
    assert clock.ticks() <= 10.0
    [line] = [record for record in caplog.records if "is not asked again" in record.getMessage()]
    assert vars(line)["engine"] == server.address
    assert 3 <= len(server.asked_at("/v1/completions")) <= 6


async def test_a_server_that_starts_later_is_found() -> None:
    clock = FrozenClock()
    async with serving(OpenAIServer()) as gone:
        port = int(gone.address.rpartition(":")[2])
    engine = RemoteEngine(RemoteSettings(gone.address, context=CONTEXT, backoff=QUICK, draw=lambda: 1.0), clock)
    asking = asyncio.ensure_future(whole(engine.generate(a_request())))
    while not clock.sleeping:
        await asyncio.sleep(0)
    async with serving(OpenAIServer(), port):
        clock.move(1.0)
        assert (await asking)[0] == "Come in."
        await engine.close()


async def test_after_failures_in_a_row_nothing_is_asked_until_a_probe_succeeds() -> None:
    rules = CircuitRules(failures=3, rest=3.0)
    script = Script(refusals=[(503, AWAY)] * 3)
    async with to_script(script, circuit=rules, backoff=replace(QUICK, patience=4)) as parts, asyncio.timeout(10):
        engine, server, clock = parts
        with pytest.raises(EngineUnavailable):
            await hurried(clock, whole(engine.generate(a_request())))
        assert len(server.asked_at("/v1/completions")) == 3
        for _ in range(5):
            # Told at once, though patience would last for the rest.
            assert not clock.sleeping
            with pytest.raises(EngineUnavailable, match="has not answered for a while; it is asked again in 3 seconds"):
                await whole(engine.generate(a_request()))
        assert len(server.asked_at("/v1/completions")) == 3
        clock.move(3)
        assert (await whole(engine.generate(a_request())))[0] == "Come in."
        assert (await whole(engine.generate(a_request())))[0] == "Come in."


@pytest.mark.parametrize(
    ("status", "body", "error", "part"),
    [
        (401, {"detail": "no"}, EngineUnavailable, "refused the token: set the same one"),
        (403, {}, EngineUnavailable, "refused the token"),
        (400, {"error": {"message": "bad prompt"}}, EngineUnavailable, r"refused the request: bad prompt\."),
        (400, {"error": "a word"}, EngineUnavailable, r": a word\."),
        (404, {"detail": "Not Found"}, EngineUnavailable, "Not Found"),
        (422, {"detail": [{"loc": "x"}]}, EngineUnavailable, "status 422"),
        (500, {}, EngineUnavailable, "status 500"),
        (429, {"error": {"message": "later", "seconds": 3}}, EngineBusy, "3 seconds"),
        (429, {}, EngineBusy, "10 seconds"),
        (400, {"error": {"n_prompt_tokens": 900, "n_ctx": 512}}, PromptTooLong, "900 tokens"),
    ],
)
async def test_an_answer_that_will_not_change_is_not_asked_for_again(
    status: int, body: dict[str, Any], error: type[EngineError], part: str
) -> None:
    async with to_script(Script(refusals=[(status, body)])) as (engine, server, clock):
        with pytest.raises(error, match=part):
            await whole(engine.generate(a_request()))
        assert len(server.asked_at("/v1/completions")) == 1
        assert not clock.sleeping
        assert (await whole(engine.generate(a_request())))[0] == "Come in."


PIECE = b'data: {"choices": [{"text": "Come", "finish_reason": null}]}\n\n'
END = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (PIECE + END, "Come"),  # no [DONE]
        (b": ping\n\n" + PIECE + b"data: no json\n\ndata: []\n\ndata: {}\n\n" + END + b"data: [DONE]\n\n", "Come"),
        (PIECE.replace(b"\n", b"\r\n") + END.rstrip(b"\n"), "Come"),
        (b'data: {"choices": [{"text": 5}]}\n\ndata: {"choices": {}}\n\ndata: {"choices": [], "usage": 7}\n\n' + END, ""),
        (b'data: {"choices": [{"text": "Come", "finish_reason": "stop"}], "usage": {"prompt_tokens": "x"}}\n\n', "Come"),
    ],
)
async def test_streams_of_any_manners_are_understood(raw: bytes, text: str) -> None:
    async with to_script(Script(raw=raw)) as (engine, _, _):
        reply, finished = await whole(engine.generate(a_request()))
    assert (reply, finished.reason) == (text, FinishReason.END)
    assert finished.usage.prompt_tokens > 0


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (PIECE, "broke off in the middle"),
        (PIECE + b'data: {"error": {"message": "out of memory", "code": 500}}\n\n', "out of memory"),
        (PIECE + b'data: {"error": {"message": "going away", "code": 503}}\n\n', "going away"),
        (PIECE + b"data: " + b"x" * 5_000_000, "does not answer as a completion server does"),
    ],
)
async def test_a_stream_that_breaks_off_after_text_is_not_tried_again(raw: bytes, part: str) -> None:
    async with to_script(Script(raw=raw)) as (engine, server, clock):
        with pytest.raises(EngineUnavailable, match=part):
            await whole(engine.generate(a_request()))
        assert len(server.asked_at("/v1/completions")) == 1
        assert not clock.sleeping


async def test_a_stream_that_breaks_off_before_text_is_tried_again() -> None:
    async with to_script(Script(raw=b": nothing\n\n")) as (engine, server, clock):
        asking = asyncio.ensure_future(whole(engine.generate(a_request())))
        while not clock.sleeping:
            await asyncio.sleep(0)
        server.script.raw = None
        clock.move(1.0)
        assert (await asking)[0] == "Come in."


@pytest.mark.parametrize("raw", [b": nothing\n\n", b'data: {"error": {"message": "The engine was closed.", "code": 503}}\n\n'])
async def test_a_request_that_was_in_hand_twice_and_lost_is_not_tried_a_third_time(raw: bytes) -> None:
    async with to_script(Script(raw=raw)) as (engine, server, clock):
        with pytest.raises(EngineUnavailable):
            await hurried(clock, whole(engine.generate(a_request())))
    assert len(server.asked_at("/v1/completions")) == 2


async def test_a_request_whose_connection_breaks_before_any_answer_counts_as_in_hand() -> None:
    asked = 0

    async def take_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.close()

    server = await asyncio.start_server(take_and_hang_up, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clock = FrozenClock()
    settings = RemoteSettings(address, "openai", model="m", context=CONTEXT, backoff=QUICK, draw=lambda: 1.0)
    engine = RemoteEngine(settings, clock)
    async with server:
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            await hurried(clock, whole(engine.generate(a_request())))
        await engine.close()
    assert asked == 2


async def test_a_server_that_falls_silent_is_given_up() -> None:
    limits = TimeLimits(idle=0.05)
    async with to_script(Script(pause=asyncio.Event()), limits=limits) as (engine, _, _), asyncio.timeout(5):
        with pytest.raises(EngineUnavailable, match="did not answer in time"):
            await whole(engine.generate(a_request()))


async def test_a_deadline_is_kept_where_the_server_knows_none() -> None:
    script = Script(pause=asyncio.Event())
    async with to_script(script) as (engine, _, clock):
        stream = engine.generate(a_request(deadline=5.0))
        assert await anext(stream) == TextDelta("Come")
        clock.move(5.0)
        assert script.pause
        script.pause.set()
        *_, finished = [item async for item in stream]
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.DEADLINE


async def test_a_deadline_that_passed_while_the_server_was_away_is_no_reply() -> None:
    async with to_script(Script(refusals=[(503, AWAY)] * 3)) as (engine, _, clock):
        with pytest.raises(EngineBusy):
            await hurried(clock, whole(engine.generate(a_request(deadline=2.0))))


async def test_warming_never_raises_and_gives_way_to_the_reply() -> None:
    async with to_script(Script(), LlamaServer, kind="llama-server", token="x" * 10) as (engine, server, _):
        await engine.warm(SessionId("one"), STORY)
        await whole(engine.generate(a_request()))
        assert not server.asked_at("/completion")
    clock = FrozenClock()
    gone = RemoteEngine(RemoteSettings(server.address, context=CONTEXT), clock)
    await gone.warm(SessionId("one"), STORY)
    while gone._warming:
        await asyncio.sleep(0)
    await gone.close()


@pytest.mark.parametrize(
    "address", ["", "engine:8004", "ftp://engine", "http://", "unix:", "http://user:secret@engine", "http://user@engine"]
)
def test_an_address_that_cannot_be_used_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ConfigMistakes) as refused:
        RemoteEngine(RemoteSettings(address), FrozenClock())
    assert "secret" not in str(refused.value)


def test_the_token_is_not_shown() -> None:
    assert "sesame" not in repr(RemoteSettings("http://engine", token="sesame"))  # noqa: S106 - of this test


async def test_our_own_server_is_told_all_of_a_request() -> None:
    async with a_stage(ScriptedReply(("Come", " in"))) as stage, to_ours(stage.address) as engine:
        told = await engine.capabilities()
        assert (told.model, told.context, told.rating, told.adapters) == (MODEL, 2048, Rating.GENERAL, (ADAPTER,))
        asked = a_request("ship/42 ü", adapter=ADAPTER, community="house", deadline=60.0, stop=("\n",))
        await whole(engine.generate(asked))
    (request,) = stage.engine.requests
    assert replace(request, segments=(), deadline=None) == replace(asked, segments=(), deadline=None)
    assert request.deadline is not None
    assert 0 < request.deadline <= 60
    ids = tuple(token for part in request.segments for token in part.token_ids)
    assert ids == (256, *b"A door stands open.")
    assert [part.opens for part in request.segments] == [False, True]


async def test_only_the_beginning_of_a_prompt_begins_it_whatever_was_asked_before() -> None:
    server = EngineServer(ThreadedEngine(CountingRunner(), model="counting"), EngineServerSettings(port=0))
    async with to_ours(await server.start()) as engine:
        assert await engine.count((Segment("x"),)) == (2,)
        assert await engine.count((Segment("x"), Segment("abc"))) == (2, 3)
        assert await engine.count((Segment("abc"), Segment("x"))) == (4, 1)
    await server.close()


async def test_ids_of_a_reply_are_kept_where_they_spell_it() -> None:
    reply = Segment("Come", token_ids=(67, 111, 109, 101))
    wrong = Segment("Come", token_ids=(1, 2, 3))
    server = EngineServer(ThreadedEngine(CountingRunner(), model="counting"), EngineServerSettings(port=0))
    async with to_ours(await server.start()) as engine:
        assert await engine.count((Segment("x"), reply, wrong)) == (2, 4, 4)
    await server.close()


async def test_another_model_at_the_same_address_is_noticed_before_anything_is_written(tmp_path: Path) -> None:
    socket = tmp_path / "engine.sock"
    server = EngineServer(ServedScript(["one"]), EngineServerSettings(socket=socket))
    async with to_ours(await server.start(), backoff=QUICK) as engine:
        assert (await engine.capabilities()).context == 2048
        assert (await whole(engine.generate(a_request())))[0] == "one"
        await server.close()
        other = ServedScript(["two"])
        other.context = 999
        server = EngineServer(other, EngineServerSettings(socket=socket))
        await server.start()
        assert (await whole(engine.generate(a_request())))[0] == "two"
        assert (await engine.capabilities()).context == 999
        assert await engine.count(STORY)
        await server.close()


async def test_a_server_going_out_of_service_is_waited_for(tmp_path: Path) -> None:
    socket = tmp_path / "engine.sock"
    pause = Pause(before=0)
    server = EngineServer(ServedScript([ScriptedReply(("one",), pause=pause)]), EngineServerSettings(socket=socket))
    clock = FrozenClock()
    engine = RemoteEngine(RemoteSettings(await server.start(), backoff=QUICK, draw=lambda: 1.0), clock)
    await engine.count(STORY)
    await server.drain(1)
    asking = asyncio.ensure_future(whole(engine.generate(a_request())))
    while not clock.sleeping:
        await asyncio.sleep(0)
    await server.close()
    successor = EngineServer(ServedScript(["two"]), EngineServerSettings(socket=socket))
    await successor.start()
    assert (await hurried(clock, _awaited(asking)))[0] == "two"
    await engine.close()
    await successor.close()


async def _awaited(task: asyncio.Future[T]) -> T:
    return await task
