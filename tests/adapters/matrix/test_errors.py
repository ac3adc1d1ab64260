"""What refusals and broken connections of a homeserver mean: whether a post may stand, and when to come back."""

import aiohttp
import pytest
from nio import JoinError, JoinResponse, RoomSendError

from adapters.matrix.errors import (
    FORBIDDEN,
    Attempt,
    Declined,
    accepted,
    code_of,
    meaning,
    read_refusal,
    translated,
    was_limited,
)
from bot.errors import CourierError, OutcomeUnknown, PostRefused, TryLater

SENDS = Attempt(act="post")
READS = Attempt(act="read what stands", changes=False)


def answered(status: int, code: str = "", said: str = "", **more: object) -> Declined:
    return read_refusal(status, {"errcode": code, "error": said} | more if code else "<html>", {})


@pytest.mark.parametrize(
    ("content", "headers", "seconds"),
    [
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 4562}, {"Retry-After": "9"}, 4.562),
        ({"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests"}, {"Retry-After": "9"}, 9),
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": "soon"}, {}, 5),
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": -4}, {"Retry-After": "Fri, 01 Jan 2038"}, 5),
        ({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 10**12}, {}, 3600),
        (None, {"Retry-After": "7"}, 7),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_says(content: object, headers: dict[str, str], seconds: float) -> None:
    error = meaning(read_refusal(429, content, headers), SENDS)
    assert isinstance(error, TryLater)
    assert error.seconds == seconds


@pytest.mark.parametrize("code", ["M_" + "X" * 100, "M_\ud83d", "M_FORBIDDEN\n", "M FORBIDDEN", 7, None])
def test_a_code_that_is_none_counts_as_not_there(code: object) -> None:
    assert read_refusal(403, {"errcode": code, "error": "no"}, {}).code == ""
    assert read_refusal(403, {"errcode": "ORG.EXAMPLE.Not_Here2", "error": "no"}, {}).code == "ORG.EXAMPLE.Not_Here2"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_trouble_of_the_homeserver_leaves_open_whether_a_post_stands(status: int) -> None:
    assert isinstance(meaning(answered(status), SENDS), OutcomeUnknown)
    assert isinstance(meaning(answered(status, "M_UNKNOWN", "Internal server error"), SENDS), OutcomeUnknown)
    assert isinstance(meaning(answered(status), READS), TryLater)


def test_a_yes_that_cannot_be_read_leaves_it_open_too() -> None:
    assert isinstance(meaning(answered(200), SENDS), OutcomeUnknown)


@pytest.mark.parametrize("code", ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_RESOURCE_LIMIT_EXCEEDED"])
def test_what_is_between_the_operator_and_the_homeserver_loses_no_post(code: str) -> None:
    error = meaning(answered(401, code, "no"), SENDS)
    assert isinstance(error, TryLater)
    assert error.seconds == 60


@pytest.mark.parametrize("status", [403, 404, 407])
def test_what_no_homeserver_said_is_no_refusal_of_a_post(status: int) -> None:
    assert isinstance(meaning(answered(status), SENDS), TryLater)


@pytest.mark.parametrize(
    "error", [answered(413), answered(413, "M_TOO_LARGE", "event too large"), answered(400, "M_TOO_LARGE")]
)
def test_what_is_too_large_is_never_tried_again(error: Declined) -> None:
    assert "larger than the homeserver takes" in str(meaning(error, SENDS))
    assert isinstance(meaning(error, SENDS), PostRefused)


def test_any_other_refusal_says_what_the_homeserver_says_within_bounds() -> None:
    error = meaning(answered(400, "M_BAD_JSON", "x" * 5000), SENDS)
    assert isinstance(error, PostRefused)
    assert str(error).startswith("I cannot post here: the homeserver says 'xxx")
    assert len(str(error)) < 300


@pytest.mark.parametrize("content", [None, [], "text", {"errcode": 7, "error": ["x"], "retry_after_ms": True}])
def test_a_misshapen_refusal_is_read_as_one_without_words(content: object) -> None:
    declined = read_refusal(400, content, {})
    assert (declined.code, declined.said, declined.wait) == ("", "", None)


async def test_a_connection_that_was_not_made_is_tried_later_and_one_that_broke_is_uncertain() -> None:
    async def failing(error: Exception) -> CourierError:
        with pytest.raises(CourierError) as caught:
            async with translated(SENDS):
                raise error
        return caught.value

    refused = aiohttp.ClientConnectorError(
        aiohttp.client_reqrep.ConnectionKey("h", 1, False, False, None, None, None, None), OSError(111, "no")
    )
    assert isinstance(await failing(refused), TryLater)
    assert isinstance(await failing(aiohttp.ServerDisconnectedError()), OutcomeUnknown)
    assert isinstance(await failing(TimeoutError()), OutcomeUnknown)
    assert isinstance(await failing(ConnectionResetError()), OutcomeUnknown)
    assert isinstance(await failing(RuntimeError("Session is closed")), TryLater)


async def test_a_defect_is_not_taken_for_trouble_of_the_network() -> None:
    with pytest.raises(RuntimeError, match="no loop"):
        async with translated(SENDS):
            raise RuntimeError("no loop")


def test_what_nio_returns_instead_of_raising_is_raised() -> None:
    joined = JoinResponse("!room")
    assert accepted(joined, JoinResponse, SENDS) is joined
    with pytest.raises(PostRefused, match="not invited") as refused:
        accepted(JoinError("you are not invited", FORBIDDEN), JoinResponse, Attempt(act="join"))
    assert code_of(refused.value) == FORBIDDEN
    with pytest.raises(TryLater) as patience:
        accepted(RoomSendError("Too Many Requests", "M_LIMIT_EXCEEDED", 2500), JoinResponse, SENDS)
    assert patience.value.seconds == 2.5
    assert was_limited(patience.value)
    with pytest.raises(CourierError):
        accepted("nothing of nio", JoinResponse, SENDS)


def test_an_error_of_our_own_has_no_code() -> None:
    assert code_of(TryLater(2)) == code_of(None) == ""
    assert not was_limited(TryLater(2))
