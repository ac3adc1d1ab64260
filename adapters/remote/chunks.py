"""What the wire says of a reply: one JSON object, or chunks of a stream. It knows no HTTP and sends nothing.

A chunk of text is put together from prepared bytes: it is the one thing here that happens for every token.
"""

import json
import secrets
import time

from adapters.remote import wire
from adapters.remote.orders import Order
from adapters.remote.refusals import Refusal
from bot.ports.engine import Finished, FinishReason, TextDelta, Usage, Waiting

DONE = b"data: [DONE]\n\n"
SIGN_OF_LIFE = b": still here\n\n"

_text = json.encoder.encode_basestring_ascii


class Chunks:
    """The words for one order's reply."""

    def __init__(self, order: Order) -> None:
        self._order = order
        name = f"cmpl-{secrets.token_hex(12)}"
        self._about = {"id": name, "object": "text_completion", "created": int(time.time()), "model": order.model}
        self._head = json.dumps(self._about)[:-1]
        self._before = f'data: {self._head}, "choices": [{{"index": 0, "text": '.encode()
        self._after = b', "logprobs": null, "finish_reason": null}]}\n\n'

    def delta(self, delta: TextDelta) -> bytes:
        """A chunk of text."""
        text = _text(delta.text).encode()
        if self._order.wants_ids and delta.token_ids:
            ids = f', "token_ids": {list(delta.token_ids)}'.encode()
            return b"".join((self._before, text, ids, self._after))
        return b"".join((self._before, text, self._after))

    def waiting(self, waiting: Waiting) -> bytes:
        """A chunk that tells the place in line."""
        queue = {"position": waiting.position, "seconds": waiting.seconds}
        return self._chunk({"choices": [], "queue": queue})

    def end(self, finished: Finished) -> bytes:
        """The last chunks: why it ended, the usage where it was asked for, and the mark that ends a stream."""
        choice = {"index": 0, "text": "", "logprobs": None, **_ending(finished)}
        usage = self._chunk({"choices": [], "usage": usage_of(finished.usage)}) if self._order.wants_usage else b""
        return self._chunk({"choices": [choice]}) + usage + DONE

    def whole(self, text: str, ids: list[int], finished: Finished) -> bytes:
        """The reply as one object."""
        choice = {"index": 0, "text": text, "logprobs": None, **_ending(finished)}
        if self._order.wants_ids:
            choice["token_ids"] = ids
        return json.dumps({**self._about, "choices": [choice], "usage": usage_of(finished.usage)}).encode()

    def _chunk(self, content: dict[str, object]) -> bytes:
        return f"data: {self._head}, {json.dumps(content)[1:]}\n\n".encode()


def failure(refusal: Refusal) -> bytes:
    """The chunk that ends a stream in which something went wrong."""
    return b"data: " + refusal.body + b"\n\n"


def usage_of(usage: Usage) -> dict[str, object]:
    """The tokens of a reply, as OpenAI counts them, and those that were read anew."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "prefilled_tokens": usage.prefilled_tokens,
    }


def _ending(finished: Finished) -> dict[str, object]:
    if finished.reason is FinishReason.DEADLINE:
        return {"finish_reason": "length", "stop_reason": wire.DEADLINE}
    if finished.reason is FinishReason.LENGTH:
        return {"finish_reason": "length", "stop_reason": None}
    return {"finish_reason": "stop", "stop_reason": finished.stop or None}
