"""Posts as the content of events: whole, within the limit whatever the text, and with nothing in them that calls anybody."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.matrix.posting.content import MOST_BYTES, PROFILE, Content, Guise, Spot, edit, message, shown_name, size_of
from bot.errors import PostRefused

MIRA = Guise("Mira", "mxc://matrix.test/face")
ROOT, POST = "$root", "$post"

HEAVY = st.sampled_from(["\x01", '"', "\\", "<", "&", "😀", "я", "漢", "*", "|", "`", "> ", "\n", "\ud800", "word "])
TEXTS = st.one_of(
    st.text(max_size=3000),
    st.text(st.characters(codec=None), max_size=300),
    st.tuples(HEAVY, st.integers(0, 3000)).map(lambda each: (each[0] * each[1])[:3000]),
    st.lists(HEAVY, max_size=600).map(lambda each: "".join(each)[:3000]),
)
NAMES = st.text(max_size=300)
GUISES = st.one_of(st.none(), st.builds(Guise, NAMES, st.just("mxc://matrix.test/face")))


def test_a_character_has_a_name_and_a_face_and_a_fallback_for_both_bodies() -> None:
    content = message("The *rain* went on.", MIRA)
    profile = content[PROFILE]
    assert (profile["displayname"], profile["avatar_url"], profile["has_fallback"]) == ("Mira", MIRA.face, True)
    assert content["msgtype"] == "m.text"
    assert content["body"] == "Mira: The *rain* went on."
    assert content["format"] == "org.matrix.custom.html"
    assert content["formatted_body"] == "<p><strong data-mx-profile-fallback>Mira: </strong>The <em>rain</em> went on.</p>"


def test_one_character_has_one_profile_and_another_one_another() -> None:
    ids = [message("x", Guise(name))[PROFILE]["id"] for name in ("Mira", "Mira", "Aled")]
    assert ids[0] == ids[1] != ids[2]


def test_a_character_without_a_face_does_not_bear_the_bots() -> None:
    assert message("x", Guise("Mira"))[PROFILE]["avatar_url"] == ""


def test_the_program_speaks_in_a_notice_under_its_own_name() -> None:
    content = message("The model is **away**.")
    assert content["msgtype"] == "m.notice"
    assert PROFILE not in content
    assert content["body"] == "The model is **away**."
    assert content["formatted_body"] == "<p>The model is <strong>away</strong>.</p>"


@pytest.mark.parametrize("text", ["- one\n- two", "> quoted", "```\ncode\n```", "---"])
def test_the_fallback_stands_before_whatever_a_text_begins_with(text: str) -> None:
    assert message(text, MIRA)["formatted_body"].startswith("<strong data-mx-profile-fallback>Mira: </strong><")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mira", "Mira"),
        ("<b>&", "<b>&"),
        ("a\nb\x00c\u202e", "a bc"),
        ("\u2800\u200b", "Character"),
        ("", "Character"),
        ("\ud800", "\ufffd"),
        ("漢" * 200, "漢" * 85),
    ],
)
def test_a_name_is_one_line_that_a_profile_may_hold(name: str, shown: str) -> None:
    assert shown_name(name) == shown
    assert f">{shown.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}: </strong>" in str(
        message("x", Guise(name))["formatted_body"]
    )


def test_nothing_in_a_text_calls_anybody() -> None:
    text = "@room, @tobias:matrix.test and [Tobias](https://matrix.to/#/@tobias:matrix.test)"
    for content in (message(text), message(text, MIRA)):
        assert content["m.mentions"] == {}
    changed = edit(POST, text, MIRA)
    assert changed["m.mentions"] == changed["m.new_content"]["m.mentions"] == {}


@pytest.mark.parametrize(
    ("spot", "about"),
    [
        (Spot(), None),
        (Spot(answers="$asked"), {"m.in_reply_to": {"event_id": "$asked"}}),
        (
            Spot(ROOT),
            {"rel_type": "m.thread", "event_id": ROOT, "is_falling_back": True, "m.in_reply_to": {"event_id": ROOT}},
        ),
        (
            Spot(ROOT, newest="$last"),
            {"rel_type": "m.thread", "event_id": ROOT, "is_falling_back": True, "m.in_reply_to": {"event_id": "$last"}},
        ),
        (
            Spot(ROOT, "$asked", "$last"),
            {"rel_type": "m.thread", "event_id": ROOT, "is_falling_back": False, "m.in_reply_to": {"event_id": "$asked"}},
        ),
    ],
)
def test_a_message_stands_in_its_thread_and_answers_what_it_answers(spot: Spot, about: Content | None) -> None:
    assert message("x", MIRA, spot).get("m.relates_to") == about


def test_an_edit_holds_the_new_text_whole_and_a_sign_of_the_change_for_old_clients() -> None:
    content = edit(POST, "New *words*.", MIRA)
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": POST}
    assert content["m.new_content"] == message("New *words*.", MIRA)
    assert content["body"] == "* Mira: New *words*."
    assert content["formatted_body"].startswith("* <p>")
    assert content[PROFILE] == content["m.new_content"][PROFILE]


@settings(max_examples=150, deadline=None)
@given(TEXTS, GUISES)
def test_no_text_breaks_the_limit_and_none_is_changed(text: str, guise: Guise | None) -> None:
    expected = "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text)
    before = f"{shown_name(guise.name)}: " if guise else ""
    for content, whole in ((message(text, guise), None), (edit(POST, text, guise), "m.new_content")):
        said = content[whole] if whole else content
        assert said["body"] == before + expected
        assert len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()) <= MOST_BYTES


def test_what_makes_a_content_too_large_leaves_it_in_the_order_of_its_use() -> None:
    assert "formatted_body" in message("a" * 15_000, MIRA)
    assert "formatted_body" not in message("a" * 25_000, MIRA)
    changed = edit(POST, "a" * 11_000, MIRA)
    assert "formatted_body" not in changed
    assert "formatted_body" in changed["m.new_content"]
    changed = edit(POST, "a" * 15_000, MIRA)
    assert "formatted_body" not in changed["m.new_content"]
    assert changed["body"] == f"* Mira: {'a' * 15_000}"
    changed = edit(POST, "a" * 25_000, MIRA)
    assert len(changed["body"]) < 200
    assert changed["m.new_content"]["body"] == f"Mira: {'a' * 25_000}"


def test_a_text_that_no_message_holds_is_refused_whole() -> None:
    with pytest.raises(PostRefused, match="40,000 bytes"):
        message("a" * MOST_BYTES)
    with pytest.raises(PostRefused, match="40,000 bytes"):
        edit(POST, "a" * MOST_BYTES)


def test_the_size_is_what_a_homeserver_counts() -> None:
    assert size_of({"body": "я"}) == len('{"body":"я"}'.encode())


class Tags(HTMLParser):
    """Collects what HTML is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(name for name, _ in attrs)))


HOSTILE = "<script>alert(1)</script> ![x](//evil/x.png) [y](javascript:alert(1)) <img src=x onerror=y> ||**deep**||"


def test_the_html_holds_only_what_rooms_show() -> None:
    tags = Tags()
    tags.feed(message(HOSTILE, Guise('<b onclick="x">'))["formatted_body"])
    assert tags.seen == {
        ("p", ()),
        ("strong", ("data-mx-profile-fallback",)),
        ("strong", ()),
        ("span", ("data-mx-spoiler",)),
    }
