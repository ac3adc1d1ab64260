"""A real browser without a screen, once for all tests of this folder, and pages that record what they complain about."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.adapters.web.stage import Stage

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True)
class Seen:
    """An open page and every complaint of its console: violations of the content policy, errors of the script."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def texts(self, selector: str) -> list[str]:
        """The visible text of all that the selector finds."""
        return await self.page.locator(selector).all_inner_texts()


class Chromium:
    """Opens pages, each in a profile of its own unless two are to share one."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def page(self, stage: Stage, **context: Any) -> AsyncGenerator[Seen, None]:
        """The stage's page in a fresh profile."""
        profile = await self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        seen = Seen(await profile.new_page())
        seen.page.set_default_timeout(10_000)
        seen.page.on("console", lambda message: seen.complaints.append(message.text))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        await seen.page.goto(stage.address)
        try:
            yield seen
        finally:
            await profile.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator[Chromium, None]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install the package chromium to run the browser's tests")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Chromium(browser)
        await browser.close()
