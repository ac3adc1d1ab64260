"""What the server answers instead of what was asked: a status, and an error object as OpenAI's clients read it."""

import json
import math
from collections.abc import Mapping

from adapters.remote import wire
from bot.errors import EngineBusy, EngineError, PromptTooLong, StoryForgotten, UnknownToken

SOON = 5.0
"""Seconds after which to come back when nobody knows better."""

_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refusal(Exception):
    """A request that is not answered as asked: its HTTP status, a sentence that says what to do, and facts as numbers."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = wire.BAD_REQUEST,
        retry_after: float | None = None,
        facts: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.retry_after = retry_after
        self.facts = dict(facts or {})

    @property
    def body(self) -> bytes:
        """The error object."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")  # noqa: PLR2004 - HTTP's own border
        error = {"message": self.message, "type": kind, "param": None, "code": self.code, **self.facts}
        return json.dumps({"error": error}).encode()

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        headers = {"Content-Type": "application/json"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.code == wire.WRONG_KEY:
            headers["WWW-Authenticate"] = "Bearer"
        return headers


def refusal_of(error: EngineError) -> Refusal:
    """The answer that tells of this error of the engine."""
    if isinstance(error, EngineBusy):
        return Refusal(429, str(error), wire.BUSY, error.seconds, {"seconds": error.seconds})
    if isinstance(error, StoryForgotten):
        return Refusal(409, str(error), wire.FORGOTTEN)
    if isinstance(error, PromptTooLong):
        return too_long(error.tokens, error.limit)
    if isinstance(error.__cause__, UnknownToken):
        return Refusal(400, f"{error} Send ids of this model's own vocabulary.", wire.UNKNOWN_ID)
    return Refusal(503, str(error), wire.UNAVAILABLE, SOON)


def too_long(tokens: int, limit: int) -> Refusal:
    """The answer to a prompt with more tokens than there is room for."""
    room = f"there is room for {limit}" if limit else "the tokens asked for alone fill the context"
    sentence = f"The prompt has {tokens} tokens and {room}; shorten it or ask for fewer tokens."
    return Refusal(400, sentence, wire.TOO_LONG, facts={"tokens": tokens, "limit": limit})
