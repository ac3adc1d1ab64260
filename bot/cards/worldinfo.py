"""Entries of SillyTavern's world info files as entries of the character card specifications. It makes no values of ours.

The names are those under which SillyTavern itself keeps its own settings in a card (`extensions` of an entry), so that a
book that goes back in a card is whole there. Source: `convertWorldInfoToCharacterBook` in its `src/endpoints/characters.js`.
"""

from typing import Final

from bot.cards.jsontext import Object, object_at

_SPECIFIED: Final = {
    "uid": "id",
    "key": "keys",
    "keysecondary": "secondary_keys",
    "comment": "comment",
    "content": "content",
    "constant": "constant",
    "selective": "selective",
    "order": "insertion_order",
}
_OWN: Final = {
    "position": "position",
    "excludeRecursion": "exclude_recursion",
    "displayIndex": "display_index",
    "probability": "probability",
    "useProbability": "useProbability",
    "depth": "depth",
    "selectiveLogic": "selectiveLogic",
    "outletName": "outlet_name",
    "group": "group",
    "groupOverride": "group_override",
    "groupWeight": "group_weight",
    "preventRecursion": "prevent_recursion",
    "delayUntilRecursion": "delay_until_recursion",
    "scanDepth": "scan_depth",
    "matchWholeWords": "match_whole_words",
    "useGroupScoring": "use_group_scoring",
    "caseSensitive": "case_sensitive",
    "automationId": "automation_id",
    "role": "role",
    "vectorized": "vectorized",
    "sticky": "sticky",
    "cooldown": "cooldown",
    "delay": "delay",
}
_HANDLED = frozenset({*_SPECIFIED, *_OWN, "disable", "extensions"})


def is_world_info(entry: Object) -> bool:
    """Whether an entry is of SillyTavern's own form."""
    return "key" in entry and "keys" not in entry


def specified(entry: Object) -> Object:
    """The entry in the form of the specifications; what they have no name for stands in its `extensions`."""
    extensions = {own: entry[key] for key, own in _OWN.items() if key in entry}
    unknown = {key: value for key, value in entry.items() if key not in _HANDLED}
    return {
        **{name: entry[key] for key, name in _SPECIFIED.items() if key in entry},
        "enabled": entry.get("disable") is not True,
        "case_sensitive": entry.get("caseSensitive") is True,
        "position": "before_char" if entry.get("position", 0) == 0 else "after_char",
        "extensions": {**(object_at(entry, "extensions") or {}), **unknown, **extensions},
    }
