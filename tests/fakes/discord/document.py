"""Discord's own OpenAPI document, as a judge of requests and answers. It knows no loopback and no client.

The document lies beside the project, not in it; where it is absent, there is no judge.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.schemas import Schemas, Shape

VARIABLE = "DISCORD_OPENAPI"
PLACE = Path("shared", "discord", "openapi.json")
ROOT = Path(__file__).resolve().parents[3]

YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}
"""How a query says yes or no: the document's way, and the one that Discord takes as well."""
HARMLESS = frozenset({"tts", "nsfw", "embeds.flags", "?use_nested_fields"})
"""Keys that the document does not know and Discord takes: discord.py writes them into every edit, command, embed and post."""
KNOWN_ANSWERS = frozenset({("POST /channels/{channel_id}/threads", "message")})
"""Parts of answers that Discord's guides describe and this document lacks; all within one may be there too."""
EVENTS = {
    "MESSAGE_CREATE": "MessageResponse",
    "MESSAGE_UPDATE": "MessageResponse",
    "THREAD_CREATE": "ThreadResponse",
    "THREAD_UPDATE": "ThreadResponse",
}
"""Events of the gateway that carry what an answer carries."""


@dataclass(slots=True)
class _Operation:
    """One method of one path, with all that is known about its request and its answers."""

    name: str
    placeholders: Mapping[int, Shape]
    query: Mapping[str, tuple[Shape, bool]] = field(default_factory=dict)
    """By name: what it may be, and whether it must be there."""
    body: Shape | None = None
    needs_body: bool = False
    answers: Mapping[str, Shape | None] = field(default_factory=dict)
    """By status; None where the answer has no content."""


class Document:
    """Judges exchanges. `load` finds the document; compiling it takes about 0.05 s, and a verdict 0.1 to 0.4 ms."""

    def __init__(self, text: str) -> None:
        raw = json.loads(text)
        self._asked = Schemas(raw["components"]["schemas"], ids_as_numbers=True)
        self._given = Schemas(raw["components"]["schemas"], ids_as_numbers=False)
        self._shared = raw["components"]["responses"]
        self._events = {event: self._given.named(name) for event, name in EVENTS.items()}
        self._templates: dict[int, list[tuple[list[str], dict[str, _Operation]]]] = {}
        for template, item in sorted(raw["paths"].items(), key=lambda pair: pair[0].count("{")):
            parts = template.strip("/").split("/")
            self._templates.setdefault(len(parts), []).append((parts, self._operations(template, item)))

    @staticmethod
    def load() -> "Document | None":
        """The document that the environment names or that lies beside the project, read once; None where there is none."""
        return _loaded(place) if (place := where()) else None

    def faults_in(self, exchange: Exchange) -> list[str]:
        """What is wrong with a request and its answer, a sentence each; empty where nothing is.

        An answer that was never given, or that a scripted fault gave instead of Discord's own, is not judged.
        """
        operation = self._operation(exchange)
        if operation is None:
            return [f"{exchange.method} {exchange.path}: Discord has no such route"]
        faults = [*self._in_path(operation, exchange), *self._in_query(operation, exchange), *_in_body(operation, exchange)]
        if exchange.status and not _is_scripted(exchange):
            faults += _in_answer(operation, exchange)
        return [f"{operation.name}: {fault}" for fault in faults]

    def strangers_in(self, exchange: Exchange) -> list[str]:
        """The keys of a request and its answer that the document does not know, those aside that are known to be harmless."""
        operation = self._operation(exchange)
        if operation is None:
            return []
        asked = [f"?{key}" for key in exchange.query if key not in operation.query]
        if operation.body:
            asked += operation.body.strangers(exchange.body)
        shape = _answer(operation, exchange.status)
        given = shape.strangers(exchange.answer) if shape and not exchange.fault else []
        return [
            f"{operation.name}: {side} has {key}, which the document does not know"
            for side, keys in (("the request", asked), ("the answer", given))
            for key in keys
            if not _is_harmless(key) and (operation.name, key.partition(".")[0]) not in KNOWN_ANSWERS
        ]

    def faults_in_event(self, name: str, data: object) -> list[str]:
        """What is wrong with an event of the gateway that carries a message or a thread; empty for all others."""
        shape = self._events.get(name)
        return [f"event {name}: {fault}" for fault in shape.faults(data)] if shape else []

    def _operation(self, exchange: Exchange) -> _Operation | None:
        parts = exchange.path.strip("/").split("/")
        for template, operations in self._templates.get(len(parts), ()):
            if exchange.method in operations and all(a == b or a[0] == "{" for a, b in zip(template, parts, strict=True)):
                return operations[exchange.method]
        return None

    def _operations(self, template: str, item: Mapping[str, Any]) -> dict[str, _Operation]:
        shared = item.get("parameters", [])
        return {
            method.upper(): self._compiled(f"{method.upper()} {template}", template, [*shared, *raw.get("parameters", [])], raw)
            for method, raw in item.items()
            if method != "parameters"
        }

    def _compiled(self, name: str, template: str, parameters: list[Any], raw: Mapping[str, Any]) -> _Operation:
        shapes = {(each["in"], each["name"]): self._asked.shape(each["schema"]) for each in parameters}
        parts = template.strip("/").split("/")
        required = {each["name"] for each in parameters if each.get("required")}
        contents = raw.get("requestBody", {}).get("content", {})
        body = contents.get("application/json") or contents.get("multipart/form-data")
        return _Operation(
            name=name,
            placeholders={at: shapes["path", part[1:-1]] for at, part in enumerate(parts) if part[0] == "{"},
            query={key: (shape, key in required) for (place, key), shape in shapes.items() if place == "query"},
            body=self._asked.shape(body["schema"]) if body else None,
            needs_body=raw.get("requestBody", {}).get("required", False),
            answers={status: self._answer_shape(answer) for status, answer in raw["responses"].items()},
        )

    def _answer_shape(self, answer: Mapping[str, Any]) -> Shape | None:
        if "$ref" in answer:
            answer = self._shared[answer["$ref"].rpartition("/")[2]]
        content = answer.get("content", {}).get("application/json")
        return self._given.shape(content["schema"]) if content else None

    def _in_path(self, operation: _Operation, exchange: Exchange) -> Iterator[str]:
        parts = exchange.path.strip("/").split("/")
        for at, shape in operation.placeholders.items():
            yield from (f"path: {fault}" for fault in shape.faults(_read(shape, parts[at])))

    def _in_query(self, operation: _Operation, exchange: Exchange) -> Iterator[str]:
        for key, (shape, is_required) in operation.query.items():
            if key in exchange.query:
                yield from (f"query {key}: {fault}" for fault in shape.faults(_read(shape, exchange.query[key])))
            elif is_required:
                yield f"query: {key} is missing"


def where() -> Path | None:
    """The document's place: what the environment names, else beside the project or beside a folder that holds it."""
    named = os.environ.get(VARIABLE)
    places = [Path(named)] if named else [folder / PLACE for folder in ROOT.parents]
    return next((place for place in places if place.is_file()), None)


@cache
def _loaded(place: Path) -> Document:
    return Document(place.read_text(encoding="utf-8"))


def _in_body(operation: _Operation, exchange: Exchange) -> Iterator[str]:
    if operation.body is None:
        if exchange.body is not None:
            yield "the request has a body and may have none"
    elif exchange.body is not None:
        yield from (f"request: {fault}" for fault in operation.body.faults(exchange.body))
    elif operation.needs_body and not exchange.files:
        yield "the request has no body and needs one"


def _is_harmless(key: str) -> bool:
    parts = key.split(".")
    return any(".".join(parts[at:]) in HARMLESS for at in range(len(parts)))


def _is_scripted(exchange: Exchange) -> bool:
    """Whether a fault gave an answer that Discord does not: a broken server's, or the plain text of what stands before it."""
    return bool(exchange.fault) and (exchange.status >= 500 or isinstance(exchange.answer, str))


def _in_answer(operation: _Operation, exchange: Exchange) -> Iterator[str]:
    if str(exchange.status) not in operation.answers and _class(exchange.status) not in operation.answers:
        yield f"the document knows no answer {exchange.status}"
        return
    shape = _answer(operation, exchange.status)
    if shape is None and exchange.answer is not None:
        yield f"the answer {exchange.status} has content and may have none"
    elif shape is not None:
        yield from (f"answer {exchange.status}: {fault}" for fault in shape.faults(exchange.answer))


def _answer(operation: _Operation, status: int) -> Shape | None:
    return operation.answers.get(str(status), operation.answers.get(_class(status)))


def _class(status: int) -> str:
    return f"{status // 100}XX"


def _read(shape: Shape, text: str) -> object:
    """A text of a path or a query as the kind of value that is wanted there."""
    if shape.wants("boolean"):
        return YES_OR_NO.get(text.lower(), text)
    return int(text) if shape.wants("integer") and text.isdecimal() else text
