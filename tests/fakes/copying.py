"""What keeps a fake store honest: only values that a database could hold, and never the caller's own objects."""

from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, TypeVar

Value = TypeVar("Value")


def copied(value: Value) -> Value:
    """The same value built anew. Raises TypeError for anything that a database could not hold."""
    if is_dataclass(value) and not isinstance(value, type):
        parts: dict[str, Any] = {each.name: copied(getattr(value, each.name)) for each in fields(value)}
        return type(value)(**parts)
    if isinstance(value, tuple):
        return type(value)(copied(each) for each in value)
    if isinstance(value, dict):
        return type(value)((copied(key), copied(each)) for key, each in value.items())
    if value is None or type(value) in {str, bytes, int, float, bool} or isinstance(value, StrEnum):
        return value
    raise TypeError(f"a store cannot keep a {type(value).__name__}: {value!r}")
