"""One streamed completion over HTTP, timed as its reader sees it. It knows the OpenAI wire, and no server's particulars."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

LIMIT = aiohttp.ClientTimeout(total=1_200)


@dataclass(slots=True)
class Heard:
    """What came of a request: its text and token ids, when each stretch of text came, and what the server said of it.

    `read` is how many tokens of the prompt it handed to the model, None where it does not tell.
    """

    asked: float
    stamps: list[float] = field(default_factory=list)
    text: str = ""
    token_ids: tuple[int, ...] = ()
    tokens: int = 0
    read: int | None = None
    reason: str | None = None

    @property
    def first(self) -> float:
        """Seconds to the first text."""
        return self.stamps[0] - self.asked

    @property
    def gaps(self) -> list[float]:
        """Seconds between one stretch of text and the next."""
        return [later - earlier for earlier, later in zip(self.stamps, self.stamps[1:], strict=False)]


def connection(url: str) -> aiohttp.ClientSession:
    """A client of one server, with no limit on how many streams it has open, each on a connection of its own.

    A server may close a connection that rests while the next request is on its way; that would fail, and be no figure.
    """
    return aiohttp.ClientSession(url, timeout=LIMIT, connector=aiohttp.TCPConnector(limit=0, force_close=True))


async def ask(http: aiohttp.ClientSession, body: dict[str, Any], heard: Heard | None = None) -> Heard:
    """Stream one completion to its end. Raises RuntimeError when the server refuses it, or ends it short of max_tokens.

    `heard`, when given, is filled as the stream goes, for whoever watches it.
    """
    heard = heard or Heard(0.0)
    heard.asked = time.perf_counter()
    async with http.post("/v1/completions", json=body | {"stream": True}) as response:
        if response.status != 200:
            raise RuntimeError(f"{http._base_url} answered {response.status}: {(await response.text())[:300]}")
        async for chunk in _chunks(response):
            _take(heard, chunk)
    heard.tokens = heard.tokens or (body["max_tokens"] if heard.reason == "length" else len(heard.stamps))
    if heard.reason != "length" or heard.tokens < body["max_tokens"]:
        raise RuntimeError(f"a reply ended after {heard.tokens} of {body['max_tokens']} tokens: {heard.reason}")
    return heard


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in response.content:
        data = line.removeprefix(b"data: ").strip()
        if data == b"[DONE]":
            return
        if line.startswith(b"data: "):
            chunk: dict[str, Any] = json.loads(data)
            if "error" in chunk:
                raise RuntimeError(f"the stream broke: {chunk['error']}")
            yield chunk


def _take(heard: Heard, chunk: dict[str, Any]) -> None:
    for choice in chunk.get("choices", ()):
        if text := choice.get("text"):
            heard.stamps.append(time.perf_counter())
            heard.text += text
        heard.token_ids += tuple(choice.get("token_ids") or ())
        heard.reason = choice.get("finish_reason") or heard.reason
    usage, timings = chunk.get("usage") or {}, chunk.get("timings") or {}
    heard.tokens = usage.get("completion_tokens", heard.tokens)
    heard.read = timings.get("prompt_n", usage.get("prefilled_tokens", heard.read))
