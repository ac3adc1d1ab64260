"""Reads a JSON body field by field; every mistake is one sentence that names the field. It knows no engine.

Rule 1: a body may be anything at all: what is wrong with it is a Refusal, never another error.
Rule 2: null is the same as a field that is not there, because clients write out what they leave open.
"""

import json
import math
from typing import NoReturn, TypeGuard

from adapters.remote.refusals import Refusal

LARGEST = 2**53
"""The largest whole number that every JSON reader keeps exactly."""


BROKEN = "Unicode, without halves of letters"


class Body:
    """The fields of one JSON object."""

    def __init__(self, fields: dict[str, object], within: str = "") -> None:
        self._fields = fields
        self._within = within

    @classmethod
    def parse(cls, raw: bytes) -> "Body":
        """The object that these bytes spell."""
        try:
            found = json.loads(raw.decode(), parse_constant=_refuse_constant)
        except UnicodeDecodeError:
            refuse("The body is not UTF-8.")
        except (ValueError, RecursionError):
            refuse("The body is not JSON that can be read.")
        return cls.of(found, "The body")

    @classmethod
    def of(cls, value: object, name: str, within: str = "") -> "Body":
        """This value as an object."""
        if not isinstance(value, dict):
            refuse(f"{name} must be a JSON object.")
        return cls(value, within)

    def get(self, name: str) -> object:
        """What the field holds; None when it is not there."""
        return self._fields.get(name)

    def first(self, *names: str) -> str | None:
        """The first of these names that is there."""
        return next((name for name in names if self._fields.get(name) is not None), None)

    def text(self, name: str, default: str = "", longest: int | None = None, *, any_letters: bool = False) -> str:
        """A string; with `any_letters` it may hold halves of letters, as what people wrote may."""
        value = self._fields.get(name)
        if value is None:
            value = default
        if not isinstance(value, str):
            self.wrong(name, "a string")
        if longest is not None and len(value) > longest:
            self.wrong(name, f"at most {longest} characters long")
        if not any_letters and _is_broken(value):
            self.wrong(name, BROKEN)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self._fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(name, "true or false")
        return value

    def whole(self, name: str, default: int, low: int = -LARGEST, high: int = LARGEST) -> int:
        """A whole number within these bounds."""
        value = self._fields.get(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(name, f"a whole number {_between(low, high)}")
        return value

    def number(self, name: str, default: float, low: float = -math.inf, high: float = math.inf) -> float:
        """A number within these bounds."""
        value = self._fields.get(name)
        if value is None:
            return default
        number = as_number(value)
        if number is None or not low <= number <= high:
            bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
            self.wrong(name, f"a number{bounds}")
        return number

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...]:
        """A string or a list of strings."""
        value = self._fields.get(name)
        if value is None:
            return ()
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or len(found) > most or not all(isinstance(each, str) for each in found):
            self.wrong(name, f"a string or a list of at most {most} strings")
        if any(len(each) > longest for each in found):
            self.wrong(name, f"made of strings of at most {longest} characters")
        if any(map(_is_broken, found)):
            self.wrong(name, BROKEN)
        return tuple(found)

    def ids(self, name: str, most: int | None = None) -> tuple[int, ...]:
        """A list of whole numbers from 0."""
        value = self._fields.get(name)
        if value is None:
            return ()
        too_many = most is not None and isinstance(value, list) and len(value) > most
        # Counted first: looking at each of very many would take long.
        if too_many or not is_ids(value):
            self.wrong(name, f"a list of{'' if most is None else f' at most {most}'} whole numbers from 0")
        return tuple(value)

    def objects(self, name: str, most: int) -> tuple["Body", ...]:
        """A list of objects."""
        value = self._fields.get(name)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(each, dict) for each in value):
            self.wrong(name, f"a list of at most {most} objects")
        return tuple(Body(each, f"{name}[{place}].") for place, each in enumerate(value))

    def wrong(self, name: str, rule: str) -> NoReturn:
        """Refuse the body for this field."""
        refuse(f'"{self._within}{name}" must be {rule}.')


def refuse(sentence: str) -> NoReturn:
    """Refuse the body."""
    # The error that a reader ran into says nothing that the sentence does not.
    raise Refusal(400, sentence) from None


def as_number(value: object) -> float | None:
    """The value as a finite number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def is_ids(value: object) -> TypeGuard[list[int]]:
    """Whether this is a list of whole numbers that could be ids of tokens."""
    # The type itself is compared, as true and false are numbers to Python, and a prompt may have very many.
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**31 for each in value)


def _is_broken(text: str) -> bool:
    """Whether the text holds a lone surrogate, which JSON can spell and nothing else can write."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def _between(low: int, high: int) -> str:
    if (low, high) == (-LARGEST, LARGEST):
        return "of at most 53 bits"
    return f"from {low}" if high == LARGEST else f"from {low} to {high}"


def _refuse_constant(word: str) -> NoReturn:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(word)
