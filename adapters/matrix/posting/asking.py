"""One call of the homeserver: asked once, within a time, its answer checked. It does not know what is called for what.

The traps avoided: nio repeats a call by itself, and so does the HTTP client below it where a connection broke, so that nobody
can tell whether the first try took effect. What is sent as a stream goes out once.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from nio import AsyncClient

from adapters.matrix.errors import Attempt, Declined, meaning, read_refusal, translated
from adapters.matrix.line import UNTIL_READY, Line
from bot.errors import TryLater

CLIENT = "/_matrix/client/v3"
RELATIONS = "/_matrix/client/v1"
MEDIA = "/_matrix/media/v3"

JSON = "application/json"
OK = 200

Content = Mapping[str, Any]


async def ask(  # noqa: PLR0913  what a call is made of
    client: AsyncClient,
    attempt: Attempt,
    method: str,
    *path: str,
    body: Content | bytes | None = None,
    query: Mapping[str, str | int] | None = None,
    api: str = CLIENT,
    kind: str = JSON,
) -> Content:
    """The JSON object that is answered. Each part of the path is quoted. Raises the errors of a courier."""
    address = "/".join([api, *(quote(part, safe="") for part in path)])
    if query:
        address = f"{address}?{urlencode(query)}"
    headers = {"Content-Type": kind, "Authorization": f"Bearer {client.access_token}"}
    data = written(body).encode() if isinstance(body, Mapping) else body
    if data is not None:
        headers["Content-Length"] = str(len(data))
    # Whoever is cancelled while the answer is read gives the connection back.
    async with (
        translated(attempt),
        await client.send(method, address, None if data is None else _once(data), headers) as answer,
    ):
        content = _read(await answer.read())
        if answer.status != OK or content is None:
            raise read_refusal(answer.status, content, answer.headers)
        return content


def still(line: Line, client: AsyncClient) -> AsyncClient:
    """The client, if the connection is still its. Raises TryLater where it is not.

    A client that was closed would open another connection unseen, and its keys may be another one's by now.
    """
    if line.client is not client:
        raise TryLater(UNTIL_READY)
    return client


def written(content: Content) -> str:
    """JSON as homeservers measure it: in UTF-8, without a space that means nothing."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def text_in(content: Content, name: str, attempt: Attempt) -> str:
    """A text that an answer must hold. Raises the errors of a courier where it does not."""
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise meaning(Declined(OK, "", f"an answer without {name}"), attempt)
    return value


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _read(data: bytes) -> Content | None:
    try:
        content = json.loads(data)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
