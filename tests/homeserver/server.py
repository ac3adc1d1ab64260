"""A throw-away Synapse for tests, in an environment and a process of its own. It knows nothing of what is tested.

Its folder lies in memory where that is possible: a message is sent there in a third of the time. It listens on loopback.
"""

import hashlib
import hmac
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tests.homeserver.settings import SECRET, SERVER_NAME, write_settings

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-synapse" / "bin" / "python"
START_SECONDS = 90
ANSWER_SECONDS = 30
MEMORY = Path("/dev/shm")  # noqa: S108 a folder of our own is made in it


class Unanswered(AssertionError):
    """The homeserver refused what a test relies on."""


@dataclass(frozen=True, slots=True)
class Login:
    """A device of somebody: what a client needs to be it."""

    user_id: str
    access_token: str = field(repr=False)
    device_id: str
    homeserver: str
    password: str = field(repr=False)

    @property
    def name(self) -> str:
        """The user's name without its `@` and its server."""
        return self.user_id[1:].partition(":")[0]


class Synapse:
    """A homeserver that is started and ended as often as is wanted, on one port and with one database.

    All of this blocks; within a test that has to go on meanwhile: `await asyncio.to_thread(homeserver.restart)`.
    """

    def __init__(self, *, default_limits: bool = False) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="synapse.", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
        write_settings(self.folder, self.port, default_limits=default_limits)
        self._names = itertools.count(1)
        self._admin: Login | None = None
        self._keeper = subprocess.Popen(  # noqa: S603 a file of ours
            [sys.executable, str(Path(__file__).with_name("keeper.py")), str(PYTHON), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the test session; the closing of the pipe is for the keeper
        )

    def start(self) -> Self:
        """Start, and wait until it answers. Raises RuntimeError with its last words where it does not."""
        if not PYTHON.exists():
            raise RuntimeError("The tests need a Synapse in .venv-synapse: run deploy/setup.sh dev.")
        self._tell("start")
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline or self._tell("look") != "alive":
                raise RuntimeError(f"Synapse for the tests did not start.\n{self._last_words()}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End it in order."""
        self._tell("stop")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._tell("kill")

    def restart(self) -> None:
        """End it and start it again: the same address, the same rooms, the same tokens."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it for good, with all that it wrote."""
        self._keeper.communicate()

    def answers(self) -> bool:
        """Whether it can be reached and is well."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def fresh_name(self, name: str) -> str:
        """A user name that nobody has here yet, beginning with `name`."""
        return f"{name}-{next(self._names)}"

    def register(self, name: str, *, admin: bool = False) -> Login:
        """Make an account and a device of it, by the shared secret: no limit counts that. Raises Unanswered."""
        password = f"password of {name}"
        nonce = self.call("GET", "/_synapse/admin/v1/register")["nonce"]
        words = (nonce, name, password, "admin" if admin else "notadmin")
        proof = hmac.new(SECRET.encode(), b"\x00".join(word.encode() for word in words), hashlib.sha1).hexdigest()
        wish = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": proof}
        return self._login(self.call("POST", "/_synapse/admin/v1/register", wish), password)

    def log_in(self, login: Login, device_id: str | None = None) -> Login:
        """Another device of the same account, or a new token for the device of this id. Raises Unanswered."""
        wish = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": login.user_id},
            "password": login.password,
        }
        if device_id is not None:
            wish["device_id"] = device_id
        return self._login(self.call("POST", "/_matrix/client/v3/login", wish), login.password)

    def lift_limits(self, user_id: str) -> None:
        """Let somebody send as much as they like, as an operator does for a bot."""
        wish = {"messages_per_second": 0, "burst_count": 0}
        self.call("POST", f"/_synapse/admin/v1/users/{quote(user_id)}/override_ratelimit", wish, self.admin.access_token)

    def log_out(self, login: Login) -> None:
        """Take a device away: its token is unknown from now on."""
        path = f"/_synapse/admin/v2/users/{quote(login.user_id)}/devices/{quote(login.device_id)}"
        self.call("DELETE", path, None, self.admin.access_token)

    def deactivate(self, user_id: str) -> None:
        """Take an account away: it leaves its rooms, and its tokens are unknown from now on."""
        self.call("POST", f"/_synapse/admin/v1/deactivate/{quote(user_id)}", {"erase": False}, self.admin.access_token)

    def delete_room(self, room: str) -> None:
        """Take a room away from everybody who is in it, and begin to forget it."""
        self.call("DELETE", f"/_synapse/admin/v2/rooms/{quote(room)}", {"purge": True}, self.admin.access_token)

    def before_redaction(self, event_id: str) -> dict[str, Any]:
        """What an event held before it was redacted: a homeserver keeps that for some days."""
        answer = self.call("GET", f"/_synapse/admin/v1/fetch_event/{quote(event_id)}", None, self.admin.access_token)
        return dict(answer["event"]["content"])

    @property
    def admin(self) -> Login:
        """The operator of this homeserver."""
        if self._admin is None:
            self._admin = self.register(self.fresh_name("operator"), admin=True)
        return self._admin

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        """Ask for anything. Raises Unanswered where the answer is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise Unanswered(f"{method} {path.partition('?')[0]}: {answer.status} {content}")
        return content

    def _login(self, answer: dict[str, Any], password: str) -> Login:
        return Login(answer["user_id"], answer["access_token"], answer["device_id"], self.url, password)

    def _tell(self, word: str) -> str:
        if self._keeper.stdin is None or self._keeper.stdout is None:
            raise RuntimeError("the pipes that were asked for are not there")
        self._keeper.stdin.write(f"{word}\n")
        self._keeper.stdin.flush()
        return self._keeper.stdout.readline().strip()

    def _last_words(self) -> str:
        said = [self.folder / name for name in ("said", "log")]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in said if path.exists())


@contextmanager
def running(*, default_limits: bool = False) -> Generator[Synapse, None, None]:
    """A homeserver for as long as the block, and at most for as long as this process."""
    server = Synapse(default_limits=default_limits)
    try:
        yield server.start()
    finally:
        server.close()


def user_id(name: str) -> str:
    """Somebody's id on this homeserver."""
    return f"@{name}:{SERVER_NAME}"


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port
