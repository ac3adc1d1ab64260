"""Who may read the page and send its forms."""

import re

import pytest
from yarl import URL

from tests.adapters.web.browser import Browser
from tests.adapters.web.stage import Stage


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
async def test_no_other_host_is_answered(browser: Browser, host: str) -> None:
    port = URL(browser.stage.address).port
    for path in ("", "events", "static/page.css"):
        async with browser.http.get(browser.stage.address + path, headers={"Host": host.format(port=port)}) as answer:
            assert answer.status in {400, 421}
            assert "Mira" not in await answer.text()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
async def test_this_machine_is_answered_under_its_names(browser: Browser, name: str) -> None:
    port = URL(browser.stage.address).port
    async with browser.http.get(browser.stage.address, headers={"Host": f"{name}:{port}"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"token": ""}, {}),
        ({"token": "guess"}, {}),
        ({"token": "gu\u00e9ss"}, {}),
        ({}, {"Cookie": "understudy=none"}),
        ({}, {"Origin": "http://evil.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ],
)
@pytest.mark.parametrize("path", ["post", "act", "stop", "command", "new", "t/story/post", "t/story/command"])
async def test_a_forged_form_is_refused(
    stage: Stage, browser: Browser, path: str, changed: dict[str, str], headers: dict[str, str]
) -> None:
    if "Cookie" in headers:
        browser.http.cookie_jar.clear()
    status, _ = await browser.send(path, {"text": "Forged.", "act": "undo", **changed}, headers=headers)
    assert status == 403
    await stage.settled()
    assert len(await stage.story()) == 1
    assert stage.desk.asked == []


async def test_our_own_origin_is_accepted(browser: Browser) -> None:
    origin = browser.stage.address.rstrip("/")
    status, _ = await browser.send("post", {"text": "Hi."}, headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    assert status == 303


@pytest.mark.parametrize(
    "path",
    ["", "events", "nothing", "static/page.js", "static/..%2fserver.py", "post", "new", "t/story", "t/none", "file/none"],
)
async def test_every_answer_carries_the_security_headers(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.stage.address + path) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_the_cookie_is_for_this_site_alone(browser: Browser) -> None:
    async with browser.http.get(browser.stage.address) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert re.search(r"HttpOnly", cookie)
    assert re.search(r"SameSite=Strict", cookie)


async def test_a_strange_cookie_is_refused_like_any_other(browser: Browser) -> None:
    names = [cookie.key for cookie in browser.http.cookie_jar]
    browser.http.cookie_jar.clear()
    (status, _) = await browser.send("post", {"text": "Hello?"}, headers={"Cookie": f"{names[0]}=\udce9"})
    assert status == 403
