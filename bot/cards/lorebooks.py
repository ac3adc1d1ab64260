"""Lorebooks of cards and files as our values, and back. It decides nothing about when an entry is told.

Rule: what was read and is not changed is written as it was. So the `extensions` of our values keep every value of the file
that they have no field for, and beside it those whose form was mended, under the names they had.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from bot.cards.fields import Notes, amount, flag, number, text, texts, whole, whole_text
from bot.cards.jsontext import Object, canonical, object_at, parse_object, read_object
from bot.cards.limits import BOOK_ENTRIES, BOOK_KEYS, ENTRY_KEYS, KEY_LENGTH
from bot.cards.worldinfo import is_world_info, specified
from bot.cleaning import without_surrogates
from bot.errors import Refused
from bot.story.lorebook import Lorebook, LoreEntry, LorePosition

# How SillyTavern numbers, in the `extensions` of an entry, where it stands and what its secondary keys are for.
_BEFORE, _AFTER, _AT_DEPTH = 0, 1, 4
_NOT_ALL, _NOT_ANY, _ALL_OF = 1, 2, 3
_USUAL_DEPTH: Final = 4
_USUAL_ORDER: Final = LoreEntry("").order

_DEPTH_LINE = re.compile(r"@@depth[ \t]+(\d{1,10})[ \t]*(?:\n|\Z)")
_SLASHED = re.compile(r"/.+/[a-z]*\Z", re.DOTALL)


def read_lorebook(data: bytes) -> Lorebook:
    """The lorebook in a JSON file: of the V3 specification, a SillyTavern world info, or the book of a card.

    Raises Refused when the file is none of these, or larger than the limits.
    """
    found = read_object(data)
    inner = object_at(found, "data") or found
    book = inner if "entries" in inner else object_at(inner, "character_book")
    if book is None or not isinstance(book.get("entries"), list | dict):
        raise Refused("This file holds no lorebook, for it has no entries; send a world info or a lorebook as JSON.")
    return lorebook_from(book)


def lorebook_from(data: Mapping[str, object]) -> Lorebook:
    """A lorebook from its JSON: a `character_book`, or a world info. Raises Refused when it is larger than the limits."""
    return noted_lorebook(data, Notes())


def noted_lorebook(data: Mapping[str, object], notes: Notes) -> Lorebook:
    """The same, with a sentence for whatever was left out or mended."""
    # SillyTavern keeps there what a book was converted from, which is the same once more.
    raw = {key: value for key, value in data.items() if key != "originalData"}
    entries = tuple(_entry(each, notes) for each in _raw_entries(raw.get("entries"), notes))
    if sum(len(each.keys) + len(each.secondary_keys) for each in entries) > BOOK_KEYS:
        raise Refused(f"The lorebook has more than {BOOK_KEYS:,} keys; divide it, or take entries out.")
    book = Lorebook(
        entries=entries,
        name=text(raw, "name", notes),
        description=text(raw, "description", notes),
        scan_depth=amount(raw, "scan_depth"),
        token_budget=amount(raw, "token_budget"),
        recursive=flag(raw, "recursive_scanning"),
    )
    return replace(book, extensions=_left(raw, {**_book_object(book), "entries": raw.get("entries")}))


def lorebook_to(book: Lorebook) -> Object:
    """The JSON of a `character_book`, with all that was read and our values have no field for."""
    own = _book_object(book)
    left = parse_object(book.extensions) if book.extensions else {}
    merged = {"extensions": {}, **own, **left, "entries": []}
    # As with entries: mended values are written as they were only while nothing has changed.
    whole_book = merged if lorebook_from(merged) == replace(book, entries=()) else {**merged, **own}
    return {**whole_book, "entries": [_entry_to(each) for each in book.entries]}


def _raw_entries(value: object, notes: Notes) -> list[Object]:
    listed = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(listed, list):
        notes.add("The lorebook has no list of entries and was left out.")
        return []
    if len(listed) > BOOK_ENTRIES:
        raise Refused(f"The lorebook has {len(listed):,} entries and at most {BOOK_ENTRIES:,} are taken; divide it.")
    if not all(isinstance(each, dict) for each in listed):
        notes.add("Something in the lorebook is not an entry and was left out.")
    entries: Iterable[Object] = (each for each in listed if isinstance(each, dict))
    return [specified(each) if is_world_info(each) else each for each in entries]


def _entry(raw: Object, notes: Notes) -> LoreEntry:
    own = object_at(raw, "extensions") or {}
    keys = texts(raw, "keys", notes, ENTRY_KEYS, KEY_LENGTH)
    secondary_keys = texts(raw, "secondary_keys", notes, ENTRY_KEYS, KEY_LENGTH)
    entry = LoreEntry(
        content=_decorated(whole_text(raw, "content", notes), own),
        keys=keys,
        secondary_keys=secondary_keys,
        enabled=flag(raw, "enabled", default=True),
        constant=flag(raw, "constant"),
        # SillyTavern calls every entry selective, and means those with secondary keys.
        selective=flag(raw, "selective") and bool(secondary_keys) and _asks_for_secondary(own, notes),
        case_sensitive=flag(raw, "case_sensitive"),
        use_regex=_has_regex(raw, own, keys),
        order=number(raw, "insertion_order", _USUAL_ORDER),
        priority=number(raw, "priority", 0),
        position=LorePosition.AFTER_CHARACTER if raw.get("position") == "after_char" else LorePosition.BEFORE_CHARACTER,
        name=text(raw, "name", notes),
        comment=text(raw, "comment", notes),
    )
    return replace(entry, extensions=_left(raw, _entry_object(entry, own)))


def _entry_to(entry: LoreEntry) -> Object:
    left = parse_object(entry.extensions) if entry.extensions else {}
    own = _entry_object(entry, object_at(left, "extensions") or {})
    merged = {**own, **left, "extensions": own["extensions"]}
    # A value that was mended is written as it was only while nothing about the entry has changed.
    return merged if _entry(merged, Notes()) == entry else {**merged, **own}


def _entry_object(entry: LoreEntry, own: Object) -> Object:
    """The entry's fields as the V3 specification names them. `own` are the `extensions` that it came with."""
    content, extensions = _undecorated(entry, own)
    return {
        "keys": list(entry.keys),
        "content": content,
        "extensions": extensions,
        "enabled": entry.enabled,
        "insertion_order": entry.order,
        "use_regex": entry.use_regex,
        "case_sensitive": entry.case_sensitive,
        "constant": entry.constant,
        "name": entry.name,
        "priority": entry.priority,
        "comment": entry.comment,
        "selective": entry.selective,
        "secondary_keys": list(entry.secondary_keys),
        "position": entry.position.value,
    }


def _book_object(book: Lorebook) -> Object:
    numbers = {"scan_depth": book.scan_depth, "token_budget": book.token_budget}
    return {
        "name": book.name,
        "description": book.description,
        **{name: value for name, value in numbers.items() if value is not None},
        "recursive_scanning": book.recursive,
    }


def _left(raw: Object, own: Object) -> str:
    """What of an object our values do not say, as JSON; its `extensions` are kept whole. Empty when there is nothing."""
    said = {**own, "extensions": {}}
    left = {key: raw[key] for key in sorted(raw) if key not in said or said[key] != raw[key]}
    return without_surrogates(canonical(left)) if left else ""


def _decorated(content: str, own: Object) -> str:
    """The content with the depth that SillyTavern keeps beside it as a decorator in front."""
    if not _is_at_depth(own) or _DEPTH_LINE.match(content):
        return content
    depth = amount(own, "depth")
    return f"@@depth {_USUAL_DEPTH if depth is None else depth}\n{content}"


def _undecorated(entry: LoreEntry, own: Object) -> tuple[str, Object]:
    """The reverse: what came with SillyTavern's own depth goes back with it, changed where the decorator was."""
    if not _is_at_depth(own):
        return entry.content, own
    line = _DEPTH_LINE.match(entry.content)
    if line is None:
        place = _BEFORE if entry.position is LorePosition.BEFORE_CHARACTER else _AFTER
        return entry.content, {**own, "position": place}
    content, depth = entry.content[line.end() :], int(line[1])
    usual = amount(own, "depth") is None and depth == _USUAL_DEPTH
    return content, own if usual or amount(own, "depth") == depth else {**own, "depth": depth}


def _is_at_depth(own: Object) -> bool:
    return whole(own.get("position")) == _AT_DEPTH


def _asks_for_secondary(own: Object, notes: Notes) -> bool:
    """Whether secondary keys call an entry, as far as we know of SillyTavern's ways to use them."""
    logic = whole(own.get("selectiveLogic"))
    if logic == _ALL_OF:
        notes.add("Some lorebook entries ask for all of their secondary keys; here one of them is enough.")
    if logic in {_NOT_ALL, _NOT_ANY}:
        notes.add("Some lorebook entries are not to be told when a secondary key is met; that part is not followed.")
    return logic not in {_NOT_ALL, _NOT_ANY}


def _has_regex(raw: Object, own: Object, keys: tuple[str, ...]) -> bool:
    """SillyTavern says so of every entry that it exports, and means keys between slashes."""
    if "selectiveLogic" in own or "display_index" in own:
        return any(_SLASHED.match(key) for key in keys)
    return flag(raw, "use_regex")
