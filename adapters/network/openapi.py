"""The parts that a server describes itself with, as OpenAPI 3.1 has them. It knows no route and serves nothing."""

from collections.abc import Mapping, Sequence

Described = dict[str, object]
"""A part of a document, as JSON has it."""

JSON = "application/json"
HTML = "text/html"
EVENTS = "text/event-stream"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

TEXT: Described = {"type": "string"}


def events(*names: str) -> Described:
    """The schema of one server-sent event of a stream: its data, and its name where it has one (these); comments are none."""
    data: Described = {"data": TEXT, "retry": {"type": "integer"}}
    return {"type": "object", "properties": data | ({"event": {"enum": list(names)}} if names else {})}


def document(title: str, version: str, about: str, paths: Mapping[str, object], components: Mapping[str, object]) -> Described:
    """A whole document (https://spec.openapis.org/oas/v3.1.1.html)."""
    info = {
        "title": title,
        "version": version,
        "description": about,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    return {"openapi": "3.1.0", "info": info, "paths": dict(paths), "components": dict(components)}


def answer(about: str, content: Mapping[str, object] | None = None, headers: Sequence[str] = ()) -> Described:
    """What comes back: what it is, its schema by media type, and the names of headers that come with it for sure."""
    described: Described = {"description": about}
    if content:
        described["content"] = {kind: {"schema": schema} for kind, schema in content.items()}
    if headers:
        described["headers"] = {name: {"schema": TEXT, "required": True} for name in headers}
    return described


def operation(
    name: str,
    summary: str,
    answers: Mapping[int, Described],
    *,
    body: Mapping[str, object] | None = None,
    parameters: Sequence[Described] = (),
) -> Described:
    """What one method of one path does: what it takes, by media type and by name, and what it answers, by status."""
    described: Described = {
        "operationId": name,
        "summary": summary,
        "responses": {str(status): each for status, each in sorted(answers.items())},
    }
    if body:
        described["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind, schema in body.items()}}
    if parameters:
        described["parameters"] = list(parameters)
    return described


def reading(get: Described) -> dict[str, Described]:
    """A path that is only read: HEAD gives the same without its body (RFC 9110, section 9.3.2)."""
    return {"get": get, "head": get | {"operationId": f"{get['operationId']}Head"}}


def parameter(name: str, where: str, about: str, schema: Described) -> Described:
    """A value in the address or among the headers; in the path it cannot be left out."""
    return {"name": name, "in": where, "description": about, "required": where == "path", "schema": schema}
