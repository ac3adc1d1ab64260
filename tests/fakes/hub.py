"""A hub on loopback: answers as the real one does, large files from a second host, and breaks off where it is told to."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

COMMIT = "c0ffee" + "0" * 34


@dataclass(frozen=True, slots=True)
class Asked:
    host: str
    method: str
    path: str
    range: str
    authorization: str
    agent: str


@dataclass
class LoopbackHub:
    """Serves `files` by "owner/name/path". The rest says how it misbehaves, each list once per answer and then no more."""

    files: dict[str, bytes] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    token: str = ""
    large: bool = True
    serves_ranges: bool = True
    falsifies: bool = False
    is_mirror: bool = False
    breaks_after: list[int] = field(default_factory=list)
    fails_with: list[int] = field(default_factory=list)
    sends_extra: bytes = b""
    claims_size: int = 0
    names_commit: bool = True
    refuses_all_with: int = 0
    asked: list[Asked] = field(default_factory=list)
    endpoint: str = ""
    store: str = ""

    @contextmanager
    def running(self) -> Iterator["LoopbackHub"]:
        front, back = (_server(self, role) for role in (_Front, _Back))
        self.endpoint, self.store = (f"http://127.0.0.1:{server.server_port}" for server in (front, back))
        threads = [threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True) for server in (front, back)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server in (front, back):
                server.shutdown()
                server.server_close()
            for thread in threads:
                thread.join(10)

    @property
    def downloads(self) -> list[Asked]:
        return [each for each in self.asked if each.host == "store" or (each.method == "GET" and not self.large)]


class _Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host = ""
    hub: LoopbackHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name is the library's
        """Keep quiet."""

    def note(self) -> None:
        header = {name: self.headers.get(name, "") for name in ("range", "authorization", "user-agent")}
        self.hub.asked.append(Asked(self.host, self.command, self.path, *header.values()))

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self, content: bytes, headers: dict[str, str] | None = None) -> None:
        """The content or the range asked for, cut off where the hub is to break."""
        hub = self.hub
        if hub.fails_with:
            self.answer(hub.fails_with.pop(0), {"Retry-After": "7"})
            return
        start = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-")) if hub.serves_ranges else 0
        body = (bytes(len(content)) if hub.falsifies and start else content)[start:] + hub.sends_extra
        if hub.falsifies and not start:
            body = content[:8] + bytes(len(content) - 8)
        self.send_response(206 if "range" in self.headers and hub.serves_ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        if hub.serves_ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: hub.breaks_after[0]] if hub.breaks_after else body)
        if hub.breaks_after:
            hub.breaks_after.pop(0)
            self.close_connection = True


class _Front(_Answerer):
    host = "hub"

    def do_HEAD(self) -> None:
        self.note()
        self.resolve()

    def do_GET(self) -> None:
        self.note()
        self.resolve()

    def resolve(self) -> None:
        before, _, after = unquote(self.path.partition("?")[0]).partition("/resolve/")
        repository, (revision, _, file) = before.strip("/"), after.partition("/")
        content = self.hub.files.get(f"{repository}/{file}")
        if refused := self.refusal(repository, revision, content):
            self.answer(refused[0], {"X-Error-Code": refused[1]} if refused[1] else {})
        elif content is not None and self.hub.large:
            digest = hashlib.sha256(content).hexdigest()
            linked = {
                "X-Linked-Size": str(self.hub.claims_size or len(content)),
                "X-Linked-Etag": f'"{digest}"',
                "Location": f"{self.hub.store}/{digest}",
            }
            self.answer(302, {**self.commit(), **linked})
        elif content is not None and self.command == "HEAD":
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            etag = "W/weak" if self.hub.is_mirror else blob
            self.answer(200, {**self.commit(), "ETag": f'"{etag}"', "Content-Length": str(len(content))})
        elif content is not None:
            self.serve(content, self.commit())

    def commit(self) -> dict[str, str]:
        return {"X-Repo-Commit": COMMIT} if self.hub.names_commit else {}

    def refusal(self, repository: str, revision: str, content: bytes | None) -> tuple[int, str] | None:
        hub = self.hub
        if hub.refuses_all_with:
            return hub.refuses_all_with, ""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        welcome = bool(hub.token) and token == hub.token
        known = any(name.startswith(f"{repository}/") for name in hub.files)
        if hub.token and token and token != hub.token:
            return 401, ""
        if not known or (repository in hub.private and not welcome):
            return 401 if not token else 404, "RepoNotFound"
        if repository in hub.gated and not welcome:
            return 401 if not token else 403, "GatedRepo"
        if revision not in {"main", COMMIT}:
            return 404, "RevisionNotFound"
        return (404, "EntryNotFound") if content is None else None


class _Back(_Answerer):
    host = "store"

    def do_GET(self) -> None:
        self.note()
        content = next(each for each in self.hub.files.values() if hashlib.sha256(each).hexdigest() == self.path.strip("/"))
        self.serve(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what the tests do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _server(hub: LoopbackHub, role: type[_Answerer]) -> ThreadingHTTPServer:
    return _Server(("127.0.0.1", 0), type(role.__name__, (role,), {"hub": hub}))
