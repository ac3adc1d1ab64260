"""The page as an OpenAPI document: every address, what its forms hold and what it answers. It serves nothing.

Whoever asks for JSON (Accept: application/json) gets refusals as JSON, others as a page. The bounds in it are those that are
kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters import __version__
from adapters.metrics import CONTENT_TYPE
from adapters.network import openapi
from adapters.network.openapi import (
    EVENTS,
    FORM,
    HTML,
    JSON,
    MULTIPART,
    TEXT,
    Described,
    answer,
    events,
    operation,
    parameter,
    reading,
)
from adapters.web import forms
from adapters.web.operating import HEALTH, LOGIN, METRICS, OPEN, PAGE

OPENAPI = "/openapi.json"

ABOUT = (
    "The page of Understudy: stories as HTML, and forms that are sent from it. A form carries the token that the page hides in"
    " it and comes with the cookie that came with the page; no other site and no other program can send one."
)

CHANNEL = parameter("channel", "path", "The story.", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})
BEFORE = parameter("before", "query", "Only turns before this one.", {"type": "string", "pattern": "^[0-9]{1,9}$"})
STILL = parameter("still", "query", "Do not load the page anew by itself.", TEXT)
FILE = parameter("name", "path", "The name of the file.", TEXT)
KEY = parameter("key", "path", "The last part of the address that the answer to a command named.", TEXT)

WHY: Mapping[int, str] = {
    400: "This is no request that can be read, or it broke off.",
    401: "The operator's token is wrong or missing.",
    403: "The form was not sent from this page as it is now, or no story is played here.",
    404: "There is no such thing here.",
    408: "The form took too long to arrive.",
    413: f"More than {forms.BODY_LIMIT} bytes of a form, or {forms.UPLOAD_LIMIT} of a file.",
    415: "This is no form.",
    417: "Something was expected that is not offered.",
    421: "The page has another host, or is for this machine and was asked through a proxy.",
    422: "The form was read and not accepted; the sentence says why.",
    429: "Too many wrong tokens came from this address; `Retry-After` says for how long none is looked at.",
    503: "What is needed cannot be reached, or too many are here; come again.",
}
ANYWHERE = (400, 417, 503)
BROKEN_OFF = frozenset({400, 417, 503})
SENT = (403, 404, 408, 413, 415, 422)
STORED = (404,)

TOLD: Mapping[int, tuple[str, ...]] = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}
"""Headers that come with a refusal."""

NONCE = {"type": "string", "pattern": f"^{forms.NONCE.pattern}$", "description": "A name of this submission: twice is once."}
TURN = {"type": "string", "pattern": f"^({forms.TURN.pattern})?$"}


@dataclass(frozen=True, slots=True)
class Doors:
    """What is open: `login` is the cookie of who has logged in, `operator` and `visitor` say who needs it.

    `closed`: no story is played here.
    """

    login: str
    operator: bool
    visitor: bool
    closed: bool


def document(doors: Doors) -> Described:
    """What a page with these doors answers."""
    paths = {HEALTH: reading(_health()), **_operator(), **_files(), **(_closed() if doors.closed else _stories())}
    for path, methods in paths.items():
        for method in methods.values():
            _lock(path, method, doors)
    responses = {f"Refused{status}": _refusal(status) for status in WHY}
    cookie = {"type": "apiKey", "in": "cookie", "name": doors.login}
    components: Described = {
        "responses": responses,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "login": cookie},
    }
    return openapi.document("Understudy's page", __version__, ABOUT, paths, components)


def _lock(path: str, method: dict[str, object], doors: Doors) -> None:
    needed = doors.operator if path in {METRICS, PAGE} else doors.visitor and path not in OPEN
    if needed:
        method["security"] = [{"token": []}, {"login": []}]
    refusals = {*ANYWHERE, *([] if path == HEALTH else [421]), *([401, 429] if needed else [])}
    responses = method["responses"]
    if isinstance(responses, dict):
        responses.update({str(status): _refused(status) for status in refusals if str(status) not in responses})


def _refusal(status: int) -> Described:
    content: Described = {HTML: TEXT, JSON: _told("error")}
    if status in BROKEN_OFF:
        content |= {"text/plain": TEXT}
    return answer(WHY[status], content, TOLD.get(status, ()))


def _refused(status: int) -> Described:
    return {"$ref": f"#/components/responses/Refused{status}"}


def _told(name: str, *, always: bool = True) -> Described:
    return {"type": "object", "properties": {name: TEXT}, "required": [name] if always else []}


def _page(about: str) -> Described:
    return answer(about, {HTML: TEXT}, ("Set-Cookie",))


def _health() -> Described:
    parts = {"type": "object", "additionalProperties": {"enum": ["up", "down"]}}
    alive = {"type": "object", "properties": {"status": {"const": "alive"}, "parts": parts}, "required": ["status", "parts"]}
    return operation("health", "A sign of life.", {200: answer("It is alive.", {JSON: alive})})


def _operator() -> dict[str, dict[str, Described]]:
    figures = answer("Figures for Prometheus.", {CONTENT_TYPE: TEXT})
    way_in = _page("The form to log in with.")
    form = _form({"text": {"type": "string", "maxLength": forms.LOGIN_LIMIT}}, "text")
    entered = {
        303: _onwards("Logged in."),
        401: answer("That is not the operator's token.", {HTML: TEXT}, ("Set-Cookie", "WWW-Authenticate")),
        **{status: _refused(status) for status in (403, 408, 413, 415, 422, 429)},
    }
    glance = operation("operator", "The bot at a glance.", {200: _page("The page.")}, parameters=(STILL,))
    return {
        METRICS: reading(operation("metrics", "How it does.", {200: figures})),
        PAGE: reading(glance),
        LOGIN: {
            **reading(operation("login", "The way in.", {200: way_in})),
            "post": operation("logIn", "Logs the operator in.", entered, body={FORM: form}),
        },
        OPENAPI: reading(operation("openapi", "What it answers.", {200: answer("This document.", {JSON: {"type": "object"}})})),
    }


def _files() -> dict[str, dict[str, Described]]:
    kinds = answer("The file.", dict.fromkeys(("text/css", "text/javascript", "image/svg+xml"), TEXT))
    return {
        "/static/{name}": reading(
            operation("static", "A file of the page's own.", {200: kinds, 404: _refused(404)}, parameters=(FILE,))
        )
    }


def _closed() -> dict[str, dict[str, Described]]:
    return {"/": reading(operation("closed", "Says why no story is played here.", {403: _refused(403)}))}


def _stories() -> dict[str, dict[str, Described]]:
    new = operation("new", "The page that begins another story.", {200: _page("The page.")})
    file = operation(
        "download",
        "A file that a command made; it can be fetched once.",
        {200: answer("The file.", {"*/*": {}}, ("Content-Disposition",)), 404: _refused(404)},
        parameters=(KEY,),
    )
    begin = _form({"nonce": NONCE, "character": TEXT, "text": TEXT}, "nonce", "character")
    return {
        **_story("", "", ()),
        **_story("/t/{channel}", "Thread", (CHANNEL,)),
        "/new": {**reading(new), "post": _post("begin", "Begins another story.", {FORM: begin}, ())},
        "/new/card": {"post": _post("bringCard", "Brings a character in.", {MULTIPART: _upload()}, ())},
        "/file/{key}": {"get": file},
    }


def _story(prefix: str, which: str, parameters: tuple[Described, ...]) -> dict[str, dict[str, Described]]:
    """The addresses of one story."""
    refused = {status: _refused(status) for status in STORED}
    page = operation(f"read{which}", "A story.", {200: _page("Its page."), **refused}, parameters=(*parameters, BEFORE))
    stream = answer(
        "Server-sent events: `thread` and `draft`, each with HTML as a JSON string.",
        {EVENTS: events("thread", "draft")},
        ("Set-Cookie",),
    )
    follow = operation(f"follow{which}", "Its changes.", {200: stream, **refused}, parameters=parameters)
    words = _form({"nonce": NONCE, "text": TEXT}, "nonce", "text")
    act = _form({"nonce": NONCE, "act": {"enum": list(forms.ACTS)}, "turn": TURN, "text": TEXT}, "nonce", "act")
    return {
        prefix or "/": reading(page),
        f"{prefix}/events": {"get": follow},
        f"{prefix}/post": {"post": _post(f"post{which}", "Posts a reply.", {FORM: words}, parameters)},
        f"{prefix}/command": {"post": _post(f"command{which}", "Carries out a command.", {FORM: words}, parameters)},
        f"{prefix}/act": {"post": _post(f"act{which}", "What a button does.", {FORM: act}, parameters)},
        f"{prefix}/stop": {"post": _post(f"stop{which}", "Stops the reply being written.", {FORM: _form({})}, parameters)},
        f"{prefix}/upload": {
            "post": _post(f"upload{which}", "Brings a file to a command.", {MULTIPART: _upload()}, parameters)
        },
    }


def _post(name: str, summary: str, body: Mapping[str, object], parameters: tuple[Described, ...]) -> Described:
    done = answer("Done, with what it came back with.", {HTML: TEXT, JSON: _told("note", always=False)})
    answers = {200: done, 303: _onwards("Done."), **{status: _refused(status) for status in SENT}}
    return operation(name, summary, answers, body=body, parameters=parameters)


def _onwards(about: str) -> Described:
    return answer(about, headers=("Location",))


def _form(fields: Mapping[str, object], *required: str) -> Described:
    return {"type": "object", "properties": {"token": TEXT, **fields}, "required": ["token", *required]}


def _upload() -> Described:
    """A form with a file: it comes last, as it is read for the sake of what stands before it."""
    binary = {"type": "string", "format": "binary", "maxLength": forms.UPLOAD_LIMIT}
    text = {"type": "string", "maxLength": forms.FIELD_LIMIT}
    return _form({"nonce": NONCE, "text": text, "file": binary}, "nonce", "file")
