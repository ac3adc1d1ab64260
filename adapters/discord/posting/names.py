"""A character's name as Discord accepts it on a post. Pure; it knows no webhook.

The trap avoided: a post under a name that Discord refuses is refused itself, so a character called Discordia would be mute.
"""

import unicodedata
from functools import lru_cache

from regex import VERSION1
from regex import compile as pattern

LONGEST = 80
"""Characters of a webhook's name."""

FALLBACK = "Character"
"""What a character is called of whose name nothing can be shown."""

HAIR = "\u200a"
"""The thinnest visible space: within a refused word it makes another word of it that reads the same."""

# Controls, invisible signs and lone surrogates; what addresses people and channels; what opens code.
_INVISIBLE = pattern(r"[\p{C}\p{Default_Ignorable_Code_Point}]")
_SIGNS = pattern(r"[@#:`\s\p{Z}\uff20\uff03\uff1a\u2800\u3164]+")
_SHOWN = pattern(r"[\p{L}\p{N}\p{S}\P{ASCII}--\p{Z}]", VERSION1)
_CLUSTER = pattern(r"\X")
_STYLES = pattern(r"[*_~|\\<>\[\]()]+")
# Letters that look alike are written for one another to slip past just this check.
_REFUSED = pattern(
    r"[c(]+[l1i|!]+y+d+e+"
    r"|d+[i1l|!]+[s5$]+[c(]+o+r+d+"
    r"|e+v+e+r+y+o+n+e+"
    r"|(?<![a-z])h+e+r+e+"
)
_LOOKALIKES = str.maketrans(
    "0345$@\u0441\u0435\u043e\u0443\u0430\u0456\u0455\u0501\u04bb", "oeassaceoyaisdh"
)  # digits, signs, and Cyrillic letters


@lru_cache(maxsize=1024)
def webhook_name(name: str) -> str:
    """The name for a webhook's post: 1 to 80 characters, free of refused words and of signs that mean something."""
    visible = _INVISIBLE.sub("", name)
    cleaned = _cut(_SIGNS.sub(" ", visible).strip())
    while (refused := _refused(cleaned)) is not None:
        cleaned = _cut(cleaned[: refused + 1] + HAIR + cleaned[refused + 1 :])
    return cleaned if _SHOWN.search(cleaned) else FALLBACK


def line_of(name: str) -> str:
    """The name in bold, for a line above a post that the bot itself brings; at most 84 characters."""
    plain = " ".join(_STYLES.sub(" ", webhook_name(name)).split(" ")).strip()
    return f"**{plain or FALLBACK}**"


def _refused(name: str) -> int | None:
    """Where the first refused word begins, however it is spelled."""
    folded: list[str] = []
    origins: list[int] = []
    for at, char in enumerate(name):
        plain = _folded(char)
        folded.append(plain)
        origins.extend([at] * len(plain))
    found = _REFUSED.search("".join(folded))
    return origins[found.start()] if found else None


def _folded(char: str) -> str:
    """A character without its accents, size and style; nothing for a mark that only sits on another one."""
    apart = unicodedata.normalize("NFKD", char).casefold()
    return "".join(each for each in apart if not unicodedata.combining(each)).translate(_LOOKALIKES)


def _cut(name: str) -> str:
    """At most 80 characters of it, whole ones."""
    taken = ""
    for cluster in _CLUSTER.findall(name):
        if len(taken) + len(cluster) > LONGEST:
            break
        taken += cluster
    # A single cluster of more than 80 marks is nobody's name; part of it is better than none.
    return (taken or name[:LONGEST]).strip()
