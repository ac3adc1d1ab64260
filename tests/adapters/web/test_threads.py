"""Several stories on one page: each at its own address, with its own forms and stream, and all in one list."""

import re
from dataclasses import replace

import pytest

from bot.ids import CardId, ChannelKey, Place, SessionId
from bot.story.library import LibraryCard
from tests.adapters.web.browser import Browser, events_until
from tests.adapters.web.stage import STORY, Stage
from tests.builders import MIRA, TOBIAS, a_session

OTHER = Place(STORY.platform, ChannelKey("other"))
JOREN = replace(MIRA, name="Joren", greeting="Joren waited by the ford.")
LINK = re.compile(r'<a href="(/[^"]*)"[^>]*><bdi>([^<]*)</bdi>')


@pytest.fixture
async def two(stage: Stage) -> Stage:
    await stage.service.begin(a_session(place=OTHER, id=SessionId("other"), character=JOREN))
    await stage.service.receiver.settled(OTHER)
    return stage


@pytest.mark.usefixtures("two")
async def test_the_main_story_is_at_the_root_and_every_story_in_the_list(browser: Browser) -> None:
    page = await browser.open()
    assert "Mira looked up" in page
    assert "Joren waited" not in page
    assert LINK.findall(page)[:2] == [("/", "Mira"), ("/t/other", "Joren")]


async def test_a_post_in_a_thread_joins_that_thread_only(two: Stage, browser: Browser) -> None:
    page = await browser.open("t/other")
    assert "Joren waited" in page
    assert "Mira looked up" not in page
    status, _ = await browser.send("t/other/post", {"text": "Is it deep?"})
    assert status == 303
    await two.service.receiver.settled(OTHER)
    session = await two.store.session_at(OTHER)
    assert session is not None
    assert [turn.text for turn in session.turns][1] == "Is it deep?"
    assert len(await two.story()) == 1


@pytest.mark.usefixtures("two")
async def test_the_forms_of_a_thread_lead_back_into_it(browser: Browser) -> None:
    page = await browser.open("t/other")
    actions = re.findall(r'action="([^"]*)"', page)
    assert actions
    assert all(action.startswith("/t/other/") for action in actions)
    async with browser.http.post(
        f"{browser.stage.address}t/other/act", data={**browser.hidden, "act": "length", "text": "tiny"}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/t/other#status"


@pytest.mark.usefixtures("two")
async def test_a_stream_tells_of_its_own_thread_only(browser: Browser) -> None:
    async with browser.http.get(f"{browser.stage.address}t/other/events") as stream:
        assert "Joren waited" in await events_until(stream, "turn-0")
        await browser.open()
        await browser.send("post", {"text": "Hello, Mira?"}, scripted=True)
        await browser.open("t/other")
        await browser.send("t/other/post", {"text": "Hello, Joren?"}, scripted=True)
        shown = await events_until(stream, "Hello, ")
    assert "Hello, Joren?" in shown
    assert "Hello, Mira?" not in shown


@pytest.mark.parametrize("path", ["t/none", "t/none/events", "t/a%2Fb", "t/%00", "t/" + "x" * 200])
async def test_an_unknown_thread_is_one_sentence(browser: Browser, path: str) -> None:
    async with browser.http.get(browser.stage.address + path) as answer:
        assert answer.status == 404
        assert "Back to the story" in await answer.text()


@pytest.mark.parametrize("form", ["post", "act", "stop", "command"])
async def test_nothing_can_be_sent_to_an_unknown_thread(browser: Browser, form: str) -> None:
    status, text = await browser.send(f"t/none/{form}", {"text": "/roll d6", "act": "undo"})
    assert (status, "no such story here" in text) == (404, True)
    assert await browser.stage.store.waiting() == ()


async def test_asking_about_threads_that_never_were_leaves_nothing_behind(browser: Browser) -> None:
    before = (len(browser.stage.courier._recent), len(browser.stage.courier._watches))
    for number in range(5):
        await browser.open(f"t/none{number}")
    assert (len(browser.stage.courier._recent), len(browser.stage.courier._watches)) == before


async def test_the_list_counts_the_posts_of_a_story_as_they_come(browser: Browser) -> None:
    def posts(page: str) -> str:
        return str(re.findall(r'class="posts">(\d+)<', page)[0])

    assert posts(await browser.open()) == "1"
    await browser.send("post", {"text": "Hello?"})
    await browser.stage.settled()
    assert posts(await browser.open()) == "3"


async def test_a_new_story_begins_with_a_character_of_the_library(stage: Stage, browser: Browser) -> None:
    assert "no characters yet" in await browser.open("new")
    await stage.store.keep_card(LibraryCard(CardId("mira-1"), TOBIAS.author, MIRA))
    page = await browser.open("new")
    assert "Mira (general)" in page
    form = {**browser.hidden, "character": "mira-1", "text": "A storm at sea."}
    async with browser.http.post(f"{stage.address}new", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        where = answer.headers["Location"]
    assert re.fullmatch(r"/t/[0-9a-f]{12}#status", where)
    ((command, _),) = stage.desk.asked
    assert (command.name, dict(command.values)) == ("start", {"character": "mira-1", "scenario": "A storm at sea."})
    assert "A storm at sea." in await browser.open(where.lstrip("/"))
    assert len(LINK.findall(await browser.open())) == 4  # both stories, beside the page and above it


async def test_a_new_story_sent_twice_begins_once(stage: Stage, browser: Browser) -> None:
    await stage.store.keep_card(LibraryCard(CardId("mira-1"), TOBIAS.author, MIRA))
    await browser.open("new")
    for _ in range(2):
        status, _text = await browser.send("new", {"character": "mira-1", "text": ""})
        assert status == 303
    assert len(await stage.store.places()) == 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"character": "", "text": "Kept."}, "Choose a character first"),
        ({"character": "mira-1", "text": "Kept. " * 1000}, "at most"),
    ],
)
async def test_a_new_story_that_cannot_begin_says_why_and_keeps_what_was_typed(
    stage: Stage, browser: Browser, fields: dict[str, str], says: str
) -> None:
    await stage.store.keep_card(LibraryCard(CardId("mira-1"), TOBIAS.author, MIRA))
    await browser.open("new")
    status, text = await browser.send("new", fields)
    assert status == 422
    assert says in text
    assert "Kept." in text
    assert len(await stage.store.places()) == 1


async def test_what_the_desk_refuses_is_said_beside_the_form(stage: Stage, browser: Browser) -> None:
    await stage.store.keep_card(LibraryCard(CardId("mira-1"), TOBIAS.author, MIRA))
    stage.desk.refusal = "This character is for adults."
    await browser.open("new")
    status, text = await browser.send("new", {"character": "mira-1", "text": ""})
    assert (status, "for adults" in text, 'value="mira-1" selected' in text) == (422, True, True)


async def test_a_thread_whose_story_has_ended_can_still_be_opened(two: Stage, browser: Browser) -> None:
    await two.store.end(OTHER, 1.0)
    page = await browser.open("t/other")
    assert "There is no story here yet" in page
    assert 'action="/t/other/command"' in page


async def test_what_was_said_of_an_ended_story_is_not_shown_in_the_next_one(two: Stage, browser: Browser) -> None:
    await browser.open("t/other")
    await browser.send("t/other/act", {"act": "undo"})
    await two.service.receiver.settled(OTHER)
    assert "nothing to undo" in await browser.open("t/other")
    await two.store.end(OTHER, 1.0)
    await two.service.begin(a_session(place=OTHER, id=SessionId("next")))
    await two.service.receiver.settled(OTHER)
    assert "nothing to undo" not in await browser.open("t/other")


async def test_the_player_is_called_as_the_story_calls_them(two: Stage, browser: Browser) -> None:
    third = Place(STORY.platform, ChannelKey("third"))
    await two.service.begin(a_session(place=third, id=SessionId("third"), personas=(replace(TOBIAS, name="Captain Vane"),)))
    assert "Your reply as <bdi>Captain Vane</bdi>" in await browser.open("t/third")
    assert "Your reply as <bdi>Tobias</bdi>" in await browser.open("t/other")
