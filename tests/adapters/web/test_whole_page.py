"""The page with the real desk behind it: what a player can do from a browser, from a card to a book."""

import json
import re
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from tests.adapters.web.browser import Browser
from tests.adapters.web.stage import STORY, a_stage

CARD = json.dumps(
    {
        "spec": "chara_card_v2",
        "spec_version": "2.0",
        "data": {
            "name": "Joren",
            "description": "Joren is a ferryman of forty years.",
            "first_mes": "Joren waited by the ford.",
            "extensions": {"understudy": {"rating": "general"}},
        },
    }
).encode()
LINK = re.compile(r'href="/(file/[^"]+)"')


@pytest.fixture
async def browser() -> AsyncGenerator[Browser, None]:
    async with (
        a_stage('"Deep," he said.', whole=True) as stage,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        opened = Browser(stage, http)
        await opened.open()
        yield opened


async def ask(browser: Browser, line: str, where: str = "") -> str:
    await browser.open(where)
    status, page = await browser.send(f"{where}/command".lstrip("/"), {"text": line})
    assert status in {200, 303}, page
    await browser.stage.settled()
    return page


async def test_a_card_is_brought_in_and_a_story_begins_with_it(browser: Browser) -> None:
    await browser.open("new")
    status, page = await browser.bring("new/card", {}, CARD)
    assert (status, "Joren" in page) == (200, True)
    (card,) = re.findall(r'<option value="([^"]+)" >Joren \(', page)
    await browser.open("new")
    form = {**browser.hidden, "character": card, "text": "A river in flood."}
    async with browser.http.post(f"{browser.stage.address}new", data=form, allow_redirects=False) as answer:
        where = answer.headers["Location"].partition("#")[0].lstrip("/")
    page = await browser.open(where)
    assert "Joren waited by the ford." in page
    assert "A river in flood." in page


async def test_a_character_whom_nobody_rated_is_refused_where_adults_only_play_is_closed(browser: Browser) -> None:
    await browser.open("new")
    await browser.bring("new/card", {}, CARD.replace(b"general", b"unrated"))
    (card,) = re.findall(r'<option value="([^"]+)" >Joren \(', await browser.open("new"))
    status, page = await browser.send("new", {"character": card, "text": "A river in flood."})
    assert status == 422
    assert "A river in flood." in page
    assert len(await browser.stage.store.places()) == 1


async def test_help_comes_from_the_catalogue(browser: Browser) -> None:
    page = await ask(browser, "/help roll")
    assert "Roll dice; the model is told what came of it" in page
    assert "/roll" in page


async def test_dice_are_rolled_and_shown(browser: Browser) -> None:
    await ask(browser, "/roll 2d6+1 picking the lock")
    page = await browser.open()
    assert 'class="roll"' in page
    assert "for picking the lock" in page


async def test_a_story_is_taken_home(browser: Browser) -> None:
    page = await ask(browser, "/export html")
    async with browser.http.get(browser.stage.address + LINK.findall(page)[0]) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "Mira looked up from the ledger." in await answer.text()


async def test_a_branch_is_a_thread_that_is_linked_both_ways(browser: Browser) -> None:
    await browser.send("post", {"text": "Is it deep?"})
    await browser.stage.settled()
    await browser.open()
    await browser.send("act", {"act": "branch", "turn": "1"})
    await browser.stage.settled()
    page = await browser.open()
    (link,) = set(re.findall(r'href="/(t/[0-9a-f]+)">another', page))
    branched = await browser.open(link)
    assert "Is it deep?" in branched
    assert "Deep," not in branched
    assert 'This story comes from <a href="/">another one</a>' in branched


async def test_a_story_that_ended_is_brought_back(browser: Browser) -> None:
    assert "has ended" in await ask(browser, "/end")
    page = await browser.open()
    assert "There is no story here yet" in page
    assert 'id="reply"' not in page
    assert "goes on" in await ask(browser, "/resume")
    assert "Mira looked up" in await browser.open()
    assert await browser.stage.store.session_at(STORY) is not None


async def test_what_a_story_holds_is_told_on_the_page_alone(browser: Browser) -> None:
    page = await ask(browser, "/status")
    assert re.search(r'<div id="note" class="note" role="status" >\s*<p>', page)
    assert '<div id="note" class="note" role="status" hidden>' in await browser.open()
    assert len(await browser.stage.story()) == 1
