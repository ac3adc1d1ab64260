"""What the command line says and how it ends. The model is not loaded here, unless a test plays a scene."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.cli import understudy
from adapters.cli.commands import LATER
from adapters.cli.serving import ENDING
from adapters.config import EXAMPLE, read
from adapters.config.settings import DATABASE
from adapters.wiring import claimed
from bot.ids import AuthorId, ChannelKey, Place, Platform
from bot.ports.reports import Report
from storage.store import open_store, sqlite_url
from tests.adapters.cli.conftest import Ended
from tests.house.project import ROOT

pytestmark = pytest.mark.usefixtures("quiet_logs")


def test_it_tells_its_version_and_what_it_can_do(ended: Ended) -> None:
    assert ended("--version")[:2] == (0, "understudy, version 0.1.0\n")
    code, out, _ = ended("--help")
    assert code == 0
    for_upkeep = {"backup", "doctor", "restore", "db"}
    assert set(understudy.commands) == {"run", "try", "play", "init", "model", "engine", "matrix", "reports", *for_upkeep}
    assert all(f"  {name} " in out for name in understudy.commands)


def test_without_a_command_it_says_what_it_can_do(ended: Ended) -> None:
    code, _, err = ended()
    assert code == 2
    assert err.startswith("Usage: ")


@pytest.mark.parametrize("wrong", [("nonsense",), ("try", "--model", "not/there.gguf"), ("try", "--rating", "General")])
def test_a_command_line_that_cannot_be_read_is_one_sentence(ended: Ended, wrong: tuple[str, ...]) -> None:
    code, _, err = ended(*wrong)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_init_writes_the_example_and_never_over_a_file(ended: Ended, tmp_path: Path) -> None:
    code, out, _ = ended("init")
    assert (code, out) == (0, "Wrote understudy.toml. Change it, then: python -m bot run --config understudy.toml\n")
    written = tmp_path / "understudy.toml"
    assert written.read_bytes() == EXAMPLE.read_bytes()
    written.write_text("mine")
    code, _, err = ended("init")
    assert (code, err) == (2, "error: understudy.toml is there already and stays as it is; name another file.\n")
    assert written.read_text() == "mine"


def test_init_in_a_folder_that_is_not_there_is_one_sentence(ended: Ended) -> None:
    assert ended("init", "no/where.toml") == (
        2,
        "",
        "error: no/where.toml cannot be written (No such file or directory); name another file.\n",
    )


@pytest.mark.parametrize("command", ["run", "try", "play"])
def test_every_mistake_of_a_configuration_is_one_line_and_nothing_else(ended: Ended, tmp_path: Path, command: str) -> None:
    (tmp_path / "my.toml").write_text('[web]\nport = "x"\n[modle]\n')
    code, out, err = ended(command, "--config", "my.toml")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        'error: my.toml, line 2: [web] port is "x"; it must be a whole number.',
        'error: my.toml, line 3: there is no section [modle]; did you mean "model"?',
    ]


@pytest.mark.parametrize("command", ["backup", "db check --data", "doctor --data"])
def test_a_path_that_the_system_does_not_take_is_one_sentence(ended: Ended, command: str) -> None:
    code, out, err = ended(*command.split(), "x" * 300)
    assert (code, out) == (2, "")
    assert err.endswith("cannot be used (File name too long); mend that, or name another.\n")


@pytest.mark.parametrize("taken", ["folder", "port"])
def test_what_another_program_has_for_now_is_told_from_a_mistake(ended: Ended, tmp_path: Path, taken: str) -> None:
    """Or the unit, which rests after a mistake, would rest for good where a restore or an old bot is just ending."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as folder:
        port = server.getsockname()[1]
        (tmp_path / "my.toml").write_text(f'[storage]\ndirectory = "data"\n[web]\nport = {port}\n')
        if taken == "folder":
            folder.enter_context(claimed(read(tmp_path / "my.toml")))
        code, _, err = ended("run", "--config", "my.toml")
    assert code == LATER
    assert [line for line in err.splitlines() if line.startswith("error: ")] == err.splitlines()[-1:]


def test_a_database_that_is_not_up_yet_is_told_from_a_mistake(ended: Ended, tmp_path: Path, unused_tcp_port: int) -> None:
    """Or the unit, which rests after a mistake, would rest for good where the database starts after it."""
    for address, status in ((f"127.0.0.1:{unused_tcp_port}/x", LATER), ("h/x?sslmode=require", 2)):
        (tmp_path / "my.toml").write_text(f"[storage]\nurl = 'postgresql://u:hunter2@{address}'\ndirectory = 'data'\n")
        code, out, err = ended("run", "--config", "my.toml")
        assert (code, out) == (status, "")
        assert err.startswith("error: ")
        assert "hunter2" not in err


@pytest.mark.parametrize("command", ["try", "play"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"GGUF", "cannot be loaded"), (b"<html>", "is not a GGUF file"), (b"GGUF" + bytes(64), "be loaded")],
)
def test_a_model_that_cannot_be_used_is_one_sentence(
    ended: Ended, tmp_path: Path, command: str, content: bytes, said: str
) -> None:
    (tmp_path / "my.gguf").write_bytes(content)
    code, out, err = ended(command, "--model", "my.gguf", "--rating", "general", "--data", "data")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_model_that_is_not_there_is_one_sentence(ended: Ended) -> None:
    code, _, err = ended("try", "--model", "no.gguf")
    assert code == 2
    assert "no.gguf' does not exist" in err


def test_a_model_of_ones_own_without_a_rating_is_not_played(ended: Ended, unrated_model: Path) -> None:
    code, out, err = ended("try", "--once", "--model", unrated_model)
    assert (code, out) == (2, "")
    assert err.startswith("error: This cannot be played here: the model is unrated")
    assert "--rating general, RATING=general for make" in err


def test_a_model_that_is_stated_to_be_adult_is_not_played(ended: Ended, unrated_model: Path) -> None:
    code, _, err = ended("play", "--model", unrated_model, "--rating", "adult", "--data", "data")
    assert code == 2
    assert "the model is adult" in err


def test_an_unrated_scene_is_not_played(ended: Ended, tmp_path: Path) -> None:
    scene = (EXAMPLE.parents[1] / "scenes" / "lighthouse.toml").read_text(encoding="utf-8")
    (tmp_path / "my.toml").write_text(scene.replace('rating = "general"', ""))
    code, _, err = ended("try", "--once", "--config", "my.toml")
    assert code == 2
    assert "the character is unrated and the session is unrated" in err


def test_the_opening_scene_is_played_once_with_its_speed(ended: Ended) -> None:
    code, out, err = ended("try", "--once", "--json")
    played = json.loads(out)
    assert (code, err) == (0, "")
    assert played["character"] == "Eleanor"
    assert played["greeting"][0].startswith("The knocking came again")
    assert played["opening"].startswith("Thomas pulled the door shut")
    assert all(post.strip() for post in played["reply"])
    assert played["reply"]
    assert played["prompt_tokens"] > played["completion_tokens"] > 0
    assert played["tokens_per_second"] > 0
    assert 0 < played["time_to_first_token"] <= played["time_to_first_post"] <= played["total_seconds"]


def test_a_model_of_ones_own_that_is_rated_is_played_with_posts_as_they_were_cut(
    ended: Ended, unrated_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("[model]\nthreads = 1\n[web]\npost_length = 200\n[story]\nlength = 'long'\n")
    code, out, err = ended("try", "--once", "--config", "my.toml", "--model", unrated_model, "--rating", "general")
    assert (code, err) == (0, "")
    assert "Eleanor (1 of " in out
    assert "tokens per second, first post after" in out


def test_a_defect_of_ours_is_one_sentence_too(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("two and two are five")

    monkeypatch.setattr("adapters.cli.options.defaults", broken)
    assert ended("run") == (
        70,
        "",
        "error: a defect in Understudy (RuntimeError: two and two are five); --verbose shows where.\n",
    )
    assert "Traceback" in ended("--verbose", "run")[2]


def test_the_page_stays_up_until_it_is_asked_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot", "try", "--port", "0", "--data", str(tmp_path / "data")]
    with subprocess.Popen(  # noqa: S603 our own program
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=_bare(tmp_path),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Understudy plays at http://127.0.0.1:")
        assert process.stdout.readline() == "Eleanor is answering the opening scene there now.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out == f"{ENDING}\nEnded; the story is kept.\n"
    assert (tmp_path / "data" / "understudy.db").exists()


def _bare(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def test_reports_of_players_are_listed_with_their_context_and_taken_off_the_list(ended: Ended, tmp_path: Path) -> None:
    assert "no stories" in ended("reports", "--data", tmp_path / "none")[2]
    place = Place(Platform("web"), ChannelKey("main"))

    async def keep() -> None:
        store = await open_store(sqlite_url(tmp_path / DATABASE))
        await store.keep_report(Report(place, AuthorId("ann"), "Not nice.\x1b[2J", "Mira: Hm.", 0.0))
        await store.close()

    asyncio.run(keep())
    code, out, _ = ended("reports", "--data", tmp_path)
    assert code == 0
    assert "Report 1, 1970-01-01 00:00 UTC, by ann in web main\nReason: Not nice.\n\nMira: Hm." in out
    assert json.loads(ended("reports", "--data", tmp_path, "--json")[1])[0]["reason"] == "Not nice.\x1b[2J"
    assert "no report number 2" in ended("reports", "--data", tmp_path, "--drop", "2")[2]
    assert ended("reports", "--data", tmp_path, "--drop", "1")[1] == "Report 1 is off the list.\n"
    assert ended("reports", "--data", tmp_path)[1] == "There are no reports.\n"
