"""A page with a story behind it, and a browser that looks at it."""

from collections.abc import AsyncGenerator

import aiohttp
import pytest

from tests.adapters.web.browser import Browser
from tests.adapters.web.stage import Stage, a_stage

REPLY = '"There is one," she said.'


@pytest.fixture
async def stage() -> AsyncGenerator[Stage, None]:
    async with a_stage(REPLY, '"None," she said.') as opened:
        yield opened


@pytest.fixture
async def browser(stage: Stage) -> AsyncGenerator[Browser, None]:
    # An address made of numbers is a host like any other to the page; the client keeps no cookies of it unless told.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        opened = Browser(stage, http)
        await opened.open()
        yield opened
