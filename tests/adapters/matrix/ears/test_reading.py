"""Events as values: whatever JSON a client sends, it is understood rightly or passed over."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.matrix.ears.reading import read, sent_at, thread_of
from adapters.matrix.ears.synced import is_event
from adapters.matrix.heard import FileThere, Heard, Reacted, Redacted, Rewritten, Said
from adapters.matrix.posting.sending import KEY

ROOM, EVENT, OTHER, ROOT = "!room:matrix.test", "$event", "$other", "$root"
MIRA = "@mira:matrix.test"
REPLY = {"m.in_reply_to": {"event_id": OTHER}}


def event(kind: str, content: object, **more: object) -> dict[str, Any]:
    return {
        "type": kind,
        "event_id": EVENT,
        "sender": MIRA,
        "origin_server_ts": 1_700_000_000_500,
        "content": content,
        **more,
    }


def message(body: object = "Hello?", msgtype: Any = "m.text", **more: Any) -> dict[str, Any]:
    return event("m.room.message", {"msgtype": msgtype, "body": body, **more})


def said(raw: dict[str, Any]) -> Said:
    heard = read(raw, ROOM)
    assert isinstance(heard, Said)
    return heard


def test_a_message_is_what_somebody_said() -> None:
    assert read(message(), ROOM) == Said(room=ROOM, event=EVENT, sender=MIRA, at=1_700_000_000.5, text="Hello?")


@pytest.mark.parametrize(
    ("msgtype", "is_emote", "is_notice"), [("m.text", False, False), ("m.emote", True, False), ("m.notice", False, True)]
)
def test_kinds_of_messages_are_told_apart(msgtype: str, *, is_emote: bool, is_notice: bool) -> None:
    heard = said(message(msgtype=msgtype))
    assert (heard.is_emote, heard.is_notice) == (is_emote, is_notice)


def test_what_another_understudy_posted_bears_its_mark() -> None:
    assert said(message("Joren coils the rope.", **{KEY: "0"})).is_played
    assert not said(message("Joren coils the rope.")).is_played


@pytest.mark.parametrize("msgtype", ["m.location", "m.server_notice", "m.key.verification.request", "org.example.poll", ""])
def test_kinds_that_nobody_knows_are_passed_over(msgtype: str) -> None:
    assert read(message(msgtype=msgtype), ROOM) is None


def test_a_message_in_a_thread_names_its_root() -> None:
    relation = {"rel_type": "m.thread", "event_id": ROOT, "is_falling_back": True, **REPLY}
    heard = said(message(**{"m.relates_to": relation}))
    assert (heard.root, heard.answers) == (ROOT, "")


def test_a_reply_within_a_thread_names_both() -> None:
    relation = {"rel_type": "m.thread", "event_id": ROOT, "is_falling_back": False, **REPLY}
    heard = said(message(**{"m.relates_to": relation}))
    assert (heard.root, heard.answers) == (ROOT, OTHER)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("> <@mira:matrix.test> What?\n> Really?\n\nYes.", "Yes."),
        ("> * <@mira:matrix.test> waves\n\nHi.\n> a quotation of my own", "Hi.\n> a quotation of my own"),
        ("> <@mira:matrix.test> What?\nYes.", "Yes."),
        ("> <@mira:matrix.test> all of it", ""),
        ("> a quotation of my own\n\nYes.", "> a quotation of my own\n\nYes."),
        ("Yes.", "Yes."),
    ],
)
def test_a_reply_loses_what_it_quotes_for_old_clients(body: str, text: str) -> None:
    heard = said(message(body, **{"m.relates_to": REPLY}))
    assert (heard.text, heard.answers) == (text, OTHER)


def test_what_is_no_reply_keeps_what_looks_like_a_quotation() -> None:
    body = "> <@mira:matrix.test> What?\n\nYes."
    assert said(message(body)).text == body


@pytest.mark.parametrize("key", ["m.per_message_profile", "com.beeper.per_message_profile"])
def test_a_message_under_another_name_has_that_name_and_loses_its_fallback(key: str) -> None:
    profile = {"id": "1", "displayname": "Aled", "has_fallback": True}
    heard = said(message("Aled: Aled: the name is Aled.", **{key: profile}))
    assert (heard.as_name, heard.text) == ("Aled", "Aled: the name is Aled.")


def test_a_name_in_the_text_stays_where_it_is_no_fallback() -> None:
    heard = said(message("Aled: come here!", **{"m.per_message_profile": {"id": "1", "displayname": "Aled"}}))
    assert (heard.as_name, heard.text) == ("Aled", "Aled: come here!")


def test_a_reply_under_another_name_loses_both() -> None:
    profile = {"id": "1", "displayname": "Aled", "has_fallback": True}
    body = "> <@mira:matrix.test> What?\n\nAled: Yes."
    assert said(message(body, **{"m.per_message_profile": profile, "m.relates_to": REPLY})).text == "Yes."


def test_an_edit_says_what_is_new_and_not_what_is_shown_to_old_clients() -> None:
    heard = read(
        message(
            "* Hello!",
            **{
                "m.new_content": {"msgtype": "m.emote", "body": "waves"},
                "m.relates_to": {"rel_type": "m.replace", "event_id": OTHER},
            },
        ),
        ROOM,
    )
    assert heard == Rewritten(room=ROOM, event=EVENT, sender=MIRA, at=1_700_000_000.5, of=OTHER, text="waves", is_emote=True)


@pytest.mark.parametrize("content", [{}, {"msgtype": "m.text"}, "text", None, {"body": "x"}])
def test_an_edit_without_new_content_is_no_message(content: object) -> None:
    raw = message("* Hello!", **{"m.new_content": content, "m.relates_to": {"rel_type": "m.replace", "event_id": OTHER}})
    heard = read(raw, ROOM)
    assert heard is None or (isinstance(heard, Rewritten) and heard.text == "")


@pytest.mark.parametrize("msgtype", ["m.image", "m.file", "m.audio", "m.video"])
def test_a_file_has_its_caption_as_text(msgtype: str) -> None:
    info = {"mimetype": "image/png", "size": 123}
    heard = said(message("This is Mira", msgtype, filename="mira.png", url="mxc://matrix.test/abc", info=info))
    assert heard.text == "This is Mira"
    assert heard.file == FileThere("mxc://matrix.test/abc", "mira.png", "image/png", 123)


@pytest.mark.parametrize("more", [{}, {"filename": "mira.png"}])
def test_a_file_without_a_caption_has_no_text(more: dict[str, str]) -> None:
    heard = said(message("mira.png", "m.image", url="mxc://matrix.test/abc", **more))
    assert (heard.text, heard.file) == ("", FileThere("mxc://matrix.test/abc", "mira.png"))


def test_an_encrypted_file_has_its_key_which_no_representation_shows() -> None:
    key = {"url": "mxc://matrix.test/abc", "key": {"k": "secret"}, "iv": "x", "hashes": {}}
    heard = said(message("mira.png", "m.image", file=key))
    assert heard.file is not None
    assert heard.file.key == key
    assert "secret" not in repr(heard)


@pytest.mark.parametrize("url", [None, 5, "https://elsewhere.test/x", "mxc://" + "a" * 300])
def test_a_file_that_lies_elsewhere_is_none(url: object) -> None:
    assert read(message("mira.png", "m.image", url=url), ROOM) is None


@pytest.mark.parametrize("raw", [event("m.room.redaction", {}, redacts=OTHER), event("m.room.redaction", {"redacts": OTHER})])
def test_a_redaction_names_its_event_in_rooms_of_all_versions(raw: dict[str, Any]) -> None:
    assert read(raw, ROOM) == Redacted(room=ROOM, event=EVENT, sender=MIRA, at=1_700_000_000.5, of=OTHER)


@pytest.mark.parametrize(("key", "sign"), [("🔄", "🔄"), ("⬅️", "⬅"), ("❌\ufe0f", "❌"), (" ▶\ufe0e ", "▶")])
def test_a_reaction_has_its_sign_without_variations(key: str, sign: str) -> None:
    heard = read(event("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": OTHER, "key": key}}), ROOM)
    assert isinstance(heard, Reacted)
    assert (heard.of, heard.sign) == (OTHER, sign)


@pytest.mark.parametrize("key", ["", "\ufe0f", "x" * 65, 5, None])
def test_a_reaction_with_no_sign_is_none(key: object) -> None:
    assert (
        read(event("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": OTHER, "key": key}}), ROOM) is None
    )


@pytest.mark.parametrize(
    "raw",
    [
        {**message(), "event_id": "none"},
        {**message(), "event_id": "$a/$b"},
        {**message(), "event_id": "$" + "a" * 255},
        {**message(), "event_id": 5},
        {**message(), "sender": "mira"},
        {**message(), "sender": None},
        {**message(), "state_key": ""},
        {**message(), "type": "m.room.topic"},
        {**message(), "content": "text"},
        {},
    ],
)
def test_what_is_no_message_is_passed_over(raw: dict[str, Any]) -> None:
    assert read(raw, ROOM) is None


def test_half_of_a_pair_of_surrogates_can_be_stored_afterwards() -> None:
    assert said(message("a\ud83db")).text == "a\ufffdb"


@pytest.mark.parametrize(("at", "seconds"), [(-5, 0.0), ("now", 0.0), (None, 0.0), (10**30, 0.0), (1500, 1.5), (True, 0.001)])
def test_times_are_within_a_calendar(at: object, seconds: float) -> None:
    assert sent_at({"origin_server_ts": at}) == seconds


def test_the_thread_of_an_encrypted_event_is_known() -> None:
    relation = {"rel_type": "m.thread", "event_id": ROOT}
    assert thread_of(event("m.room.encrypted", {"ciphertext": "x", "m.relates_to": relation})) == ROOT
    assert not thread_of(event("m.room.encrypted", {"ciphertext": "x", "m.relates_to": {**relation, "rel_type": "m.replace"}}))


VALUES = st.sampled_from(
    [
        *("m.thread", "m.replace", "m.annotation", "m.text", "m.image", "m.emote", "$event", "@mira:matrix.test"),
        *("mxc://matrix.test/x", "> <@mira:matrix.test> hm\n\nyes", "Aled: yes", "", True, None, -1, 0.5),
    ]
)
LEAVES = VALUES | st.text(st.characters(), max_size=20) | st.integers() | st.floats() | st.booleans() | st.none()
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)


def either(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is right, or anything."""
    return right | JSON


RELATION = st.fixed_dictionaries(
    {},
    optional={
        "rel_type": either(st.sampled_from(["m.thread", "m.replace", "m.annotation"])),
        "event_id": either(st.just("$event")),
        "key": either(st.just("🔄")),
        "is_falling_back": either(st.booleans()),
        "m.in_reply_to": either(st.fixed_dictionaries({}, optional={"event_id": either(st.just("$event"))})),
    },
)
PROFILE = st.fixed_dictionaries({}, optional={"displayname": JSON, "has_fallback": either(st.booleans())})
WORDS = {
    "msgtype": either(st.sampled_from(["m.text", "m.emote", "m.notice", "m.image", "m.file"])),
    "body": JSON,
    "filename": JSON,
    "url": either(st.just("mxc://matrix.test/x")),
    "file": either(st.fixed_dictionaries({"url": either(st.just("mxc://matrix.test/x"))})),
    "info": either(st.fixed_dictionaries({}, optional={"size": JSON, "mimetype": JSON})),
    "m.relates_to": either(RELATION),
    "m.per_message_profile": either(PROFILE),
    "com.beeper.per_message_profile": either(PROFILE),
    "redacts": either(st.just("$event")),
}
CONTENT = st.fixed_dictionaries({}, optional={**WORDS, "m.new_content": either(st.fixed_dictionaries({}, optional=WORDS))})
ENVELOPES = st.fixed_dictionaries(
    {"type": JSON, "event_id": either(st.just("$event")), "sender": either(st.just(MIRA)), "content": JSON},
    optional={"origin_server_ts": JSON, "redacts": JSON, "unsigned": JSON, "state_key": JSON},
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["m.room.message", "m.reaction", "m.room.redaction"]), CONTENT)
def test_no_content_whatever_makes_it_raise_and_what_comes_out_can_be_stored(kind: str, content: dict[str, Any]) -> None:
    raw = event(kind, content)
    heard: Heard | None = read(raw, ROOM)
    thread_of(raw)
    for text in texts_of(heard) if heard else ():
        text.encode()


@settings(max_examples=40, deadline=None)
@given(ENVELOPES)
def test_no_event_whatever_makes_it_raise(raw: dict[str, Any]) -> None:
    heard = read(raw, ROOM)
    assert heard is None or (is_event(heard.event) and 0 <= heard.at < 253_402_300_800)
    assert isinstance(thread_of(raw), str)


def texts_of(heard: Heard) -> list[str]:
    match heard:
        case Said():
            assert not heard.root or is_event(heard.root)
            assert not heard.answers or is_event(heard.answers)
            return [heard.text, heard.as_name, *([heard.file.name, heard.file.mimetype] if heard.file else [])]
        case Rewritten() | Redacted() | Reacted():
            assert is_event(heard.of)
            return [heard.text] if isinstance(heard, Rewritten) else [heard.sign] if isinstance(heard, Reacted) else []
    return []
