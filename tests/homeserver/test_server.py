"""The homeserver of the tests: it comes back as it was, ends with whoever started it, and limits only where that is wanted."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.homeserver import server
from tests.homeserver.people import Person, people
from tests.homeserver.server import Synapse, Unanswered, running, user_id
from tests.homeserver.wire import Refusal

KEEPER = Path(server.__file__).with_name("keeper.py")


async def test_after_a_restart_and_after_a_power_cut_all_is_there(strict_homeserver: Synapse) -> None:
    """Rooms, messages, and tokens; at the same address."""
    async with people(strict_homeserver, "mira") as (mira,):
        room = await mira.create_room()
        await mira.say(room, "Before.")
        address = strict_homeserver.url
        await asyncio.to_thread(strict_homeserver.kill)
        assert not strict_homeserver.answers()
        await asyncio.to_thread(strict_homeserver.restart)

        await mira.say(room, "After.")
        assert [each.body for each in await mira.shown(room)] == ["Before.", "After."]
        assert strict_homeserver.url == address


async def test_the_limits_of_a_homeserver_that_nobody_changed_are_met_and_can_be_lifted(strict_homeserver: Synapse) -> None:
    async with people(strict_homeserver, "mira") as (mira,):
        room = await mira.create_room()
        with pytest.raises(Refusal) as caught:
            await _say_often(mira, room, 20)
        assert (caught.value.status, caught.value.code) == (429, "M_LIMIT_EXCEEDED")
        assert 0 < (caught.value.retry_after_ms or 0) <= 5000

        strict_homeserver.lift_limits(mira.user_id)
        await _say_often(mira, room, 20)


async def test_the_relaxed_homeserver_limits_nobody(homeserver: Synapse) -> None:
    async with people(homeserver, "mira") as (mira,):
        await _say_often(mira, await mira.create_room(), 20)
        for _ in range(6):
            homeserver.log_in(mira.login)


async def test_the_same_question_is_not_answered_from_a_cache(homeserver: Synapse) -> None:
    async with people(homeserver, "mira") as (mira,):
        before = await mira.wire.ask("GET", "/sync", timeout=0)
        room = await mira.create_room()
        after = await mira.wire.ask("GET", "/sync", timeout=0)
        assert room not in str(before)
        assert room in str(after)


async def test_a_device_is_logged_out_and_its_sister_stays(homeserver: Synapse) -> None:
    login = homeserver.register(homeserver.fresh_name("mira"))
    other = homeserver.log_in(login)
    again = homeserver.log_in(login, other.device_id)
    assert login.device_id != other.device_id == again.device_id
    homeserver.log_out(again)
    with pytest.raises(Unanswered, match="M_UNKNOWN_TOKEN"):
        homeserver.call("GET", "/_matrix/client/v3/account/whoami", token=again.access_token)
    assert homeserver.call("GET", "/_matrix/client/v3/account/whoami", token=login.access_token)["user_id"] == login.user_id


async def test_a_deactivated_account_has_left_and_is_unknown(homeserver: Synapse) -> None:
    async with people(homeserver, "mira", "tobias") as (mira, tobias):
        room = await mira.create_room(invite=[tobias.user_id])
        await tobias.join(room)
        homeserver.deactivate(tobias.user_id)
        with pytest.raises(Refusal, match="M_UNKNOWN_TOKEN"):
            await tobias.say(room, "Still here?")

        async def has_left() -> bool:
            return await mira.membership(room, tobias.user_id) == "leave"

        await mira.until(has_left)


async def test_a_deleted_room_is_gone_for_those_who_were_in_it(homeserver: Synapse) -> None:
    async with people(homeserver, "mira") as (mira,):
        room = await mira.create_room()
        homeserver.delete_room(room)

        async def is_gone() -> bool:
            return room not in (await mira.wire.ask("GET", "/joined_rooms"))["joined_rooms"]

        await mira.until(is_gone)
        with pytest.raises(Refusal, match="M_FORBIDDEN"):
            await mira.say(room, "Hello?")


def test_names_are_fresh_and_secrets_are_not_shown(homeserver: Synapse) -> None:
    name, other = homeserver.fresh_name("mira"), homeserver.fresh_name("mira")
    login = homeserver.register(name)
    assert name != other
    assert (login.user_id, login.name) == (user_id(name), name)
    assert login.access_token not in repr(login)
    assert login.password not in repr(login)
    with pytest.raises(Unanswered, match="M_USER_IN_USE"):
        homeserver.register(name)


def test_the_homeserver_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Killed, not told: its keeper sees the pipe close, ends what it keeps, and clears up."""
    folder, kept = tmp_path / "folder", tmp_path / "kept"
    folder.mkdir()
    os.mkfifo(kept)
    python = _stub(tmp_path, f"echo $$ > {kept}; exec sleep 1000")
    line = [sys.executable, "-c", _SESSION, str(KEEPER), str(python), str(folder)]
    session = subprocess.Popen(line, stdout=subprocess.PIPE)  # noqa: S603 ours
    with session:
        assert session.stdout is not None
        assert session.stdout.readline() == b"alive\n"
        pid = int(kept.read_text())  # waits until it is written
        session.kill()
        # The keeper holds the other end until it has ended.
        assert session.stdout.read() == b""
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


_SESSION = """
import subprocess, sys
line = [sys.executable, *sys.argv[1:]]
keeper = subprocess.Popen(line, stdin=subprocess.PIPE, start_new_session=True)
keeper.stdin.write(b"start\\n")
keeper.stdin.flush()
keeper.wait()
"""


def test_a_homeserver_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PYTHON", _stub(tmp_path, "echo The lamp is out. >&2; exit 1"))
    with pytest.raises(RuntimeError, match="The lamp is out"), running():
        pass


def test_without_a_synapse_the_way_to_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PYTHON", tmp_path / "nothing")
    with pytest.raises(RuntimeError, match=r"deploy/setup\.sh dev"), running():
        pass


async def _say_often(person: Person, room: str, times: int) -> None:
    for number in range(times):
        await person.say(room, str(number))


def _stub(folder: Path, script: str) -> Path:
    stub = folder / "python"
    stub.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    stub.chmod(0o755)
    return stub
