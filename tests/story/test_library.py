"""Who of the library is meant by what was typed."""

import pytest

from bot.errors import Refused
from bot.ids import AuthorId, CardId
from bot.story.library import CardTitle, meant, titled
from bot.story.policy import Rating


def titles(*names: str) -> list[CardTitle]:
    return [CardTitle(CardId(f"id {name}"), AuthorId("somebody"), name, Rating.GENERAL) for name in names]


LIBRARY = titles("Mira", "Mira Vale", "Hester Vaunce", "Teodor Brask", "Anna of the Hester Inn")


@pytest.mark.parametrize(
    ("name", "rest", "found", "left"),
    [
        ("mira", "", "Mira", ""),
        ("Mira", "A stranger\n\nknocks.", "Mira", "A stranger\n\nknocks."),
        ("Mira", "Vale knocks.", "Mira Vale", "knocks."),
        ("ID MIRA VALE", "", "Mira Vale", ""),
        ("Hester Vaunce", "She waits.", "Hester Vaunce", "She waits."),
        ("hester", "vaunce", "Hester Vaunce", ""),
        ("Hester", "Vaunce  A stranger\nknocks.", "Hester Vaunce", "A stranger\nknocks."),
        ("Anna", "of the hester  inn", "Anna of the Hester Inn", ""),
        ("Anna of", "the hester inn waits", "Anna of the Hester Inn", "waits"),
        ("brask", "A duel.", "Teodor Brask", "A duel."),
        ("of the", "", "Anna of the Hester Inn", ""),
    ],
)
def test_a_character_is_meant_by_its_name_run_over_or_a_part_of_it(name: str, rest: str, found: str, left: str) -> None:
    title, scenario = meant(LIBRARY, name, rest)
    assert (title.name, scenario) == (found, left)


def test_a_part_that_several_names_have_is_asked_back() -> None:
    with pytest.raises(Refused, match=r"Hester may be Hester Vaunce or Anna of the Hester Inn; write the whole name\."):
        meant(LIBRARY, "Hester", "A stranger knocks.")


@pytest.mark.parametrize("name", ["Hest", "Vaunce Hester", " ", "Hester Vaunce the Third"])
def test_what_is_no_whole_word_of_a_name_means_nobody(name: str) -> None:
    with pytest.raises(Refused, match="The library has no character"):
        meant(LIBRARY, name)


def test_only_the_whole_name_will_do_where_much_depends_on_it() -> None:
    assert titled(LIBRARY, "hester vaunce").name == "Hester Vaunce"
    with pytest.raises(Refused, match="no character Brask; it has Mira, Mira Vale"):
        titled(LIBRARY, "Brask")


def test_an_empty_library_says_how_it_gets_one() -> None:
    with pytest.raises(Refused, match="it has nobody yet; character import takes a card in"):
        meant([], "Mira")
