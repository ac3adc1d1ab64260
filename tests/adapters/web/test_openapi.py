"""The document that the page serves of itself: it is valid, complete, and true whatever is sent."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest
import schemathesis
from schemathesis import Case

from adapters.web.courier import Watch, WebCourier
from adapters.web.offers import takes_file
from adapters.web.tries import TRIES
from bot.commands.catalogue import COMMANDS
from bot.ids import Place
from tests.adapters.web.stage import STORY, Stage, a_stage
from tests.fuzzing import fuzz, routes_in, routes_of

TOKEN = "the operator's own token"  # noqa: S105 - a secret of this test
REPLIES = ['"Come in," she said.'] * 5_000
LINES = [f"/{spec.name}" for spec in COMMANDS]
BRINGING = [spec.name for spec in COMMANDS if takes_file(spec.name)]
LONG = [pytest.mark.slow, pytest.mark.timeout(900)]
EVERYWHERE = "0.0.0.0"  # noqa: S104  what is asked of a page that others can reach


async def _served(stage: Stage) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession() as http, http.get(stage.address + "openapi.json", headers=headers) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
    return found


@pytest.mark.parametrize("closed", ["", "No story is played here."])
async def test_it_is_a_valid_document_that_tells_every_address_and_no_other(closed: str) -> None:
    async with a_stage(closed=closed) as stage:
        served = await _served(stage)
        routes = routes_of(stage.server._app())
    schemathesis.openapi.from_dict(served).validate()
    assert routes_in(served) == routes


async def test_it_says_what_needs_a_login_and_needs_one_itself_where_the_page_does() -> None:
    async with a_stage(operator_token=TOKEN) as stage:
        locked = {path for path, methods in (await _served(stage))["paths"].items() if "security" in methods.get("get", {})}
    assert locked == {"/metrics", "/operator"}
    async with a_stage(operator_token=TOKEN, host=EVERYWHERE) as stage:
        free = {path for path, methods in (await _served(stage))["paths"].items() if "security" not in str(methods)}
        async with aiohttp.ClientSession() as http, http.get(stage.address + "openapi.json") as answer:
            assert answer.status == 401
    assert free == {"/healthz", "/operator/login", "/static/{name}"}


async def test_it_names_the_headers_that_a_refusal_comes_with() -> None:
    async with a_stage(operator_token=TOKEN) as stage:
        described = (await _served(stage))["components"]["responses"]
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer guess"}) as http:
            answers = [await http.head(stage.address + "metrics") for _ in range(TRIES + 1)]
    assert {answer.status for answer in answers} == {401, 429}
    for answer in answers:
        (named,) = described[f"Refused{answer.status}"]["headers"]
        assert named in answer.headers


@pytest.mark.parametrize(
    ("examples", "scripted"), [(3, True), *(pytest.param(60, scripted, marks=LONG) for scripted in (True, False))]
)
async def test_whatever_is_sent_is_answered_as_the_document_says(
    *, examples: int, scripted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WebCourier, "watching", _watching_briefly)
    async with a_stage(*REPLIES, operator_token=TOKEN, whole=True) as stage:
        headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Accept": "application/json"} if scripted else {})
        async with aiohttp.ClientSession() as http, http.get(stage.address) as page:
            (token,) = set(re.findall(r'name="token" value="([^"]*)"', await page.text()))
            headers["Cookie"] = "; ".join(f"{name}={each.value}" for name, each in page.cookies.items())
        answered = await asyncio.to_thread(
            fuzz, await _served(stage), stage.address.rstrip("/"), examples, partial(_honest, token), headers
        )
    taken = {path for (path, status), _ in answered.items() if status < 400}
    assert {"GET /events", "POST /post", "POST /act", "POST /command", "POST /stop"} <= taken


def _honest(token: str, case: Case[Any]) -> None:
    """Send what the page hides in its forms, in the story that there is, and with commands that there are."""
    number = len(str(case.body))
    if isinstance(case.body, dict):
        body: dict[str, Any] = {"token": token} | {name: value for name, value in case.body.items() if name != "token"}
        if case.path.endswith("/command"):
            body["text"] = f"{LINES[number % len(LINES)]} {body['text'] if number % 2 else ''}"
        if case.path.endswith("/upload"):
            body["text"] = BRINGING[number % len(BRINGING)]
        case.body = body
    if "channel" in case.path_parameters and number % 4:
        case.path_parameters["channel"] = STORY.channel


_watching = WebCourier.watching


@contextmanager
def _watching_briefly(self: WebCourier, place: Place) -> Iterator[Watch]:
    """A stream that ends by itself, so that it has an answer that can be compared."""
    with _watching(self, place) as watch:
        asyncio.get_running_loop().call_soon(partial(watch.tell, closed=True))
        yield watch
