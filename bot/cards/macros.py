"""The macros in a card's texts, filled in. It knows no story: names, a seed and nothing else come in.

Rule 1: what is put in is never read for macros or commas again, whatever a player is called.
Rule 2: what is random follows from the seed and the macro's number in the text, so the same call gives the same text.
Rule 3: the text is walked through once. Macros may stand within macros, to a depth that keeps that so.

Sources: the character card specification V3, "Curly Braced Syntaxes"; `{{random::a::b}}` is SillyTavern's.
"""

import hashlib
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import regex

_TOKEN = re.compile(r"\{\{(?!\{)|\}\}|<bot>|<user>", re.IGNORECASE)
_PREFIXED = re.compile(r"\s*(//|(?:comment|hidden_key|reverse|random|pick|roll)\s*:)", re.IGNORECASE)
_DICE = re.compile(r"\s*(?:(\d{0,3})d)?(\d{1,6})\s*(?:([+-])\s*(\d{1,6}))?\s*", re.IGNORECASE | re.ASCII)
_COMMA = re.compile(r"(?<!\\),")
_CLUSTER = regex.compile(r"\X")

_DEPTH: Final = 8
"""Macros within each other. Deeper ones stay as they are on the outside: each level walks through its text once more."""
_MOST_DICE = 100

ALL: Final = -1
MOST_TRIED: Final = 6
"""Options of a macro that are tried one by one: each costs whoever asks a whole text."""


@dataclass(frozen=True, slots=True)
class Names:
    """What `{{char}}` and `{{user}}` become."""

    char: str
    user: str


class _Put(str):
    """Text that was put in: not to be read again."""

    __slots__ = ()


def fill(text: str, names: Names, seed: int, original: str | None = None) -> str:
    r"""The text with its macros filled in; the ones that are not known stay as they are.

    `original` is what `{{original}}` becomes; without it, that one is not known. Whatever case macros are written in,
    `{{char}}`, `<BOT>`, `{{user}}` and `<USER>` are names, `{{random:a,b}}`, `{{random::a::b}}` and `{{pick:...}}` one of
    what they list (`\,` is a comma in it), `{{roll:d6}}`, `{{roll:6}}` and `{{roll:2d6+1}}` a sum of at most 100 dice,
    and `{{reverse:...}}` turns its text around. `{{// ...}}`, `{{comment:...}}` and `{{hidden_key:...}}` vanish.
    """
    return _Filling(names, seed, original).fill(text)


def may_become(text: str, names: Names) -> tuple[str, ...]:
    """What the text may say once its macros are filled in, for whoever asks before it is drawn. Rolls stay as they are.

    The first has all options side by side, each in a line; then, for the first `MOST_TRIED` options, all macros take theirs.
    """
    walk = _Filling(names, 0, "", takes=ALL)
    together = walk.fill(text)
    tried = range(min(walk.most, MOST_TRIED))
    return (together, *(_Filling(names, 0, "", takes=number).fill(text) for number in tried))


def has_macros(text: str) -> bool:
    """Whether filling in could change the text."""
    return _TOKEN.search(text) is not None


@dataclass(slots=True)
class _Filling:
    """One walk through one text. `waiting` are the macros that are not closed yet, outside first, in pieces.

    `takes` None draws; else it is the number of the option that every macro takes, or `ALL` of them. `most` is how many
    options there were in one macro, at most.
    """

    names: Names
    seed: int
    original: str | None
    takes: int | None = None
    done: list[str] = field(default_factory=list)
    waiting: deque[list[str]] = field(default_factory=deque)
    drawn: int = 0
    most: int = 0

    def fill(self, text: str) -> str:
        at = 0
        for token in _TOKEN.finditer(text):
            self._add(text[at : token.start()])
            at = token.end()
            self._take(token.group())
        self._add(text[at:])
        while self.waiting:
            self._give_up_outermost()
        return "".join(self.done)

    def _take(self, mark: str) -> None:
        if mark == "{{":
            if len(self.waiting) == _DEPTH:
                self._give_up_outermost()
            self.waiting.append([])
        elif mark == "}}":
            self._close()
        else:
            self._add(_Put(self.names.char if mark.lower() == "<bot>" else self.names.user))

    def _add(self, piece: str) -> None:
        (self.waiting[-1] if self.waiting else self.done).append(piece)

    def _give_up_outermost(self) -> None:
        self.done.append("{{")
        self.done.extend(self.waiting.popleft())

    def _close(self) -> None:
        if not self.waiting:
            self.done.append("}}")
            return
        pieces = self.waiting.pop()
        value = self._value(pieces)
        if value is not None:
            self._add(_Put(value))
            return
        outside = self.waiting[-1] if self.waiting else self.done
        outside.extend(["{{", *pieces, "}}"])

    def _value(self, pieces: list[str]) -> str | None:
        """What a macro becomes; None when it is not known."""
        if len(pieces) == 1 and not isinstance(pieces[0], _Put):
            known = {"char": self.names.char, "user": self.names.user, "original": self.original}
            word = pieces[0].strip().lower()
            if word in known:
                return known[word]
        found = None if not pieces or isinstance(pieces[0], _Put) else _PREFIXED.match(pieces[0])
        if found is None:
            return None
        return self._prefixed(found[1].rstrip(" :").lower(), [pieces[0][found.end() :], *pieces[1:]])

    def _prefixed(self, word: str, pieces: list[str]) -> str | None:
        match word:
            case "reverse":
                return "".join(reversed(_CLUSTER.findall("".join(pieces))))
            case "random" | "pick":
                return self._chosen(_options(pieces))
            case "roll":
                return self._roll("".join(pieces))
            case _:
                return ""

    def _chosen(self, options: list[str]) -> str:
        self.most = max(self.most, len(options))
        if self.takes is None:
            return options[self._draw(1)[0] % len(options)]
        return "\n".join(options) if self.takes == ALL else options[min(self.takes, len(options) - 1)]

    def _roll(self, expression: str) -> str | None:
        found = _DICE.fullmatch(expression)
        if found is None or self.takes is not None:
            return None
        count, sides, more = int(found[1] or 1), int(found[2]), int(found[4] or 0)
        if not 1 <= count <= _MOST_DICE or not sides:
            return None
        total = sum(1 + draw % sides for draw in self._draw(count))
        return str(total - more if found[3] == "-" else total + more)

    def _draw(self, count: int) -> list[int]:
        """So many numbers of 64 bits, for the next macro in the text that asks for any."""
        self.drawn += 1
        drawn = hashlib.shake_256(f"{self.seed}/{self.drawn}".encode()).digest(8 * count)
        return [int.from_bytes(drawn[at : at + 8], "big") for at in range(0, len(drawn), 8)]


def _options(pieces: Sequence[str]) -> list[str]:
    """What a macro lists: divided by double colons where it begins with a colon more, else by commas."""
    doubled = pieces[0].startswith(":")
    options: list[list[str]] = [[]]
    for number, piece in enumerate(pieces):
        if isinstance(piece, _Put):
            options[-1].append(piece)
            continue
        literal = piece[1:] if doubled and number == 0 else piece
        first, *rest = literal.split("::") if doubled else (part.replace("\\,", ",") for part in _COMMA.split(literal))
        options[-1].append(first)
        options += ([part] for part in rest)
    joined = ("".join(parts) for parts in options)
    return list(joined) if doubled else [option.strip() for option in joined]
