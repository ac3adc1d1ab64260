"""The page in a real browser: what a player does, and what they then see."""

import pytest
from playwright.async_api import expect

from adapters.web import server as page_server
from bot.posts import ChannelLimits
from tests.adapters.web.stage import STORY, a_stage
from tests.browser.conftest import Chromium
from tests.builders import MIRA, a_session
from tests.fakes.engine import WORDS, Pause, ScriptedReply

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOM = '"There is one," she said. *Under the eaves.*'
NONE = '"None," she said.'
EVIL = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>'


def paused(text: str, before: int) -> tuple[Pause, ScriptedReply]:
    pause = Pause(before)
    return pause, ScriptedReply(tuple(WORDS.findall(text)), pause=pause)


async def test_a_post_is_answered_by_a_reply_that_streams(chromium: Chromium) -> None:
    pause, reply = paused("One two. *Three* four five.", 4)
    async with a_stage(reply) as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "Is there a room?")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#draft")).to_have_text("One two. Three four")
        await expect(seen.page.locator("#draft em")).to_have_text("Three")
        await expect(seen.page.locator("#status")).to_have_text("Mira is writing…")
        await expect(seen.page.locator("#text")).to_have_value("")
        pause.go.set()
        await expect(seen.page.locator("#turn-2 .post")).to_have_text("One two. Three four five.")
        await expect(seen.page.locator("#draft")).to_have_count(0)
        await expect(seen.page.locator("#status")).to_have_text("")
        assert await seen.texts("article.turn h2") == ["Mira", "Tobias", "Mira"]
        assert seen.complaints == []


async def test_stopping_keeps_what_was_written(chromium: Chromium) -> None:
    pause, reply = paused("One two. Three four five.", 4)
    async with a_stage(reply) as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await pause.reached.wait()
        await seen.page.click("button:text-is('Stop')")
        await expect(seen.page.locator("#turn-2")).to_contain_text("stopped here")
        assert await seen.texts("#turn-2 .post") == ["One two."]


async def test_retry_swipe_continue_and_undo_change_the_thread_in_place(chromium: Chromium) -> None:
    async with a_stage(ROOM, NONE, " She smiled.") as stage, chromium.page(stage) as seen:
        reply = seen.page.locator("#turn-2 .post")
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await seen.page.click("button:text-is('Retry')")
        await expect(seen.page.locator(".count")).to_have_text("2 / 2")
        await expect(reply).to_have_text(NONE)
        await seen.page.click("[aria-label='Earlier version']")
        await expect(reply).to_have_text(ROOM.replace("*", ""))
        await expect(seen.page.locator(".count")).to_have_text("1 / 2")
        await seen.page.click("[aria-label='Later version']")
        await expect(reply).to_have_text(NONE)
        await seen.page.click("button:text-is('Continue')")
        await expect(reply).to_have_text(NONE + " She smiled.")
        await seen.page.click("button:text-is('Undo')")
        await expect(seen.page.locator("article.turn")).to_have_count(1)
        await expect(seen.page.locator("button:text-is('Undo')")).to_have_count(0)
        assert seen.complaints == []


@pytest.mark.parametrize(("act", "shown"), [("Retry", "Four five."), ("Continue", "One two. Three. Four five.")])
async def test_while_a_reply_is_written_anew_or_on_no_text_stands_twice(chromium: Chromium, act: str, shown: str) -> None:
    pause, again = paused(" Four five. Six seven.", 2)
    async with a_stage("One two. Three.", again) as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await seen.page.click(f"button:text-is('{act}')")
        await pause.reached.wait()
        await expect(seen.page.locator("#draft")).to_have_text(shown)
        assert [text.strip() for text in await seen.texts("#turn-2 .post")] == [shown]
        pause.go.set()
        await expect(seen.page.locator("#turn-2 .post")).to_have_text(f"{shown} Six seven.")


async def test_any_turn_can_be_edited(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await seen.page.click("#turn-0 summary")
        assert await seen.page.input_value("#edit-0") == MIRA.greeting
        await seen.page.fill("#edit-0", "Mira **sang**.")
        await seen.page.click("#turn-0 >> text=Save")
        await expect(seen.page.locator("#turn-0 .post strong")).to_have_text("sang")
        await expect(seen.page.locator("#edit-0")).to_be_hidden()
        assert await stage.story() == ("Mira **sang**.",)


async def test_an_edit_that_is_refused_keeps_its_text_and_says_why(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await seen.page.click("#turn-0 summary")
        await seen.page.fill("#edit-0", "word " * 4000)
        await seen.page.click("#turn-0 >> text=Save")
        await expect(seen.page.locator("#turn-0 .trouble")).to_contain_text("Post it in parts")
        assert len(await seen.page.input_value("#edit-0")) == 20_000


async def test_the_length_is_chosen_and_kept(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        assert len(await seen.texts("#tools select option")) == 12
        for value in ("huge", "none", "auto"):
            await seen.page.select_option("#tools select", value)
            await stage.settled()
            await seen.page.reload()
            await expect(seen.page.locator("#tools select")).to_have_value(value)


async def test_the_keyboard_alone_is_enough(chromium: Chromium) -> None:
    async with a_stage(ROOM, NONE) as stage, chromium.page(stage) as seen:
        await seen.page.keyboard.press("Tab")
        await expect(seen.page.locator(":focus")).to_have_text("Skip to the reply box")
        await seen.page.keyboard.press("Enter")
        await seen.page.keyboard.type("Hello?")
        await seen.page.keyboard.press("Control+Enter")
        await expect(seen.page.locator("#turn-2 button[value=retry]")).to_be_visible()
        await expect(seen.page.locator("#text")).to_be_focused()
        await seen.page.focus("button[value=retry]")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator(".count")).to_have_text("2 / 2")
        await expect(seen.page.locator("#turn-2 .post")).to_have_text(NONE)
        await seen.page.focus("[aria-label='Earlier version']")
        await seen.page.keyboard.press("Space")
        await expect(seen.page.locator(".count")).to_have_text("1 / 2")
        assert await seen.page.evaluate("document.activeElement.closest('#turn-2') !== null")
        await seen.page.focus("#turn-2 summary")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#edit-2")).to_be_focused()
        await seen.page.keyboard.press("Escape")
        await expect(seen.page.locator("#edit-2")).to_be_hidden()


async def test_typed_text_and_an_open_edit_survive_what_happens_around_them(chromium: Chromium) -> None:
    pause, reply = paused("One two. Three.", 2)
    async with a_stage(reply) as stage, chromium.page(stage) as seen, chromium.page(stage) as other:
        await seen.page.click("#turn-0 summary")
        await seen.page.fill("#edit-0", "Half an edit")
        await seen.page.fill("#text", "Half a post")
        await other.page.fill("#text", "Hello?")
        await other.page.click("text=Post reply")
        await expect(seen.page.locator("#draft")).to_contain_text("One")
        pause.go.set()
        await expect(seen.page.locator("#turn-2 .post")).to_have_text("One two. Three.")
        await expect(seen.page.locator("#text")).to_have_value("Half a post")
        await expect(seen.page.locator("#text")).to_be_focused()


async def test_two_pages_agree(chromium: Chromium) -> None:
    async with a_stage(ROOM, NONE) as stage, chromium.page(stage) as one, chromium.page(stage) as two:
        await one.page.fill("#text", "Hello?")
        await one.page.click("text=Post reply")
        await two.page.click("button:text-is('Retry')")
        await expect(one.page.locator(".count")).to_have_text("2 / 2")
        await expect(one.page.locator("#turn-2 .post")).to_have_text(NONE)
        assert await one.texts(".post") == await two.texts(".post")


async def test_a_page_that_lost_its_connection_catches_up(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen, chromium.page(stage) as other:
        await expect(seen.page.locator("article.turn")).to_have_count(1)
        stage.courier.close()
        await expect(seen.page.locator("#status")).to_have_text("The connection is lost; trying again…")
        await other.page.fill("#text", "Hello?")
        await other.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 .post")).to_have_text(ROOM.replace("*", ""))
        assert await seen.texts("article.turn h2") == ["Mira", "Tobias", "Mira"]
        await expect(seen.page.locator("#status")).to_have_text("")


async def test_a_page_from_before_a_restart_posts_again_after_a_word(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await expect(seen.page.locator("article.turn")).to_have_count(1)
        await seen.page.evaluate("document.getElementById('thread').dataset.token = 'old'")
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#reply .trouble")).to_contain_text("send it once more")
        await expect(seen.page.locator("#text")).to_have_value("Hello?")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 .post")).to_be_visible()
        await expect(seen.page.locator("#reply .trouble")).to_be_hidden()


async def test_a_page_that_was_open_before_a_restart_posts_again(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "Hello?")
        await stage.restart_page()
        await expect(seen.page.locator("#status")).to_have_text("The connection is lost; trying again…")
        await expect(seen.page.locator("#status")).to_have_text("")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 .post")).to_be_visible()


async def test_a_server_that_is_away_costs_no_text(chromium: Chromium) -> None:
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await stage.server.close()
        await seen.page.fill("#text", "Keep this.")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#reply .trouble")).to_contain_text("What you typed is still here")
        await expect(seen.page.locator("#text")).to_have_value("Keep this.")


async def test_nothing_in_names_and_texts_runs_or_loads(chromium: Chromium) -> None:
    session = a_session(place=STORY, scenario=EVIL)
    reply = f"{EVIL} [x](javascript:alert(1)) ![x](http://127.0.0.1:9/x.png)"
    async with (
        a_stage(reply, session=session, name="<script>window.bad=1</script>", notice=EVIL) as stage,
        chromium.page(stage) as seen,
    ):
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        await seen.page.fill("#text", EVIL)
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 button[value=retry]")).to_be_visible()
        await seen.page.reload()
        await expect(seen.page.locator("#turn-1 .post")).to_have_text(EVIL)
        assert await seen.page.evaluate("window.bad === undefined")
        assert await seen.page.locator("img, .post script, a[href^=javascript]").count() == 0
        assert all(url.startswith(stage.address) for url in asked)
        assert seen.complaints == []


@pytest.mark.parametrize(
    "text",
    [
        "Well-known words.",
        "[a](https://a.example/" + "path/" * 60 + ") b",
        "W" * 400,
        "`" + "x" * 300 + "`\n\n```\n" + "y" * 300 + "\n```",
    ],
)
async def test_a_phone_needs_no_sideways_scrolling(chromium: Chromium, text: str) -> None:
    small = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    async with a_stage(text, limits=ChannelLimits(200)) as stage, chromium.page(stage, **small) as seen:
        await seen.page.fill("#text", text)
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 button[value=retry]")).to_be_visible()
        await seen.page.locator("#turn-2 .edit summary").tap()
        await expect(seen.page.locator("#edit-2")).to_be_focused()
        room = "document.scrollingElement.scrollWidth"
        assert await seen.page.evaluate(room) == 390


async def test_it_works_without_script(chromium: Chromium) -> None:
    async with a_stage(ROOM, NONE) as stage, chromium.page(stage, java_script_enabled=False) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        assert (await seen.texts("#turn-2 .post")) == [ROOM.replace("*", "")]
        await seen.page.click("button:text-is('Retry')")
        await seen.page.click("[aria-label='Earlier version']")
        assert (await seen.texts("#turn-2 .post")) == [ROOM.replace("*", "")]
        await seen.page.select_option("#tools select", "tiny")
        await seen.page.click("text=Set")
        assert await seen.page.input_value("#tools select") == "tiny"
        await seen.page.click("#turn-1 summary")
        await seen.page.fill("#edit-1", "Good evening.")
        await seen.page.click("#turn-1 >> text=Save")
        assert (await seen.texts("#turn-1 .post")) == ["Good evening."]
        await seen.page.click("button:text-is('Undo')")
        assert await seen.page.locator("article.turn").count() == 1


async def test_a_post_that_is_too_long_stays_in_the_box_with_the_reason(chromium: Chromium) -> None:
    for scripted in (True, False):
        async with a_stage(ROOM) as stage, chromium.page(stage, java_script_enabled=scripted) as seen:
            await seen.page.fill("#text", "word " * 4000)
            await seen.page.click("text=Post reply")
            await expect(seen.page.locator("#reply .trouble")).to_contain_text("Post it in parts")
            assert len(await seen.page.input_value("#text")) == 20_000


async def test_a_page_too_many_says_so(chromium: Chromium, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "STREAMS", 0)
    async with a_stage(ROOM) as stage, chromium.page(stage) as seen:
        await expect(seen.page.locator("#status")).to_contain_text("does not follow the story any more")
