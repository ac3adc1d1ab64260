"""What Discord's refusals and broken connections mean to the bot: one table. It sends nothing and knows no channel.

The trap avoided: discord.py lets errors of the HTTP client through as they are, beside its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import discord

from adapters.network.errors import NETWORK_ERRORS, was_reached
from bot.errors import ChannelGone, CourierError, OutcomeUnknown, PostGone, PostRefused, TryLater

PATIENCE = 60.0
"""Seconds that one call may take: the library alone would wait for five minutes."""

REST = 60.0
"""Seconds to leave Discord alone when it asks for patience without saying how much."""

SOON = 5.0
"""Seconds after which a call is worth repeating that was not answered, and that changes nothing."""

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
TOO_MANY_WEBHOOKS = 30007
INVALID_WEBHOOK_TOKEN = 50027
INVALID_FORM = 50035
ARCHIVED = 50083
THREAD_EXISTS = 160004
LOCKED = 160005
TOO_MANY_THREADS = 160006

ASKS_FOR_PATIENCE = frozenset({20016, 20022, 20028, 30046})
"""Slow mode, and writes or edits of old messages that came too fast: they have codes of their own."""

GONE = "The webhook that made this post is gone; the post cannot be changed any more."

_OVER = frozenset({UNKNOWN_CHANNEL, LOCKED})
_GONE = frozenset({UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})
_SENTENCES = {
    UNKNOWN_MESSAGE: "The message is gone from Discord and cannot be changed any more.",
    UNKNOWN_WEBHOOK: GONE,
    INVALID_WEBHOOK_TOKEN: GONE,
    TOO_MANY_WEBHOOKS: "This channel has as many webhooks as Discord allows; delete one that nobody uses.",
    TOO_MANY_THREADS: "This guild has as many active threads as Discord allows; close some that are over.",
}


def _none_known() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is being tried, for the sentence about its failing.

    `act` ends "I cannot ... here", `needs` are the permissions it takes by Discord's own names in small letters, `lacking`
    tells those of them that the bot is known not to have. `changes` says that it may have taken effect where the answer is
    lost.
    """

    act: str
    needs: tuple[str, ...] = ()
    changes: bool = True
    lacking: Callable[[], Sequence[str]] = _none_known


@asynccontextmanager
async def translated(attempt: Attempt) -> AsyncIterator[None]:
    """Runs a call within the patience. Whatever it fails with is a CourierError from here on, with its cause."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except (discord.DiscordException, *NETWORK_ERRORS) as error:
        raise meaning(error, attempt) from error
    except RuntimeError as error:
        # The HTTP client's way to say that the connection is being made anew under the call. Any other is a defect.
        if str(error) != "Session is closed":
            raise
        raise TryLater(SOON) from error


def meaning(error: BaseException, attempt: Attempt) -> CourierError:
    """What a failure of discord.py or the HTTP client means to the bot."""
    match error:
        case discord.RateLimited():
            return TryLater(error.retry_after)
        case discord.HTTPException():
            return _of_answer(error, attempt)
        case aiohttp.ClientError() | OSError() if not was_reached(error):
            return TryLater(SOON)
        case _:
            return _lost(attempt)


def code_of(error: BaseException | None) -> int:
    """Discord's own code of the refusal behind an error; 0 where there is none."""
    cause = error.__cause__ if isinstance(error, CourierError) else error
    return cause.code if isinstance(cause, discord.HTTPException) else 0


def was_forbidden(error: CourierError) -> bool:
    """Whether Discord refused for want of a permission."""
    return isinstance(error.__cause__, discord.Forbidden)


def named(permissions: Sequence[str]) -> str:
    """Permissions as Discord's own pages write them."""
    titles = [" ".join(word if word == "in" else word.capitalize() for word in each.split("_")) for each in permissions]
    return " and ".join(filter(None, (", ".join(titles[:-1]), *titles[-1:])))


def lack(act: str, permissions: Sequence[str]) -> PostRefused:
    """The sentence about permissions that the bot lacks."""
    if not permissions:
        return PostRefused(f"I cannot {act} here: Discord does not allow it.")
    word = "permission" if len(permissions) == 1 else "permissions"
    return PostRefused(f"I cannot {act} here: I lack the {word} {named(permissions)}.")


def _of_answer(error: discord.HTTPException, attempt: Attempt) -> CourierError:
    if error.status == 429 or error.code in ASKS_FOR_PATIENCE:  # noqa: PLR2004  too many requests
        return TryLater(_asked(error))
    if error.status >= 500:  # noqa: PLR2004  Discord's own trouble
        return _lost(attempt)
    if error.status == 401 and error.code not in _SENTENCES:  # noqa: PLR2004  the bot's token: its connection ends as well
        return TryLater(REST)
    return _refusal(error, attempt)


def _refusal(error: discord.HTTPException, attempt: Attempt) -> CourierError:
    if error.code in _OVER:
        return ChannelGone("The channel or thread is deleted or locked.")
    if error.code in _SENTENCES:
        return (PostGone if error.code in _GONE else PostRefused)(_SENTENCES[error.code])
    if isinstance(error, discord.Forbidden):
        return lack(attempt.act, attempt.lacking() or attempt.needs)
    return PostRefused(f"I cannot {attempt.act} here: Discord says {error.text!r} (code {error.code}).")


def _asked(error: discord.HTTPException) -> float:
    """Seconds that a refusal asks to wait. One that did not come from Discord itself is a ban: that takes its time."""
    headers = error.response.headers
    try:
        asked = float(headers.get("Retry-After", ""))
    except ValueError:
        return REST
    return asked if headers.get("Via") or error.code in ASKS_FOR_PATIENCE else max(asked, REST)


def _lost(attempt: Attempt) -> CourierError:
    if attempt.changes:
        return OutcomeUnknown(f"Discord did not answer whether it let me {attempt.act}.")
    return TryLater(SOON)
