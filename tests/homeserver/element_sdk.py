"""Somebody at Element: its own SDK with its own cryptography, in a process of Node. It knows nothing of our adapter.

The SDK comes from npm, pinned in `element/`, and is installed into a folder outside the tree.
"""

import asyncio
import hashlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.homeserver.server import Login

SOURCES = Path(__file__).with_name("element")
INSTALL_SECONDS = 300
ANSWER_SECONDS = 60
LONGEST_LINE = 1_000_000
OLDEST_NODE = 18


class SdkMissingError(Exception):
    """The SDK cannot be had here: no node or npm, or it could not be installed. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Read:
    """A message as Element shows it: its text (None: it cannot be read, and why), and its shield with the reason for it."""

    body: str | None
    failure: str | None
    shield: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ElementSdk:
    """The SDK, where it is installed."""

    node: str
    folder: Path

    @classmethod
    def installed(cls, keep: Path) -> Self:
        """The SDK, installed below this folder unless it is there already. Raises SdkMissingError."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise SdkMissingError("no node and npm here: install the packages nodejs and npm to be Element")
        if (version := _major(node)) < OLDEST_NODE:
            raise SdkMissingError(f"node is of version {version} here: install nodejs {OLDEST_NODE} or newer to be Element")
        lock = (SOURCES / "package-lock.json").read_bytes()
        folder = keep / hashlib.sha256(lock).hexdigest()[:16]
        if not folder.exists():
            _install(npm, keep, folder)
        return cls(node, folder)


class AtElement:
    """A device of somebody that runs Element's SDK. Use it as `async with`; `is_strict` excludes insecure devices."""

    def __init__(self, sdk: ElementSdk, login: Login, *, is_strict: bool = False) -> None:
        self._sdk, self.login, self._is_strict = sdk, login, is_strict

    async def __aenter__(self) -> Self:
        # A module finds its packages beside itself.
        peer = self._sdk.folder / "peer.js"
        await asyncio.to_thread(shutil.copyfile, SOURCES / "peer.js", peer)
        self._process = await asyncio.create_subprocess_exec(
            self._sdk.node,
            str(peer),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=LONGEST_LINE,
        )
        try:
            await self._ask(
                "start",
                homeserver=self.login.homeserver,
                user=self.login.user_id,
                device=self.login.device_id,
                token=self.login.access_token,
                strict=self._is_strict,
            )
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def set_up_recovery(self, passphrase: str | None = None) -> str:
        """Make the account an identity and a secret storage, as Element does at first; returns the recovery key."""
        return str(await self._ask("setUpRecovery", password=self.login.password, passphrase=passphrase))

    async def say(self, room: str, body: str) -> str:
        """Send a message to a room that this person has joined; returns its event."""
        return str(await self._ask("say", room=room, body=body))

    async def read(self, room: str, event: str, patience: float = 20) -> Read:
        """How a message is shown; it is waited for, and then at most `patience` seconds until it can be read."""
        return Read(**await self._ask("read", room=room, event=event, patience=patience))

    async def is_signed_by_owner(self, user: str, device: str) -> bool:
        """Whether somebody's device is vouched for by their identity; waits until the device is known here.

        What a strict client got from a device before it knew that, it shows only when it looks at it anew.
        """
        return bool(await self._ask("trusts", user=user, device=device))

    async def _ask(self, act: str, **wish: Any) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the pipes that were asked for are not there")
        self._process.stdin.write(json.dumps({"act": act, **wish}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._process.stdout.readline()
        answer = json.loads(line) if line else {"failed": "Node ended"}
        assert "failed" not in answer, answer["failed"]
        return answer["done"]

    async def _end(self) -> None:
        self._process.kill()
        await self._process.wait()
        # Without this, the pipe is closed when nobody expects it any more.
        self._process._transport.close()  # type: ignore[attr-defined]  # asyncio has no other way


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS).stdout  # noqa: S603  Node
    return int(said.strip().removeprefix("v").partition(".")[0])


def _install(npm: str, keep: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=keep) as name:
        work = Path(name) / "sdk"
        work.mkdir()
        for each in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / each, work)
        done = subprocess.run(  # noqa: S603  npm, with a lock that holds every hash
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(keep / "npm")],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise SdkMissingError(f"npm could not install the SDK: {done.stderr.strip()[-400:]}")
        if not folder.exists():  # another run may have been faster
            work.rename(folder)
