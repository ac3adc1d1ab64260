"""The operator's side of the page: who gets in, and what is shown there."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from adapters.metrics import Connection
from adapters.remote.metrics import Metrics as EngineMetrics
from adapters.web import safety
from adapters.web.access import Access
from adapters.web.tries import TRIES, WINDOW
from bot.engine.statistics import EngineStatistics
from bot.ports.shelf import ShelfStatistics
from tests.adapters.web.browser import Browser
from tests.adapters.web.stage import Stage, a_stage

TOKEN = "a-word-that-nobody-guesses"  # noqa: S105  a made-up one
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HTML = {"Accept": "text/html,*/*"}
HIDDEN = ("operator", "metrics")
MEMORY = ShelfStatistics(5, 3 * 2**20, hits=8, misses=1)
STATISTICS = EngineStatistics(slots=4, waiting=3, writing=2, slot_hits=9, ram=MEMORY)
FIGURES = EngineMetrics(lambda: STATISTICS).page().decode()


@asynccontextmanager
async def a_client(stage: Stage) -> AsyncGenerator[Browser, None]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(stage, http)


async def status(browser: Browser, path: str, headers: dict[str, str] | None = None) -> int:
    async with browser.http.get(browser.stage.address + path, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def test_on_this_machine_the_operators_side_is_open(browser: Browser) -> None:
    for path in (*HIDDEN, "healthz"):
        assert await status(browser, path) == 200


async def test_with_a_token_it_asks_for_it_on_this_machine_too() -> None:
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        for path in HIDDEN:
            assert await status(browser, path) == 401
            assert await status(browser, path, {"Authorization": f"Bearer {TOKEN}x"}) == 401
            assert await status(browser, path, {"Authorization": f"Basic {TOKEN}"}) == 401
            assert await status(browser, path, {"Authorization": "Bearer \xe9"}) == 401
            assert await status(browser, path, {"Cookie": f"{browser_cookie(stage)}={TOKEN}"}) == 401
            assert await status(browser, path, BEARER) == 200
        assert await status(browser, "") == 200
        assert await status(browser, "healthz") == 200


def browser_cookie(stage: Stage) -> str:
    return f"understudy-{stage.address.rstrip('/').rpartition(':')[2]}-operator"


async def test_a_browser_logs_in_and_is_known_from_then_on() -> None:
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        async with browser.http.get(stage.address + "operator", headers=HTML) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Understudy"')
            assert 'type="password"' in await answer.text()
        await browser.open("operator/login")
        code, page = await browser.send("operator/login", {"text": "guessed"})
        assert (code, "not the operator&#39;s token" in page) == (401, True)
        guess = {**browser.hidden, "text": "guess"}
        async with browser.http.post(stage.address + "operator/login", data=guess) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Understudy"')
        assert await status(browser, "operator") == 401

        await browser.open("operator/login")
        form = aiohttp.FormData({**browser.hidden, "text": f" {TOKEN} "})
        async with browser.http.post(stage.address + "operator/login", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/operator")
            cookie = answer.headers["Set-Cookie"]
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        for path in HIDDEN:
            assert await status(browser, path) == 200


async def test_the_form_to_log_in_leads_nowhere_else_and_is_taken_from_the_page_only() -> None:
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        await browser.open("operator/login")
        fields = {"text": TOKEN, "next": "https://example.org/"}
        for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await browser.send("operator/login", fields, headers=headers))[0] == 403
        browser.hidden = {}
        assert (await browser.send("operator/login", fields))[0] == 403
        assert await status(browser, "operator") == 401


async def test_where_others_can_reach_the_page_nothing_of_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "is_loopback", lambda _: False)
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        for path in ("", "new", "events", "operator", "metrics", "t/other", "nothing/here", "file/x"):
            assert await status(browser, path) == 401
            assert await status(browser, path, HTML) == 401
        for path in ("post", "act", "stop", "command", "upload", "new", "new/card"):
            assert (await browser.send(path, {"text": "Hello?"}))[0] == 401
        assert await status(browser, "healthz") == 200
        assert await status(browser, "static/page.css") == 200
        assert await status(browser, "", BEARER) == 200


async def test_from_elsewhere_the_story_is_played_after_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "is_loopback", lambda _: False)
    named = {"Host": "story.example.org"}
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        browser.http.headers.update(named)
        await browser.open("operator/login")
        own = {"Origin": "https://story.example.org"}
        assert (await browser.send("operator/login", {"text": TOKEN}, headers=own))[0] == 303
        # The browser came by HTTPS: the cookie does not go back in the clear.
        [cookie] = [each for each in browser.http.cookie_jar if each.key.endswith("-operator")]
        assert cookie["secure"]
        browser.http.headers["Cookie"] = "; ".join(f"{each.key}={each.value}" for each in browser.http.cookie_jar)
        await browser.open()
        assert (await browser.send("post", {"text": "Hello?"}, headers={"Origin": "https://example.org"}))[0] == 403
        assert (await browser.send("post", {"text": "Hello?"}, headers=own))[0] == 303
        await stage.settled()
        assert len(await stage.story()) == 3


async def test_whoever_asks_is_told_that_it_lives_and_what_is_away() -> None:
    async with a_stage() as stage, a_client(stage) as browser:
        lost = Connection(is_up=False, trouble="Discord does not know the token hunter2.")
        stage.instruments.connections["discord"] = lambda: lost
        async with browser.http.get(stage.address + "healthz", headers={"Host": "bot:8000"}) as answer:
            assert answer.status == 200
            assert await answer.json() == {"status": "alive", "parts": {"store": "up", "discord": "down"}}


async def test_the_page_shows_all_at_a_glance_and_no_word_of_a_story() -> None:
    async with a_stage("The heron is blue.", figures=FIGURES) as stage, a_client(stage) as browser:
        await browser.open()
        await browser.send("post", {"text": "Is the heron grey?"})
        await stage.settled()
        stage.instruments.connections["matrix"] = lambda: Connection(is_up=False, trouble="<b>The login</b> is lost.", breaks=2)
        with stage.instruments.troubles.listening():
            logging.getLogger("bot.flow").warning("the heron", extra={"action": "break_turn"})
        async with browser.http.get(stage.address + "operator") as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        cells = [re.sub(r"<[^>]*>", "", row).strip() for row in re.findall(r"<t[hd][ >].*?</t[hd]>", page)]
        rows = [re.findall(r"<bdi>(.*?)</bdi>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    assert "heron" not in page
    assert "<script" not in page
    assert "default-src 'none'" in policy
    assert ["web story", "Mira", "3", "0 s ago"] in rows
    assert ["matrix", "down", "2", "&lt;b&gt;The login&lt;/b&gt; is lost."] in rows
    assert ["The engine writes, of as many at a time", "2 of 4"] in rows
    assert ["Slots", "9", "-", "-", "-", "0"] in rows
    assert ["Memory", "8", "1", "5", "3.0 MiB", "0"] in rows
    assert ["end", "1"] in rows
    assert "break_turn" in cells


async def test_where_no_story_may_be_played_on_the_page_the_operators_side_is_open_all_the_same() -> None:
    async with a_stage(closed="The model is for adults.") as stage, a_client(stage) as browser:
        for path in (*HIDDEN, "healthz", "static/page.css"):
            assert await status(browser, path) == 200
        for path in ("new", "events", "t/other"):
            assert await status(browser, path) == 404
        async with browser.http.get(stage.address) as answer:
            assert (answer.status, "The model is for adults." in await answer.text()) == (403, True)
        assert (await browser.send("post", {"text": "Hello?"}))[0] == 404


async def test_the_page_loads_itself_anew_unless_it_is_to_stand_still(browser: Browser) -> None:
    assert '<meta http-equiv="refresh" content="10">' in await browser.open("operator")
    assert "http-equiv" not in await browser.open("operator?still")


async def test_who_guesses_tokens_is_not_listened_to_for_a_while_however_they_are_sent() -> None:
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        for number in range(TRIES // 2):
            await browser.open("operator/login")
            assert (await browser.send("operator/login", {"text": f"guess {number}"}))[0] == 401
            assert await status(browser, "metrics", {"Authorization": f"Bearer guess-{number}"}) == 401
        async with browser.http.get(stage.address + "metrics", headers=BEARER) as answer:
            assert answer.status == 429, "not even the right one is looked at"
            assert 0 < int(answer.headers["Retry-After"]) <= WINDOW
        await browser.open("operator/login")
        code, page = await browser.send("operator/login", {"text": TOKEN})
        assert (code, "try again in" in page) == (429, True)
        assert await status(browser, "") == 200
        assert await status(browser, "operator") == 401, "who sends none is asked for it"


async def test_who_guesses_through_a_proxy_keeps_nobody_out_who_asks_without_it() -> None:
    through = {"X-Forwarded-For": "192.0.2.7"}
    async with a_stage(host="0.0.0.0", operator_token=TOKEN) as stage, a_client(stage) as client:  # noqa: S104  ended with the test
        for number in range(TRIES):
            assert await status(client, "metrics", {"Authorization": f"Bearer guess-{number}", **through}) == 401
        assert await status(client, "metrics", {**BEARER, **through}) == 429
        assert await status(client, "metrics", BEARER) == 200


async def test_who_has_logged_in_stays_so_while_others_guess() -> None:
    async with a_stage(operator_token=TOKEN) as stage, a_client(stage) as browser:
        await browser.open("operator/login")
        assert (await browser.send("operator/login", {"text": TOKEN}))[0] == 303
        async with a_client(stage) as guesser:
            for number in range(TRIES):
                assert await status(guesser, "metrics", {"Authorization": f"Bearer guess-{number}"}) == 401
            assert await status(guesser, "metrics", BEARER) == 429
        assert await status(browser, "operator") == 200
        assert await status(browser, "metrics", BEARER) == 200


def test_the_token_and_the_key_show_up_in_no_representation() -> None:
    access = Access(TOKEN, is_local=True)
    assert TOKEN not in repr(access)
    assert access.key not in repr(access)


def test_without_a_token_nothing_is_one() -> None:
    assert not Access("", is_local=True).knows("")
