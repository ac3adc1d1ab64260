"""Playing in a shell, with the whole walk behind it."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from adapters.terminal.courier import TERMINAL, TerminalCourier
from adapters.terminal.play import OWN_HELP, Play, play
from bot.flow.desk import Answer, Desk
from bot.flow.service import Service
from bot.ids import ChannelKey, Place
from bot.posts import ChannelLimits, Command
from bot.prompt.format import LIMARP
from tests.builders import MIRA, TOBIAS, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.desk import NotingDesk
from tests.fakes.engine import WORDS, Pause, ScriptedEngine, ScriptedReply
from tests.fakes.store import MemoryStore

SHELL = Place(TERMINAL, ChannelKey("shell"))
ROOM = '"There is one," she said.'
NONE = '"None," she said.'


@dataclass(slots=True)
class Shell:
    playing: Play
    store: MemoryStore
    desk: NotingDesk
    screen: io.StringIO

    async def play(self, *lines: str) -> str:
        """Play these lines; returns all that was printed."""
        await self.playing.run(typed(lines))
        return self.screen.getvalue()

    async def story(self) -> tuple[str, ...]:
        session = await self.store.session_at(SHELL)
        return tuple(turn.text for turn in session.turns) if session else ()


class StoppingDesk:
    """Stops the reply at once, as a desk must: the lane is busy with writing it."""

    def __init__(self, playing: Play) -> None:
        self._playing = playing

    def answers(self, name: str) -> bool:
        return name == "stop"

    async def answer(self, command: Command, upload: bytes = b"") -> Answer:
        assert (command.name, upload) == ("stop", b"")
        self._playing.receiver.stop(command.place)
        return Answer("The reply is stopped.")


def only_text_in(folder: Path) -> str:
    (file,) = folder.iterdir()
    return file.read_text(encoding="utf-8")


async def typed(lines: Sequence[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


@asynccontextmanager
async def a_shell(*replies: str | ScriptedReply, interactive: bool = False, whole: bool = False) -> AsyncGenerator[Shell, None]:
    """A shell with a story that has just begun. `whole`: behind it is the real desk."""
    screen = io.StringIO()
    console = Console(file=screen, width=100, force_terminal=interactive, legacy_windows=False)
    courier, store = TerminalCourier(console, ChannelLimits(2000, streams=True)), MemoryStore()
    service = Service(
        store, ScriptedEngine(list(replies) or [ROOM]), [courier], FrozenClock(), LIMARP, operators=(TOBIAS.author,)
    )
    await service.start()
    await service.begin(a_session(place=SHELL))
    desk = NotingDesk(service.begin)
    playing = Play(
        courier,
        store,
        service.receiver,
        service.desk if whole else cast("Desk", desk),
        SHELL,
        TOBIAS.author,
        TOBIAS.name,
        interactive,
        "A demonstration.",
    )
    try:
        yield Shell(playing, store, desk, screen)
    finally:
        await service.close()


async def test_the_story_so_far_is_told_once_and_the_reply_follows_the_post() -> None:
    async with a_shell() as shell:
        printed = await shell.play("Is there a room?")
        assert await shell.story() == (MIRA.greeting, "Is there a room?", ROOM)
    assert printed == f"A demonstration.\n{a_session().scenario}\nMira\n{MIRA.greeting}\n\nMira\n{ROOM}\n\n"


@pytest.mark.parametrize(
    ("line", "last", "says"),
    [
        ("/retry", NONE, NONE),
        ("/continue", f"{ROOM} {NONE}", NONE),
        ("/edit No.", "No.", "No."),
        ("/undo", MIRA.greeting, "taken away"),
        ("/length tiny", ROOM, ROOM),
        ("/length banana", ROOM, "Length must be one of micro"),
        ("/swipe right", ROOM, "There is no later version"),
        ("/swipe up", ROOM, "Side must be one of left, right"),
        ("/help", ROOM, OWN_HELP),
        ("/nonsense", ROOM, "There is no command"),
        ("/delete", "Hello?", "taken away"),
        ("/edit", ROOM, "Text is missing"),
        ("/status", ROOM, "Noted."),
        ("   ", ROOM, ROOM),
    ],
)
async def test_a_command_does_what_it_says(line: str, last: str, says: str) -> None:
    async with a_shell(ROOM, " " + NONE) as shell:
        printed = await shell.play("Hello?", line)
        assert (await shell.story())[-1] == last
    assert says in printed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/delete 1", (MIRA.greeting, ROOM)),
        ("/delete #1", (MIRA.greeting, ROOM)),
        ("/rewind 1", (MIRA.greeting,)),
        ("/edit turn:1 Good evening.", (MIRA.greeting, "Good evening.", ROOM)),
        ("/edit 1 knock.", (MIRA.greeting, "Hello?", "1 knock.")),
    ],
)
async def test_a_post_that_is_not_the_newest_is_meant_by_its_number(line: str, expected: tuple[str, ...]) -> None:
    async with a_shell() as shell:
        await shell.play("Hello?", line)
        assert await shell.story() == expected


async def test_swiping_shows_the_other_version() -> None:
    async with a_shell(ROOM, NONE) as shell:
        printed = await shell.play("Hello?", "/retry", "/swipe left", "/length none")
        assert (await shell.story())[-1] == ROOM
        session = await shell.store.session_at(SHELL)
    assert printed.count(ROOM) == 2
    assert session is not None
    assert session.settings.length is None


async def test_a_line_that_ends_in_a_backslash_goes_on() -> None:
    async with a_shell() as shell:
        await shell.play("One.\\", "\\", "Two.")
        assert (await shell.story())[1] == "One.\n\nTwo."


async def test_a_post_that_is_refused_says_why_and_play_goes_on() -> None:
    async with a_shell() as shell:
        printed = await shell.play("word " * 4000, "Hello?")
        assert (await shell.story())[1:] == ("Hello?", ROOM)
    assert "Post it in parts." in printed


async def test_nothing_is_read_after_quit() -> None:
    async with a_shell() as shell:
        await shell.play("/quit", "Hello?")
        assert await shell.story() == (MIRA.greeting,)


async def test_ctrl_c_stops_the_reply_and_at_the_prompt_quits() -> None:
    pause = Pause(3)
    reply = ScriptedReply(tuple(WORDS.findall("One two. Three four.")), pause=pause)
    lines: asyncio.Queue[str] = asyncio.Queue()

    async def queued() -> AsyncIterator[str]:
        while True:
            yield await lines.get()

    async with a_shell(reply, interactive=True) as shell:
        playing = asyncio.create_task(shell.playing.run(queued()))
        await lines.put("Hello?")
        await pause.reached.wait()
        shell.playing.interrupt()
        await shell.playing.receiver.settled(SHELL)
        assert not playing.done()
        assert (await shell.story())[-1] == "One two."
        shell.playing.interrupt()
        async with asyncio.timeout(5):
            await playing


async def test_a_reply_can_be_stopped_by_a_line_while_it_is_written() -> None:
    pause = Pause(3)
    reply = ScriptedReply(tuple(WORDS.findall("One two. Three four.")), pause=pause)

    async def slowly() -> AsyncIterator[str]:
        yield "Hello?"
        await pause.reached.wait()
        yield "/stop"

    async with a_shell(reply, interactive=True) as shell:
        shell.playing.desk = cast("Desk", StoppingDesk(shell.playing))
        await shell.playing.run(slowly())
        assert (await shell.story())[-1] == "One two."
        assert "One two. Three" in shell.screen.getvalue()


async def test_play_reads_this_process_and_takes_its_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as keyboard, os.fdopen(writing, "w") as fingers:
        monkeypatch.setattr("sys.stdin", keyboard)
        async with a_shell() as shell:
            fingers.write("Hello?\n")
            fingers.flush()
            playing = asyncio.create_task(play(shell.playing))
            while ROOM not in shell.screen.getvalue():
                await asyncio.sleep(0.001)
            signal.raise_signal(signal.SIGINT)
            async with asyncio.timeout(5):
                await playing
            assert await shell.story() == (MIRA.greeting, "Hello?", ROOM)


async def test_nothing_that_is_written_steers_the_terminal() -> None:
    async with a_shell("[red]Red.[/red] \x1b[2J[/oops] She smiled.") as shell:
        printed = await shell.play("\x1b]0;title\x07[bold]Hello?[/bold]")
    assert "[red]Red.[/red]" in printed
    assert "\x1b" not in printed


async def test_a_file_is_named_by_its_path_and_brought_to_the_desk(tmp_path: Path) -> None:
    card = tmp_path / "a card.json"
    card.write_bytes(b"{}")
    async with a_shell() as shell:
        printed = await shell.play(f'/character  import "{card}"', f"/lore import {tmp_path / 'none.json'}")
    ((command, upload),) = shell.desk.asked
    assert (command.name, command.values, command.is_moderator, upload) == (
        "character import",
        {"file": "a card.json"},
        True,
        b"{}",
    )
    assert "Noted." in printed
    assert "There is no file" in printed


async def test_a_file_command_without_a_path_says_what_it_needs() -> None:
    async with a_shell() as shell:
        printed = await shell.play("/character import")
    assert shell.desk.asked == []
    assert "Send the file with the command" in printed


async def test_a_file_that_comes_back_is_written_beside_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with a_shell() as shell:
        shell.desk.answered = Answer("The story.", b"new", "mira.md", "text/markdown")
        (tmp_path / "mira.md").write_bytes(b"old")
        printed = await shell.play("/export")
    assert "mira (2).md" in printed.replace("\n", "")
    assert (tmp_path / "mira.md").read_bytes() == b"old"
    assert (tmp_path / "mira (2).md").read_bytes() == b"new"


async def test_what_the_desk_refuses_is_said_and_play_goes_on() -> None:
    async with a_shell() as shell:
        shell.desk.refusal = "The library has no character Joren."
        printed = await shell.play("/character show Joren", "Hello?")
        assert (await shell.story())[-1] == ROOM
    assert "no character Joren" in printed


async def test_a_line_that_begins_with_two_slashes_is_no_command() -> None:
    async with a_shell() as shell:
        await shell.play("// back in a minute")
        assert "// back in a minute" in "".join(await shell.story())
    assert shell.desk.asked == []


async def test_with_the_real_desk_the_operator_has_the_whole_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with a_shell(whole=True) as shell:
        printed = await shell.play("/help", "/help character delete", "/stop", "/status", "/export markdown")
    for words in ("Write /help and a command", OWN_HELP, "Take a character out of the library", "Nothing is being written."):
        assert words in printed
    assert MIRA.greeting in only_text_in(tmp_path)
