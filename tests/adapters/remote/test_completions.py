"""Replies over HTTP, whole and streamed, and what becomes of them when somebody leaves."""

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.remote.settings import EngineServerSettings
from bot.errors import EngineBusy, EngineUnavailable, PromptTooLong
from bot.ids import CommunityId, SessionId
from bot.ports.engine import Segment
from bot.sampling import SamplingSettings
from tests.adapters.remote.stage import ADAPTER, MODEL, Answered, Stage, a_stage
from tests.fakes.engine import Pause, ScriptedReply

REPLY = '"Come in," she said.'


def text_of(answer: Answered) -> str:
    return "".join(choice["text"] for event in answer.events for choice in choices(event))


def choices(content: dict[str, object]) -> list[dict[str, Any]]:
    found = content["choices"]
    assert isinstance(found, list)
    return found


async def test_a_whole_reply_comes_as_one_object() -> None:
    async with a_stage(REPLY) as stage:
        answer = await stage.complete(model=MODEL)
    (choice,) = choices(answer.json)
    assert answer.status == 200
    assert (choice["text"], choice["finish_reason"], choice["stop_reason"]) == (REPLY, "stop", None)
    assert "token_ids" not in choice
    assert answer.json["model"] == MODEL
    usage = answer.json["usage"]
    assert isinstance(usage, dict)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prefilled_tokens"] + usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"]


async def test_a_streamed_reply_comes_in_pieces_an_end_and_a_mark() -> None:
    async with a_stage(REPLY) as stage:
        answer = await stage.complete(stream=True)
    assert text_of(answer) == REPLY
    assert len(answer.events) > 3
    assert [choice["finish_reason"] for event in answer.events for choice in choices(event)][-2:] == [None, "stop"]
    assert answer.text.endswith("data: [DONE]\n\n")
    assert not any("usage" in event for event in answer.events)


async def test_usage_and_ids_are_streamed_when_asked_for() -> None:
    async with a_stage(REPLY) as stage:
        answer = await stage.complete(stream=True, stream_options={"include_usage": True}, return_token_ids=True)
        ids = [token for event in answer.events for choice in choices(event) for token in choice.get("token_ids", ())]
        assert stage.engine.spell(ids) == REPLY
        (choice,) = choices((await stage.complete(return_token_ids=True)).json)
        assert stage.engine.spell(choice["token_ids"]) == REPLY
    last = answer.events[-1]
    assert choices(last) == []
    assert last["usage"]


@pytest.mark.parametrize(
    ("fields", "finish", "stop"),
    [({"max_tokens": 2}, "length", None), ({"stop": "she"}, "stop", "she"), ({"stop": ["in", "said"]}, "stop", "in")],
)
async def test_why_a_reply_ended_is_told(fields: dict[str, object], finish: str, stop: str | None) -> None:
    async with a_stage(REPLY) as stage:
        (choice,) = choices((await stage.complete(**fields)).json)
    assert (choice["finish_reason"], choice["stop_reason"]) == (finish, stop)


async def test_what_the_engine_is_asked_is_what_was_sent() -> None:
    async with a_stage(REPLY) as stage:
        await stage.complete(
            model=f"{MODEL}:{ADAPTER}",
            prompt=[1, 2, 3, 4, 5],
            borders=[2, 4],
            max_tokens=9,
            seed=11,
            stop=["\n"],
            session_id="one",
            community="house",
            deadline=30,
            temperature=0.5,
            tfs_z=0.9,
            repeat_penalty=1.1,
            top_k=None,
        )
    (asked,) = stage.engine.requests
    assert [(part.token_ids, part.opens) for part in asked.segments] == [((1, 2), False), ((3, 4), True), ((5,), True)]
    assert (asked.session, asked.community, asked.adapter) == (SessionId("one"), CommunityId("house"), ADAPTER)
    assert (asked.max_tokens, asked.seed, asked.stop, asked.deadline) == (9, 11, ("\n",), 30.0)
    assert asked.sampling == SamplingSettings(temperature=0.5, tail_free_z=0.9, repetition_penalty=1.1)


async def test_a_text_prompt_reaches_the_engine_as_ids() -> None:
    async with a_stage(REPLY) as stage:
        await stage.complete(prompt=["ab"])
    assert stage.engine.requests[0].segments == (Segment("", trusted=True, token_ids=(256, 97, 98), opens=True),)


async def test_the_session_may_stand_in_a_header_and_without_one_each_request_is_its_own() -> None:
    async with a_stage(REPLY) as stage:
        await stage.post("/v1/completions", {"prompt": "x"}, {"X-Session-Id": "from a header"})
        await stage.complete()
        await stage.complete()
    sessions = [request.session for request in stage.engine.requests]
    assert sessions[0] == "from a header"
    assert len(set(sessions)) == 3


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (EngineBusy(7.2), 429, "engine_busy"),
        (EngineUnavailable("The model is gone."), 503, "engine_unavailable"),
        (PromptTooLong(900, 500), 400, "context_length_exceeded"),
    ],
)
async def test_an_error_before_any_text_has_its_own_status(error: Exception, status: int, code: str, *, stream: bool) -> None:
    assert isinstance(error, EngineBusy | EngineUnavailable | PromptTooLong)
    async with a_stage(ScriptedReply(("Come",), error=error)) as stage:
        answer = await stage.complete(stream=stream)
    assert (answer.status, answer.error["code"]) == (status, code)
    if isinstance(error, EngineBusy):
        assert answer.headers["Retry-After"] == "8"
        assert answer.error["seconds"] == 7.2
    if isinstance(error, PromptTooLong):
        assert (answer.error["tokens"], answer.error["limit"]) == (900, 500)


async def test_an_error_after_text_ends_the_stream_with_an_error_object() -> None:
    broken = ScriptedReply(("Come", " in"), error=EngineUnavailable("The model is gone."), fails_before=1)
    async with a_stage(broken) as stage:
        answer = await stage.complete(stream=True)
    assert answer.status == 200
    assert choices(answer.events[0])[0]["text"] == "Come"
    assert answer.error_in_stream["message"] == "The model is gone."
    assert "[DONE]" not in answer.text


async def left_while_writing(stage: Stage, pause: Pause, *, stream: bool) -> None:
    asking = asyncio.create_task(stage.complete(stream=stream))
    await pause.reached.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("before", [0, 2])
async def test_a_client_that_leaves_takes_its_work_with_it(before: int, *, stream: bool) -> None:
    pause = Pause(before=before)
    async with a_stage(ScriptedReply(("Come", " in", " now"), pause=pause)) as stage, asyncio.timeout(5):
        await left_while_writing(stage, pause, stream=stream)
        while not stage.engine.abandoned:
            await asyncio.sleep(0)
        assert 'status="499"} 1.0' in (await stage.get("/metrics")).text


async def test_a_silent_stream_gives_signs_of_life() -> None:
    pause = Pause(before=0)
    settings = EngineServerSettings(port=0, heartbeat=0.01)
    async with a_stage(ScriptedReply(("Come",), pause=pause), settings=settings) as stage, asyncio.timeout(5):
        body = {"prompt": "x", "stream": True}
        async with stage.http.post(stage.address + "/v1/completions", json=body) as response:
            assert (await response.content.readuntil(b"\n\n")).startswith(b": ")
            pause.go.set()
            assert b'"Come"' in await response.content.readuntil(b"\n\n")


async def test_an_error_after_a_sign_of_life_is_told_in_the_stream() -> None:
    pause = Pause(before=0)
    settings = EngineServerSettings(port=0, heartbeat=0.01)
    reply = ScriptedReply(("Come",), error=EngineBusy(3), pause=pause)
    body = {"prompt": "x", "stream": True}
    async with (
        a_stage(reply, settings=settings) as stage,
        stage.http.post(f"{stage.address}/v1/completions", json=body) as response,
    ):
        await response.content.readuntil(b"\n\n")
        pause.go.set()
        rest = Answered(200, {}, (await response.read()).decode())
    assert rest.error_in_stream["code"] == "engine_busy"


async def test_no_more_replies_than_allowed_are_taken_at_a_time() -> None:
    pause = Pause(before=0)
    settings = EngineServerSettings(port=0, concurrent=1)
    async with a_stage(ScriptedReply(("Come",), pause=pause), settings=settings) as stage:
        first = asyncio.create_task(stage.complete())
        await pause.reached.wait()
        second = await stage.complete()
        pause.go.set()
        assert (await first).status == 200
        assert (second.status, second.error["code"]) == (429, "engine_busy")
        assert (await stage.complete()).status == 200


async def test_draining_finishes_what_runs_and_takes_nothing_new() -> None:
    pause = Pause(before=1)
    async with a_stage(ScriptedReply(("Come", " in"), pause=pause)) as stage, asyncio.timeout(5):
        running = asyncio.create_task(stage.complete())
        await pause.reached.wait()
        draining = asyncio.create_task(stage.server.drain(60))
        while (await stage.get("/health")).status == 200:
            await asyncio.sleep(0)
        refused = await stage.complete()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert (await stage.post("/v1/warm", {"session_id": "x", "prompt": "x"})).status == 503
        pause.go.set()
        assert await draining
        assert choices((await running).json)[0]["text"] == "Come in"


async def test_draining_ends_when_its_time_is_up() -> None:
    pause = Pause(before=0)
    async with a_stage(ScriptedReply(("Come",), pause=pause)) as stage:
        running = asyncio.create_task(stage.complete())
        await pause.reached.wait()
        assert not await stage.server.drain(0.01)
        pause.go.set()
        await running


async def test_closing_ends_the_engine_and_may_be_repeated() -> None:
    async with a_stage(REPLY) as stage:
        await stage.server.close()
        assert stage.engine.closed
        with pytest.raises(aiohttp.ClientConnectorError):
            await stage.get("/health")
        await stage.server.close()


async def test_of_a_request_without_a_session_nothing_is_kept() -> None:
    async with a_stage() as stage:
        await stage.complete()
        await stage.complete(session_id="one")
        assert [request.keeps for request in stage.engine.requests] == [False, True]
