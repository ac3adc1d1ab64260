"""The desk on fakes: what is answered at once, to whom, and what stands in the store afterwards."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from html.parser import HTMLParser
from itertools import count

import pytest

from bot.cards.reading import read_card
from bot.errors import Refused
from bot.flow.desk import Answer
from bot.ids import AuthorId, EventId
from bot.ports.store import Change
from bot.posts import ChannelLimits, Command
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.settings import Length
from bot.story.turn import Role
from tests.builders import HERE, TOBIAS, a_command, a_post
from tests.cards.files import V1, V2
from tests.fakes.engine import Pause, ScriptedReply
from tests.flow.stage import Stage, a_stage
from tests.house.project import ROOT

HESTER = (ROOT / "adapters" / "scenes" / "characters" / "hester_vaunce.json").read_bytes()
ASKED = count(1)
OPERATOR, STRANGER = AuthorId("operator"), AuthorId("stranger")
LORE = json.dumps({"entries": {"0": {"key": ["bell"], "content": "The bell is called Old Tom.", "uid": 0}}}).encode()
CHAT = "\n".join(
    json.dumps(line)
    for line in (
        {"user_name": "Tobias", "character_name": "Hester Vaunce", "create_date": "2024-5-3 @19h 04m 09s 120ms"},
        {"name": "Hester Vaunce", "is_user": False, "mes": "Rain again.", "send_date": "May 3, 2024 7:04pm"},
        {"name": "Tobias", "is_user": True, "mes": "Is the lamp lit?", "send_date": "May 3, 2024 7:05pm"},
        {"name": "Hester Vaunce", "is_user": False, "mes": "It is.", "swipes": ["No.", "It is."], "swipe_id": 1},
    )
).encode()


@asynccontextmanager
async def a_desk(*replies: str, begin: bool = False) -> AsyncGenerator[Stage, None]:
    """A bot with an operator; with a story only if it is asked for."""
    async with a_stage(replies or ("One.",), begin=False, context=8192) as stage:
        await stage.service.close()
        stage.service = stage.new_service(operators=(OPERATOR,))
        await stage.service.start()
        if begin:
            await ask(stage, "character import", HESTER)
            await ask(stage, "start", character="Hester Vaunce")
            await stage.service.receiver.settled(HERE)
        try:
            yield stage
        finally:
            await stage.service.close()


async def ask(stage: Stage, name: str, upload: bytes = b"", author: AuthorId = TOBIAS.author, /, **values: str | int) -> Answer:
    command = Command(EventId(f"asked-{next(ASKED)}"), HERE, author, name, values, "Tobias")
    answer = await stage.service.desk.answer(command, upload)
    await stage.service.receiver.settled(HERE)
    return answer


class TestStories:
    async def test_a_story_begins_from_the_library_with_what_was_asked_for(self) -> None:
        async with a_desk() as stage:
            await ask(stage, "character import", HESTER)
            await ask(stage, "start", character="hester vaunce", scenario="A storm.", length="short")
            session = await stage.session()
            assert (session.character.name, session.scenario) == ("Hester Vaunce", "A storm.")
            assert session.settings.length is Length.SHORT
            assert session.rating is Rating.GENERAL
            assert (session.table.owner, [each.name for each in session.personas]) == (TOBIAS.author, ["Tobias"])
            assert stage.shown == session.turns[0].posts
            with pytest.raises(Refused, match="already has a story"):
                await ask(stage, "start", character="Hester Vaunce")

    async def test_a_character_that_is_not_there_is_named_with_those_that_are(self) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused, match="no character Mira; it has nobody yet"):
                await ask(stage, "start", character="Mira")
            await ask(stage, "character import", HESTER)
            with pytest.raises(Refused, match="it has Hester Vaunce"):
                await ask(stage, "start", character="Mira")
            with pytest.raises(Refused, match="no such length"):
                await ask(stage, "start", character="Hester Vaunce", length="tall")

    async def test_an_unrated_character_plays_only_where_adults_are(self) -> None:
        async with a_desk() as stage:
            await ask(stage, "character import", json.dumps(V2).encode())
            with pytest.raises(Refused, match="adults only"):
                await ask(stage, "start", character="Ansel")
            stage.courier.channel_limits = ChannelLimits(2000, adults_only=True)
            await ask(stage, "start", character="Ansel")
            assert (await stage.session()).rating is Rating.ADULT

    async def test_a_story_ends_and_comes_back_as_it_was(self) -> None:
        async with a_desk(begin=True) as stage:
            await stage.post("Hello?")
            told = (await stage.session()).turns
            await ask(stage, "end")
            assert await stage.store.session_at(HERE) is None
            with pytest.raises(Refused, match="no story in this place that could end"):
                await ask(stage, "end", b"", OPERATOR)
            assert "goes on" in (await ask(stage, "resume")).text
            assert (await stage.session()).turns == told
            await ask(stage, "end")
            await ask(stage, "start", character="Hester Vaunce")
            with pytest.raises(Refused, match="already holds a story"):
                await ask(stage, "resume")

    async def test_nothing_comes_back_where_nothing_ended(self) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused, match="start begins a new one"):
                await ask(stage, "resume")

    async def test_a_chat_of_sillytavern_goes_on_here_and_back(self) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused, match="Import the card of Hester Vaunce first"):
                await ask(stage, "import", CHAT)
            await ask(stage, "character import", HESTER)
            assert "3 posts" in (await ask(stage, "import", CHAT)).text
            session = await stage.session()
            assert [turn.role for turn in session.turns] == [Role.CHARACTER, Role.PLAYER, Role.CHARACTER]
            assert [variant.text for variant in session.turns[2].variants] == ["No.", "It is."]
            await stage.post("Then let us go up.")
            back = (await ask(stage, "export", format="jsonl")).file
            lines = [json.loads(line) for line in back.splitlines()]
            assert [line["mes"] for line in lines[1:]] == [
                "Rain again.",
                "Is the lamp lit?",
                "It is.",
                "Then let us go up.",
                "One.",
            ]
            assert lines[3]["swipes"] == ["No.", "It is."]
            with pytest.raises(Refused, match="already has a story"):
                await ask(stage, "import", CHAT)

    async def test_what_is_no_chat_is_refused_and_nothing_begins(self) -> None:
        async with a_desk() as stage:
            for upload in (b"", b"not a chat", CHAT.splitlines()[0]):
                with pytest.raises(Refused):
                    await ask(stage, "import", upload)
            assert await stage.store.session_at(HERE) is None

    async def test_a_story_is_taken_home_in_every_format(self) -> None:
        async with a_desk(begin=True) as stage:
            await stage.post("Is the lamp lit?")
            markdown = await ask(stage, "export")
            assert (markdown.file_name, markdown.file_type) == ("hester-vaunce.md", "text/markdown")
            assert "Is the lamp lit?" in markdown.file.decode()
            HTMLParser().feed(page := (await ask(stage, "export", format="html")).file.decode())
            assert page.count("Is the lamp lit?") == 1
            epub = zipfile.ZipFile(io.BytesIO((await ask(stage, "export", format="epub")).file))
            assert epub.testzip() is None
            assert any("Is the lamp lit?" in epub.read(name).decode() for name in epub.namelist() if name.endswith("html"))
            card = read_card((await ask(stage, "export", format="card")).file).card
            assert replace(card, source="") == replace((await stage.session()).character, source="")

    async def test_stop_says_whether_there_was_anything_to_stop(self) -> None:
        async with a_desk(begin=True) as stage:
            assert (await ask(stage, "stop")).text == "Nothing is being written."

    async def test_status_tells_all_that_players_may_want_to_know(self) -> None:
        async with a_desk(begin=True) as stage:
            await stage.act("pin", text="The lamp is broken.")
            await stage.act("pin", text="The boat is gone.")
            await stage.act("note", text="It is dark.")
            await stage.act("lines add", text="Spiders.")
            await ask(stage, "lore import", LORE)
            session = await stage.session()
            table = replace(session.table, impersonations=3)
            await stage.store.save(Change(session, replace(session, table=table, window_start=0)))
            await stage.post("The bell rang.")
            lines = (await ask(stage, "status")).text.splitlines()
            assert lines[0] == "Hester Vaunce with Tobias."
            assert {"Pinned 1: The lamp is broken.", "Pinned 2: The boat is gone.", "Line 1: Spiders."} <= set(lines)
            assert "Author's note, 4 posts from the end: It is dark." in lines
            assert "Lore 1: bell" in lines
            assert any(re.match(r"Lore: [1-9] entries are told\.", line) for line in lines)
            assert any("of 8,192 tokens: all posts." in line for line in lines)
            assert any("speak for a player 3 times" in line for line in lines)

    async def test_status_names_the_first_post_that_the_model_still_sees(self) -> None:
        async with a_desk(begin=True) as stage:
            for _ in range(2):
                await stage.post("Hello?")
            session = await stage.session()
            later = replace(session, turns=session.turns[2:], window_start=2)
            await stage.store.save(Change(session, later))
            assert "the posts from number 2 on." in (await ask(stage, "status")).text

    async def test_why_says_why_the_last_post_was_not_answered(self) -> None:
        async with a_desk(begin=True) as stage:
            assert "Nothing was left unanswered" in (await ask(stage, "why")).text
            await stage.act("pause")
            await stage.post("Hello?")
            assert "not answered: the session is paused." in (await ask(stage, "why")).text

    async def test_the_summary_is_shown(self) -> None:
        async with a_desk(begin=True) as stage:
            assert "no summary yet" in (await ask(stage, "summary show")).text
            await stage.act("summary edit", text="It rained.")
            assert (await ask(stage, "summary show")).text == "It rained."

    @pytest.mark.parametrize("name", ["status", "summary show", "export"])
    async def test_what_needs_a_story_says_so_without_one(self, name: str) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused, match=r"no story in this place|post in it first"):
                await ask(stage, name)


class TestLibrary:
    async def test_a_character_comes_in_is_listed_shown_and_goes(self) -> None:
        async with a_desk() as stage:
            assert "empty" in (await ask(stage, "character list")).text
            assert "start Hester Vaunce begins a story" in (await ask(stage, "character import", HESTER)).text
            assert (await ask(stage, "character list")).text == "- Hester Vaunce (general)"
            assert "**Hester Vaunce** (general)" in (await ask(stage, "character show", character="hester vaunce")).text
            with pytest.raises(Refused, match="Only the operator"):
                await ask(stage, "character delete", character="Hester Vaunce")
            await ask(stage, "character delete", b"", OPERATOR, character="Hester Vaunce")
            assert await stage.store.library() == ()

    async def test_an_unrated_card_is_said_to_count_as_adult(self) -> None:
        async with a_desk() as stage:
            assert "counts as adult" in (await ask(stage, "character import", json.dumps(V2).encode())).text

    @pytest.mark.parametrize("words", ["She is fifteen years old.", "A high school freshman."])
    async def test_an_unrated_card_with_a_minor_is_refused_and_not_kept(self, words: str) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused, match="under 18"):
                await ask(stage, "character import", json.dumps({**V1, "description": words}).encode())
            assert await stage.store.library() == ()

    @pytest.mark.parametrize("upload", [b"", b"no card", b"{}", b"\x89PNG\r\n\x1a\n"])
    async def test_what_is_no_card_is_refused_with_a_sentence(self, upload: bytes) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused):
                await ask(stage, "character import", upload)
            assert await stage.store.library() == ()

    async def test_lore_that_comes_a_second_time_is_in_the_story_once(self) -> None:
        async with a_desk() as stage:
            await ask(stage, "character import", HESTER)
            await ask(stage, "start", character="Hester Vaunce")
            first = await ask(stage, "lore import", LORE)
            assert await ask(stage, "lore import", LORE) == first
            assert len((await stage.session()).memory.lore) == 1

    async def test_lore_comes_into_a_story_by_the_hand_of_who_began_it(self) -> None:
        async with a_desk() as stage:
            with pytest.raises(Refused):
                await ask(stage, "lore import", LORE)
            await ask(stage, "character import", HESTER)
            await ask(stage, "start", character="Hester Vaunce")
            with pytest.raises(Refused, match="began this story"):
                await ask(stage, "lore import", LORE, STRANGER)
            await ask(stage, "lore import", LORE)
            (book,) = (await stage.session()).memory.lore
            assert [entry.content for entry in book.entries] == ["The bell is called Old Tom."]


class TestPeople:
    async def test_a_persona_by_default_is_who_one_is_in_the_next_story(self) -> None:
        async with a_desk() as stage:
            assert "You play nobody yet" in (await ask(stage, "persona show")).text
            await ask(stage, "character import", HESTER)
            await ask(stage, "start", character="Hester Vaunce")
            await stage.act("persona set", name="Sir Tobias", description="A knight.")
            await ask(stage, "persona default")
            assert (await ask(stage, "persona show")).text.count("Sir Tobias") == 2
            await ask(stage, "end")
            await ask(stage, "start", character="Hester Vaunce")
            assert (await stage.session()).personas == (Persona(TOBIAS.author, "Sir Tobias", "A knight."),)

    async def test_a_report_reaches_the_operator_with_what_was_played(self) -> None:
        async with a_desk("A bad reply.", begin=True) as stage:
            await stage.post("Hello?")
            answer = await ask(stage, "report", b"", STRANGER, reason="The last reply is cruel.")
            assert answer.text == "The operator is told: report number 1."
            (kept,) = await stage.store.reports()
            assert (kept.report.author, kept.report.reason) == (STRANGER, "The last reply is cruel.")
            assert kept.report.context.endswith("Hester Vaunce: A bad reply.")

    async def test_what_is_kept_is_counted_and_given_out_whole(self) -> None:
        async with a_desk(begin=True) as stage:
            await stage.post("Hello?")
            await stage.post("Mine as well.", author=AuthorId("author-2"), author_name="Ann")
            shown = (await ask(stage, "privacy show")).text
            assert "1 posts in 1 stories, 1 characters in the library, 0 reports, no persona by default" in shown
            given = await ask(stage, "privacy export")
            data = json.loads(given.file)
            assert given.file_type == "application/json"
            assert data["stories"][0]["turns"][0]["variants"][0]["text"] == "Hello?"
            assert data["cards"][0]["data"]["name"] == "Hester Vaunce"
            assert "Mine as well." not in given.file.decode()

    async def test_who_is_forgotten_leaves_a_placeholder_on_the_screen_and_others_their_posts(self) -> None:
        async with a_desk('"Hello? Is the lamp lit tonight?" she repeated.', "Two.", begin=True) as stage:
            await stage.post("Hello? Is the lamp lit tonight?")
            await stage.post("Mine as well.", author=AuthorId("author-2"), author_name="Ann")
            answer = await ask(stage, "privacy forget")
            assert "in 1 stories" in answer.text
            assert not any("lamp lit" in text for text in stage.shown)
            assert any("taken out at the wish" in text for text in stage.shown)
            assert [turn.text for turn in (await stage.session()).turns if turn.author] == ["Mine as well."]
            assert "0 posts in 0 stories, 0 characters" in (await ask(stage, "privacy show")).text

    @pytest.mark.parametrize(
        ("name", "author", "match"),
        [
            ("end", STRANGER, "began this story"),
            ("export", STRANGER, "post in it first"),
            ("persona default", STRANGER, "post in it first"),
            ("stop", STRANGER, "post in it first"),
            ("character delete", TOBIAS.author, "operator"),
            ("dance", OPERATOR, "no command dance"),
        ],
    )
    async def test_who_may_not_ask_is_told_who_may(self, name: str, author: AuthorId, match: str) -> None:
        async with a_desk(begin=True) as stage:
            before = await stage.session()
            with pytest.raises(Refused, match=match):
                await ask(stage, name, b"", author, character="Hester Vaunce")
            assert await stage.session() == before

    async def test_help_shows_what_one_may_use(self) -> None:
        async with a_desk(begin=True) as stage:
            assert "retry" in (await ask(stage, "help")).text
            assert "retry" not in (await ask(stage, "help", b"", STRANGER)).text
            assert "written anew" in (await ask(stage, "help", command="retry")).text


async def test_a_story_can_be_ended_while_a_post_waits_for_an_engine_that_is_away() -> None:
    async with a_stage() as stage:
        stage.engine.away = True
        posting = asyncio.create_task(stage.post("Hello?"))
        while not stage.clock.sleeping:
            await asyncio.sleep(0)
        answer = await stage.service.desk.answer(replace(a_command("end", "ending"), is_moderator=True))
        assert "has ended" in answer.text
        stage.engine.away = False
        stage.clock.move(5.0)
        await posting
        assert await stage.store.session_at(HERE) is None
        assert not stage.engine.requests


async def test_a_story_can_be_ended_while_a_reply_is_written_and_is_written_on_when_it_comes_back() -> None:
    pause = Pause(before=2)
    async with a_stage([ScriptedReply(("She ", "sat ", "down."), pause=pause), "She sat down."]) as stage:
        posting = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        await stage.service.desk.answer(replace(a_command("end", "ending"), is_moderator=True))
        pause.go.set()
        while not posting.done():
            await asyncio.sleep(0)
            if stage.clock.sleeping:
                stage.clock.move(1.0)
        assert await stage.store.session_at(HERE) is None
        await stage.service.desk.answer(a_command("resume", "resuming"))
        await stage.service.receiver.settled(HERE)
        session = await stage.session()
        assert session.writing is None
        assert [turn.text for turn in session.turns[1:]] == ["Hello?", "She sat down."]


async def test_a_story_in_parts_is_taken_home_as_one_book_that_says_nothing_twice() -> None:
    async with a_stage(["The first reply.", "The second reply."]) as stage:
        await stage.post("The first post.")
        session = await stage.session()
        await stage.store.save(Change(session, replace(session, table=replace(session.table, owner=TOBIAS.author))))
        await stage.act("part", summary="They met.")
        (link,) = (await stage.session()).goes_on_in
        await stage.service.receiver.receive(replace(a_post("The second post.", "later"), place=link.place))
        await stage.service.receiver.settled(link.place)
        asked = replace(a_command("export", "exporting"), place=link.place)
        text = (await stage.service.desk.answer(asked)).file.decode()
        told = ["Part 1", "The first post.", "The first reply.", "Part 2", "The second post.", "The second reply."]
        assert [text.count(words) for words in told] == [1] * len(told)
        assert [text.index(words) for words in told] == sorted(text.index(words) for words in told)
