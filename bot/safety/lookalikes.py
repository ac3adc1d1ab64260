"""Characters that stand for others: letters that look alike, dashes, quotes. It knows no word."""

# ruff: noqa: RUF001
# Letters that look alike are what this module is about.

import unicodedata

_ALIKE = {
    # Cyrillic
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ғ": "f", "ɡ": "g", "һ": "h", "н": "h",
    "і": "i", "ї": "i", "ӏ": "l",
    "ј": "j", "к": "k", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t",
    "у": "y", "ү": "y", "ѵ": "v",
    "ԝ": "w", "х": "x",
    # Greek
    "α": "a", "β": "b", "ϲ": "c", "δ": "d", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "m", "ν": "v",
    "ο": "o", "ρ": "p", "σ": "o",
    "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ω": "w",
    # Latin that NFKC leaves alone
    "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "ɑ": "a", "ɩ": "i",
    "ʟ": "l", "ɴ": "n", "ɪ": "i",
    "ʀ": "r", "ʏ": "y", "ʜ": "h", "ɢ": "g", "ʙ": "b", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f",
    "ᴊ": "j", "ᴋ": "k", "ᴍ": "m",
    "ᴏ": "o", "ᴘ": "p", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "օ": "o", "ո": "n", "ս": "u",
    # punctuation
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'", "’": "'", "‘": "'", "`": "'",
    "´": "'", "\u02bc": "'",
    "‐": "-", "‑": "-", "‒": "-", "−": "-", "–": "—", "―": "—", "¦": "|", "│": ""
    "|", "⁄": "/", "∕": "/", "·": ".", "•": "|", "_": " ",
}  # fmt: skip
_KEPT = 5_000
_DROPPED = frozenset("*~")
_ENCLOSED = ((0x1F150, "a"), (0x1F170, "a"), (0x1F1E6, "a"))
"""The beginnings of runs of 26 letters in circles, in squares and of flags, which NFKC leaves alone."""


class Alike(dict[str, str]):
    """What one character becomes: small plain letters, figures 0 to 9, one space; nothing for what shows nothing."""

    def __missing__(self, char: str) -> str:
        plain = _plain(char)
        if len(self) < _KEPT:
            self[char] = plain
        return plain


def _plain(char: str) -> str:
    if char in _DROPPED:
        return ""
    if char.isspace():
        return "\n" if char in "\n\r\v\f\x85\u2028\u2029" else " "
    if char in _ALIKE:
        return _ALIKE[char]
    for first, letter in _ENCLOSED:
        if first <= ord(char) < first + 26:
            return chr(ord(letter) + ord(char) - first)
    return "".join(_plain_part(part) for part in _parts(char))


def _parts(char: str) -> str:
    """Compatibility forms taken apart, without accents; ñ stays a letter of its own, and a fraction stands apart."""
    if char in "ñÑ":
        return "ñ"
    whole = unicodedata.normalize("NFKD", char).casefold()
    return f" {whole}" if "\u2044" in whole else whole


def _plain_part(part: str) -> str:
    kind = unicodedata.category(part)
    if kind[0] == "M" or kind in {"Cc", "Cf", "Cs", "Cn", "Co"}:
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(part))
    return " " if part.isspace() else _ALIKE.get(part, part)
