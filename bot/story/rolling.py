"""Dice: a small grammar, rolled from a seed that comes in. It knows neither who may roll nor where a roll is kept.

    sum      = product (("+" | "-") product)*
    product  = part ("*" part)*
    part     = ["-"] ("(" sum ")" | throw | "adv" | "dis" | number)
    throw    = [count] "d" (sides | "%" | "F") modifier*  |  ["1"] "d" sides " adv" (or " dis")
    modifier = ("kh" | "k" | "kl" | "dh" | "dl") [number]  |  "!"  |  "r" ["<" | "<=" | ">" | ">=" | "="] number

`kh` and `kl` keep the highest and lowest dice, `dh` and `dl` drop them; `!` throws one more die for each that shows its
highest face; `r<2` throws a die that shows less than 2 once more. `adv` alone is `2d20kh1`.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from bot.errors import Refused
from bot.story.dice import DiceRoll
from bot.story.throws import FACES_MOST, MOST_DICE, Keep, Reroll, Throw, thrown

EXPRESSION_LENGTH = 100
REASON_LENGTH = 100
INLINE_ROLLS = 10
DEEPEST = 10
LARGEST = 1_000_000_000
"""The largest total that an expression may be able to reach, either side of nought."""

_HOW = "write them like 2d6+1, 4d6kh3 or adv+5"
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00d7": "*"})
_PLUS = re.compile(r"\s*([+-])")
_TIMES = re.compile(r"\s*(\*)")
_MINUS = re.compile(r"\s*-")
_OPEN = re.compile(r"\s*\(")
_CLOSE = re.compile(r"\s*\)")
_NUMBER = re.compile(r"\s*([0-9]+)")
_DICE = re.compile(r"\s*([0-9]*)d([0-9]+|%|f)", re.IGNORECASE)
_LUCK = re.compile(r"\s*(adv|dis)(?:antage|advantage)?\b", re.IGNORECASE)
_KEEP = re.compile(r"(kh|kl|dh|dl|k)([0-9]*)", re.IGNORECASE)
_AGAIN = re.compile(r"!")
_REROLL = re.compile(r"r([<>]=?|=?)([0-9]+)", re.IGNORECASE)
_BORDER = re.compile(r"(?!\w)")
_INLINE = re.compile(r"\[\[([^\[\]\n]*)\]\]")


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number in an expression."""

    value: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Two parts of an expression and the sign between them: `+`, `-` or `*`."""

    sign: str
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Negative:
    """A part with a minus before it."""

    inner: "Term"


@dataclass(frozen=True, slots=True)
class Bracketed:
    """A sum in parentheses."""

    inner: "Term"


Term = Number | Throw | Joined | Negative | Bracketed


@dataclass(frozen=True, slots=True)
class Dice:
    """An expression that was understood; it holds at least one throw and its totals are bounded."""

    term: Term

    @property
    def text(self) -> str:
        """The expression as it was understood, written plainly: "2d6 + 2"."""
        return _written(self.term, lambda throw: throw.text)

    @property
    def reach(self) -> tuple[int, int]:
        """The least and the greatest total that can come of it (not each total between them need be possible)."""
        return _reach(self.term)


@dataclass(frozen=True, slots=True)
class InlineRoll:
    """A roll that stands in a post as `[[dice reason]]`, from `start` to `end` (the brackets included)."""

    dice: Dice
    reason: str
    start: int
    end: int


def parse_dice(expression: str) -> Dice:
    """The dice of an expression. Raises Refused when it is none, is too long, or asks for more than can be rolled."""
    dice, rest = _read(expression) or _refuse(expression)
    if rest.strip():
        _refuse(expression)
    return dice


def parse_roll(text: str) -> tuple[Dice, str]:
    """The dice that a text begins with, and what follows: what they are for. Raises Refused as `parse_dice` does."""
    dice, rest = _read(text) or _refuse(text)
    reason = " ".join(rest.split()).lstrip("-:,\u2013\u2014 ").removeprefix("for ")
    if len(reason) > REASON_LENGTH:
        raise Refused(f"Say in at most {REASON_LENGTH} characters what the dice are for.")
    return dice, reason


def find_rolls(post: str) -> tuple[InlineRoll, ...]:
    """The rolls that stand in a post as `[[dice reason]]`, in order; other text in double brackets is none.

    Raises Refused, as `parse_dice` does, when dice ask for more than can be rolled, and when there are too many rolls.
    """
    rolls = [InlineRoll(*parse_roll(found[1]), *found.span()) for found in _INLINE.finditer(post) if _read(found[1])]
    if len(rolls) > INLINE_ROLLS:
        raise Refused(f"A post can hold at most {INLINE_ROLLS} rolls; this one has {len(rolls)}.")
    return tuple(rolls)


def roll(dice: Dice, seed: int, name: str, reason: str = "") -> DiceRoll:
    """What comes of dice: the same for the same seed. `name` is who rolls, as the story calls them."""
    chance = random.Random(seed)  # noqa: S311 - dice of a game; the seed is stored, so that a roll can be checked
    results = [thrown(throw, chance) for throw in _throws(dice.term)]
    # Text and sum meet the throws in the order in which they were made: left to right.
    details, totals = iter([each.detail for each in results]), iter([each.total for each in results])
    detail = _written(dice.term, lambda throw: f"{throw.text} ({next(details)})")
    return DiceRoll(name, dice.text, detail, _total(dice.term, lambda _: next(totals)), reason)


def _read(text: str) -> tuple[Dice, str] | None:
    """The dice that a text begins with and the text after them; None when it begins with no dice."""
    # More is read than is taken, so that dice that are too long are refused and not cut.
    reader = _Reader(text[: 2 * EXPRESSION_LENGTH].translate(_SIGNS))
    term = reader.sum()
    if term is None or not _throws(term) or not _BORDER.match(text, reader.at):
        return None
    if reader.at > EXPRESSION_LENGTH:
        raise Refused(f"These dice are too long to read: write them in at most {EXPRESSION_LENGTH} characters.")
    if sum(throw.count for throw in _throws(term)) > MOST_DICE:
        raise Refused(f"At most {MOST_DICE} dice can be rolled at once.")
    dice = Dice(term)
    if max(map(abs, dice.reach)) > LARGEST:
        raise Refused("These dice can reach numbers that are too large; use smaller ones.")
    return dice, text[reader.at :]


def _refuse(text: str) -> NoReturn:
    shown = " ".join(text[:40].split())
    raise Refused(f'There are no dice to be read in "{shown}": {_HOW}.' if shown else f"Say which dice to roll: {_HOW}.")


class _Reader:
    """Reads the longest expression that a text begins with; `at` is how far it has come."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text
        self._depth = 0

    def sum(self) -> Term | None:
        return self._chain(self._product, _PLUS)

    def _product(self) -> Term | None:
        return self._chain(self._part, _TIMES)

    def _chain(self, part: Callable[[], Term | None], sign: re.Pattern[str]) -> Term | None:
        left = part()
        while left is not None:
            before = self.at
            found = self._take(sign)
            right = part() if found else None
            if found is None or right is None:
                self.at = before  # the sign belongs to what the dice are for: "2d6 - a leap"
                break
            left = Joined(found[1], left, right)
        return left

    def _part(self) -> Term | None:
        before = self.at
        if self._take(_MINUS):
            inner = self._unsigned()
            term: Term | None = Negative(inner) if inner is not None else None
        else:
            term = self._unsigned()
        if term is None:
            self.at = before
        return term

    def _unsigned(self) -> Term | None:
        if self._take(_OPEN):
            return self._bracketed()
        if found := self._take(_DICE):
            return self._throw(found[1], found[2])
        if found := self._take(_LUCK):
            return Throw(2, 1, 20, Keep.best(is_highest=found[1].lower() == "adv"))
        if found := self._take(_NUMBER):
            return Number(int(found[1]))
        return None

    def _bracketed(self) -> Term | None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refused(f"These dice have more than {DEEPEST} parentheses inside one another; use fewer.")
        inner = self.sum()
        self._depth -= 1
        return Bracketed(inner) if inner is not None and self._take(_CLOSE) else None

    def _throw(self, count: str, sides: str) -> Throw:
        low, high = (-1, 1) if sides in "fF" else (1, 100 if sides == "%" else int(sides))
        if not 1 <= high <= FACES_MOST:
            raise Refused(f"A die has from 1 to {FACES_MOST} sides.")
        number = int(count or 1)
        if not 1 <= number <= MOST_DICE:
            raise Refused(f"From 1 to {MOST_DICE} dice can be rolled at once.")
        if number == 1 and (luck := self._take(_LUCK)):
            return Throw(2, low, high, Keep.best(is_highest=luck[1].lower() == "adv"))
        return self._with_modifiers(Throw(number, low, high))

    def _with_modifiers(self, throw: Throw) -> Throw:
        while True:
            if found := self._take(_KEEP):
                throw = throw.with_keep(Keep.read(found[1].lower(), int(found[2] or 1)))
            elif self._take(_AGAIN):
                throw = throw.exploding()
            elif found := self._take(_REROLL):
                throw = throw.with_reroll(Reroll(found[1] or "=", int(found[2])))
            else:
                return throw

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self.at)
        if found:
            self.at = found.end()
        return found


def _throws(term: Term) -> list[Throw]:
    match term:
        case Number():
            return []
        case Throw():
            return [term]
        case Joined(_, left, right):
            return _throws(left) + _throws(right)
        case Negative(inner) | Bracketed(inner):
            return _throws(inner)


def _written(term: Term, throw: Callable[[Throw], str]) -> str:
    match term:
        case Number(value):
            return str(value)
        case Throw():
            return throw(term)
        case Joined(sign, left, right):
            return f"{_written(left, throw)} {sign} {_written(right, throw)}"
        case Negative(inner):
            return f"-{_written(inner, throw)}"
        case Bracketed(inner):
            return f"({_written(inner, throw)})"


def _total(term: Term, throw: Callable[[Throw], int]) -> int:
    match term:
        case Number(value):
            return value
        case Throw():
            return throw(term)
        case Joined(sign, left, right):
            first, second = _total(left, throw), _total(right, throw)
            return first * second if sign == "*" else first + second if sign == "+" else first - second
        case Negative(inner):
            return -_total(inner, throw)
        case Bracketed(inner):
            return _total(inner, throw)


def _reach(term: Term) -> tuple[int, int]:
    match term:
        case Number(value):
            return value, value
        case Throw():
            return term.reach
        case Joined(sign, left, right):
            return _joined_reach(sign, _reach(left), _reach(right))
        case Negative(inner):
            least, most = _reach(inner)
            return -most, -least
        case Bracketed(inner):
            return _reach(inner)


def _joined_reach(sign: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    if sign == "+":
        return left[0] + right[0], left[1] + right[1]
    if sign == "-":
        return left[0] - right[1], left[1] - right[0]
    corners = [one * other for one in left for other in right]
    return min(corners), max(corners)
