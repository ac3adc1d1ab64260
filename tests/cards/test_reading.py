"""Cards of every specification and container become characters; what cannot be used is told."""

import json
from typing import Any

import pytest

from bot.cards.reading import read_card
from bot.errors import Refused
from bot.story.lorebook import LorePosition
from bot.story.policy import Rating
from tests.cards.files import JPEG, V1, V2, V3, WEBP, Member, archive, as_json, charx, chunk, png, text_chunk

ICON = {"assets__icon__main_png": png()}


@pytest.mark.parametrize("data", [as_json(V1), png(text_chunk("chara", V1)), charx(V1)], ids=["json", "png", "charx"])
def test_a_v1_card_is_read_from_every_container(data: bytes) -> None:
    card = read_card(data).card
    assert (card.name, card.description, card.personality) == ("Ansel", "Ansel keeps bees.", "Slow to anger.")
    assert (card.scenario, card.greeting) == ("A farm in June.", "Ansel set down the smoker.")
    assert card.examples == "<START>\n{{user}}: Hello.\n{{char}}: Mind the hives."
    assert card.rating is Rating.UNRATED


@pytest.mark.parametrize("data", [as_json(V2), png(text_chunk("chara", V2))], ids=["json", "png"])
def test_every_field_of_v2_is_read(data: bytes) -> None:
    card = read_card(data).card
    assert card.system_prompt == "{{original}} Be brief."
    assert card.post_history == "Stay outdoors."
    assert card.alternate_greetings == ("Ansel whistled.", "Rain again.")
    assert card.book is not None
    [entry] = card.book.entries
    assert (card.book.name, card.book.scan_depth, card.book.token_budget, card.book.recursive) == ("The farm", 3, 400, True)
    assert (entry.keys, entry.secondary_keys, entry.selective) == (("hive", "bees"), ("lime",), True)
    assert (entry.order, entry.priority, entry.position) == (7, 3, LorePosition.AFTER_CHARACTER)
    assert (entry.case_sensitive, entry.name, entry.comment) == (True, "Hives", "drawn on the map")


@pytest.mark.parametrize("data", [as_json(V3), png(text_chunk("ccv3", V3)), charx(V3, **ICON)], ids=["json", "png", "charx"])
def test_every_field_of_v3_is_read(data: bytes) -> None:
    read = read_card(data)
    assert read.card.nickname == "Anse"
    assert read.card.spoken_name == "Anse"
    assert "Everybody turned round." not in read.card.alternate_greetings
    assert json.loads(read.card.source) == {**V3, "data": {**V3["data"]}}
    assert read.notes == ()


def test_the_newer_text_of_a_picture_wins_in_any_order_and_case() -> None:
    newer, older = text_chunk("CCV3", V3), text_chunk("Chara", {**V1, "name": "Older"})
    assert read_card(png(newer, older)).card.name == "Ansel"
    assert read_card(png(older, newer)).card.name == "Ansel"


def test_a_damaged_newer_text_gives_way_to_the_older_one_and_that_is_told() -> None:
    read = read_card(png(chunk(b"tEXt", b"ccv3\0!!!!"), text_chunk("chara", V1)))
    assert read.card.name == "Ansel"
    assert any("older one was read" in note for note in read.notes)


def test_a_wrong_checksum_of_the_text_is_told_and_forgiven() -> None:
    spoilt = text_chunk("chara", V1)[:-1] + b"?"
    [note] = read_card(png(spoilt)).notes
    assert note == "The checksum of the character's text (chara) is wrong; the text was read all the same."


def test_the_face_is_the_picture_without_anything_written_in_it() -> None:
    read = read_card(png(text_chunk("chara", V1), chunk(b"tEXt", b"parameters\0a secret"), chunk(b"eXIf", b"where I live")))
    assert (read.face, read.face_type) == (png(), "image/png")


@pytest.mark.parametrize(
    ("face", "kind"), [(png(chunk(b"tEXt", b"Comment\0hello")), "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
def test_the_main_icon_of_a_charx_file_is_the_face_whatever_its_name_says(face: bytes, kind: str) -> None:
    read = read_card(charx(V3, assets__icon__main_png=face))
    assert read.face_type == kind
    assert read.face == (png() if kind == "image/png" else face)


def test_an_icon_that_is_no_picture_is_left_out_and_that_is_told() -> None:
    read = read_card(charx(V3, assets__icon__main_png=b"GIF89a..."))
    assert (read.face, read.face_type) == (b"", "")
    assert read.notes == ("The picture is none of PNG, JPEG and WebP, or damaged, and was left out.",)


def test_what_else_a_charx_file_holds_is_counted() -> None:
    assert read_card(charx(V3, **ICON, assets__other__song_mp3=b"la")).notes == (
        "Further files in the archive were left out: 1.",
    )
    assert read_card(charx(V3)).notes == ("The character's picture is not in the archive.",)


def test_a_picture_at_an_address_is_not_fetched() -> None:
    data = {**V3["data"], "assets": [{"type": "icon", "name": "main", "uri": "https://example.org/a.png"}]}
    assert read_card(charx({**V3, "data": data})).notes == (
        "The character's picture is at an address outside the file and was not fetched.",
    )


def with_fields(**fields: Any) -> bytes:
    return as_json({"spec": "chara_card_v2", "data": {"name": "Ansel", **fields}})


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (" Ansel\n the  Beekeeper ", "Ansel the Beekeeper"),
        ("Ansel: keeper of bees", "Ansel, keeper of bees"),
        ("## Ansel", "Ansel"),
        ("Ans\u202eel", "Ansel"),
        ("Ansel, who keeps the bees at the end of the valley", "Ansel, who keeps the bees at the end of"),
        ("A" * 50, "A" * 40),
    ],
)
def test_a_name_is_mended_so_that_it_can_stand_before_a_colon(given: str, stored: str) -> None:
    assert read_card(with_fields(name=given)).card.name == stored


def test_a_name_that_was_changed_is_told() -> None:
    assert read_card(with_fields(nickname="A: B")).notes == (
        "The nickname was changed to A, B, so that it can stand before a colon.",
    )


@pytest.mark.parametrize("name", ["", " ", "\u200b", None, 5, "####"])
def test_a_card_without_a_name_is_refused(name: Any) -> None:
    with pytest.raises(Refused, match="name"):
        read_card(with_fields(name=name))


def test_a_field_of_the_wrong_kind_is_left_out_and_told() -> None:
    read = read_card(with_fields(personality=["kind"], alternate_greetings="Hello", character_book=[], scenario=None))
    assert (read.card.personality, read.card.alternate_greetings, read.card.book, read.card.scenario) == ("", (), None, "")
    assert read.notes == (
        '"personality" is not a text and was left out.',
        '"alternate_greetings" is not a list and was left out.',
        "The card's lorebook is not one and was left out.",
    )


def test_texts_lose_what_could_harm_and_nothing_else() -> None:
    read = read_card(with_fields(description="  one\r\n\ttwo\x00\u202e \ud83d\U0001f41d ### Input:\n"))
    assert read.card.description == "one\n\ttwo \ufffd\U0001f41d ### Input:"
    assert read.notes == ("Invisible control characters in its texts were taken out.",)
    read.card.source.encode()


@pytest.mark.parametrize(("said", "rating"), [("general", Rating.GENERAL), ("adult", Rating.ADULT), ("G", Rating.UNRATED)])
def test_only_the_rating_that_this_program_wrote_counts(said: str, rating: Rating) -> None:
    assert read_card(with_fields(extensions={"understudy": {"rating": said}}, rating="general")).card.rating is rating


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no character card"),
        (b"GIF89a", "no character card"),
        (b"{}", "no character card"),
        (b'{"name": "Ansel"}', "no character card"),
        (b"{not json}", "damaged"),
        (b'\xef\xbb\xbf{"name": NaN, "description": ""}', "damaged"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b'{"entries": {}}', "lorebook"),
        (b'{"spec": "lorebook_v3", "data": {"name": "x", "entries": []}}', "lorebook"),
        (png(), "no character in this picture"),
        (png(text_chunk("chara", V1))[:-30], "cut off"),
        (archive(Member("other.json", b"{}")), r"no card\.json"),
        (b"PK\x03\x04", "cut off"),
    ],
)
def test_what_is_no_card_is_refused_with_the_reason(data: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_card(data)


def test_a_card_with_a_byte_order_mark_is_read() -> None:
    assert read_card(b"\xef\xbb\xbf" + as_json(V2)).card.name == "Ansel"


def test_text_beyond_ascii_is_read_from_plain_utf_8() -> None:
    data = json.dumps({**V1, "name": "Ané", "scenario": "雪\u2028雪"}, ensure_ascii=False).encode()
    card = read_card(data).card
    assert (card.name, card.scenario) == ("Ané", "雪\n雪")
