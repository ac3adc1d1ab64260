"""The document that the engine's server serves of itself: it is valid, complete, and true whatever is sent."""

import asyncio
from typing import Any

import pytest
import schemathesis
from schemathesis import Case

from adapters.remote.openapi import document
from adapters.remote.settings import EngineServerSettings
from tests.adapters.remote.stage import Stage, a_stage
from tests.fuzzing import fuzz, routes_in, routes_of

TOKEN = "open-sesame"  # noqa: S105 - a secret of this test
REPLIES = ['"Come in," she said.'] * 20_000


def _honest(case: Case[Any]) -> None:
    """Ask for the model that there is, in most cases."""
    if len(str(case.body)) % 4:
        case.headers.pop("If-Match", None)
        for name in ("model", "adapter"):
            if isinstance(case.body, dict):
                case.body.pop(name, None)


async def _served(stage: Stage) -> dict[str, Any]:
    answer = await stage.get("/openapi.json", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200
    return answer.json


async def test_it_is_a_valid_document_that_tells_every_route_and_no_other() -> None:
    async with a_stage(settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        served = await _served(stage)
        routes = routes_of(stage.server._app())
    schemathesis.openapi.from_dict(served).validate()
    assert routes_in(served) == routes


async def test_it_wants_a_token_where_the_server_does() -> None:
    async with a_stage(settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        assert (await stage.get("/openapi.json")).status == 401
        assert (await _served(stage))["security"] == [{"token": []}]
    assert document(EngineServerSettings())["security"] == []


@pytest.mark.parametrize("examples", [6, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
async def test_whatever_is_sent_is_answered_as_the_document_says(examples: int) -> None:
    async with a_stage(*REPLIES, settings=EngineServerSettings(port=0, token=TOKEN)) as stage:
        answered = await asyncio.to_thread(
            fuzz, await _served(stage), stage.address, examples, _honest, {"Authorization": f"Bearer {TOKEN}"}
        )
        assert (await stage.get("/health")).status == 200
    taken = {path for (path, status), _ in answered.items() if status < 400}
    assert {"POST /v1/completions", "POST /v1/tokenize", "POST /v1/forget", "HEAD /v1/models"} <= taken
