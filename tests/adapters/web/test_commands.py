"""Commands typed on the page, files that come with them, and what comes back."""

import re

import aiohttp
import pytest

from adapters.web import forms
from bot.flow.desk import Answer
from bot.story.turn import Role
from tests.adapters.web.browser import Browser
from tests.adapters.web.stage import STORY, Stage
from tests.builders import TOBIAS

LINK = re.compile(r'href="/(file/[^"]+)"')


async def settings(stage: Stage) -> str:
    session = await stage.store.session_at(STORY)
    assert session is not None
    return str(session.settings.length)


@pytest.mark.parametrize("line", ["/length long", "length long", "  /LENGTH   long "])
async def test_a_story_command_waits_its_turn_in_the_story(stage: Stage, browser: Browser, line: str) -> None:
    status, _ = await browser.send("command", {"text": line})
    await stage.settled()
    assert (status, await settings(stage), stage.desk.asked) == (303, "long", [])


async def test_a_reply_that_begins_with_a_slash_is_a_command_and_no_post(stage: Stage, browser: Browser) -> None:
    await browser.send("post", {"text": "/length long"})
    await stage.settled()
    assert (await settings(stage), len(await stage.story())) == ("long", 1)


async def test_a_reply_that_begins_with_two_slashes_is_a_post(stage: Stage, browser: Browser) -> None:
    await browser.send("post", {"text": "// back in a minute"})
    await stage.settled()
    assert "// back in a minute" in "".join(await stage.story())


@pytest.mark.parametrize("form", ["command", "post"])
async def test_an_answer_is_shown_to_the_reader_and_joins_no_story(stage: Stage, browser: Browser, form: str) -> None:
    stage.desk.answered = Answer("The window holds **one** post. <b>x</b>")
    status, page = await browser.send(form, {"text": "/status"})
    assert status == 200
    assert "The window holds <strong>one</strong> post. &lt;b&gt;x&lt;/b&gt;" in page
    ((command, upload),) = stage.desk.asked
    assert (command.name, command.place, command.author, command.author_name, command.is_moderator, upload) == (
        "status",
        STORY,
        TOBIAS.author,
        TOBIAS.name,
        True,
        b"",
    )
    assert "The window holds" not in await browser.open()


async def test_the_script_gets_an_answer_printed_by_the_server(stage: Stage, browser: Browser) -> None:
    stage.desk.answered = Answer("*Noted.*")
    status, text = await browser.send("command", {"text": "/why"}, scripted=True)
    assert (status, "<em>Noted.</em>" in text) == (200, True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/lenght long", "nearest is: length"),
        ("/length banana", "Length must be one of"),
        ("/character import", "Send the file with the command"),
        ("/", "Say which command"),
    ],
)
@pytest.mark.parametrize("form", ["command", "post"])
async def test_a_command_that_cannot_be_read_says_why_and_stays_in_its_box(
    browser: Browser, form: str, line: str, says: str
) -> None:
    status, page = await browser.send(form, {"text": line})
    assert status == 422
    assert says in page
    assert f'value="{line}"' in page if form == "command" else f"\n{line}</textarea>" in page


async def test_what_the_desk_refuses_is_said_in_its_sentence(stage: Stage, browser: Browser) -> None:
    stage.desk.refusal = "The library has no character Joren."
    status, text = await browser.send("command", {"text": "/character show Joren"}, scripted=True)
    assert (status, "no character Joren" in text) == (422, True)


async def test_a_file_that_comes_back_can_be_saved_once(stage: Stage, browser: Browser) -> None:
    stage.desk.answered = Answer("The story.", b"\x00book", 'Mira "x"\r\n/../é.epub', "application/epub+zip")
    _, page = await browser.send("command", {"text": "/export epub"})
    (link,) = LINK.findall(page)
    async with browser.http.get(stage.address + link) as answer:
        assert (answer.status, await answer.read()) == (200, b"\x00book")
        assert answer.headers["Content-Type"] == "application/epub+zip"
        kept = answer.headers["Content-Disposition"]
        assert kept.startswith("attachment; ")
        assert "/" not in kept
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with browser.http.get(stage.address + link) as answer:
        assert answer.status == 404
        assert "fetched already" in await answer.text()


async def test_a_type_that_is_none_is_never_sent(stage: Stage, browser: Browser) -> None:
    stage.desk.answered = Answer("x", b"x", "x", "text/html\r\nX-Evil: 1")
    _, page = await browser.send("command", {"text": "/export html"})
    async with browser.http.get(stage.address + LINK.findall(page)[0]) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("name", ["character import", "lore import", "import"])
async def test_a_file_is_brought_to_the_desk_with_its_command(stage: Stage, browser: Browser, name: str) -> None:
    status, page = await browser.bring("upload", {"text": name}, b"\x89PNG\r\n\x00", name="C:\\cards\\mira.png")
    ((command, upload),) = stage.desk.asked
    assert (status, command.name, command.values, upload) == (200, name, {"file": "mira.png"}, b"\x89PNG\r\n\x00")
    assert "Noted." in page


async def test_a_character_is_brought_in_where_stories_begin(stage: Stage, browser: Browser) -> None:
    await browser.open("new")
    status, page = await browser.bring("new/card", {}, b"{}")
    assert [(command.name, upload) for command, upload in stage.desk.asked] == [("character import", b"{}")]
    assert (status, "Noted." in page, "New story" in page) == (200, True, True)
    stage.desk.refusal = "This is no character card."
    status, page = await browser.bring("new/card", {}, b"{}")
    assert (status, "no character card" in page, "New story" in page) == (422, True, True)


@pytest.mark.parametrize("scripted", [True, False])
async def test_a_file_that_is_too_large_is_refused_with_a_sentence(
    stage: Stage, browser: Browser, monkeypatch: pytest.MonkeyPatch, *, scripted: bool
) -> None:
    monkeypatch.setattr(forms, "UPLOAD_LIMIT", 1000)
    status, text = await browser.bring("upload", {"text": "import"}, b"x" * 1001, scripted=scripted)
    assert (status, "larger than 16 MiB" in text) == (413, True)
    status, _ = await browser.bring("upload", {"text": "import"}, b"x" * 1000, scripted=scripted)
    assert status == 200
    assert [len(upload) for _, upload in stage.desk.asked] == [1000]


async def test_a_body_that_says_it_is_too_large_is_not_read_at_all(browser: Browser) -> None:
    status, text = await browser.bring("upload", {"text": "import"}, b"x" * (forms.UPLOAD_LIMIT + forms.FIELD_LIMIT))
    assert (status, "larger than 16 MiB" in text) == (413, True)


async def test_a_form_that_claims_no_length_is_read_up_to_the_limit_only(
    stage: Stage, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "UPLOAD_LIMIT", 100_000)
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in {**browser.hidden, "text": "import"}.items():
        form.add_field(name, value)

    async def endless() -> object:
        for _ in range(100):
            yield b"x" * 100_000

    form.add_field("file", endless(), filename="big", content_type="application/octet-stream")
    async with browser.http.post(f"{stage.address}upload", data=form) as answer:
        assert answer.status == 413
    assert stage.desk.asked == []


@pytest.mark.parametrize("path", ["upload", "new/card"])
async def test_a_forged_file_is_refused_unread(stage: Stage, browser: Browser, path: str) -> None:
    browser.hidden |= {"token": "guess"}
    status, _ = await browser.bring(path, {"text": "import"})
    assert status == 403
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("file", b"{}", filename="a.json")
    await browser.open()
    for name, value in {**browser.hidden, "text": "import"}.items():
        form.add_field(name, value)
    async with browser.http.post(stage.address + path, data=form) as answer:
        assert answer.status == 403
    assert stage.desk.asked == []


@pytest.mark.parametrize(
    ("fields", "file", "status"),
    [
        ({"text": "import"}, None, 422),
        ({"text": "status"}, b"{}", 422),
        ({"text": "nonsense"}, b"{}", 422),
        ({"text": "import", "nonce": "!"}, b"{}", 422),
        ({"text": "x" * 70_000}, b"{}", 413),
    ],
)
async def test_a_file_form_of_another_shape_is_refused(
    stage: Stage, browser: Browser, fields: dict[str, str], file: bytes | None, status: int
) -> None:
    assert (await browser.bring("upload", fields, file, scripted=True))[0] == status
    assert stage.desk.asked == []


async def test_a_file_form_that_is_broken_is_refused_with_a_sentence(browser: Browser) -> None:
    for kind, body in [
        ("multipart/form-data; boundary=x", b"--x\r\nno"),
        ("multipart/form-data", b""),
        ("application/x-www-form-urlencoded", b"text=import"),
    ]:
        headers = {"Content-Type": kind, "Accept": "application/json"}
        async with browser.http.post(f"{browser.stage.address}upload", data=body, headers=headers) as answer:
            assert answer.status in {403, 415, 422}
            assert (await answer.json())["error"]


async def test_an_aside_and_dice_are_shown_beside_the_story(stage: Stage, browser: Browser) -> None:
    await browser.send("command", {"text": "/ooc I am *away*."})
    await stage.settled()
    session = await stage.store.session_at(STORY)
    assert session is not None
    assert session.turns[-1].role is Role.ASIDE
    page = await browser.open()
    assert "beside the story" in page
    assert "I am <em>away</em>." in page
