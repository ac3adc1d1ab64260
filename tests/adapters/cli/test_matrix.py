"""`understudy matrix` as an operator calls it, with a real homeserver."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.matrix.keeping import Folder, Seeds
from tests.adapters.cli.conftest import Ended
from tests.adapters.matrix.trust.elsewhere import KEY, set_up, written
from tests.homeserver.people import Person
from tests.homeserver.server import Login, Synapse

pytestmark = pytest.mark.usefixtures("quiet_logs")

ROOT = Path(__file__).parents[3]


@pytest.fixture
def owner(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


@pytest.fixture
def logged_in(ended: Ended, owner: Login, monkeypatch: pytest.MonkeyPatch) -> Login:
    """The bot is logged in, into the folder `data`."""
    monkeypatch.setenv("UNDERSTUDY_MATRIX_PASSWORD", owner.password)
    code, _, err = ended("matrix", "login", "--data", "data", "--homeserver", owner.homeserver, "--user", owner.user_id)
    assert (code, err) == (0, "")
    monkeypatch.delenv("UNDERSTUDY_MATRIX_PASSWORD")
    return owner


def test_a_login_tells_who_the_bot_is_and_what_to_do_next(ended: Ended, logged_in: Login, tmp_path: Path) -> None:
    account = Folder(tmp_path / "data" / "matrix").account()
    assert account is not None
    assert account.user_id == logged_in.user_id
    code, out, _ = ended("matrix", "login", "--data", "data")
    assert code == 0
    assert f"The bot is {logged_in.user_id} at {logged_in.homeserver}, as the device {account.device_id}." in out
    assert f"{tmp_path / 'data' / 'matrix'}: back that up" in out
    assert "python -m bot run" in out


@pytest.mark.parametrize("way", ["file", "environment"])
def test_the_recovery_key_of_an_account_of_element_comes_from_a_file_or_the_environment(
    ended: Ended, owner: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async def set_up_in_element() -> Seeds:
        async with Person(owner) as operator:
            return await set_up(operator)

    seeds = asyncio.run(set_up_in_element())
    monkeypatch.setenv("UNDERSTUDY_MATRIX_PASSWORD", owner.password)
    words = ["matrix", "login", "--data", "data", "--homeserver", owner.homeserver, "--user", owner.user_id]
    if way == "file":
        (tmp_path / "key").write_text(f"{written(KEY)}\n", encoding="utf-8")
        words += ["--recovery-key-file", "key"]
    else:
        monkeypatch.setenv("UNDERSTUDY_MATRIX_RECOVERY_KEY", written(KEY))
    code, out, err = ended(*words)
    assert (code, err) == (0, "")
    assert written(KEY) not in out
    account = Folder(tmp_path / "data" / "matrix").account()
    assert account is not None
    assert account.seeds == Seeds(self_signing=seeds.self_signing)


def test_a_file_that_holds_no_text_is_no_recovery_key(ended: Ended, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff")
    code, _, err = ended("matrix", "login", "--data", "data", "--recovery-key-file", "key")
    assert (code, "is no text" in err) == (2, True)


def test_without_a_terminal_what_is_missing_is_named(ended: Ended, owner: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = ended("matrix", "login", "--data", "data")
    assert (code, "give it with --user" in err) == (2, True)
    code, _, err = ended("matrix", "login", "--data", "data", "--homeserver", owner.homeserver, "--user", owner.user_id)
    assert (code, "UNDERSTUDY_MATRIX_PASSWORD" in err, "UNDERSTUDY_MATRIX_TOKEN" in err) == (2, True, True)
    monkeypatch.setenv("UNDERSTUDY_MATRIX_PASWORD", owner.password)
    code, _, err = ended("matrix", "login", "--data", "data")
    assert code == 2
    assert 'did you mean "UNDERSTUDY_MATRIX_PASSWORD"?' in err
    assert owner.password not in err


def test_the_doctor_finds_nothing_wrong_with_a_fresh_login(ended: Ended, logged_in: Login) -> None:
    code, out, err = ended("matrix", "doctor", "--data", "data")
    assert (code, err) == (0, "")
    assert logged_in.user_id in out
    code, out, _ = ended("matrix", "doctor", "--data", "data", "--json")
    told = json.loads(out)
    assert (code, told["ok"]) == (0, True)
    assert {each["about"]: each["grade"] for each in told["findings"]} == {
        "account": "ok",
        "files": "ok",
        "key store": "ok",
        "homeserver": "ok",
        "login": "ok",
        "device": "ok",
        "identity": "ok",
        "trust": "ok",
        "one-time keys": "ok",
        "rooms": "warning",
        "other devices": "ok",
    }


def test_the_doctor_ends_with_two_where_something_is_wrong(
    ended: Ended, homeserver: Synapse, logged_in: Login, tmp_path: Path
) -> None:
    code, out, _ = ended("matrix", "doctor", "--data", "nowhere", "--json")
    assert (code, json.loads(out)["ok"]) == (2, False)
    account = Folder(tmp_path / "data" / "matrix").account()
    assert account is not None
    homeserver.log_out(replace(logged_in, device_id=account.device_id))
    code, out, _ = ended("matrix", "doctor", "--data", "data")
    assert code == 2
    assert "understudy matrix login" in " ".join(out.split())


def at_a_terminal(folder: Path, owner: Login, then: str | None) -> tuple[int, str]:
    """A login at a terminal of its own: how it ended and all that was seen there. `then` is typed; None interrupts."""
    screen, inside = pty.openpty()
    arguments = ["matrix", "login", "--data", str(folder), "--homeserver", owner.homeserver, "--user", owner.user_id]
    program = subprocess.Popen(  # noqa: S603  our own
        [sys.executable, "-m", "bot", *arguments], cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    seen = b""
    while b"Password" not in seen:
        seen += os.read(screen, 1024)
    if then is None:
        program.send_signal(signal.SIGINT)
    else:
        os.write(screen, then.encode() + b"\n")
    try:
        while piece := os.read(screen, 1024):
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.close(screen)
    return program.wait(), seen.decode()


def test_at_a_terminal_the_password_is_asked_for_and_not_shown(owner: Login, tmp_path: Path) -> None:
    code, seen = at_a_terminal(tmp_path / "data", owner, owner.password)
    assert code == 0, seen
    assert f"Password of {owner.user_id}" in seen
    assert owner.password not in seen
    assert "The bot is" in seen


@pytest.mark.slow
def test_ctrl_c_ends_a_question_at_once(owner: Login, tmp_path: Path) -> None:
    code, seen = at_a_terminal(tmp_path / "data", owner, None)
    assert code == 130
    assert "Traceback" not in seen
    assert Folder(tmp_path / "data" / "matrix").account() is None
