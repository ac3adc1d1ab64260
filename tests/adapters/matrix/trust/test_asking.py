"""Requests to a homeserver: what goes wrong is one sentence, and secrets go to nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.matrix.trust import asking
from adapters.matrix.trust.asking import Denied, Homeserver, NoAnswer, judged, shown
from bot.errors import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_what_is_asked_comes_to_its_path_with_the_token_and_nothing_of_it_elsewhere() -> None:
    seen: list[tuple[str, str, str | None]] = []

    async def answers(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.headers.get("Authorization")))
        return web.json_response({"got": await request.json() if request.can_read_body else None})

    async with serving(answers) as address, Homeserver(f"{address}/", "token") as home:
        assert await home.ask("POST", "/login", {"a": 1}) == {"got": {"a": 1}}
        assert await home.ask("GET", "/_matrix/client/versions") == {"got": None}
    assert seen == [
        ("POST", "/_matrix/client/v3/login", "Bearer token"),
        ("GET", "/_matrix/client/versions", "Bearer token"),
    ]


async def test_a_password_does_not_follow_where_a_server_leads() -> None:
    stolen: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        stolen.append(await request.text())
        return web.json_response({})

    async with serving(thief) as elsewhere:

        async def leads(_: web.Request) -> web.Response:
            raise web.HTTPPermanentRedirect(elsewhere)

        async with serving(leads) as address, Homeserver(address) as home:
            with pytest.raises(NoAnswer, match="no Matrix homeserver"):
                await home.ask("POST", "/login", {"password": "secret"})
    assert stolen == []


@pytest.mark.parametrize("address", ["http://matrix.example.org", "ftp://127.0.0.1", "matrix.example.org", "https://a:b@c"])
async def test_nothing_is_asked_where_others_could_listen(address: str) -> None:
    with pytest.raises(Refused, match="has to begin with https://"):
        async with Homeserver(address, "token"):
            raise AssertionError("it was opened")


@pytest.mark.parametrize(
    ("status", "raw", "may_pass", "sentence"),
    [
        (429, b'{"retry_after_ms": 333000}', True, "asks to wait 333 seconds"),
        (429, b"slow down", True, "asks to wait 5 seconds"),
        (429, b'{"retry_after_ms": -1}', True, "asks to wait 5 seconds"),
        (502, b"<html>", True, r"does not work now \(it answers 502\)"),
        (500, b'{"errcode": "M_UNKNOWN"}', True, "does not work now"),
        (200, b"<html>", False, "no Matrix homeserver"),
        (404, b"", False, "no Matrix homeserver"),
        (200, b"[]", False, "no Matrix homeserver"),
        (200, b"[" * 100_000, False, "no Matrix homeserver"),
        (200, b"\xff", False, "no Matrix homeserver"),
    ],
)
def test_what_is_no_answer_is_told_with_whether_it_may_pass(status: int, raw: bytes, may_pass: bool, sentence: str) -> None:  # noqa: FBT001  a table
    with pytest.raises(NoAnswer, match=sentence) as unanswered:
        judged("https://matrix.example.org", status, raw)
    assert unanswered.value.may_pass is may_pass


def test_a_refusal_tells_the_servers_words_and_code_and_cannot_steer_a_terminal() -> None:
    with pytest.raises(Denied) as denied:
        judged("https://matrix.example.org", 403, b'{"errcode": "M_FORBIDDEN", "error": "No\\u001b[2J way"}')
    assert str(denied.value) == "The homeserver refuses: No?[2J way (M_FORBIDDEN)."
    assert (denied.value.status, denied.value.code, denied.value.is_lost_login) == (403, "M_FORBIDDEN", False)
    for strange in (b"{}", b'{"errcode": 5, "error": {}}', b'{"error": ""}'):
        with pytest.raises(Denied, match=r"it gives no reason \(400\)"):
            judged("https://matrix.example.org", 400, strange)


def test_a_lost_login_is_known() -> None:
    for code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"):
        assert Denied(401, {"errcode": code}).is_lost_login


async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b" " * 65_536)
        except ConnectionError:
            return answer

    async with serving(endless) as address, Homeserver(address) as home, asyncio.timeout(10):
        with pytest.raises(NoAnswer, match="no Matrix homeserver"):
            await home.ask("GET", "/login")


async def test_a_long_answer_is_read_whole() -> None:
    async def long(_: web.Request) -> web.Response:
        return web.json_response({"text": "x" * 3_000_000})

    async with serving(long) as address, Homeserver(address) as home:
        assert len((await home.ask("GET", "/login"))["text"]) == 3_000_000


def test_long_words_of_others_are_cut() -> None:
    assert len(shown("x" * 10_000)) < 300
    assert shown("a\nb\x07") == "a?b?"
