"""Commands of a story as the faces hand them in: refused at once, told to whoever asked, and one reply at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot import texts
from bot.errors import Refused
from bot.flow.commanding import ONE_AT_A_TIME, UNHEARD, Commanding
from bot.ids import AuthorId, ChannelKey, Place, Platform
from bot.posts import Command
from bot.story.session import Session
from bot.story.table import Table
from tests.builders import HERE, TOBIAS, a_command, a_post, a_session
from tests.fakes.engine import Pause, ScriptedReply
from tests.fakes.store import MemoryStore
from tests.flow.stage import Stage, a_stage

STRANGER = AuthorId("stranger")


@asynccontextmanager
async def commanding(
    *replies: str | Sequence[str] | ScriptedReply, begin: bool = True, no_story: str = texts.NO_SESSION
) -> AsyncGenerator[tuple[Stage, Commanding], None]:
    async with a_stage(replies or ["One."], begin=begin) as stage:
        made = Commanding(stage.service.receiver, no_story)
        try:
            yield stage, made
        finally:
            await made.close()


def asked(name: str, event: str = "asked-1", author: AuthorId = TOBIAS.author) -> Command:
    return replace(a_command(name, event), author=author)


async def variants(stage: Stage) -> list[str]:
    await stage.service.receiver.settled(HERE)
    return [each.text for each in (await stage.session()).turns[-1].variants]


async def test_a_command_is_carried_out_in_its_place() -> None:
    async with commanding("One.", "Two.") as (stage, made):
        await stage.post("Tobias knocks.")
        await made.hand_in(asked("retry"))
        assert await variants(stage) == ["One.", "Two."]


async def test_what_would_come_to_nothing_is_refused_before_it_is_stored() -> None:
    async with commanding() as (stage, made):
        shown = stage.shown
        with pytest.raises(Refused, match="Only those who play in this story"):
            await made.hand_in(asked("retry", author=STRANGER))
        assert await stage.store.waiting() == ()
        await stage.service.receiver.settled(HERE)
        assert stage.shown == shown


async def test_who_was_removed_is_told_so_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def session_at(store: MemoryStore, place: Place) -> Session:
        assert store
        assert place == HERE
        return a_session(table=Table(removed=(TOBIAS.author,)))

    async with commanding() as (_, made):
        monkeypatch.setattr(MemoryStore, "session_at", session_at)
        with pytest.raises(Refused, match=UNHEARD):
            await made.hand_in(asked("swipe"))


async def test_where_there_is_no_story_the_face_says_what_to_do() -> None:
    async with commanding(begin=False, no_story="Begin one.") as (_, made):
        with pytest.raises(Refused, match=r"^Begin one\.$"):
            await made.hand_in(asked("retry"))


async def test_a_place_is_busy_until_what_was_asked_for_is_written() -> None:
    pause = Pause(0)
    async with commanding("One.", ScriptedReply(("Two.",), pause=pause)) as (stage, made):
        await stage.post("Tobias knocks.")
        assert not made.is_busy(asked("retry"))
        await made.hand_in(asked("retry"))
        assert all(made.is_busy(asked(name)) for name in ONE_AT_A_TIME)
        assert not made.is_busy(asked("swipe"))
        assert not made.is_busy(replace(asked("retry"), place=Place(Platform("test"), ChannelKey("elsewhere"))))
        await pause.reached.wait()
        assert made.is_busy(asked("retry"))
        pause.go.set()
        assert await variants(stage) == ["One.", "Two."]
        await until_free(made)


async def test_a_place_is_busy_before_the_first_who_asks_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, go, session_at = asyncio.Event(), asyncio.Event(), MemoryStore.session_at

    async def held(store: MemoryStore, place: Place) -> Session | None:
        reached.set()
        await go.wait()
        return await session_at(store, place)

    async with commanding() as (_, made):
        monkeypatch.setattr(MemoryStore, "session_at", held)
        first = asyncio.create_task(made.hand_in(asked("retry", author=STRANGER)))
        await reached.wait()
        assert made.is_busy(asked("retry"))
        go.set()
        with pytest.raises(Refused):
            await first
        await until_free(made)


async def test_a_place_is_busy_with_a_reply_that_nobody_asked_for_by_command() -> None:
    pause = Pause(0)
    async with commanding(ScriptedReply(("One.",), pause=pause)) as (stage, made):
        await stage.service.receiver.receive(a_post("Tobias knocks."))
        await pause.reached.wait()
        assert made.is_busy(asked("retry"))
        pause.go.set()
        await stage.service.receiver.settled(HERE)
        assert not made.is_busy(asked("retry"))


async def test_closing_waits_for_no_reply() -> None:
    pause = Pause(0)
    async with commanding("One.", ScriptedReply(("Two.",), pause=pause)) as (stage, made):
        await stage.post("Tobias knocks.")
        await made.hand_in(asked("retry"))
        await made.close()
        assert not made._waiting


async def until_free(made: Commanding) -> None:
    """Once the place is settled, it is told so in a moment."""
    async with asyncio.timeout(5):
        while made.is_busy(asked("retry")):
            await asyncio.sleep(0)
