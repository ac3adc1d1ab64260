"""From what a completion server answers to what the engine's port knows: stream items and errors. It sends nothing.

Rule: an answer may lack any field or hold anything in it; what cannot be read is passed over, never raised as another error.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.remote import wire
from adapters.remote.servers import Path, found_at
from bot.errors import EngineBusy, EngineError, EngineUnavailable, PromptTooLong, StoryForgotten
from bot.ports.engine import Finished, FinishReason, StreamItem, TextDelta, Usage, Waiting

BUSY_SECONDS = 10.0
"""How long to stay away from a busy server that does not say."""


class Passing(Exception):
    """The server cannot answer now but may soon: the same request can be tried again after `seconds`.

    `accepted` says that it had the request in hand: perhaps it was this one that it could not bear.
    """

    def __init__(self, sentence: str, seconds: float = 0.0, *, accepted: bool = False) -> None:
        super().__init__(sentence)
        self.seconds = seconds
        self.accepted = accepted


class EngineAway(EngineUnavailable):
    """It was not there for as long as patience lasted; it may come back."""


class Changed(Exception):
    """Another model is served than the one that the request was made for: tokenise anew."""


@dataclass(slots=True)
class Told:
    """What the server has told of a reply so far."""

    stop_met: Path
    is_ours: bool
    reason: FinishReason | None = None
    stop: str = ""
    usage: Mapping[str, object] = field(default_factory=dict)

    def items(self, data: str) -> Iterator[StreamItem]:
        """What this chunk brings. Raises an EngineError, Passing or Changed when it tells of one."""
        chunk = _object(data)
        if "error" in chunk:
            raise error_of(0, chunk)
        if (queue := chunk.get("queue")) is not None:
            yield Waiting(whole(found_at(queue, ("position",))) or 1, _number(found_at(queue, ("seconds",))))
        text = found_at(chunk, ("choices", 0, "text"))
        if isinstance(text, str) and text:
            ids = found_at(chunk, ("choices", 0, "token_ids")) if self.is_ours else None
            yield TextDelta(text, tuple(ids) if isinstance(ids, list) else ())
        self._note(chunk)

    def usage_or(self, prompt: int, written: int) -> Usage:
        """The usage as it was told, and for what was not told these numbers."""
        prompt_tokens = self._told("prompt_tokens") or prompt
        cached = whole(found_at(self.usage, ("prompt_tokens_details", "cached_tokens"))) or 0
        prefilled = self._told("prefilled_tokens")
        completion = self._told("completion_tokens")
        return Usage(
            prompt_tokens=prompt_tokens,
            cached_tokens=cached,
            prefilled_tokens=prompt_tokens - cached if prefilled is None else prefilled,
            completion_tokens=written if completion is None else completion,
        )

    def finished(self, usage: Usage) -> Finished:
        """The end, as it was told."""
        return Finished(self.reason or FinishReason.END, usage, self.stop)

    def _told(self, name: str) -> int | None:
        return whole(self.usage.get(name))

    def _note(self, chunk: Mapping[str, object]) -> None:
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage
        told = found_at(chunk, ("choices", 0, "finish_reason"))
        if not isinstance(told, str):
            return
        stop = found_at(chunk, self.stop_met)
        if told == "length":
            self.reason = FinishReason.DEADLINE if self.is_ours and stop == wire.DEADLINE else FinishReason.LENGTH
        elif isinstance(stop, str) and stop:
            self.reason, self.stop = FinishReason.STOP, stop
        else:
            self.reason = FinishReason.END


def error_of(status: int, body: object, retry_after: float | None = None) -> Exception:
    """What an answer with this status, or an error object in a stream (status 0), means."""
    code, told = found_at(body, ("error", "code")), _sentence(body)
    if status == 412 or code == wire.CHANGED:  # noqa: PLR2004 - HTTP's own numbers
        return Changed(told)
    if status in {401, 403}:
        return EngineUnavailable("The engine refused the token: set the same one here as on the engine's host.")
    if status == 429 or code == wire.BUSY:  # noqa: PLR2004 - HTTP's own numbers
        return EngineBusy(_number(found_at(body, ("error", "seconds"))) or retry_after or BUSY_SECONDS)
    if (own_end := _of_this_request(body, code)) is not None:
        return own_end
    if status in {408, 502, 503, 504} or code in {503, wire.UNAVAILABLE}:
        return Passing(f"The engine cannot be used now{_after_colon(told)}", retry_after or 0.0, accepted=not status)
    return EngineUnavailable(f"The engine refused the request{_after_colon(told, f'status {status}')}")


def _of_this_request(body: object, code: object) -> EngineError | None:
    """What no other try would mend: its story was forgotten, or its prompt is too long.

    Both as our own server says it; llama-server tells the second in its own way, others in words only.
    """
    if code == wire.FORGOTTEN:
        return StoryForgotten()
    for tokens_at, limit_at in (("tokens", "limit"), ("n_prompt_tokens", "n_ctx")):
        tokens, limit = (whole(found_at(body, ("error", name))) for name in (tokens_at, limit_at))
        if tokens is not None and limit is not None:
            return PromptTooLong(tokens, limit)
    return None


def _sentence(body: object) -> str:
    """What an error object says: OpenAI's, or FastAPI's."""
    for path in (("error", "message"), ("error",), ("detail",), ("message",)):
        told = found_at(body, path)
        if isinstance(told, str) and told.strip():
            return " ".join(told.split())[:300]
    return ""


def _after_colon(told: str, otherwise: str = "") -> str:
    told = told or otherwise
    return f": {told}" if told.endswith((".", "!", "?")) else f": {told}." if told else "."


def _object(data: str) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def whole(value: object) -> int | None:
    """The value, if it is a whole number from 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(value: object) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf") else None
    )
