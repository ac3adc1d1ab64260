"""Lorebooks of cards, of V3 files and of SillyTavern become ours and go back whole."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.cards import limits
from bot.cards.fields import Notes
from bot.cards.lorebooks import lorebook_from, lorebook_to, noted_lorebook, read_lorebook
from bot.errors import Refused
from bot.story.lorebook import Lorebook, LoreEntry, LorePosition
from tests.cards.files import BOOK, V3, as_json

WORLD: dict[str, Any] = {
    "uid": 3,
    "key": ["mill", "weir"],
    "keysecondary": ["flood"],
    "comment": "The mill",
    "content": "The mill has stood still since the flood.",
    "constant": False,
    "selective": True,
    "selectiveLogic": 0,
    "order": 55,
    "position": 1,
    "disable": False,
    "caseSensitive": None,
    "depth": 4,
    "role": 0,
    "probability": 80,
    "excludeRecursion": True,
    "somethingNew": {"kept": [1]},
}


def world(**changes: Any) -> Lorebook:
    """The lorebook of a world info file with this one entry."""
    return read_lorebook(as_json({"entries": {"3": {**WORLD, **changes}}, "name": "Valley"}))


def entry(**fields: Any) -> LoreEntry:
    [only] = lorebook_from({"entries": [{"keys": ["a"], "content": "b", **fields}]}).entries
    return only


def entries_to(book: Lorebook) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(json.dumps(lorebook_to(book)))["entries"]
    return entries


def back(book: Lorebook) -> Lorebook:
    return lorebook_from(json.loads(json.dumps(lorebook_to(book))))


@pytest.mark.parametrize(
    "data",
    [BOOK, {"spec": "lorebook_v3", "data": BOOK}, V3, {**BOOK, "entries": {"0": BOOK["entries"][0]}}],
    ids=["embedded", "lorebook_v3", "card", "numbered"],
)
def test_a_lorebook_is_read_from_every_kind_of_file(data: dict[str, Any]) -> None:
    assert read_lorebook(as_json(data)) == lorebook_from(BOOK)


def test_a_lorebook_goes_back_as_it_came() -> None:
    written = lorebook_to(lorebook_from(BOOK))
    assert {**written, "entries": []} == {**BOOK, "entries": []}
    assert written["entries"] == [{**BOOK["entries"][0], "use_regex": False}]
    assert back(lorebook_from(BOOK)) == lorebook_from(BOOK)


def test_a_world_info_entry_is_read_with_its_meaning() -> None:
    [found] = world().entries
    assert (found.keys, found.secondary_keys, found.selective) == (("mill", "weir"), ("flood",), True)
    assert (found.content, found.comment, found.order) == ("The mill has stood still since the flood.", "The mill", 55)
    assert (found.enabled, found.constant, found.position) == (True, False, LorePosition.AFTER_CHARACTER)
    assert world().name == "Valley"


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"disable": True}, "enabled", False),
        ({"constant": True}, "constant", True),
        ({"caseSensitive": True}, "case_sensitive", True),
        ({"position": 0}, "position", LorePosition.BEFORE_CHARACTER),
        ({"keysecondary": []}, "selective", False),
        ({"selectiveLogic": 2}, "selective", False),
        ({"selectiveLogic": 3}, "selective", True),
        ({"key": ["/mill|weir/i"]}, "use_regex", True),
        ({"key": ["C++"]}, "use_regex", False),
    ],
)
def test_what_sillytavern_calls_otherwise_is_understood(changes: dict[str, Any], field: str, value: object) -> None:
    [found] = world(**changes).entries
    assert getattr(found, field) == value


@pytest.mark.parametrize("logic", [1, 2, 3])
def test_logic_of_secondary_keys_that_is_not_followed_is_told(logic: int) -> None:
    notes = Notes()
    noted_lorebook({"entries": [{**WORLD, "selectiveLogic": logic}]}, notes)
    assert len(notes.all()) == 1


def test_what_our_values_have_no_field_for_goes_back_under_the_names_of_cards() -> None:
    [written] = entries_to(world())
    assert written["id"] == 3
    assert written["extensions"]["exclude_recursion"] is True
    assert written["extensions"]["probability"] == 80
    assert written["extensions"]["somethingNew"] == {"kept": [1]}
    assert back(world()) == world()


def test_a_depth_of_sillytavern_becomes_a_decorator_and_goes_back() -> None:
    book = world(position=4, depth=2)
    assert book.entries[0].content == "@@depth 2\nThe mill has stood still since the flood."
    [written] = entries_to(book)
    assert written["content"] == WORLD["content"]
    assert (written["extensions"]["position"], written["extensions"]["depth"]) == (4, 2)
    assert back(book) == book
    assert "still since" not in book.entries[0].extensions


@pytest.mark.parametrize(("content", "place", "depth"), [("@@depth 9\nNew.", 4, 9), ("New.", 1, 2)])
def test_a_depth_that_was_changed_here_is_changed_there(content: str, place: int, depth: int) -> None:
    book = world(position=4, depth=2)
    changed = replace(book, entries=(replace(book.entries[0], content=content),))
    [written] = entries_to(changed)
    assert written["content"] == "New."
    assert (written["extensions"]["position"], written["extensions"]["depth"]) == (place, depth)
    assert back(changed).entries[0].content == content


def test_decorators_of_the_specification_stay_as_they_are() -> None:
    book = lorebook_from({"entries": [{"keys": [], "content": "@@depth 3\n@@role user\nHm."}]})
    assert book.entries[0].content == "@@depth 3\n@@role user\nHm."
    assert entries_to(book)[0]["content"] == "@@depth 3\n@@role user\nHm."


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"insertion_order": 1e300}, "order", limits.LARGEST_NUMBER),
        ({"insertion_order": -(10**400)}, "order", -limits.LARGEST_NUMBER),
        ({"insertion_order": "x"}, "order", 100),
        ({"insertion_order": True}, "order", 100),
        ({"priority": -2.7}, "priority", -2),
        ({"enabled": None}, "enabled", True),
        ({"keys": [" a ", "", 5, "b\x00"]}, "keys", ("a", "b")),
        ({"content": None}, "content", ""),
        ({"use_regex": True}, "use_regex", True),
        ({"use_regex": True, "extensions": {"selectiveLogic": 0}}, "use_regex", False),
    ],
)
def test_odd_values_are_mended_and_go_back_as_they_came(fields: dict[str, Any], field: str, value: object) -> None:
    found = entry(**fields)
    assert getattr(found, field) == value
    [written] = entries_to(Lorebook((found,)))
    assert {key: written[key] for key in fields} == fields


def test_a_mended_value_does_not_come_back_once_the_entry_has_changed() -> None:
    found = replace(entry(keys=["", "a"], insertion_order="x"), keys=("c",))
    [written] = entries_to(Lorebook((found,)))
    assert (written["keys"], written["insertion_order"]) == (["c"], 100)


def test_a_number_of_the_book_can_be_taken_away() -> None:
    assert "scan_depth" not in lorebook_to(replace(lorebook_from(BOOK), scan_depth=None))
    assert lorebook_to(replace(lorebook_from({"entries": [], "scan_depth": None}), scan_depth=6))["scan_depth"] == 6


@pytest.mark.parametrize(
    ("book", "sentence"),
    [
        ({"entries": [{}] * (limits.BOOK_ENTRIES + 1)}, "entries"),
        ({"entries": [{"keys": ["k"] * (limits.ENTRY_KEYS + 1)}]}, "keys"),
        ({"entries": [{"keys": ["k"] * limits.ENTRY_KEYS}] * 101}, "keys"),
        ({"entries": [{"keys": ["k" * (limits.KEY_LENGTH + 1)]}]}, "keys"),
        ({"entries": [{"content": "x" * (limits.TEXT_LENGTH + 1)}]}, "content"),
    ],
)
def test_a_lorebook_beyond_the_limits_is_refused(book: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        lorebook_from(book)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"entries": 5}', b'{"data": {"name": "x"}}'])
def test_what_is_no_lorebook_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_lorebook(data)


def test_the_copy_of_itself_that_sillytavern_keeps_in_a_book_is_not_kept() -> None:
    assert lorebook_from({"entries": [], "originalData": BOOK}).extensions == ""
