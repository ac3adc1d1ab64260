import pytest

from adapters.discord.ears.proxies import WINDOW, Proxies
from adapters.discord.words import fold, unknown_person
from bot.ids import AuthorId

TOBIAS, ELSE = AuthorId("discord:1"), AuthorId("discord:2")


@pytest.fixture
def proxies() -> Proxies:
    return Proxies()


@pytest.mark.parametrize("original", ["I knock.", "m: I knock.", "[I knock.]", "text before I knock. and after"])
def test_a_copy_is_known_by_the_words_that_its_original_holds(proxies: Proxies, original: str) -> None:
    proxies.said(10, TOBIAS, original, 0)
    found = proxies.original_of("Mira", "I knock.", 1)
    assert found is not None
    assert (found.id, found.author, found.is_gone) == (10, TOBIAS, False)


def test_an_original_is_found_when_it_was_deleted_first(proxies: Proxies) -> None:
    proxies.said(10, TOBIAS, "m: I knock.", 0)
    proxies.gone(10, 0.5)
    found = proxies.original_of("Mira", "I knock.", 1)
    assert found is not None
    assert found.is_gone


@pytest.mark.parametrize(
    ("original", "at"),
    [("I sit down.", 1.0), ("m: I knock.", WINDOW + 1), ("I knock." + "x" * 101, 1.0)],
    ids=["other words", "too long ago", "too much around it"],
)
def test_what_is_no_copy_is_taken_for_none(proxies: Proxies, original: str, at: float) -> None:
    proxies.said(10, TOBIAS, original, 0)
    assert proxies.original_of("Mira", "I knock.", at) is None


def test_the_tightest_original_is_meant_then_a_deleted_one_then_the_newest(proxies: Proxies) -> None:
    proxies.said(10, ELSE, "Yes, I do think so.", 0)
    proxies.said(11, TOBIAS, "m:Yes", 0)
    proxies.said(12, ELSE, "k:Yes", 0)
    proxies.said(13, ELSE, "j:Yes", 0)
    proxies.gone(11, 1)
    found = [proxies.original_of("Mira", "Yes", 2) for _ in range(5)]
    assert [each.id if each else None for each in found] == [11, 13, 12, 10, None]


def test_a_copied_message_is_known_as_such_when_its_deletion_comes_late(proxies: Proxies) -> None:
    proxies.said(10, TOBIAS, "m: I knock.", 0)
    assert not proxies.was_copied(10)
    proxies.original_of("Mira", "I knock.", 1)
    proxies.gone(10, WINDOW * 3)
    assert proxies.was_copied(10)


def test_an_edit_makes_a_message_new_again(proxies: Proxies) -> None:
    proxies.said(10, TOBIAS, "I knock.", 0)
    proxies.reworded(10, "m: I knock twice.", WINDOW - 1)
    found = proxies.original_of("Mira", "I knock twice.", WINDOW + 5)
    assert found is not None
    assert found.id == 10


def test_a_name_is_remembered_for_its_person(proxies: Proxies) -> None:
    assert proxies.known_as("Mira") is None
    proxies.said(10, TOBIAS, "m: I knock.", 0)
    proxies.original_of("Mira  Vale", "I knock.", 1)
    assert proxies.known_as("mira vale") == TOBIAS


def test_a_stranger_is_called_by_the_folded_name() -> None:
    assert unknown_person("Mira  Vale") == unknown_person("MIRA vale") == AuthorId("discord:proxy:mira vale")
    assert fold(" Straße ") == "strasse"
