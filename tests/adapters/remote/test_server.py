"""Who may use the server, what else it serves, and what it makes of odd requests."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.remote.server import EngineServer
from adapters.remote.settings import EngineServerSettings
from bot.errors import ConfigMistakes, NotNow
from bot.ids import SessionId
from bot.ports.engine import Segment
from tests.adapters.remote.stage import ADAPTER, MODEL, ServedScript, Stage, a_stage
from tests.fakes.runner import BEGIN

TOKEN = "open-sesame"  # noqa: S105 - a secret of this test
WITH_TOKEN = EngineServerSettings(port=0, token=TOKEN)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \xfc\xdf"]
)
@pytest.mark.parametrize("route", ["/v1/models", "/metrics", "/nowhere"])
async def test_without_the_token_nothing_is_told(header: str, route: str) -> None:
    async with a_stage(settings=WITH_TOKEN) as stage:
        answer = await stage.get(route, **({"Authorization": header} if header else {}))
    assert (answer.status, answer.error["code"], answer.headers["WWW-Authenticate"]) == (401, "invalid_api_key", "Bearer")
    assert TOKEN not in answer.text


async def test_with_the_token_all_is_served_and_health_needs_none(caplog: pytest.LogCaptureFixture) -> None:
    async with a_stage(settings=WITH_TOKEN) as stage:
        assert (await stage.get("/v1/models", Authorization=f"bearer {TOKEN}")).status == 200
        assert (await stage.get("/health")).json == {"status": "ok"}
        assert TOKEN not in repr(stage.server._settings) + caplog.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "engine.lan"])  # noqa: S104 - refused
async def test_without_a_token_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(ConfigMistakes, match="set UNDERSTUDY_ENGINE_TOKEN"):
        await EngineServer(ServedScript(["x"]), EngineServerSettings(host=host, port=0)).start()


@pytest.mark.parametrize("token", ["two words", "grüße", "line\nbreak"])
async def test_a_token_that_cannot_stand_in_a_header_is_refused_at_the_start(token: str) -> None:
    with pytest.raises(ConfigMistakes, match="ASCII"):
        await EngineServer(ServedScript(["x"]), EngineServerSettings(port=0, token=token)).start()


async def test_web_pages_cannot_use_an_engine_without_a_token() -> None:
    async with a_stage() as stage:
        answer = await stage.post("/v1/completions", {"prompt": "x"}, {"Origin": "https://elsewhere.example"})
        assert answer.status == 403
        assert not stage.engine.requests


async def test_a_port_in_use_is_said_in_one_sentence() -> None:
    async with a_stage() as stage:
        port = int(stage.address.rpartition(":")[2])
        with pytest.raises(NotNow, match=f"port {port}"):
            await EngineServer(ServedScript(["x"]), EngineServerSettings(port=port)).start()


async def test_a_socket_file_is_served_to_its_owner_only_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    server = EngineServer(ServedScript(["x"]), EngineServerSettings(host="0.0.0.0", socket=path))  # noqa: S104 - not used
    assert await server.start() == f"unix:{path}"
    assert path.stat().st_mode & 0o777 == 0o600
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as http, http.get("http://x/health") as answer:
        assert answer.status == 200
    await server.close()
    assert not path.exists()


async def test_health_tells_of_a_broken_engine_and_of_draining() -> None:
    async with a_stage() as stage:
        stage.engine.broken = "It broke down."
        broken = await stage.get("/health")
        assert (broken.status, broken.json) == (503, {"status": "broken", "reason": "It broke down."})
        stage.engine.broken = ""
        await stage.server.drain(1)
        assert (await stage.get("/health")).json == {"status": "draining"}


async def test_models_tell_context_rating_and_adapters() -> None:
    async with a_stage() as stage:
        models = (await stage.get("/v1/models")).json["data"]
    assert isinstance(models, list)
    assert [each["id"] for each in models] == [MODEL, f"{MODEL}:{ADAPTER}"]
    assert models[0]["owned_by"] == "understudy"
    facts = models[0]["understudy"]
    assert (facts["context"], facts["rating"], facts["adapters"]) == (2048, "general", [ADAPTER])


async def test_segments_are_tokenised_as_they_are_read() -> None:
    segments = [{"text": "a", "trusted": True}, {"text": "bc"}, {"text": "", "trusted": True, "token_ids": [7, 8]}]
    async with a_stage() as stage:
        assert (await stage.post("/v1/tokenize", {"segments": segments})).json == {"tokens": [[BEGIN, 97], [98, 99], [7, 8]]}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, '"segments" must be a list'),
        ({"segments": "x"}, '"segments" must be a list'),
        ({"segments": ["x"]}, '"segments" must be a list'),
        ({"segments": [{"text": "x"}, {"text": 5}]}, '"segments[1].text" must be a string'),
        ({"segments": [{"token_ids": ["x"]}]}, '"segments[0].token_ids" must be a list'),
        ({"segments": [{"text": "x"}] * 5000}, "at most 4096"),
    ],
)
async def test_segments_that_cannot_be_read_are_refused(body: object, part: str) -> None:
    async with a_stage() as stage:
        answer = await stage.post("/v1/tokenize", body)
    assert answer.status == 400
    assert part in str(answer.error["message"])


async def test_warming_reads_a_prompt_ahead_for_a_session() -> None:
    async with a_stage() as stage:
        by_segments = {"session_id": "one", "segments": [{"text": "a", "opens": True}]}
        assert (await stage.post("/v1/warm", by_segments)).status == 202
        assert (await stage.post("/v1/warm", {"prompt": [1, 2]}, {"X-Session-Id": "two"})).status == 202
        assert (await stage.post("/v1/warm", {"prompt": "x"})).status == 400
        assert (await stage.post("/v1/warm", {"prompt": "x", "session_id": "one", "adapter": "none"})).status == 404
    assert stage.engine.warms == [
        (SessionId("one"), (Segment("a", opens=True),)),
        (SessionId("two"), (Segment("", trusted=True, token_ids=(1, 2)),)),
    ]


@pytest.mark.parametrize("route", ["/v1/completions", "/v1/warm"])
async def test_ids_that_are_none_of_the_models_are_refused(route: str) -> None:
    async with a_stage() as stage:
        answer = await stage.post(route, {"prompt": [1, 4711], "session_id": "one"})
        assert (answer.status, answer.error["code"]) == (400, "unknown_token_id")
        assert "4711" in str(answer.error["message"])
        assert not stage.engine.requests
        assert not stage.engine.warms


async def test_biases_of_ids_that_are_none_of_the_models_are_refused() -> None:
    async with a_stage() as stage:
        answer = await stage.complete(logit_bias={"97": 5, "4711": -5})
        assert (answer.status, answer.error["code"]) == (400, "unknown_token_id")
        assert (await stage.complete(logit_bias={"97": 5})).status == 200


async def test_a_prompt_over_the_limit_is_refused_with_its_numbers() -> None:
    async with a_stage() as stage:
        answer = await stage.complete(prompt="abc", max_tokens=2045)
        assert (answer.error["code"], answer.error["tokens"], answer.error["limit"]) == ("context_length_exceeded", 4, 3)
        assert (await stage.complete(prompt="ab", max_tokens=2045)).status == 200
        full = await stage.complete(prompt="ab", max_tokens=4000)
        assert (full.status, full.error["limit"]) == (400, 0)
        assert "the tokens asked for alone fill the context" in str(full.error["message"])


@pytest.mark.parametrize("prompt", [[1] * 2049, [[1] * 2049], "x" * (4096 * 64 + 1)])
@pytest.mark.parametrize("route", ["/v1/completions", "/v1/warm"])
async def test_what_cannot_fit_the_context_is_refused_before_it_is_tokenised(
    monkeypatch: pytest.MonkeyPatch, route: str, prompt: object
) -> None:
    async with a_stage() as stage:
        monkeypatch.setattr(stage.engine, "tokenize", None)
        answer = await stage.post(route, {"prompt": prompt, "session_id": "one"})
    assert (answer.status, answer.error["code"]) == (400, "context_length_exceeded")


async def test_a_segment_that_cannot_fit_the_context_is_not_tokenised(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_stage() as stage:
        monkeypatch.setattr(stage.engine, "tokenize", None)
        for segment in ({"token_ids": [1] * 2049}, {"text": "x" * (4096 * 64 + 1)}):
            assert (await stage.post("/v1/tokenize", {"segments": [segment]})).status == 400


async def test_ids_of_a_model_with_more_room_do_not_stand_in_the_way_of_their_text() -> None:
    async with a_stage() as stage:
        answer = await stage.post("/v1/tokenize", {"segments": [{"text": "x"}, {"text": "ab", "token_ids": [1] * 2049}]})
    assert answer.json == {"tokens": [[BEGIN, 120], [97, 98]]}


async def test_a_prompt_that_does_not_fit_is_not_read_ahead() -> None:
    async with a_stage() as stage:
        answer = await stage.post("/v1/warm", {"prompt": "x" * 2048, "session_id": "one"})
        assert (answer.status, answer.error["tokens"]) == (400, 2049)
        assert not stage.engine.warms


async def test_tokenising_and_warming_count_as_requests_in_hand() -> None:
    async with a_stage(settings=EngineServerSettings(port=0, concurrent=0)) as stage:
        assert (await stage.post("/v1/tokenize", {"segments": [{"text": "x"}]})).status == 429
        assert (await stage.post("/v1/warm", {"prompt": "x", "session_id": "one"})).status == 429


async def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"prompt": '
        await asyncio.Event().wait()

    settings = EngineServerSettings(port=0, body_seconds=0.05)
    async with (
        asyncio.timeout(10),
        a_stage(settings=settings) as stage,
        stage.http.post(stage.address + "/v1/completions", data=slowly()) as answer,
    ):
        assert answer.status == 408
        assert "did not arrive" in (await answer.json())["error"]["message"]


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b'{"prompt": "x"}')[:-12]])
async def test_a_body_that_is_not_packed_as_it_says_is_a_bad_request(body: bytes) -> None:
    async with a_stage() as stage:
        answer = await stage.post("/v1/completions", body, {"Content-Encoding": "gzip"})
    assert answer.status == 400


@pytest.mark.parametrize(
    "fields",
    [{"dry_breakers": ["\ud800"]}, {"stop": "\udfff"}, {"session_id": "a\ud800"}, {"community": "\ud800"}, {"model": "\ud800"}],
)
async def test_half_a_letter_in_a_setting_is_a_bad_request(fields: dict[str, object]) -> None:
    async with a_stage() as stage:
        assert (await stage.complete(**fields)).status == 400
        assert (await stage.complete(prompt="\ud800")).status == 200


async def test_what_was_made_for_another_model_is_refused() -> None:
    async with a_stage() as stage:
        tag = (await stage.get("/v1/models")).headers["ETag"]
        assert (await stage.post("/v1/completions", {"prompt": [1]}, {"If-Match": tag})).status == 200
        assert (await stage.post("/v1/completions", {"prompt": [1]}, {"If-Match": "*"})).status == 200
        for route in ("/v1/completions", "/v1/warm"):
            answer = await stage.post(route, {"prompt": [1], "session_id": "x"}, {"If-Match": '"other"'})
            assert (answer.status, answer.error["code"]) == (412, "model_changed")


async def test_a_large_body_is_refused() -> None:
    async with a_stage(settings=EngineServerSettings(port=0, body_bytes=100)) as stage:
        assert (await stage.complete(prompt="x" * 200)).status == 413
        packed = await stage.post("/v1/completions", gzip.compress(b" " * 100_000), {"Content-Encoding": "gzip"})
        assert packed.status in {400, 413}


@pytest.mark.parametrize(
    ("method", "route", "status"),
    [
        ("GET", "/v1/completions", 405),
        ("POST", "/health", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/v1/chat/completions", 404),
    ],
)
async def test_what_is_not_there_is_told_as_an_error_object(method: str, route: str, status: int) -> None:
    async with a_stage() as stage, stage.http.request(method, stage.address + route) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["message"].endswith(".")


async def test_a_mistake_of_our_own_is_told_without_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_stage() as stage:
        monkeypatch.setattr(stage.engine, "generate", lambda _: 1 / 0)
        answer = await stage.complete()
    assert (answer.status, answer.error["code"]) == (500, "internal")
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


async def test_metrics_hold_the_engines_numbers_and_the_requests_by_route_and_status() -> None:
    async with a_stage() as stage:
        await stage.complete()
        await stage.complete(n=2)
        await stage.get("/nowhere")
        page = (await stage.get("/metrics")).text
    samples = {
        " ".join((sample.name, *sample.labels.values())): f"{family.type} {sample.value:g}"
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert samples["understudy_engine_slots"] == "gauge 2"
    assert samples["understudy_engine_requests_total"] == "counter 1"
    assert samples["understudy_engine_cached_tokens_total"] == "counter 7"
    assert samples["understudy_engine_disk_bytes"] == "gauge 0"
    assert samples["understudy_engine_ram_hits_total"] == "counter 0"
    assert samples["understudy_engine_http_requests_total /v1/completions 200"] == "counter 1"
    assert samples["understudy_engine_http_requests_total /v1/completions 400"] == "counter 1"
    assert samples["understudy_engine_http_requests_total unknown 404"] == "counter 1"


async def test_no_prompt_or_reply_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with a_stage("A secret reply.") as stage:
        await stage.complete(prompt="A secret prompt.")
        await stage.complete(prompt=["A secret prompt."], n=2)
    assert "secret" not in caplog.text


async def used(stage: Stage) -> bool:
    return bool((await stage.complete()).status == 200)


async def test_odd_bodies_leave_the_server_in_working_order() -> None:
    odd = [b"\x00" * 1000, b"{" * 100_000, json.dumps({"prompt": "\ud800"}).encode(), b'{"prompt": [1e400]}']
    async with a_stage() as stage:
        statuses = [(await stage.post("/v1/completions", body)).status for body in odd]
        assert statuses == [400, 400, 200, 400]
        assert await used(stage)
