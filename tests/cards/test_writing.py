"""What is written can be read by others and by us, and nothing that was not changed is lost."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from bot.cards.png import read_png
from bot.cards.reading import read_card
from bot.cards.writing import write_json, write_png
from bot.errors import Refused
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook, LoreEntry
from bot.story.policy import Rating
from tests.cards.files import JPEG, SIGNATURE, V1, V2, V3, as_json, charx, chunk, png, text_chunk

ODD = {
    "name": "# Ansel: of\tthe bees",
    "description": " bad \x00 text\r\n",
    "personality": 5,
    "first_mes": None,
    "talkativeness": "0.5",
}
CARDS = pytest.mark.parametrize("card", [V1, V2, V3, ODD], ids=["v1", "v2", "v3", "odd"])


@CARDS
def test_json_that_was_read_and_written_reads_the_same(card: dict[str, Any]) -> None:
    read = read_card(as_json(card))
    assert read_card(write_json(read.card)) == read


@CARDS
@pytest.mark.parametrize("face", [b"", png()], ids=["no picture", "a picture"])
def test_a_picture_that_was_read_and_written_reads_the_same(card: dict[str, Any], face: bytes) -> None:
    read = read_card(png(text_chunk("chara", card)))
    again = read_card(write_png(read.card, face))
    assert (again.card, again.face) == (read.card, face)


def test_a_charx_file_keeps_its_character_and_picture_as_png() -> None:
    read = read_card(charx(V3, assets__icon__main_png=png()))
    assert read_card(write_png(read.card, read.face)) == read


def test_what_we_do_not_understand_is_written_as_it_was() -> None:
    assert json.loads(write_json(read_card(as_json(V3)).card)) == V3


def test_a_changed_field_wins_and_leaves_the_others_alone() -> None:
    card = replace(read_card(as_json(V3)).card, description="Changed.", nickname="", rating=Rating.GENERAL, book=None)
    data = json.loads(write_json(card))["data"]
    assert data["description"] == "Changed."
    assert not {"nickname", "character_book"} & data.keys()
    assert data["extensions"] == {
        "theirs": {"depth_prompt": {"prompt": "x", "depth": 4}},
        "understudy": {"rating": "general"},
    }
    assert data["creator_notes"] == "Never told."
    assert read_card(write_json(card)).card == replace(card, source=read_card(write_json(card)).card.source)


def test_a_changed_entry_leaves_the_other_parts_of_the_lorebook_alone() -> None:
    card = read_card(as_json(V3)).card
    assert card.book is not None
    changed = replace(card.book, entries=(replace(card.book.entries[0], content="Gone."), LoreEntry("New.", ("new",))))
    book = json.loads(write_json(replace(card, book=changed)))["data"]["character_book"]
    assert book["extensions"] == {"theirs": [1, 2]}
    assert (book["entries"][0]["content"], book["entries"][0]["id"]) == ("Gone.", 12)
    assert book["entries"][0]["extensions"] == {"weight": 0.5}
    assert (book["entries"][1]["content"], book["entries"][1]["keys"]) == ("New.", ["new"])


def test_a_character_of_our_own_becomes_a_whole_card() -> None:
    card = CharacterCard(
        "Mira", "An innkeeper.", "Hello.", Rating.ADULT, alternate_greetings=("Hm.",), book=Lorebook((LoreEntry("x", ("y",)),))
    )
    written = json.loads(write_json(card))
    assert (written["spec"], written["spec_version"]) == ("chara_card_v3", "3.0")
    assert {"tags", "creator", "group_only_greetings", "mes_example"} <= written["data"].keys()
    read = read_card(write_json(card)).card
    assert replace(read, source="", book=None) == replace(card, book=None)
    assert read.book is not None
    assert read.book.entries == card.book.entries  # type: ignore[union-attr]  # it was given one


def test_a_written_picture_holds_both_texts_once_before_its_end() -> None:
    card = read_card(as_json(V3)).card
    old = png(text_chunk("chara", V1), text_chunk("ccv3", V1), chunk(b"zTXt", b"x"))
    written = write_png(card, old)
    assert written.startswith(png()[:-12])
    assert written.endswith(chunk(b"IEND", b""))
    assert (written.count(b"chara\0"), written.count(b"ccv3\0")) == (1, 1)
    texts = read_png(written).texts
    assert json.loads(base64.b64decode(texts["chara"]))["spec"] == "chara_card_v2"
    assert json.loads(base64.b64decode(texts["ccv3"])) == V3


def test_without_a_png_picture_a_plain_one_holds_the_card() -> None:
    card = read_card(as_json(V2)).card
    assert write_png(card, JPEG) == write_png(card, b"")
    assert write_png(card, b"").startswith(SIGNATURE)
    assert read_card(write_png(card, JPEG)).face == b""


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(Refused, match="cut off"):
        write_png(read_card(as_json(V1)).card, png()[:-20])


def test_what_newer_cards_repeat_outside_for_old_readers_is_not_left_there_to_go_stale() -> None:
    card = read_card(as_json({**V2, **V1, "name": "Old", "talkativeness": 0.5})).card
    written = json.loads(write_json(card))
    assert card.name == "Ansel"
    assert written.keys() == {"spec", "spec_version", "data", "talkativeness"}
