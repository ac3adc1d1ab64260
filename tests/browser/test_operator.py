"""The operator's page in a real browser: logging in, reading it with a keyboard, letting it stand still."""

import pytest
from playwright.async_api import expect

from adapters.web import operating
from tests.adapters.web.stage import a_stage
from tests.browser.conftest import Chromium

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "a-word-that-nobody-guesses"  # noqa: S105  a made-up one
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


async def test_an_operator_logs_in_and_sees_the_bot_go_on(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "REFRESH", 1)
    async with a_stage(operator_token=TOKEN) as stage, chromium.page(stage) as seen:
        await seen.page.goto(f"{stage.address}operator")
        await seen.page.get_by_label("The operator's token").fill("guessed")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_role("alert")).to_have_text("That is not the operator's token.")
        await seen.page.get_by_label("The operator's token").fill(TOKEN)
        await seen.page.click("button:text-is('Log in')")
        stories = seen.page.get_by_role("region", name="Stories")
        await expect(stories.get_by_role("row").last).to_contain_text("web story")
        stage.service.metrics.count("turns", "end", 41)
        await expect(seen.page.get_by_role("region", name="Replies since the start")).to_contain_text("41")
        await seen.page.click("text=let it stand still")
        await expect(seen.page.get_by_text("It stands still")).to_be_visible()
        await expect(seen.page.locator("meta[http-equiv]")).to_have_count(0)
        # A browser complains of each answer that asks for the token.
        assert [each for each in seen.complaints if "401" not in each] == []


async def test_on_a_phone_only_the_tables_scroll_sideways(chromium: Chromium) -> None:
    async with a_stage() as stage, chromium.page(stage, **PHONE) as seen:
        await seen.page.goto(f"{stage.address}operator?still")
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert seen.complaints == []
