"""Setting up on a machine where something is missing: one line that names the package. Nothing is downloaded here."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.project import ROOT

TOOLS = ("sh", "dirname", "cksum", "cat", "sed", "find", "env")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock", "tests/homeserver/requirements.lock")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A bare machine: a clone without its environment, and a few commands."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (commands / tool).symlink_to(found)
    clone = tmp_path / "a clone"
    (clone / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "setup.sh", clone / "deploy")
    for lock in LOCKS:
        (clone / lock).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / lock, clone / lock)
    return tmp_path


def put(machine: Path, name: str, script: str) -> None:
    command = machine / "commands" / name
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def set_up(machine: Path, kind: str = "runtime", **environment: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 our own script
        [machine / "a clone" / "deploy" / "setup.sh", kind],
        env={"PATH": str(machine / "commands")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_without_python_the_package_is_named(machine: Path) -> None:
    assert set_up(machine) == (1, "error: python3 was not found; on Debian: apt install python3 python3-venv\n")


def test_with_an_old_python_the_wanted_one_is_named(machine: Path) -> None:
    put(machine, "python3", "exit 1")
    code, said = set_up(machine)
    assert code == 1
    assert said.startswith(
        "error: Python 3.11 or newer is needed and python3 is older; on Debian 12 or newer: apt install python3"
    )
    assert said.count("\n") == 1


def test_without_venv_the_package_is_named(machine: Path) -> None:
    put(machine, "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    assert set_up(machine) == (1, "error: python3 cannot make environments; on Debian: apt install python3-venv\n")


@pytest.mark.parametrize(("there", "missing"), [([], "C compiler (cc)"), (["cc"], "C++ compiler (c++)")])
def test_without_a_compiler_the_package_is_named(machine: Path, there: list[str], missing: str) -> None:
    for name in ("python3", *there):
        put(machine, name, "exit 0")
    assert set_up(machine) == (1, f"error: no {missing} was found; on Debian: apt install build-essential\n")


def test_another_compiler_can_be_named(machine: Path) -> None:
    put(machine, "python3", "exit 0")
    assert "no C compiler (clang)" in set_up(machine, CC="clang")[1]


def test_an_environment_that_holds_the_lock_is_left_alone(machine: Path) -> None:
    clone = _ready(machine, "runtime")
    assert set_up(machine) == (0, "")
    (clone / "requirements.lock").write_text((clone / "requirements.lock").read_text() + "# changed\n")
    assert set_up(machine)[0] == 1


def test_the_homeserver_of_the_tests_is_set_up_for_dev_alone_and_once(machine: Path) -> None:
    clone = _ready(machine, "dev")
    (clone / ".venv" / "bin").mkdir()
    uv = clone / ".venv" / "bin" / "uv"
    uv.write_text(f"#!/bin/sh\necho \"$1 $2\" >>'{machine}/said'\nmkdir -p '{clone}/.venv-synapse'\n")
    uv.chmod(0o755)
    put(machine, "mkdir", f'exec {shutil.which("mkdir")} "$@"')

    assert [set_up(machine, "dev") for _ in range(2)] == [(0, ""), (0, "")]
    assert (machine / "said").read_text() == "venv --quiet\npip install\n"


def _ready(machine: Path, kind: str) -> Path:
    """A clone whose own environment holds the lock of this kind."""
    clone = machine / "a clone"
    site = clone / ".venv" / "lib" / "python3" / "site-packages"
    site.mkdir(parents=True)
    pins = dict(line.split(" ")[0].split("==") for line in _pins(clone / "requirements.lock"))
    (site / f"llama_cpp_python-{pins['llama-cpp-python']}.dist-info").mkdir()
    lock = clone / {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}[kind]
    stamp = subprocess.run(["cksum"], input=lock.read_bytes(), capture_output=True, check=True).stdout  # noqa: S607 a tool of every system
    (clone / ".venv" / f".understudy-{kind}").write_bytes(stamp)
    return clone


def _pins(lock: Path) -> list[str]:
    return [line for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line and not line.startswith(" ")]
