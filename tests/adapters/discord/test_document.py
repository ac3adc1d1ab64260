"""The judge of a loopback Discord: what it finds, what it lets pass, and which rules hold beside Discord's own document."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.discord.checked import Watchful
from tests.fakes.discord.document import VARIABLE, Document, where
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.rules import broken_rules

USER = {
    "id": "80351110224678912",
    "username": "nelly",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "public_flags": 0,
    "flags": 0,
    "primary_guild": None,
}
ROW = {"type": 1, "id": 1}
BUTTON = {"type": 2, "id": 2, "style": 2, "custom_id": "retry", "label": "Retry"}
MESSAGE = {
    "id": "1100000000000000002",
    "channel_id": "1100000000000000001",
    "author": USER,
    "content": "The plank creaks.",
    "timestamp": "2026-01-02T03:04:05.000000+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "type": 0,
    "flags": 0,
    "components": [{**ROW, "components": [BUTTON]}],
}
QUIET: dict[str, list[str]] = {"parse": []}
CHANNEL = "/channels/1100000000000000001"
WEBHOOK = f"/webhooks/1100000000000000003/{'t' * 68}"
CALLBACK = "/interactions/1100000000000000004/token/callback"
REFUSAL = {
    "code": 50035,
    "message": "Invalid Form Body",
    "errors": {"content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}},
}

CREATE = Exchange(
    "POST",
    f"{CHANNEL}/messages",
    body={"content": "The plank creaks.", "nonce": "17", "enforce_nonce": True, "tts": False, "allowed_mentions": QUIET},
    status=200,
    answer=MESSAGE,
)
EXECUTE = Exchange(
    "POST",
    WEBHOOK,
    query={"wait": "1", "thread_id": "1100000000000000001"},
    body={"content": "Arr.", "username": "Rook", "allowed_mentions": QUIET},
    status=200,
    answer=MESSAGE,
)
COMMAND = {
    "name": "retry",
    "type": 1,
    "description": "Write the last reply anew.",
    "options": [
        {"type": 3, "name": "hint", "description": "What to change.", "max_length": 300},
        {"type": 7, "name": "where", "description": "In which channel.", "channel_types": [0, 15, 16]},
    ],
    "nsfw": False,
    "contexts": [0, 1],
    "integration_types": [0],
    "default_member_permissions": None,
}
GOOD = [
    CREATE,
    EXECUTE,
    Exchange(
        "GET", f"{CHANNEL}/messages", query={"limit": "100", "after": "1100000000000000002"}, status=200, answer=[MESSAGE]
    ),
    Exchange("PATCH", f"{CHANNEL}/messages/1100000000000000002", body={"content": "", "tts": False, "allowed_mentions": QUIET}),
    Exchange("DELETE", f"{WEBHOOK}/messages/1100000000000000002", query={"thread_id": "1100000000000000001"}, status=204),
    Exchange(
        "PATCH", f"{WEBHOOK}/messages/@original", body={"content": "Hm.", "allowed_mentions": QUIET}, status=200, answer=MESSAGE
    ),
    Exchange("POST", f"{CHANNEL}/typing", status=204),
    Exchange("PUT", f"{CHANNEL}/messages/1100000000000000002/reactions/%E2%8C%9B/@me", status=204),
    Exchange("POST", CALLBACK, query={"with_response": "1"}, body={"type": 5, "data": {"flags": 64}}),
    Exchange("POST", CALLBACK, body={"type": 4, "data": {"content": "Done.", "allowed_mentions": QUIET}}, status=204),
    Exchange("POST", CALLBACK, body={"type": 7, "data": {"components": []}}, status=204),
    Exchange("POST", CALLBACK, body={"type": 8, "data": {"choices": [{"name": "Mira", "value": "mira"}]}}, status=204),
    Exchange(
        "POST", f"{CHANNEL}/threads", body={"name": "The Plover", "message": {"content": "Hm.", "allowed_mentions": QUIET}}
    ),
    Exchange("PUT", "/applications/1100000000000000005/commands", body=[COMMAND]),
    replace(CREATE, status=400, answer=REFUSAL),
    replace(CREATE, status=429, answer={"message": "slow down", "retry_after": 0.3, "global": False, "code": 0}),
    replace(CREATE, status=503, answer="upstream", fault="503 before"),
    replace(CREATE, body={**CREATE.body, "message_reference": {"message_id": 1100000000000000002}}),
]


def asking(**body: Any) -> Exchange:
    """The message that is created, with parts of its body changed."""
    return replace(CREATE, body={**CREATE.body, **body})


def answering(**answer: Any) -> Exchange:
    """The message that is created, with parts of the answer changed; a part that is `...` is left out."""
    return replace(CREATE, answer=_less({**MESSAGE, **answer}))


def _less(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _less(inner) for key, inner in value.items() if inner is not ...}
    return [_less(each) for each in value] if isinstance(value, list) else value


PLANTED = [
    ("request: content: 17 is not of type", asking(content=17)),
    ("request: embeds: 'none' is not of type", asking(embeds="none")),
    ("request: allowed_mentions.parse.0: 'all' is not one of", asking(allowed_mentions={"parse": ["all"]})),
    ("request: message_reference: 'message_id' is a required property", asking(message_reference={})),
    (
        "request: components.0.components.0: 'style' is a required",
        asking(components=[{"type": 1, "components": [{"type": 2}]}]),
    ),
    ("the request has no body and needs one", replace(CREATE, body=None)),
    ("path: the whole: 'here' does not match", replace(CREATE, path="/channels/here/messages")),
    ("query limit: the whole: 101 is greater", replace(GOOD[2], query={"limit": "101"})),
    ("query wait: the whole: 'perhaps' is not of type 'boolean'", replace(EXECUTE, query={"wait": "perhaps"})),
    ("query: query is missing", Exchange("GET", "/guilds/1100000000000000006/members/search")),
    ("request: content: 'xxxxx", replace(EXECUTE, body={"content": "x" * 2001})),
    ("answer 200: the whole: 'pinned' is a required property", answering(pinned=...)),
    ("answer 200: id: 17 is not of type 'string'", answering(id=17)),
    ("answer 200: timestamp: '2026-01-02T03:04:05' is not a 'date-time'", answering(timestamp="2026-01-02T03:04:05")),
    ("answer 200: author: 'username' is a required property", answering(author={**USER, "username": ...})),
    (
        "answer 200: components.0.components.0: 'id' is a required",
        answering(components=[{**ROW, "components": [{**BUTTON, "id": ...}]}]),
    ),
    ("answer 400: the whole: 'code' is a required property", replace(CREATE, status=400, answer={"message": "no"})),
    ("answer 429: the whole: 'global' is a required", replace(CREATE, status=429, answer={**REFUSAL, "retry_after": 1})),
    ("the document knows no answer 201", replace(CREATE, status=201)),
    ("the document knows no answer 500", replace(CREATE, status=500, answer=None)),
    ("the answer 204 has content", replace(GOOD[6], answer={})),
    ("Discord has no such route", replace(CREATE, path="/channels/1/letters")),
    ("Discord has no such route", replace(CREATE, method="PUT")),
]
STRANGERS = [
    ("the request has contents,", asking(contents="x")),
    ("the request has components.custom_id,", asking(components=[{"type": 1, "custom_id": "x", "components": [BUTTON]}])),
    ("the request has ?thread,", replace(EXECUTE, query={"wait": "1", "thread": "1"})),
    ("the answer has mood,", answering(mood="glad")),
    ("the answer has author.nick,", answering(author={**USER, "nick": "n"})),
]
BROKEN = [
    ("2001 code points", asking(content="x" * 2001)),
    ("a nonce of 26", asking(nonce="n" * 26)),
    ("allowed_mentions is missing", asking(allowed_mentions=None)),
    ("lets people be called", asking(allowed_mentions={"parse": ["users"]})),
    ("lets people be called", asking(allowed_mentions={"parse": [], "users": ["80351110224678912"]})),
    ("lets people be called", asking(allowed_mentions={"parse": [], "replied_user": True})),
    ("lets people be called", asking(allowed_mentions={})),
    ("allowed_mentions is missing", replace(GOOD[3], body={"content": "x"})),
    ("allowed_mentions is missing", replace(EXECUTE, body={"content": "x"})),
    (
        "allowed_mentions is missing",
        replace(EXECUTE, method="PATCH", path=f"{WEBHOOK}/messages/@original", body={"content": "x"}),
    ),
    ("allowed_mentions is missing", Exchange("POST", CALLBACK, body={"type": 4, "data": {"content": "x"}})),
    ("allowed_mentions is missing", Exchange("POST", f"{CHANNEL}/threads", body={"name": "n", "message": {"content": "x"}})),
    ("does not wait", replace(EXECUTE, query={})),
]


@pytest.mark.parametrize("exchange", GOOD, ids=lambda exchange: f"{exchange.method} {exchange.path[:40]} {exchange.status}")
def test_what_discord_takes_and_gives_passes(document: Document, exchange: Exchange) -> None:
    assert document.faults_in(exchange) + document.strangers_in(exchange) + broken_rules(exchange) == []


@pytest.mark.parametrize(("fault", "exchange"), PLANTED)
def test_what_is_planted_in_a_request_or_an_answer_is_found(document: Document, fault: str, exchange: Exchange) -> None:
    assert [found for found in document.faults_in(exchange) if fault in found]


@pytest.mark.parametrize(("stranger", "exchange"), STRANGERS)
def test_a_key_that_discord_does_not_know_is_named(document: Document, stranger: str, exchange: Exchange) -> None:
    assert document.faults_in(exchange) == []
    assert [found for found in document.strangers_in(exchange) if stranger in found]


@pytest.mark.parametrize(("rule", "exchange"), BROKEN)
def test_a_rule_that_the_document_does_not_have_is_kept(rule: str, exchange: Exchange) -> None:
    assert [broken for broken in broken_rules(exchange) if rule in broken]


def test_an_answer_that_discord_did_not_give_is_not_judged(document: Document) -> None:
    assert document.faults_in(replace(CREATE, status=0, answer=None)) == []
    assert document.faults_in(replace(CREATE, status=502, answer="<html>", fault="502 after")) == []
    assert document.faults_in(replace(CREATE, status=429, answer="error code: 1015", fault="429 without via")) == []
    assert document.faults_in(replace(CREATE, status=502, answer="<html>")) != []
    assert document.faults_in(replace(CREATE, status=429, answer={"message": "slow down"}, fault="429")) != []


def test_ids_as_numbers_are_for_those_who_ask(document: Document) -> None:
    reply = {"message_id": 1100000000000000002}
    assert document.faults_in(asking(message_reference=reply)) == []
    assert document.faults_in(answering(message_reference=reply)) != []


def test_an_event_is_judged_as_the_message_that_it_carries(document: Document) -> None:
    assert document.faults_in_event("MESSAGE_CREATE", {**MESSAGE, "guild_id": "1100000000000000006"}) == []
    assert document.faults_in_event("MESSAGE_CREATE", _less({**MESSAGE, "author": ...})) != []
    assert document.faults_in_event("TYPING_START", {}) == []


def test_the_document_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "document.json"
    monkeypatch.setenv(VARIABLE, str(place))
    assert where() is None
    assert Document.load() is None
    place.touch()
    assert where() == place


def test_a_watch_collects_each_fault_once_and_as_things_were_when_they_happened() -> None:
    watch = Watchful(None)
    loud = asking(allowed_mentions={"parse": ["everyone"]})
    watch.on_exchange(loud)
    watch.on_exchange(loud)
    watch.on_exchange(CREATE)
    loud.body["allowed_mentions"] = QUIET

    assert len(watch.faults) == 1
    assert watch.taken() == [f"POST {CHANNEL}/messages: allowed_mentions lets people be called: {{'parse': ['everyone']}}"]
    assert watch.faults == []


def test_a_watch_judges_requests_and_events_by_the_document(document: Document) -> None:
    watch = Watchful(document)
    watch.on_exchange(answering(id=17, mood="glad"))
    watch.on_event("MESSAGE_UPDATE", {**MESSAGE, "content": None})

    assert [fault.partition(": ")[2] for fault in watch.faults] == [
        "answer 200: id: 17 is not of type 'string'",
        "the answer has mood, which the document does not know",
        "content: None is not of type 'string'",
    ]
