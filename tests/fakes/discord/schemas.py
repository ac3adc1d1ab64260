"""Schemas of Discord's OpenAPI document, made ready to judge values by. It knows neither paths nor requests.

Four things in the document are not as Discord behaves, and are put right here: who asks may write ids as numbers, the
members of a union overlap (`oneOf` means "any of"), the code of an error in a field is a word, and there are media channels.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

Schema = dict[str, Any]

LONGEST_FAULT = 240
"""Code points of a sentence: the value that is wrong may be a long text."""
SNOWFLAKE = "SnowflakeType"
MEDIA_CHANNEL = 16
FIELD_ERROR = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@FORMATS.checks("int32")
def _fits(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


class Shape:
    """One schema, ready to judge values by."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._validator = Draft202012Validator(schema, format_checker=FORMATS)
        self._flat: dict[tuple[int, ...], list[Schema]] = {}

    def wants(self, kind: str) -> bool:
        """Whether a value has to be of this kind, named as in JSON schemas."""
        return self._schema.get("type") == kind

    def faults(self, value: object) -> list[str]:
        """What is wrong with a value, a sentence for each place; empty where nothing is."""
        return [_sentence(error) for error in self._validator.iter_errors(value)]

    def strangers(self, value: object) -> list[str]:
        """Keys that the schema does not know, as places in the value. The document closes no object, so they are no faults."""
        return list(self._strangers((self._schema,), value, ""))

    def _strangers(self, schemas: Sequence[Schema], value: object, at: str) -> Iterator[str]:
        if isinstance(value, list):
            items = [schema["items"] for schema in self._members(schemas) if "items" in schema]
            for each in value if items else ():
                yield from self._strangers(items, each, at)
        if not isinstance(value, dict):
            return
        objects = [schema for schema in self._members(schemas) if "properties" in schema or "additionalProperties" in schema]
        for key, inner in value.items() if objects else ():
            known = [found for schema in objects if (found := _property(schema, key)) is not None]
            if known:
                yield from self._strangers(known, inner, f"{at}{key}.")
            else:
                yield f"{at}{key}"

    def _members(self, schemas: Sequence[Schema]) -> list[Schema]:
        """The schemas and all that they are made of, found once."""
        key = tuple(map(id, schemas))
        if key not in self._flat:
            self._flat[key] = [member for schema in schemas for member in _flattened(schema)]
        return self._flat[key]


class Schemas:
    """The named schemas of the document, for one direction: those who ask may write ids as numbers, Discord never does."""

    def __init__(self, named: Mapping[str, Schema], *, ids_as_numbers: bool) -> None:
        self._named: dict[str, Schema] = {name: {} for name in named}
        for name, schema in named.items():
            self._named[name].update(self._linked(schema))
        if ids_as_numbers:
            self._named[SNOWFLAKE]["type"] = ["string", "integer"]
        self._named["ChannelTypes"]["enum"].append(MEDIA_CHANNEL)
        self._named["InnerErrors"]["properties"]["_errors"]["items"] = FIELD_ERROR

    def shape(self, schema: Schema) -> Shape:
        """A schema that may name others, ready to judge by."""
        return Shape(self._linked(schema))

    def named(self, name: str) -> Shape:
        """One of the named schemas. Raises KeyError for a name that the document does not have."""
        return Shape(self._named[name])

    def _linked(self, schema: Any) -> Any:
        """A schema in which other schemas stand themselves where they are named: looking names up takes most of the time."""
        if isinstance(schema, list):
            return [self._linked(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return self._named[schema["$ref"].rpartition("/")[2]]
        if _lists_values(schema):
            return {"type": schema["type"], "enum": [each["const"] for each in schema["oneOf"]]}
        skipped = {"allOf"} if "enum" in schema else set()  # it lists the values once more, among others
        return {"anyOf" if key == "oneOf" else key: self._linked(value) for key, value in schema.items() if key not in skipped}


def _lists_values(schema: Schema) -> bool:
    members = schema.get("oneOf")
    return isinstance(members, list) and "type" in schema and all("const" in each for each in members)


def _flattened(schema: Schema) -> Iterator[Schema]:
    yield schema
    for key in ("anyOf", "allOf"):
        for member in schema.get(key, ()):
            yield from _flattened(member)


def _property(schema: Schema, key: str) -> Schema | None:
    """What the schema says of a key: another schema, an empty one where it allows any, None where it does not know it."""
    others = schema.get("additionalProperties")
    found = schema.get("properties", {}).get(key, others if isinstance(others, dict) else None)
    return found if isinstance(found, dict) else None


def _sentence(error: ValidationError) -> str:
    while error.context:
        branches: dict[object, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0] if error.validator == "anyOf" else 0, []).append(inner)
        error = min(branches.values(), key=_distance)[0]
    place = ".".join(map(str, error.absolute_path)) or "the whole"
    return f"{place}: {error.message}"[:LONGEST_FAULT]


def _distance(errors: Sequence[ValidationError]) -> tuple[bool, bool, int]:
    """How far a value is from one member of a union: of another kind, of another `type`, or with so many faults."""
    other_kind = any(error.validator == "type" and not error.relative_path for error in errors)
    return other_kind, any([*error.relative_path] == ["type"] for error in errors), len(errors)
