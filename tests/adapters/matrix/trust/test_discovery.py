"""A homeserver is found by its user's id alone, and never over a way on which others could listen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.matrix.trust.discovery import found
from bot.errors import Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(well_known: Handler, versions: Any = ("v1.16",)) -> AsyncIterator[str]:
    """A server on this machine, by its name: with a word about its homeserver, and one itself."""

    async def spoken(_: web.Request) -> web.Response:
        return web.json_response({"versions": list(versions)} if isinstance(versions, tuple) else versions)

    app = web.Application()
    app.router.add_get("/.well-known/matrix/client", well_known)
    app.router.add_get("/_matrix/client/versions", spoken)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answering(content: Any, status: int = 200) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response(content, status=status)

    return handle


def leading(to: str) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        raise web.HTTPFound(to)

    return handle


async def test_the_word_of_a_server_says_where_its_homeserver_is() -> None:
    async with serving(answering({}, 404)) as home:
        word = {"m.homeserver": {"base_url": f"http://{home}/"}, "more": 1}
        async with serving(answering(word)) as name:
            assert await found("", name) == f"http://{home}"
            assert await found(name, "elsewhere.example.org") == f"http://{home}"
            async with serving(leading(f"http://{name}/.well-known/matrix/client")) as other:
                assert await found("", other) == f"http://{home}"


async def test_a_server_without_a_word_is_its_own_homeserver() -> None:
    async with serving(answering({}, 404)) as name:
        assert await found("", name) == f"http://{name}"


async def test_an_address_that_was_named_is_taken_as_it_is() -> None:
    async with serving(answering({"m.homeserver": {"base_url": "https://other.example.org"}})) as name:
        assert await found(f"http://{name}/", "ignored.example.org") == f"http://{name}"


@pytest.mark.parametrize(
    "well_known",
    [
        answering({"m.homeserver": {"base_url": 5}}),
        answering({"m.homeserver": {"base_url": ""}}),
        answering({"m.homeserver": "text"}),
        answering(["list"]),
        answering({}),
        answering({}, 500),
        answering({}, 403),
    ],
)
async def test_a_word_that_says_nothing_is_told_with_what_to_do(well_known: Handler) -> None:
    async with serving(well_known) as name:
        with pytest.raises(Refused, match=r"does not say where the homeserver is .*--homeserver"):
            await found("", name)


@pytest.mark.parametrize("address", ["http://matrix.example.org", "ftp://127.0.0.1", "text", "https://user:secret@example.org"])
async def test_no_password_is_sent_where_others_could_listen(address: str) -> None:
    async with serving(answering({"m.homeserver": {"base_url": address}})) as name:
        with pytest.raises(Refused, match="begins with https://"):
            await found("", name)


async def test_the_way_to_a_word_is_as_safe_as_the_word() -> None:
    async with serving(answering({"m.homeserver": {"base_url": "https://matrix.example.org"}})) as home:
        # This machine under a name that does not say so.
        other = home.replace("127.0.0.1", "0.0.0.0")  # noqa: S104  nothing is bound to it
        async with serving(leading(f"http://{other}/.well-known/matrix/client")) as name:
            with pytest.raises(Refused, match="leads to a server that does not speak TLS"):
                await found("", name)


@pytest.mark.parametrize("versions", [{}, {"versions": []}, {"versions": 5}, ["v1"]])
async def test_what_speaks_no_matrix_is_told(versions: Any) -> None:
    async with serving(answering({}, 404), versions) as name:
        with pytest.raises(Refused, match="there is no Matrix homeserver"):
            await found("", name)


@pytest.mark.parametrize(
    "server", ["", "a/b", "a b", "user@example.org", "example.org:port", "[::1", "a?b", "a#b", "127.0.0.1:0000000099999"]
)
async def test_what_is_no_name_of_a_server_is_asked_for_nothing(server: str) -> None:
    with pytest.raises(Refused, match="is no server's name; name the homeserver's address"):
        await found("", server)


async def test_a_server_that_does_not_answer_is_told() -> None:
    with pytest.raises(Refused, match=r"nothing answers there.*--homeserver"):
        await found("", "127.0.0.1:1")
