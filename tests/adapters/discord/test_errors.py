"""What Discord's refusals and broken connections mean: every one is one of a courier's four errors, and says what to do."""

from typing import Any
from unittest.mock import Mock

import aiohttp
import discord
import pytest

from adapters.discord.errors import (
    REST,
    SOON,
    Attempt,
    code_of,
    lack,
    meaning,
    named,
    translated,
    was_forbidden,
)
from bot.errors import ChannelGone, OutcomeUnknown, PostGone, PostRefused, TryLater

POSTING = Attempt(act="post", needs=("view_channel", "send_messages"))
READING = Attempt(act="read the history", changes=False)
VIA = {"Via": "1.1 google"}


def answer(status: int, code: int = 0, headers: dict[str, str] | None = None, text: str = "No.") -> discord.HTTPException:
    response: Any = Mock(status=status, reason="", headers=headers or {})
    kinds = {403: discord.Forbidden, 404: discord.NotFound}
    kind = discord.DiscordServerError if status >= 500 else kinds.get(status, discord.HTTPException)
    return kind(response, {"code": code, "message": text})


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (answer(429, headers={"Retry-After": "2.5", **VIA}), 2.5),
        (answer(429, headers=VIA), REST),
        (answer(429, headers={"Retry-After": "2"}), REST),
        (answer(429, headers={"Retry-After": "600"}), 600),
        (answer(400, 20016, {"Retry-After": "9"}), 9),
        (answer(400, 30046), REST),
        (answer(401), REST),
        (discord.RateLimited(40.0), 40.0),
        (aiohttp.ClientConnectorError(Mock(), OSError(111, "refused")), SOON),
        (aiohttp.ConnectionTimeoutError(), SOON),
    ],
)
def test_patience_is_asked_for_as_long_as_discord_says(error: Exception, seconds: float) -> None:
    for attempt in (POSTING, READING):
        found = meaning(error, attempt)
        assert isinstance(found, TryLater)
        assert found.seconds == seconds


@pytest.mark.parametrize(
    "error",
    [
        answer(500),
        answer(503),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
        discord.DiscordException("something new"),
    ],
)
def test_a_lost_answer_is_uncertain_where_it_may_have_changed_something(error: Exception) -> None:
    assert isinstance(meaning(error, POSTING), OutcomeUnknown)
    assert isinstance(meaning(error, READING), TryLater)


@pytest.mark.parametrize("error", [answer(404, 10003), answer(403, 160005), answer(400, 160005)])
def test_a_deleted_and_a_locked_place_are_gone(error: Exception) -> None:
    assert isinstance(meaning(error, POSTING), ChannelGone)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (answer(403, 50013), "I cannot post here: I lack the permissions View Channel and Send Messages."),
        (answer(404, 10008), "The message is gone from Discord and cannot be changed any more."),
        (answer(404, 10015), "The webhook that made this post is gone; the post cannot be changed any more."),
        (answer(401, 50027), "The webhook that made this post is gone; the post cannot be changed any more."),
        (answer(400, 30007), "This channel has as many webhooks as Discord allows; delete one that nobody uses."),
        (answer(400, 160006), "This guild has as many active threads as Discord allows; close some that are over."),
        (answer(400, 50035, text="Invalid Form Body"), "I cannot post here: Discord says 'Invalid Form Body' (code 50035)."),
    ],
)
def test_a_refusal_says_what_is_wrong(error: Exception, sentence: str) -> None:
    found = meaning(error, POSTING)
    assert isinstance(found, PostRefused)
    assert str(found) == sentence


@pytest.mark.parametrize("error", [answer(404, 10008), answer(404, 10015), answer(401, 50027)])
def test_a_post_of_which_message_or_webhook_is_gone_can_be_shown_anew(error: Exception) -> None:
    assert isinstance(meaning(error, POSTING), PostGone)
    assert not isinstance(meaning(answer(400, 50035), POSTING), PostGone)


def test_only_the_permissions_that_are_known_to_lack_are_named_where_any_are() -> None:
    attempt = Attempt(act="post", needs=POSTING.needs, lacking=lambda: ("send_messages",))
    assert str(meaning(answer(403, 50013), attempt)) == "I cannot post here: I lack the permission Send Messages."
    assert str(lack("post", ())) == "I cannot post here: Discord does not allow it."


def test_permissions_are_called_as_discords_pages_call_them() -> None:
    assert named(["send_messages_in_threads"]) == "Send Messages in Threads"
    assert named(["view_channel", "send_messages", "manage_webhooks"]) == "View Channel, Send Messages and Manage Webhooks"


async def test_the_refusals_code_can_be_read_from_what_is_raised() -> None:
    with pytest.raises(PostRefused) as refused:
        async with translated(POSTING):
            raise answer(403, 50083)
    assert code_of(refused.value) == 50083
    assert was_forbidden(refused.value)
    assert code_of(TryLater(1)) == code_of(None) == 0


async def test_a_session_that_was_closed_under_a_call_is_waited_for_and_a_defect_is_not_hidden() -> None:
    with pytest.raises(TryLater):
        async with translated(POSTING):
            raise RuntimeError("Session is closed")
    with pytest.raises(RuntimeError, match="defect"):
        async with translated(POSTING):
            raise RuntimeError("a defect")
