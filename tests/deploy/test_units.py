"""The units for systemd are well written, give the program the time that it needs, and shut it in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.cli.commands import FAILED, LATER
from adapters.config.secrets import SECRETS
from bot.flow.ending import POSTS_SECONDS, REPLIES_SECONDS
from tests.house.project import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
MOST_EXPOSED = 20
"""Tenths, by `systemd-analyze security`; what is not shut in at all has 96."""


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze here: install the package systemd to have the units looked at")
    return found


def installed(unit: Path, folder: Path) -> Path:
    """The unit as if the program were installed: its Python is one that is here."""
    text = unit.read_text(encoding="utf-8").replace("/opt/understudy/.venv/bin/python", sys.executable)
    (folder / unit.name).write_text(text.replace("/opt/understudy", str(folder)), encoding="utf-8")
    return folder / unit.name


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(analyze: str, unit: Path, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  of this system
        [analyze, "verify", str(installed(unit, tmp_path))], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_shuts_the_program_in(analyze: str, unit: Path, tmp_path: Path) -> None:
    command = [analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(installed(unit, tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  of this system
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_names_secrets_that_there_are_and_gives_time_to_end(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert set(re.findall(r"LoadCredential=([\w-]+):", text)) <= {each.credential for each in SECRETS}
    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)s", text)
    assert int(seconds) > REPLIES_SECONDS + POSTS_SECONDS + 60, "the engine gets a minute more to write its cache"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_rests_after_a_mistake_and_tries_again_where_the_database_is_away(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (rests_after,) = re.findall(r"RestartPreventExitStatus=(.+)", text)
    assert rests_after.split() == [str(FAILED)]
    assert LATER != FAILED
    assert "Restart=on-failure" in text
