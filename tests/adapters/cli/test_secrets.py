"""A secret that is planted wherever the program takes one from comes out nowhere: no help, no error, no log, no traceback."""

from pathlib import Path

import pytest

from adapters.cli import understudy
from adapters.cli.options import configured
from adapters.config.secrets import CREDENTIALS, SECRETS
from adapters.discord.settings import Settings
from adapters.faces import discord_settings
from tests.adapters.cli.conftest import Ended

pytestmark = pytest.mark.usefixtures("quiet_logs")

PLANTED = "hunter2-planted-here"
URL = f"postgresql://me:{PLANTED}@127.0.0.1:1/stories"
COMMANDS = [
    *[(name, "--help") for name in understudy.commands],
    ("--help",),
    ("run",),
    ("try", "--once"),
    ("play",),
    ("engine", "--host", "0.0.0.0", "--port", "99999"),  # noqa: S104  refused
    ("reports",),
    ("backup", "backup.zip"),
    ("restore", "empty.zip"),
    ("db", "check"),
    ("db", "upgrade"),
    ("matrix", "doctor"),
    ("matrix", "login", "--homeserver", "http://127.0.0.1:1", "--user", "@bot:example.org"),
]


@pytest.fixture(params=["variable", "file", "credential"])
def planted(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every secret there is, in one of the ways."""
    (tmp_path / "secrets").mkdir()
    for each in SECRETS:
        value = URL if each.keys == ("storage", "url") else PLANTED
        path = tmp_path / "secrets" / each.credential
        path.write_text(f"{value}\n")
        if request.param == "variable":
            monkeypatch.setenv(each.variable, value)
        elif request.param == "file":
            monkeypatch.setenv(f"{each.variable}_FILE", str(path))
    if request.param == "credential":
        monkeypatch.setenv(CREDENTIALS, str(tmp_path / "secrets"))
    (tmp_path / "empty.zip").touch()


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_shows_a_secret(ended: Ended, command: tuple[str, ...]) -> None:
    _, out, err = ended("--verbose", *command)
    assert PLANTED not in out + err


@pytest.mark.usefixtures("planted")
def test_a_defect_with_a_secret_in_it_shows_where_and_not_the_secret(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"cannot use {PLANTED}")

    monkeypatch.setattr("adapters.cli.upkeep.health", broken)
    code, out, err = ended("--verbose", "db", "check")
    assert (code, out) == (70, "")
    assert "Traceback" in err
    assert "cannot use [secret]" in err
    assert PLANTED not in err


@pytest.mark.usefixtures("planted")
def test_what_the_secrets_reach_is_reached_by_them_and_does_not_show_them() -> None:
    config = configured(None)
    settings: Settings = discord_settings(config)
    assert (config.storage.url, config.engine.token, settings.token) == (URL, PLANTED, PLANTED)
    assert PLANTED not in f"{config!r} {settings!r} {settings}"
