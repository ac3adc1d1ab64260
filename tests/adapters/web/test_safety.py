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


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
async def test_a_proxy_opens_no_page_that_is_for_this_machine(browser: Browser, header: str) -> None:
    for path in ("", "events", "new", "static/page.css"):
        async with browser.http.get(browser.stage.address + path, headers={header: "203.0.113.9"}) as answer:
            assert answer.status == 421
            assert "operator_token" in await answer.text()
            assert "Mira" not in await answer.text()


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


@pytest.mark.parametrize("path", ["", "nothing", "static/none", "new", "operator", "metrics", "openapi.json", "post"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_nothing_but_the_pages_own_files_may_be_kept(browser: Browser, path: str, accept: str) -> None:
    async with browser.http.get(browser.stage.address + path, headers={"Accept": accept}) as answer:
        assert answer.headers.getall("Cache-Control") == ["no-store"]


async def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_that_stands_in_the_page(browser: Browser) -> None:
    for path in ("", "new", "operator", "operator/login", "nothing"):
        async with browser.http.get(browser.stage.address + path) as answer:
            policy, page = answer.headers["Content-Security-Policy"], await answer.text()
        directives = {name: set(sources) for name, *sources in map(str.split, policy.split(";"))}
        assert {source for sources in directives.values() for source in sources} == {"'none'", "'self'"}
        # These do not follow default-src: left out, they would allow everything.
        assert {"form-action", "frame-ancestors", "base-uri"} <= directives.keys()
        # What the policy forbids would not work: so there is none of it in our own pages.
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


async def test_every_form_wants_the_pages_own_word(stage: Stage, browser: Browser) -> None:
    paths = {"post", "act", "stop", "command", "upload", "new", "new/card", "operator/login"}
    paths |= {f"t/story/{name}" for name in ("post", "act", "stop", "command", "upload")}
    assert {route.lstrip("/").replace("{channel}", "story") for route in posted_to(stage)} == paths
    for path in paths:
        is_file = path.endswith(("upload", "card"))
        await browser.open()
        browser.hidden["token"] = "guess"  # noqa: S105  a made-up one
        status, _ = await (browser.bring(path, {}) if is_file else browser.send(path, {"text": "Forged."}))
        assert status == 403, path


def posted_to(stage: Stage) -> set[str]:
    """The addresses that take a form, as the page routes them."""
    routes = stage.server._app().router.routes()
    return {route.resource.canonical for route in routes if route.method == "POST" and route.resource}


@pytest.mark.parametrize(
    "name", ["%2F%2Fevil.example", "%5Cevil.example", "https:%2F%2Fevil.example", "..%2F..%2Fevil.example"]
)
async def test_no_form_leads_to_another_site(browser: Browser, name: str) -> None:
    fields = {"text": "Hello?", "next": "https://evil.example/", "url": "//evil.example"}
    async with browser.http.post(
        browser.stage.address + "post", data={**browser.hidden, **fields}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/#status")
    await browser.open()
    form = {**browser.hidden, **fields}
    url = URL(f"{browser.stage.address}t/{name}/post", encoded=True)
    async with browser.http.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status in {404, 405}
        assert "Location" not in answer.headers


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
