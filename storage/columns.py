"""How values lie in columns, alike on every database. It knows no table and no story."""

import json
import re
import struct
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
ESCAPED = re.compile("\x1a([0-9a-f]{4})")


def escape(text: str) -> str:
    """The text as a database can hold it; any text at all can be escaped, and ordinary text stays as it is.

    PostgreSQL refuses U+0000 and neither database takes lone surrogates, but what a player wrote must neither be lost
    nor stop the story: each of these becomes U+001A (which ASCII calls "substitute") and its four hexadecimal digits.
    """
    return UNSTORABLE.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def unescape(stored: str) -> str:
    """The text that `escape` was given."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), stored) if "\x1a" in stored else stored


class AnyText(TypeDecorator[str]):
    """Any `str` whatever, as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the base class's signature
        """To the database."""
        return None if value is None else escape(str(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the base class's signature
        """From the database."""
        return None if value is None else unescape(value)


class TextList(TypeDecorator[tuple[str, ...]]):
    """An ordered set of texts, read and written as a whole: a JSON array."""

    impl = AnyText
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002  likewise
        """To the database."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002  likewise
        """From the database."""
        return None if value is None else tuple(json.loads(value))


class AsJson(TypeDecorator[Any]):
    """A value of one type, read and written as a whole: JSON made of its fields, by name.

    A field that is missing there has its default, and one that the type does not know is passed over, so that types may
    gain and lose fields without a migration. The text inside may be any at all: pydantic passes on Python's strings as
    they are, and JSON keeps lone surrogates for `AnyText` to escape.
    """

    impl = AnyText
    cache_ok = True

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  a type, or an alias of one such as `tuple[Link, ...]`
        super().__init__()
        self.kind = kind
        self._adapter = TypeAdapter[Any](kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002  likewise
        """To the database."""
        return None if value is None else json.dumps(self._adapter.dump_python(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002  likewise
        """From the database."""
        return None if value is None else self._adapter.validate_python(json.loads(value))


class WholeNumber(TypeDecorator[int]):
    """A whole number of any size, in decimal digits: seeds may be wider than a database's integers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002  likewise
        """To the database."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002  likewise
        """From the database."""
        return None if value is None else int(value)


class TokenIds(TypeDecorator[tuple[int, ...]]):
    """Token ids, packed as little-endian unsigned 32-bit numbers: a reply of 1,000 tokens takes 4,000 bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002  likewise
        """To the database."""
        return None if value is None else struct.pack(f"<{len(value)}I", *value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[int, ...] | None:  # noqa: ARG002  likewise
        """From the database."""
        return None if value is None else struct.unpack(f"<{len(value) // 4}I", value)
