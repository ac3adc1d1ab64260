"""The page over HTTP: reading, posting, following, and what it refuses."""

import asyncio
import re
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from adapters.web import server as page_server
from adapters.web.courier import WEB, WebCourier
from adapters.web.safety import Guard, NotAllowed
from adapters.web.server import WebServer
from bot.errors import ConfigMistakes, EngineUnavailable, NotNow, StoreUnavailable
from bot.flow.desk import Desk
from bot.ids import ChannelKey, Place
from bot.posts import ChannelLimits
from tests.adapters.web.browser import Browser, events_until
from tests.adapters.web.stage import STORY, Stage, a_stage
from tests.builders import MIRA, TOBIAS, a_session
from tests.fakes.engine import WORDS, Pause, ScriptedReply
from tests.fakes.store import MemoryStore

REPLY = '"There is one," she said.'


async def test_the_page_shows_the_scene_and_the_greeting(browser: Browser) -> None:
    page = await browser.open()
    for words in ("A stranger asks for shelter", "Mira looked up from the ledger.", "Your reply as"):
        assert words in page


async def test_a_post_without_script_is_answered_by_a_page_with_the_reply(browser: Browser) -> None:
    status, _ = await browser.send("post", {"text": "Is there a room?\r\nHe waited."})
    await browser.stage.settled()
    assert status == 303
    assert await browser.stage.story() == (MIRA.greeting, "Is there a room?\nHe waited.", REPLY)
    assert "There is one" in await browser.open()


async def test_a_form_sent_twice_counts_once(browser: Browser) -> None:
    for _ in range(2):
        status, _ = await browser.send("post", {"text": "Hello?"})
        assert status == 303
    await browser.stage.settled()
    assert len(await browser.stage.story()) == 3


async def test_the_acts_of_the_page_reach_the_story(browser: Browser) -> None:
    await browser.send("post", {"text": "Hello?"})
    await browser.stage.settled()
    for act, fields, expected in [
        ("retry", {}, '"None," she said.'),
        ("swipe_left", {}, REPLY),
        ("edit", {"turn": "2", "text": "*No.*"}, "*No.*"),
        ("length", {"text": "tiny"}, "*No.*"),
        ("undo", {}, MIRA.greeting),
    ]:
        await browser.open()
        status, _ = await browser.send("act", {"act": act, **fields})
        assert status == 303
        await browser.stage.settled()
        assert (await browser.stage.story())[-1] == expected
    assert 'value="tiny" selected' in await browser.open()


async def test_an_open_page_is_told_what_comes_of_a_post(browser: Browser) -> None:
    async with browser.http.get(browser.stage.address + "events") as stream:
        assert "Mira looked up" in await events_until(stream, "turn-0")
        await browser.send("post", {"text": "Hello?"}, scripted=True)
        shown = await events_until(stream, 'value="retry"')
    assert "There is one" in shown
    assert "Hello?" in shown


async def test_an_open_page_is_told_that_the_program_ends(browser: Browser) -> None:
    async with browser.http.get(browser.stage.address + "events") as stream:
        await events_until(stream, "Mira looked up")
        browser.stage.server.tell("It <ends>.")
        assert 'role="note">It &lt;ends&gt;.' in await events_until(stream, "It &lt;ends&gt;.")
    assert "It &lt;ends&gt;." in await browser.open()


async def test_an_act_that_makes_no_sense_is_answered_by_a_notice(browser: Browser) -> None:
    async with browser.http.get(browser.stage.address + "events") as stream:
        await browser.send("act", {"act": "undo"}, scripted=True)
        assert "There is nothing to undo" in await events_until(stream, 'class="notice"')


async def test_text_streams_while_it_is_written_and_stopping_ends_it() -> None:
    pause = Pause(4)
    reply = ScriptedReply(tuple(WORDS.findall("One two. Three four five six seven.")), pause=pause)
    async with a_stage(reply) as stage, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        browser = Browser(stage, http)
        await browser.open()
        async with http.get(stage.address + "events") as stream:
            await browser.send("post", {"text": "Hello?"}, scripted=True)
            await pause.reached.wait()
            assert "One two. Three four" in await events_until(stream, "Three four")
            assert "Mira</bdi> is writing" in await browser.open()
            await browser.send("stop", {"act": "stop"}, scripted=True)
            assert "stopped here" in await events_until(stream, "stopped here")
    assert (await stage.story())[-1] == "One two."


async def test_a_post_that_comes_while_a_reply_is_written_waits_in_sight() -> None:
    pause = Pause(2)
    reply = ScriptedReply(tuple(WORDS.findall("One two. Three.")), pause=pause)
    async with a_stage(reply) as stage, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        browser = Browser(stage, http)
        await browser.open()
        await browser.send("post", {"text": "First."}, scripted=True)
        await pause.reached.wait()
        browser.hidden["nonce"] = "another-nonce"
        await browser.send("post", {"text": "Second."}, scripted=True)
        assert "waiting for its turn" in await browser.open()
        pause.go.set()
        await stage.settled()
        assert "waiting for its turn" not in await browser.open()
        assert (await stage.story())[1::2] == ("First.", "Second.")


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_post_of_a_megabyte_is_refused_with_a_sentence(browser: Browser, scripted: bool) -> None:  # noqa: FBT001  a parameter
    status, text = await browser.send("post", {"text": "word " * 200_000}, scripted=scripted)
    assert status == 422
    assert "Post it in parts." in text
    assert len(await browser.stage.story()) == 1


async def test_a_form_beyond_all_reading_is_refused_with_a_sentence(browser: Browser) -> None:
    status, text = await browser.send("post", {"text": "x" * 9_000_000})
    assert status == 413
    assert "too long" in text


async def test_a_refused_post_stays_in_the_box(browser: Browser) -> None:
    typed = "<b>long</b> " * 4000
    status, text = await browser.send("post", {"text": typed})
    assert status == 422
    assert typed.replace("<", "&lt;").replace(">", "&gt;") in text


async def test_an_empty_post_is_refused(browser: Browser) -> None:
    status, text = await browser.send("post", {"text": " \n "}, scripted=True)
    assert (status, "nothing to post" in text) == (422, True)


@pytest.mark.parametrize("path", ["nothing", "static/server.py", "static/%2e%2e%2fserver.py", "?before=x", "?before=-1"])
async def test_what_is_not_there_is_said_in_a_sentence(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.stage.address + path) as answer:
        assert answer.status == 404
        assert "Back to the story" in await answer.text()


@pytest.mark.parametrize(
    "fields", [{"act": "dance"}, {"act": "edit", "turn": "x", "text": "y"}, {"act": "undo", "nonce": "!"}, {"act": ""}]
)
async def test_a_form_of_another_shape_is_refused(browser: Browser, fields: dict[str, str]) -> None:
    status, text = await browser.send("act", fields, scripted=True)
    assert (status, "reload" in text) == (422, True)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json"])
async def test_only_plain_forms_are_read(browser: Browser, kind: str) -> None:
    headers = {"Content-Type": kind}
    async with browser.http.post(browser.stage.address + "post", data=b"--x--", headers=headers) as answer:
        assert answer.status == 415


async def test_a_body_that_is_no_text_is_refused(browser: Browser) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser.http.post(browser.stage.address + "post", data=b"text=\xff", headers=headers) as answer:
        assert answer.status == 422


async def test_older_posts_are_a_page_of_their_own(browser: Browser) -> None:
    session = await browser.stage.store.session_at(STORY)
    assert session is not None
    for number in range(30):
        await browser.open()
        await browser.send("post", {"text": f"Post {number}."})
        await browser.stage.settled()
    newest = await browser.open()
    assert "Post 29." in newest
    assert "Post 0." not in newest
    (earlier,) = re.findall(r'href="/(\?before=\d+)"', newest)
    older = await browser.open(earlier)
    assert "Post 0." in older
    assert "Newest posts" in older
    assert 'id="reply"' not in older


async def test_an_older_page_shows_nothing_that_is_new(browser: Browser) -> None:
    for number in range(30):
        await browser.open()
        await browser.send("post", {"text": f"Post {number}."})
        await browser.stage.settled()
    await browser.open()
    await browser.send("act", {"act": "swipe_right"})
    await browser.stage.settled()
    newest = await browser.open()
    (earlier,) = re.findall(r'href="/(\?before=\d+)"', newest)
    assert "no later version" in newest
    assert "no later version" not in await browser.open(earlier)


async def test_a_post_without_a_reply_can_have_one_written(browser: Browser) -> None:
    browser.stage.engine.replies[:] = [ScriptedReply((), error=EngineUnavailable("It is away.")), ScriptedReply(("Back.",))]
    await browser.send("post", {"text": "Hello?"})
    await browser.stage.settled()
    page = await browser.open()
    assert "It is away." in page
    assert 'value="retry"' in page
    assert 'value="continue"' not in page
    await browser.send("act", {"act": "retry"})
    await browser.stage.settled()
    assert "Back." in await browser.open()


async def test_a_store_that_is_away_is_said_in_a_sentence(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The database cannot be opened; check that the disk is not full.")

    monkeypatch.setattr(browser.stage.store, "receive", away)
    status, text = await browser.send("post", {"text": "Keep this."})
    assert status == 503
    assert "check that the disk is not full" in text
    assert "Keep this." in text
    monkeypatch.setattr(browser.stage.store, "page", away)
    async with browser.http.get(browser.stage.address) as answer:
        assert answer.status == 503
    async with browser.http.get(browser.stage.address + "events") as stream:
        assert "check that the disk" in await events_until(stream, "data-silence")


async def test_a_defect_is_no_traceback(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(browser.stage.store, "page", None)
    async with browser.http.get(browser.stage.address) as answer:
        assert answer.status == 500
        assert "Traceback" not in await answer.text()
    assert "the page failed" in caplog.text


async def test_streams_are_bounded(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "STREAMS", 1)
    async with browser.http.get(browser.stage.address + "events") as first:
        assert first.status == 200
        async with browser.http.get(browser.stage.address + "events") as second:
            assert second.status == 503


async def test_closing_ends_the_streams_at_once(browser: Browser) -> None:
    async with browser.http.get(browser.stage.address + "events") as stream:
        await events_until(stream, "turn-0")
        async with asyncio.timeout(page_server.SHUTDOWN / 2):
            await browser.stage.server.close()
            await stream.content.read()


async def test_a_silent_stream_shows_that_it_lives(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "HEARTBEAT", 0.01)
    async with browser.http.get(browser.stage.address + "events") as stream:
        async with asyncio.timeout(5):
            while not (await stream.content.readline()).startswith(b":"):
                pass


def another_page(stage: Stage, **where: Any) -> WebServer:
    return WebServer(
        stage.courier,
        stage.store,
        stage.service.receiver,
        cast("Desk", stage.desk),
        place=STORY,
        player=TOBIAS.author,
        player_name="T",
        instruments=stage.instruments,
        **where,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])  # noqa: S104  refused
async def test_a_page_without_a_login_opens_on_this_machine_only(stage: Stage, host: str) -> None:
    other = another_page(stage, host=host)
    with pytest.raises(ConfigMistakes, match="this machine only"):
        await other.start()


async def test_the_standard_port_may_be_left_out() -> None:
    request = make_mocked_request("GET", "/", headers={"Host": "localhost"})
    Guard("127.0.0.1", 80).check_host(request)
    with pytest.raises(NotAllowed):
        Guard("127.0.0.1", 8080).check_host(request)


async def test_a_taken_port_is_said_in_a_sentence(stage: Stage) -> None:
    port = URL(stage.address).port or 0
    second = another_page(stage, port=port)
    with pytest.raises(NotNow, match="choose another port"):
        await second.start()


async def test_a_host_that_is_no_host_of_this_machine_is_said_in_a_sentence(stage: Stage) -> None:
    elsewhere = another_page(stage, host="192.0.2.1", operator_token="a-token-of-letters")  # noqa: S106  a made-up one
    with pytest.raises(ConfigMistakes, match=r"host under \[web\]"):
        await elsewhere.start()


async def test_a_place_without_a_story_says_so() -> None:
    async with a_stage() as stage:
        courier = WebCourier(ChannelLimits(2000))
        empty = WebServer(
            courier,
            MemoryStore(),
            stage.service.receiver,
            cast("Desk", stage.desk),
            place=Place(WEB, ChannelKey("empty")),
            player=TOBIAS.author,
            player_name="T",
            instruments=stage.instruments,
        )
        address = await empty.start()
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            assert "There is no story here yet" in await answer.text()
        await empty.close()


async def test_scripts_in_names_and_texts_are_shown_as_text() -> None:
    evil = "<script>alert(1)</script>"
    session = a_session(place=STORY, scenario=evil)
    async with (
        a_stage(evil, session=session, name=evil, notice=evil) as stage,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        browser = Browser(stage, http)
        await browser.open()
        await browser.send("post", {"text": f"{evil} \u202eltr\u202c e\u0301\u0301\u0301 \x00\x1b[31m"})
        await stage.settled()
        page = await browser.open()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") >= 5
    assert "\x1b" not in page
