"""Requests to a homeserver as one device of somebody, over the client-server API. It knows no rooms and no encryption."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.homeserver.server import Login

CLIENT = "/_matrix/client/v3"
MEDIA = "/_matrix/client/v1/media"


class Refusal(Exception):
    """The homeserver answered anything but 200. `code` is Matrix's own, such as M_FORBIDDEN."""

    def __init__(self, status: int, code: str, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.retry_after_ms = retry_after_ms


class Wire:
    """The connection of one device. It is opened in the event loop that asks first and has to be closed there."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, path: str, body: Any = None, **query: str | int) -> Any:
        """Ask for a path below the client API; returns the JSON that is answered. Raises Refusal."""
        async with self._open().request(method, self._address(path), json=body, params=query) as answer:
            return await _content(answer)

    async def upload(self, data: bytes, media_type: str, name: str) -> str:
        """Store bytes; returns their mxc address. Raises Refusal."""
        address = f"{self.login.homeserver}/_matrix/media/v3/upload"
        headers = {"Content-Type": media_type}
        async with self._open().post(address, data=data, headers=headers, params={"filename": name}) as answer:
            return str((await _content(answer))["content_uri"])

    async def download(self, mxc: str) -> bytes:
        """Stored bytes of an mxc address. Raises Refusal."""
        address = f"{self.login.homeserver}{MEDIA}/download/{mxc.removeprefix('mxc://')}"
        async with self._open().get(address) as answer:
            if answer.status != HTTPStatus.OK:
                await _content(answer)
            return await answer.read()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self.login.access_token}"}
            self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60))
            # aiohttp asks once more by itself where a connection is cut; a test wants to see the cut.
            self._session._retry_connection = False
        return self._session

    def _address(self, path: str) -> str:
        return self.login.homeserver + (path if path.startswith("/_") else CLIENT + path)


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


async def _content(answer: aiohttp.ClientResponse) -> Any:
    content = await answer.json(content_type=None)
    if answer.status != HTTPStatus.OK:
        said = content if isinstance(content, dict) else {}
        raise Refusal(answer.status, str(said.get("errcode", "")), str(said.get("error", "")), said.get("retry_after_ms"))
    return content
