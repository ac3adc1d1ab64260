"""The characters that come with the program are whole: they read without a note and are fit for everybody."""

import re
from pathlib import Path

import pytest

from bot.cards.macros import Names, fill
from bot.cards.reading import read_card
from bot.cards.writing import write_json
from bot.story.card import CharacterCard
from bot.story.policy import Rating
from tests.house.project import ROOT

FILES = sorted((ROOT / "adapters" / "scenes" / "characters").glob("*.json"))
EACH = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def texts(card: CharacterCard) -> list[str]:
    lore = [entry.content for entry in card.book.entries] if card.book else []
    return [card.description, card.personality, card.scenario, card.greeting, *card.alternate_greetings, card.examples, *lore]


def test_there_are_three_of_them_and_one_has_a_lorebook() -> None:
    cards = [read_card(path.read_bytes()).card for path in FILES]
    assert len({card.name for card in cards}) == 3
    assert any(card.book and len(card.book.entries) >= 5 for card in cards)


@EACH
def test_a_sample_reads_without_a_note_and_is_for_everybody(path: Path) -> None:
    read = read_card(path.read_bytes())
    assert read.notes == ()
    assert read.card.rating is Rating.GENERAL
    assert read_card(write_json(read.card)) == read


@EACH
def test_a_sample_has_all_that_a_story_needs(path: Path) -> None:
    card = read_card(path.read_bytes()).card
    assert all([card.description, card.personality, card.scenario, card.nickname])
    assert 150 <= len(card.greeting.split()) <= 300
    assert len(card.alternate_greetings) == 2
    assert card.examples.count("<START>") >= 2
    assert "{{user}}:" in card.examples
    assert "{{char}}:" in card.examples


@EACH
def test_a_sample_says_that_its_character_is_grown_up(path: Path) -> None:
    assert re.search(r"\b(thirty|forty|fifty)-[a-z]+", read_card(path.read_bytes()).card.description)


@EACH
def test_no_macro_is_left_in_a_sample(path: Path) -> None:
    card = read_card(path.read_bytes()).card
    names = Names(card.spoken_name, "Robin")
    assert not [text for text in texts(card) if "{{" in fill(text, names, 1) or "}}" in fill(text, names, 1)]
