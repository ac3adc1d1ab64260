"""Rules for a bot's requests that Discord's document does not have. It knows neither that document nor state."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.discord.exchange import Exchange

LONGEST_CONTENT = 2000
"""Code points of a message by a bot or a webhook. The document says 4000, which is for people who pay."""
LONGEST_NONCE = 25

MESSAGES = re.compile(r"(POST /channels/\d+/messages|PATCH /channels/\d+/messages/\d+)")
POSTS = re.compile(r"POST /channels/\d+/threads")
EXECUTIONS = re.compile(r"POST /webhooks/\d+/[^/]+")
WEBHOOK_EDITS = re.compile(r"PATCH /webhooks/\d+/[^/]+/messages/(\d+|@original)")
CALLBACKS = re.compile(r"POST /interactions/\d+/[^/]+/callback")

ANSWERS_WITH_A_MESSAGE = (4, 7)


def broken_rules(exchange: Exchange) -> list[str]:
    """Which rules a request breaks, a sentence each; empty where it keeps to all."""
    broken = list(_in_message(message)) if (message := _message(exchange)) is not None else []
    if EXECUTIONS.fullmatch(exchange.route) and exchange.query.get("wait", "").lower() not in ("true", "1"):
        broken.append("does not wait: without wait=true a message that was not saved gives no error")
    return [f"{exchange.route}: {each}" for each in broken]


def _message(exchange: Exchange) -> Mapping[str, Any] | None:
    """The message that a request carries, wherever in its body it stands; None where it carries none."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    if any(routes.fullmatch(exchange.route) for routes in (MESSAGES, EXECUTIONS, WEBHOOK_EDITS)):
        return body
    inner: Any = None
    if POSTS.fullmatch(exchange.route):
        inner = body.get("message")
    elif CALLBACKS.fullmatch(exchange.route) and body.get("type") in ANSWERS_WITH_A_MESSAGE:
        inner = body.get("data")
        if isinstance(inner, dict) and not inner.get("content"):
            return None
    return inner if isinstance(inner, dict) else None


def _in_message(message: Mapping[str, Any]) -> Iterator[str]:
    content, nonce, mentions = message.get("content"), message.get("nonce"), message.get("allowed_mentions")
    if isinstance(content, str) and len(content) > LONGEST_CONTENT:
        yield f"content of {len(content)} code points; a bot's may have {LONGEST_CONTENT}"
    if nonce is not None and len(str(nonce)) > LONGEST_NONCE:
        yield f"a nonce of {len(str(nonce))} characters; it may have {LONGEST_NONCE}"
    if not isinstance(mentions, dict):
        yield "allowed_mentions is missing: what a player or a model wrote would call people"
    elif mentions.get("parse") != [] or any(mentions.get(key) for key in ("users", "roles", "replied_user")):
        yield f"allowed_mentions lets people be called: {mentions}"
