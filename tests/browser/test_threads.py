"""Several stories, commands and files in a real browser."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect

from adapters.web.forms import UPLOAD_LIMIT
from bot.flow.desk import Answer
from bot.ids import CardId, ChannelKey, Place, SessionId
from bot.ports.store import Change
from bot.story.agreements import pause
from bot.story.library import LibraryCard
from bot.story.turn import Variant
from tests.adapters.web.stage import STORY, Stage, a_stage
from tests.browser.conftest import Chromium
from tests.builders import MIRA, TOBIAS, a_session

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHER = Place(STORY.platform, ChannelKey("other"))
JOREN = replace(MIRA, name="Joren", greeting="Joren waited by the ford.")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


async def with_joren(stage: Stage) -> None:
    await stage.service.begin(a_session(place=OTHER, id=SessionId("other"), character=JOREN))
    await stage.service.receiver.settled(OTHER)


async def test_stories_are_a_list_beside_the_page_and_each_is_live(chromium: Chromium) -> None:
    async with a_stage('"Deep," he said.') as stage:
        await with_joren(stage)
        async with chromium.page(stage) as seen:
            await seen.page.click("nav.beside >> text=Joren")
            await expect(seen.page.locator("#turn-0 .post")).to_have_text(JOREN.greeting)
            await expect(seen.page.locator("nav.beside [aria-current]")).to_contain_text("Joren")
            await seen.page.fill("#text", "Is it deep?")
            await seen.page.click("text=Post reply")
            await expect(seen.page.locator("#turn-2 .post")).to_have_text('"Deep," he said.')
            assert seen.page.url == f"{stage.address}t/other"
            assert len(await stage.story()) == 1
            assert seen.complaints == []


async def test_on_a_phone_the_list_is_folded_above_the_page(chromium: Chromium) -> None:
    async with a_stage() as stage:
        await with_joren(stage)
        async with chromium.page(stage, **PHONE) as seen:
            await expect(seen.page.locator("nav.beside")).to_be_hidden()
            await expect(seen.page.locator(".above a >> text=Joren")).to_be_hidden()
            await seen.page.locator(".above summary").tap()
            await seen.page.locator(".above a >> text=Joren").tap()
            await expect(seen.page.locator("#turn-0 .post")).to_have_text(JOREN.greeting)


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_command_is_answered_above_the_box_and_its_file_saved(
    chromium: Chromium, tmp_path: Path, *, scripted: bool
) -> None:
    async with a_stage() as stage, chromium.page(stage, java_script_enabled=scripted) as seen:
        stage.desk.answered = Answer("*The story*, to take home.", b"# Mira", "mira.md", "text/markdown")
        await seen.page.fill("#text", "Half a post")
        await seen.page.fill("#line", "/export markdown")
        await seen.page.press("#line", "Enter")
        await expect(seen.page.locator("#note em")).to_have_text("The story")
        if scripted:
            await expect(seen.page.locator("#text")).to_have_value("Half a post")
            await expect(seen.page.locator("#line")).to_have_value("")
            await expect(seen.page.locator("#line")).to_be_focused()
        async with seen.page.expect_download() as saving:
            await seen.page.click("text=Save mira.md")
        await (await saving.value).save_as(tmp_path / "mira.md")
        assert (tmp_path / "mira.md").read_bytes() == b"# Mira"
        assert (await saving.value).suggested_filename == "mira.md"


async def test_a_reply_that_is_a_command_leaves_the_box_and_an_unknown_one_stays(chromium: Chromium) -> None:
    async with a_stage() as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "/lenght long")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#reply .trouble")).to_contain_text("nearest is: length")
        await expect(seen.page.locator("#text")).to_have_value("/lenght long")
        await seen.page.fill("#text", "/length long")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#text")).to_have_value("")
        await expect(seen.page.locator("#tools select")).to_have_value("long")
        assert len(await stage.story()) == 1


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_file_is_brought_in(chromium: Chromium, *, scripted: bool) -> None:
    async with a_stage() as stage, chromium.page(stage, java_script_enabled=scripted) as seen:
        await seen.page.click("text=Bring in a file")
        await seen.page.select_option("#bring", "character import")
        card = FilePayload(name="mira.json", mimeType="application/json", buffer=b'{"name": "Mira"}')
        await seen.page.set_input_files("#file", card)
        await seen.page.click("#upload button")
        await expect(seen.page.locator("#note")).to_contain_text("Noted.")
        ((command, upload),) = stage.desk.asked
        assert (command.name, command.values, upload) == ("character import", {"file": "mira.json"}, b'{"name": "Mira"}')


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_file_that_is_too_large_is_refused_with_a_sentence_and_not_a_broken_connection(
    chromium: Chromium, tmp_path: Path, *, scripted: bool
) -> None:
    large = large_file(tmp_path / "large.json")
    async with a_stage() as stage, chromium.page(stage, java_script_enabled=scripted) as seen:
        await seen.page.click("text=Bring in a file")
        await seen.page.set_input_files("#file", large)
        await seen.page.click("#upload button")
        await expect(seen.page.locator(".commands .trouble:visible")).to_contain_text("larger than 16 MiB")
        assert stage.desk.asked == []


def large_file(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(3 * UPLOAD_LIMIT)
    return path


async def test_a_story_begins_from_the_library(chromium: Chromium) -> None:
    async with a_stage() as stage, chromium.page(stage) as seen:
        await stage.store.keep_card(LibraryCard(CardId("mira-1"), TOBIAS.author, MIRA))
        await seen.page.click("nav.beside >> text=New story")
        await seen.page.select_option("#character", "mira-1")
        await seen.page.fill("#scenario", "A storm at sea.")
        await seen.page.click("text=Begin the story")
        await expect(seen.page.locator(".scenario")).to_have_text("A storm at sea.")
        await expect(seen.page.locator("nav.beside li")).to_have_count(2)
        assert seen.complaints == []


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_post_is_deleted_from_its_menu(chromium: Chromium, *, scripted: bool) -> None:
    async with a_stage() as stage, chromium.page(stage, java_script_enabled=scripted) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await seen.page.click("#turn-2 .menu summary")
        await seen.page.click("#turn-2 button[value=delete]")
        await expect(seen.page.locator("#turn-2")).to_have_count(0)
        assert (await stage.story())[1:] == ("Hello?",)


async def test_a_reply_that_was_cut_is_offered_to_be_written_on_and_shorter_ones_to_be_had(chromium: Chromium) -> None:
    async with a_stage('"Come in', ' and sit," she said.', "Short.") as stage, chromium.page(stage) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 button[value=retry]")).to_be_visible()
        before = await stage.store.session_at(STORY)
        assert before is not None
        cut = before.turns[-1].with_variant(Variant('"Come in', is_cut=True))
        await stage.store.save(Change(before, replace(before, turns=(*before.turns[:-1], cut))))
        stage.courier.changed(STORY)
        await expect(seen.page.locator("#turn-2")).to_contain_text("cut short")
        await seen.page.click("#turn-2 button.offered")
        await expect(seen.page.locator("#turn-2 .post")).to_have_text('"Come in and sit," she said.')
        await expect(seen.page.locator("#turn-2")).not_to_contain_text("cut short")
        await seen.page.click("#turn-2 button[value=shorter]")
        await expect(seen.page.locator("#turn-2 .post")).to_have_text("Short.")


async def test_a_pause_is_a_banner_that_lets_play_on(chromium: Chromium) -> None:
    async with a_stage(session=pause(a_session(place=STORY), paused=True)) as stage, chromium.page(stage) as seen:
        await expect(seen.page.locator("#paused")).to_contain_text("paused")
        await seen.page.click("text=Play on")
        await expect(seen.page.locator("#paused")).to_have_count(0)
        await seen.page.click("#tools button[value=pause]")
        await expect(seen.page.locator("#paused")).to_be_visible()
        assert seen.complaints == []


async def test_a_part_that_is_closed_takes_the_reply_box_away_and_keeps_the_commands(chromium: Chromium) -> None:
    async with a_stage() as stage, chromium.page(stage) as seen:
        before = await stage.store.session_at(STORY)
        assert before is not None
        await expect(seen.page.locator("#reply")).to_be_visible()
        await stage.store.save(Change(before, replace(before, locked=True)))
        stage.courier.changed(STORY)
        await expect(seen.page.locator("#locked")).to_be_visible()
        await expect(seen.page.locator("#reply")).to_be_hidden()
        await seen.page.reload()
        await expect(seen.page.locator("#reply")).to_be_hidden()
        await expect(seen.page.locator("#command")).to_be_visible()


async def test_everything_unfolded_still_fits_a_phone(chromium: Chromium) -> None:
    async with a_stage() as stage, chromium.page(stage, **PHONE) as seen:
        await seen.page.fill("#text", "Hello?")
        await seen.page.click("text=Post reply")
        await expect(seen.page.locator("#turn-2 button[value=retry]")).to_be_visible()
        for summary in (".above", "#turn-2 .menu", ".fold:has(#upload)", ".help"):
            await seen.page.locator(f"{summary} > summary").tap()
        assert await seen.page.evaluate("document.scrollingElement.scrollWidth") == 390
