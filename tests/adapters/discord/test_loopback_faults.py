"""The loopback Discord's faults and rate limits, as an unmodified discord.py meets them."""

import asyncio
import ssl
import time

import aiohttp
import discord
import pytest

from tests.adapters.discord.plain_client import Scene, scene
from tests.adapters.discord.test_loopback_places import refusal
from tests.fakes.discord.pointing import certificate

POST = "POST /channels/*/messages"
WEBHOOK = "POST /webhooks/*"


def contents(here: Scene) -> list[str]:
    return [each.content for each in here.loopback.messages(here.text)]


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py's pauses before it tries again take no time."""
    real = asyncio.sleep
    monkeypatch.setattr("discord.http.asyncio.sleep", lambda *_: real(0))


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize("kind", ["500 before", "502 after"])
async def test_a_channel_send_that_failed_is_tried_again_and_its_nonce_keeps_it_one(kind: str) -> None:
    async with scene() as here:
        here.loopback.faults.add(POST, kind)
        await here.tavern().send("once")

        assert contents(here) == ["once"]
        assert [each.status for each in here.loopback.asked("POST", "/messages")] == [int(kind[:3]), 200]


@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize(("kind", "standing"), [("500 before", ["once"]), ("500 after", ["once", "once"])])
async def test_a_webhook_post_that_failed_after_its_effect_is_doubled_by_the_library(kind: str, standing: list[str]) -> None:
    async with scene() as here:
        webhook = await here.tavern().create_webhook(name="Mira")
        here.loopback.faults.add(WEBHOOK, kind)
        await webhook.send("once", wait=True)

        assert contents(here) == standing


@pytest.mark.parametrize(("kind", "standing"), [("cut before", []), ("cut after", ["once"])])
async def test_a_cut_connection_is_an_error_that_says_nothing_about_the_effect(kind: str, standing: list[str]) -> None:
    async with scene() as here:
        here.loopback.faults.add(POST, kind)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await here.tavern().send("once")

        assert contents(here) == standing
        assert here.loopback.requests[-1].fault == kind
        assert here.loopback.requests[-1].status == 0


async def test_a_429_with_via_is_waited_for_and_one_without_is_an_error_at_once() -> None:
    async with scene() as here:
        here.loopback.faults.add(POST, "429", retry_after=0.01)
        here.loopback.faults.add(POST, "429 without via", nth=3)
        await here.tavern().send("one")

        assert contents(here) == ["one"]
        assert (await refusal(here.tavern().send("two")))[0] == 429
        assert contents(here) == ["one"]


async def test_a_delayed_answer_waits_until_the_test_lets_it_go() -> None:
    async with scene() as here:
        fault = here.loopback.faults.add(POST, "delay after")
        sending = asyncio.create_task(here.tavern().send("one"))
        await asyncio.wait_for(fault.reached.wait(), 10)
        assert contents(here) == ["one"]
        assert not sending.done()
        fault.release()
        assert (await sending).content == "one"


async def test_a_fault_hits_the_request_that_it_was_meant_for() -> None:
    async with scene() as here:
        here.loopback.faults.add(POST, "cut before", nth=2)
        await here.tavern().send("one")
        with pytest.raises((aiohttp.ClientError, OSError)):
            await here.tavern().send("two")
        await here.tavern().send("three")

        assert contents(here) == ["one", "three"]
        with pytest.raises(ValueError, match="no kind of fault"):
            here.loopback.faults.add(POST, "explode")


async def test_random_faults_are_the_same_for_the_same_seed() -> None:
    dealt = []
    for _ in range(2):
        async with scene() as here:
            here.loopback.faults.random(7, 0.5, ("cut before", "cut after"), POST)
            for number in range(10):
                await asyncio.wait({asyncio.ensure_future(here.tavern().send(str(number)))})
            dealt.append([kind for _, kind in here.loopback.faults.dealt])
            here.loopback.faults.clear()
            await here.tavern().send("last")

    assert dealt[0] == dealt[1]
    assert 0 < len(dealt[0]) < 10


async def test_answers_tell_of_their_bucket_unless_the_test_hides_it() -> None:
    told = []
    async with scene() as here, aiohttp.ClientSession(connector=here.loopback.connector()) as session:
        for here.loopback.limits.shows_headers in (True, False):
            headers = {"Authorization": f"Bot {here.loopback.token}"}
            async with session.get("https://discord.com/api/v10/users/@me", headers=headers) as answer:
                told.append({name for name in answer.headers if name.lower().startswith("x-ratelimit")})
                assert answer.headers["Content-Type"] == "application/json"

    names = ("Limit", "Remaining", "Reset", "Reset-After", "Bucket")
    assert told == [{f"X-RateLimit-{name}" for name in names}, set()]


async def test_a_request_of_which_only_the_beginning_arrives_changes_nothing_and_is_no_error() -> None:
    async with scene() as here:
        context = ssl.create_default_context(cafile=str(certificate()[0]))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", here.loopback.port, ssl=context, server_hostname="discord.com"
        )
        await reader.read(0)
        head = f"POST /api/v10/channels/{here.text.id}/messages HTTP/1.1\r\nHost: discord.com\r\n"
        about = f"Authorization: Bot {here.loopback.token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
        writer.write(f"{head}{about}\r\n{{".encode())
        await writer.drain()
        writer.transport.abort()
        await here.tavern().send("one")

        assert contents(here) == ["one"]


async def test_the_known_limit_of_a_channel_makes_the_client_wait() -> None:
    async with scene() as here:
        here.loopback.limits.limits["POST /channels/{channel}/messages"] = (2, 0.2)
        here.loopback.limits.use_known()
        began = time.monotonic()
        for number in range(3):
            await here.tavern().send(str(number))

        assert time.monotonic() - began >= 0.15
        assert contents(here) == ["0", "1", "2"]


async def test_the_hidden_limit_of_webhooks_counts_by_channel_and_no_header_tells_of_it() -> None:
    async with scene() as here:
        first, second = [await here.tavern().create_webhook(name=name) for name in ("Mira", "Tom")]
        here.loopback.limits.hidden_webhook = (2, 0.1)
        here.loopback.limits.use_known()
        for webhook in (first, second, first):
            await webhook.send("Hello", wait=True)

        asked = here.loopback.asked("POST", "/webhooks/")
        assert [each.status for each in asked] == [200, 200, 429, 200]
        assert asked[2].answer["retry_after"] > 0


async def test_the_third_rename_in_ten_minutes_is_refused_for_long() -> None:
    async with scene(max_ratelimit_timeout=30) as here:
        thread = await here.tavern().create_thread(name="A thread", type=discord.ChannelType.public_thread)
        here.loopback.limits.use_known()
        for name in ("one", "two"):
            await thread.edit(name=name)
        with pytest.raises(discord.RateLimited) as limited:
            await thread.edit(name="three")
        await thread.edit(archived=True)

        assert limited.value.retry_after > 500
