"""A watched loopback Discord: discord.py's own requests pass, and what is wrong fails the test that made it happen."""

import aiohttp
import pytest

from tests.fakes.discord.checked import Watchful, watched
from tests.fakes.discord.loopback import LoopbackDiscord
from tests.fakes.discord.server import ROUTES
from tests.fakes.discord.tour import tour


@pytest.mark.usefixtures("document")
async def test_a_tour_of_all_that_discord_py_does_is_as_the_document_has_it(discord: LoopbackDiscord) -> None:
    await tour(discord)

    found = [ROUTES.find(each.method, each.path) for each in discord.requests if each.status < 400]
    seen = {(each[0].method, each[0].template) for each in found if each}
    assert [f"{route.method} {route.template}" for route in ROUTES.all if (route.method, route.template) not in seen] == []


async def test_a_request_that_breaks_a_rule_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="allowed_mentions is missing"):
        async with watched(Watchful(None)) as discord:
            await send(discord, {"content": "Hello."})


async def test_a_request_that_discord_has_no_route_for_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="GET /nowhere"):
        async with watched(Watchful(None)) as discord:
            await ask(discord, "GET", "/nowhere")


async def test_what_a_test_provokes_can_be_forgiven(discord: LoopbackDiscord, watch: Watchful) -> None:
    await send(discord, {"content": "Hello."})
    assert ["allowed_mentions is missing" in fault for fault in watch.taken()] == [True]


async def send(discord: LoopbackDiscord, body: object) -> None:
    channel = discord.add_channel(discord.add_guild("The Harbour"), "general")
    await ask(discord, "POST", f"/channels/{channel.id}/messages", body)


async def ask(discord: LoopbackDiscord, method: str, path: str, body: object = None) -> None:
    headers = {"Authorization": f"Bot {discord.token}"}
    address = f"https://discord.com/api/v10{path}"
    async with (
        aiohttp.ClientSession(connector=discord.connector(), headers=headers) as session,
        session.request(method, address, json=body) as answer,
    ):
        await answer.read()
