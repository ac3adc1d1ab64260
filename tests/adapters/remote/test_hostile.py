"""What the engine's server bears from whoever can reach it: honest refusals, and the next request is answered."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from adapters.remote.settings import EngineServerSettings
from tests.adapters.remote.stage import Stage, a_stage
from tests.fakes.engine import Pause, ScriptedReply
from tests.rawhttp import PATIENCE, Reply, ask, connected

TOKEN = "open-sesame"  # noqa: S105 - a secret of this test
SMALL = 64 * 1024
ROUTES = ["/v1/completions", "/v1/tokenize", "/v1/warm", "/v1/forget"]
HONEST = {"prompt": "A door stands open.", "max_tokens": 20, "session_id": "s", "segments": [{"text": "A door"}]}


def _request(line: str, *headers: str, body: bytes = b"", token: str = TOKEN) -> bytes:
    head = [f"{line} HTTP/1.1", "Host: engine", *headers]
    if token:
        head.append(f"Authorization: Bearer {token}")
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*head, "", "")).encode("utf-8", "surrogateescape") + body


@dataclass(slots=True)
class Sender:
    stage: Stage

    async def post(self, route: str, body: bytes, *headers: str) -> Reply:
        return await ask(self.stage.address, _request(f"POST {route}", *headers, body=body))

    async def is_served(self) -> bool:
        answers = [await self.post(route, json.dumps(HONEST).encode()) for route in ROUTES]
        return [each.status for each in answers] == [200, 200, 202, 200]


@pytest.fixture
async def sender(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Sender]:
    """A server that has answered everything without a failure of its own."""
    settings = EngineServerSettings(port=0, token=TOKEN, body_bytes=SMALL, body_seconds=0.2)
    async with a_stage(*["Yes."] * 100, settings=settings) as stage:
        yield Sender(stage)
        assert await Sender(stage).is_served()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(sender: Sender, route: str) -> None:
    huge = b" " * (SMALL + 1)
    assert (await sender.post(route, huge)).status == 413
    async with connected(sender.stage.address) as raw:
        await raw.send(_request(f"POST {route}", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(huge), huge))
        assert (await raw.reply()).status == 413
    packed = gzip.compress(b" " * (64 << 20))
    assert (await sender.post(route, packed[:SMALL], "Content-Encoding: gzip")).status in {400, 413}


@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_that_trickles_is_waited_for_only_so_long(sender: Sender, route: str) -> None:
    async with connected(sender.stage.address) as raw:
        await raw.send(_request(f"POST {route}", "Content-Length: 60000"))
        assert (await raw.trickle()).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "header",
    [
        "X: y",
        "Authorization: Bearer",
        "Authorization: Bearer wrong",
        "Authorization: Bearer " + "x" * 8000,
        "Authorization: Bearer tök\udcffen",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: {TOKEN}",
        f"Cookie: token={TOKEN}",
    ],
)
@pytest.mark.parametrize(
    "line", [*(f"POST {route}" for route in ROUTES), "GET /v1/models", "GET /metrics", "GET /openapi.json"]
)
async def test_a_wrong_token_opens_nothing(sender: Sender, line: str, header: str) -> None:
    # A body is said to come that never does: it is refused unread.
    raw = _request(line, header, "Content-Length: 1000", token="")
    reply = await ask(sender.stage.address, raw)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(reply.body)["error"]["code"] == "invalid_api_key"


BODIES = {
    "nothing": b"",
    "null": b"null",
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe\x00",
    "UTF-16": '{"prompt": "x"}'.encode("utf-16"),
    "a null byte": b'{"prompt": "x"}\x00',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "a long number": b'{"max_tokens": ' + b"9" * 60_000 + b"}",
    "a number beyond all": b'{"prompt": "x", "temperature": 1e999}',
    "no number": b'{"prompt": "x", "temperature": NaN}',
    "half a letter": b'{"prompt": "\\ud800", "session_id": "\\ud800"}',
    "a field twice": b'{"session_id": "a", "session_id": 5, "segments": 5}',
    "a form": b"prompt=x",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_without_sense_is_refused(sender: Sender, route: str, body: bytes) -> None:
    kinds = ["application/json", "text/plain; charset=nonsense", "multipart/form-data; boundary=B"]
    for kind in kinds:
        reply = await sender.post(route, body, f"Content-Type: {kind}")
        assert (reply.status, set(json.loads(reply.body))) == (400, {"error"})


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "nonsense"])
async def test_a_body_that_is_not_packed_as_it_says_is_refused(sender: Sender, coding: str) -> None:
    assert (await sender.post("/v1/forget", b"{not packed}", f"Content-Encoding: {coding}")).status == 400


@pytest.mark.parametrize("name", ["\udcff", "ü", "x" * 8000, "\x7f", "../../etc/passwd"])
@pytest.mark.parametrize("route", ROUTES)
async def test_a_session_may_be_called_anything_or_is_refused(sender: Sender, route: str, name: str) -> None:
    body = json.dumps({**HONEST, "session_id": None}).encode()
    reply = await sender.post(route, body, f"X-Session-Id: {name}", f"If-Match: {name}")
    assert reply.status in {200, 202, 400, 412}


@pytest.mark.parametrize("path", ["/v1/%2e%2e/%00", "/v1/models/../../etc/passwd", "/%ff", "//", "*", "/v1/completions/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "NONSENSE"])
async def test_no_other_address_and_no_other_method_does_anything(sender: Sender, method: str, path: str) -> None:
    reply = await ask(sender.stage.address, _request(f"{method} {path}"))
    assert (reply.status in {400, 404}, set(json.loads(reply.body))) == (True, {"error"})


async def test_a_method_that_a_route_has_not_is_told_which_it_has(sender: Sender) -> None:
    reply = await ask(sender.stage.address, _request("DELETE /v1/models"))
    assert (reply.status, reply.headers["allow"]) == (405, "GET,HEAD")


async def test_a_client_that_takes_nothing_of_its_reply_ends_it() -> None:
    long = ScriptedReply(("word " * 2000,) * 2000)
    settings = EngineServerSettings(port=0, answer_seconds=0.03)
    async with a_stage(long, "Yes.", settings=settings) as stage, connected(stage.address, reads=False) as raw:
        await raw.send(_request("POST /v1/completions", body=json.dumps({"prompt": "x", "stream": True}).encode()))
        await raw.reader.readexactly(1)
        assert await stage.server.drain(PATIENCE)
        assert stage.engine.requests


async def test_idle_connections_up_to_any_number_leave_room_for_a_request_and_cost_no_reply() -> None:
    pause = Pause(1)
    settings = EngineServerSettings(port=0, connections=16)
    async with (
        a_stage(ScriptedReply(("One ", "two."), pause=pause), "Yes.", settings=settings) as stage,
        connected(stage.address) as writing,
        AsyncExitStack() as idle,
    ):
        await writing.send(_request("POST /v1/completions", body=json.dumps({"prompt": "x", "max_tokens": 20}).encode()))
        async with asyncio.timeout(PATIENCE):
            await pause.reached.wait()
        for _ in range(200):
            raw = await idle.enter_async_context(connected(stage.address))
            await raw.send(b"POST /v1/completions HTTP/1.1\r\nHost: engine\r\nContent-Length: 9\r\n\r\n")
        assert (await ask(stage.address, _request("GET /health"))).status == 200
        pause.go.set()
        assert b"One two." in (await writing.reply()).body
