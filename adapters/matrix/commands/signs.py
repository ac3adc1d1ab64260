"""What reactions ask for: each sign stands for a command. Pure; whether they stand at the right post is not known here."""

from collections.abc import Mapping
from types import MappingProxyType

SIGNS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "🔄": ("retry", {}),
        "⬅": ("swipe", {"side": "left"}),
        "➡": ("swipe", {"side": "right"}),
        "⏩": ("continue", {}),
        "⏹": ("stop", {}),
        "❌": ("undo", {}),
    }
)
"""The command and its values, by the sign without variation selectors."""

NOD = "👍"
"""Beside a command: it was taken, or answered elsewhere."""

_SELECTORS = str.maketrans("", "", "\ufe0e\ufe0f")

HELP = (
    "Reactions on the newest reply do the same as commands: 🔄 retry, ⬅️ and ➡️ the version before and after, ⏩ continue,"
    " ⏹️ stop, ❌ undo. While no word of a reply is there yet, ⏹️ on the post that it answers stops it."
)


def asked_by(sign: str) -> tuple[str, Mapping[str, str]] | None:
    """The command that a sign stands for, and its values; None where it is a sign like any other."""
    return SIGNS.get(sign.translate(_SELECTORS))
