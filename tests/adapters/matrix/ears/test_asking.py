"""Requests to a homeserver: whatever it answers is an answer of Matrix, or a reason in plain words."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from nio import AsyncClient, AsyncClientConfig

from adapters.matrix.ears import asking
from adapters.matrix.ears.asking import Unanswered, asked, parsed


@asynccontextmanager
async def answering(answer: web.Response | None = None, raw: bytes = b"") -> AsyncGenerator[AsyncClient, None]:
    """A client of a server that always answers so; or that says these bytes and hangs up."""
    seen: list[str] = []

    async def on_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        writer.close()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        assert answer is not None
        return answer

    if answer is None:
        server = await asyncio.start_server(on_call, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    else:
        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
    client = AsyncClient(f"http://127.0.0.1:{port}", "@bot:matrix.test", config=AsyncClientConfig(encryption_enabled=False))
    client.access_token = "a-token"  # noqa: S105  no secret
    try:
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # the library's
        if answer is None:
            server.close()
        else:
            await runner.cleanup()
    assert set(seen) <= {"Bearer a-token"}


async def failed(answer: web.Response | None = None, raw: bytes = b"") -> Unanswered:
    async with answering(answer, raw) as client:
        with pytest.raises(Unanswered) as caught:
            await asked(client, "GET", "/v3/sync")
    return caught.value


async def test_an_answer_is_an_object() -> None:
    async with answering(web.json_response({"next_batch": "s1"})) as client:
        assert await asked(client, "POST", "/v3/sync", {"since": "s 0"}, {}) == {"next_batch": "s1"}


@pytest.mark.parametrize("body", ["[]", "5", "<html>", "", '{"a":', "\x80"])
async def test_what_is_no_object_is_no_answer(body: str) -> None:
    error = await failed(web.Response(text=body))
    assert (str(error), error.may_pass) == ("its answer is none of Matrix", True)


@pytest.mark.parametrize(
    ("status", "told", "sentence", "may_pass", "seconds"),
    [
        (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}, "it answered 429 (M_LIMIT_EXCEEDED)", True, 1.5),
        (502, None, "it answered 502", True, 0.0),
        (403, {"errcode": "M_FORBIDDEN"}, "it answered 403 (M_FORBIDDEN)", False, 0.0),
        (401, {"errcode": "M_UNKNOWN_TOKEN"}, "it answered 401 (M_UNKNOWN_TOKEN)", True, 0.0),
        (500, {"errcode": "<script>", "retry_after_ms": "soon"}, "it answered 500", True, 0.0),
        (503, {"errcode": ["M_X"], "retry_after_ms": 1e300}, "it answered 503", True, 900.0),
        (408, {}, "it answered 408", True, 0.0),
    ],
)
async def test_a_refusal_says_what_it_is_and_how_long_to_wait(
    status: int, told: object, sentence: str, *, may_pass: bool, seconds: float
) -> None:
    answer = web.Response(status=status, text="<html>" if told is None else json.dumps(told))
    error = await failed(answer)
    assert (str(error), error.status, error.may_pass, error.seconds) == (sentence, status, may_pass, seconds)
    assert error.is_lost_login is (status == 401)


async def test_a_wait_that_stands_in_the_header_counts_too() -> None:
    assert (await failed(web.Response(status=429, headers={"Retry-After": "7"}))).seconds == 7.0


@pytest.mark.parametrize("raw", [b"", b"garbage", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"HTTP/1.1 2x0\r\n\r\n"])
async def test_what_is_no_http_is_no_answer(raw: bytes) -> None:
    error = await failed(raw=raw)
    assert (error.status, error.may_pass) == (0, True)
    assert str(error)


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LARGEST", 1000)
    assert str(await failed(web.Response(body=b"x" * 2000))) == "its answer has no end"


async def test_a_homeserver_that_is_away_is_a_reason(tmp_path: Path) -> None:
    client = AsyncClient("http://127.0.0.1:9", "@bot:matrix.test", store_path=str(tmp_path))
    client.access_token = "a-token"  # noqa: S105  no secret
    with pytest.raises(Unanswered, match="nothing answers there"):
        await asked(client, "GET", "/v3/sync")
    await client.close()  # type: ignore[no-untyped-call]  # the library's


def test_what_lies_too_deep_is_left_out_and_nothing_beside_it() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    read = parsed(b'{"a": "]\\"[", "deep": ' + deep + b', "b": [1, {"c": "}"}], "deeper": {"x": ' + deep + b"}}")
    assert isinstance(read, dict)
    assert (read["a"], read["b"]) == (']"[', [1, {"c": "}"}])
    depth, inner = 0, read["deep"]
    while inner:
        depth, inner = depth + 1, inner[0]
    assert depth == asking.DEEPEST - 1
