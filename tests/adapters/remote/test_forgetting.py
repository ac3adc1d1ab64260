"""Forgetting over HTTP: who may ask for it, what it ends on the way, and what servers that cannot do it are taken for."""

import asyncio
import logging
from contextlib import aclosing

import pytest

from adapters.clock import SystemClock
from adapters.network.retry import Backoff
from adapters.remote import EngineServerSettings, RemoteEngine, RemoteSettings
from bot.errors import EngineUnavailable, StoryForgotten
from bot.ids import SessionId
from bot.ports.engine import GenerationRequest, Segment, StreamItem
from bot.sampling import SamplingSettings
from tests.adapters.remote.stage import Stage, a_stage
from tests.fakes.clock import FrozenClock
from tests.fakes.engine import Pause, ScriptedReply
from tests.fakes.servers import CONTEXT, LlamaServer, OpenAIServer, Script, serving

MIRA = SessionId("mira")
STORY = (Segment("A door", trusted=True), Segment(" stands open.", opens=True))
TOKEN = "open-sesame"  # noqa: S105 - a secret of this test


def client(stage: Stage, **changes: object) -> RemoteEngine:
    return RemoteEngine(RemoteSettings(stage.address, **changes), SystemClock())  # type: ignore[arg-type] # any field


async def written(engine: RemoteEngine, session: SessionId = MIRA) -> list[StreamItem]:
    request = GenerationRequest(session, STORY, 20, SamplingSettings(), seed=5)
    return [item async for item in engine.generate(request)]


async def test_it_is_asked_for_by_name_in_the_body_or_a_header() -> None:
    async with a_stage() as stage:
        answers = [
            await stage.post("/v1/forget", {"session_id": "mira"}),
            await stage.post("/v1/forget", {}, {"X-Session-Id": "tobias"}),
        ]
    assert [(answer.status, answer.json) for answer in answers] == [(200, {"forgotten": True})] * 2
    assert stage.engine.forgotten == ["mira", "tobias"]


async def test_only_who_has_the_token_may_ask_and_only_for_a_session() -> None:
    async with a_stage(settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        assert (await stage.post("/v1/forget", {"session_id": "mira"})).status == 401
        answer = await stage.post("/v1/forget", {}, {"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.error["code"]) == (400, "bad_request")
    assert stage.engine.forgotten == []


async def test_what_cannot_be_known_is_told_with_a_time_to_come_back() -> None:
    async with a_stage() as stage:
        stage.engine.holds_on = True
        answer = await stage.post("/v1/forget", {"session_id": "mira"})
    assert (answer.status, answer.error["code"]) == (503, "engine_unavailable")
    assert "Retry-After" in answer.headers


async def test_a_server_that_goes_out_of_service_still_forgets() -> None:
    async with a_stage() as stage:
        await stage.server.drain(0.0)
        assert (await stage.post("/v1/forget", {"session_id": "mira"})).status == 200


async def test_the_client_asks_again_while_it_cannot_be_known_and_then_says_so() -> None:
    clock = FrozenClock()
    async with a_stage() as stage:
        engine = RemoteEngine(RemoteSettings(stage.address, backoff=Backoff(patience=0.0)), clock)
        stage.engine.holds_on = True
        with pytest.raises(EngineUnavailable, match="holds on to what it read"):
            await engine.forget(MIRA)
        stage.engine.holds_on = False
        await engine.forget(MIRA)
        assert stage.engine.forgotten == [MIRA]
        await engine.close()


async def test_a_reply_on_its_way_is_ended_here_and_there_and_asked_for_once_more() -> None:
    pause = Pause(before=1)
    async with a_stage(ScriptedReply(("Come", " in"), pause=pause)) as stage:
        engine = client(stage)
        reply = asyncio.ensure_future(written(engine))
        await pause.reached.wait()
        await engine.forget(MIRA)
        with pytest.raises(StoryForgotten):
            await reply
        assert stage.engine.forgotten == [MIRA, MIRA]
        assert len(stage.engine.requests) == 1
        await engine.close()


async def test_a_reply_of_another_client_ends_with_a_word_that_it_was_forgotten() -> None:
    pause = Pause(before=1)
    async with a_stage(ScriptedReply(("Come", " in"), pause=pause)) as stage:
        engine = client(stage)
        reply = asyncio.ensure_future(written(engine))
        await pause.reached.wait()
        await stage.post("/v1/forget", {"session_id": "mira"})
        with pytest.raises(StoryForgotten):
            await reply
        assert len(stage.engine.requests) == 1
        await engine.close()


async def test_the_replies_of_others_go_on() -> None:
    pause = Pause(before=1)
    async with a_stage(ScriptedReply(("Come", " in"), pause=pause)) as stage:
        engine = client(stage)
        reply = asyncio.ensure_future(written(engine, SessionId("tobias")))
        await pause.reached.wait()
        await engine.forget(MIRA)
        pause.go.set()
        assert len(await reply) == 3
        await engine.close()


async def test_what_is_being_read_ahead_is_called_back() -> None:
    async with a_stage() as stage:
        engine = client(stage)
        await engine.warm(MIRA, STORY)
        await engine.forget(MIRA)
        assert not engine._warming
        assert stage.engine.forgotten == [MIRA, MIRA]
        assert MIRA not in stage.engine._read
        await engine.close()


async def test_the_client_remembers_no_text_afterwards() -> None:
    async with a_stage() as stage:
        engine = client(stage)
        await engine.count(STORY)
        served = await engine._known()
        assert served.tokens._known
        await engine.forget(MIRA)
        assert not served.tokens._known
        await engine.close()


@pytest.mark.parametrize("server", [OpenAIServer, LlamaServer])
async def test_other_servers_are_said_to_be_unable_and_cost_one_line(
    server: type[OpenAIServer], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(server()) as opened:
        engine = RemoteEngine(RemoteSettings(opened.address, context=CONTEXT), SystemClock())
        assert not (await engine.capabilities()).forgets
        with caplog.at_level(logging.WARNING):
            await engine.forget(MIRA)
        await engine.close()
        assert not opened.asked_at("/v1/forget")
    assert ["cannot be told to forget a story" in record.getMessage() for record in caplog.records] == [True]


async def test_the_model_is_told_by_the_word_for_its_file() -> None:
    async with a_stage() as stage:
        known = (await stage.get("/v1/models")).json["data"]
    assert isinstance(known, list)
    assert [each["understudy"]["fingerprint"] for each in known] == [""] * len(known)
    assert all(each["understudy"]["forgets"] for each in known)


async def test_a_reply_that_would_be_asked_for_again_is_not() -> None:
    clock = FrozenClock()
    script = Script(refusals=[(503, {"error": {"message": "Loading model", "code": 503}})])
    async with serving(OpenAIServer(script)) as opened:
        engine = RemoteEngine(RemoteSettings(opened.address, "openai", context=CONTEXT), clock)
        reply = asyncio.ensure_future(written(engine))
        while not clock.sleeping:
            await asyncio.sleep(0)
        await engine.forget(MIRA)
        clock.move(10.0)
        with pytest.raises(StoryForgotten):
            await reply
        assert len(opened.asked_at("/v1/completions")) == 1
        await engine.close()


async def test_a_reply_of_a_server_that_cannot_forget_is_called_back_all_the_same() -> None:
    script = Script(pause=asyncio.Event())
    async with serving(OpenAIServer(script)) as opened:
        engine = RemoteEngine(RemoteSettings(opened.address, "openai", context=CONTEXT), SystemClock())
        request = GenerationRequest(MIRA, STORY, 20, SamplingSettings(), seed=5)
        async with aclosing(engine.generate(request)) as stream:
            await anext(stream)
            following = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            await engine.forget(MIRA)
            with pytest.raises(StoryForgotten):
                await following
        async with asyncio.timeout(10):
            await script.left.wait()
        await engine.close()
