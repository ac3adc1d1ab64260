"""The engine's server as an OpenAPI document: every route, what it takes and what it answers. It serves nothing.

The bounds in it are those that the server keeps to, taken from where they are kept. A null is a field that is not there.
"""

from collections.abc import Mapping

from adapters import __version__
from adapters.metrics.exposition import CONTENT_TYPE
from adapters.network import openapi
from adapters.network.openapi import EVENTS, JSON, TEXT, Described, answer, events, operation, parameter, reading
from adapters.remote import wire
from adapters.remote.body import LARGEST
from adapters.remote.orders import ALIASES, LONGEST_DEADLINE, NAME_LENGTH
from adapters.remote.settings import EngineServerSettings
from bot.sampling import BIAS, BOUNDS, LONGEST_BREAKER, MOST_BREAKERS, ORDER

ABOUT = "An engine of Understudy over HTTP; docs/engine-http.md explains it. Fields that are not named here change nothing."

CODES = (
    wire.BAD_REQUEST,
    wire.UNKNOWN_ID,
    wire.WRONG_KEY,
    wire.NOT_FOUND,
    wire.NO_ROUTE,
    wire.TOO_LARGE,
    wire.TOO_LONG,
    wire.CHANGED,
    wire.BUSY,
    wire.UNAVAILABLE,
    wire.FORGOTTEN,
)

NUMBER: Described = {"type": "number"}
COUNT: Described = {"type": "integer", "minimum": 0}
IDS: Described = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}}
FLAG: Described = {"type": ["boolean", "null"]}
NAME: Described = {"type": ["string", "null"], "maxLength": NAME_LENGTH}
NULL: Described = {"type": "null"}


def _object(properties: Mapping[str, object], *required: str) -> Described:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


ERROR = _object(
    {
        "error": _object(
            {
                "message": TEXT,
                "type": TEXT,
                "param": NULL,
                "code": {"enum": list(CODES)},
                "seconds": NUMBER,
                "tokens": COUNT,
                "limit": COUNT,
            },
            "message",
            "type",
            "param",
            "code",
        )
    },
    "error",
)

USAGE = _object(
    {
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "total_tokens": COUNT,
        "prompt_tokens_details": _object({"cached_tokens": COUNT}, "cached_tokens"),
        "prefilled_tokens": COUNT,
    },
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
)

CHOICE = _object(
    {
        "index": {"const": 0},
        "text": TEXT,
        "logprobs": NULL,
        "finish_reason": {"enum": ["stop", "length"]},
        "stop_reason": {"type": ["string", "null"]},
        "token_ids": IDS,
    },
    "index",
    "text",
    "finish_reason",
    "stop_reason",
)

COMPLETION = _object(
    {
        "id": TEXT,
        "object": {"const": "text_completion"},
        "created": COUNT,
        "model": TEXT,
        "choices": {"type": "array", "items": CHOICE, "minItems": 1, "maxItems": 1},
        "usage": USAGE,
    },
    "id",
    "object",
    "created",
    "model",
    "choices",
    "usage",
)

MODELS = _object(
    {
        "object": {"const": "list"},
        "data": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "id": TEXT,
                    "object": {"const": "model"},
                    "owned_by": {"const": wire.OWNER},
                    "max_model_len": COUNT,
                    "understudy": {"type": "object"},
                },
                "id",
                "object",
                "owned_by",
                "understudy",
            ),
        },
    },
    "object",
    "data",
)

HEALTH = _object({"status": {"enum": ["ok", "draining", "broken"]}, "reason": TEXT}, "status")

SESSION = parameter(wire.SESSION_HEADER, "header", "Whose cache to use, where the body does not say.", {"type": "string"})
TAG = parameter("If-Match", "header", "The ETag that the prompt's ids were made with.", {"type": "string"})

ANYWHERE = {
    400: "What was sent cannot be used; the sentence names the field.",
    417: "Something was expected that is not offered.",
    503: "The engine drains or broke down, or the server has too many clients.",
}
LOCKED = {401: "The token is wrong or missing.", 403: "There is no token, and a web page asked."}
SENT = {
    408: "The body did not arrive in time.",
    413: "The body is larger than the server takes.",
}
WORK = {429: "The engine has too much in hand, or the deadline passed in the queue."}
NAMED = {404: "There is no such model or adapter.", 409: "The session was to be forgotten.", 412: "Another model is served."}
LATER = frozenset({429, 503})


def document(settings: EngineServerSettings) -> Described:
    """What a server of these settings answers."""
    error = {"$ref": "#/components/schemas/Error"}
    schemas = {"Error": ERROR, "Completion": COMPLETION, "Models": MODELS}
    refusals = {
        status: answer(about, {JSON: error}, _headers(status))
        for part in (ANYWHERE, LOCKED, SENT, WORK, NAMED)
        for status, about in part.items()
    }
    components: Described = {
        "schemas": schemas,
        "responses": {f"Refused{status}": each for status, each in refusals.items()},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    described = openapi.document("Understudy's engine", __version__, ABOUT, _writing(settings) | _watching(), components)
    # Without a token the engine is for this machine, and asks for none.
    return described | {"security": [{"token": []}] if settings.token else []}


def _headers(status: int) -> tuple[str, ...]:
    if status in LATER:
        return ("Retry-After",)
    return ("WWW-Authenticate",) if status in LOCKED else ()


def _refusals(*parts: Mapping[int, str]) -> dict[int, Described]:
    return {status: {"$ref": f"#/components/responses/Refused{status}"} for part in (ANYWHERE, *parts) for status in part}


def _writing(settings: EngineServerSettings) -> Described:
    """The routes that take a body."""
    segments = _segments(settings)
    completion = {"$ref": "#/components/schemas/Completion"}
    reply = answer("The reply, as a whole or as events.", {JSON: completion, EVENTS: events()})
    tokens = _object({"tokens": {"type": "array", "items": IDS}}, "tokens")
    gone = _object({"forgotten": {"const": True}}, "forgotten")
    begun = answer("It will be read.", {JSON: {"type": "object"}}, ("ETag",))
    ahead = _object({"session_id": NAME, "prompt": _prompt(), "segments": segments, **_model()})
    return {
        wire.COMPLETIONS: {
            "post": operation(
                "complete",
                "Writes a reply.",
                {200: reply, **_refusals(LOCKED, SENT, WORK, NAMED)},
                body={JSON: _order(settings)},
                parameters=(SESSION, TAG),
            )
        },
        wire.TOKENIZE: {
            "post": operation(
                "tokenize",
                "Gives the ids of segments of a prompt.",
                {200: answer("The ids of each segment.", {JSON: tokens}, ("ETag",)), **_refusals(LOCKED, SENT, WORK)},
                body={JSON: _object({"segments": segments}, "segments")},
            )
        },
        wire.WARM: {
            "post": operation(
                "warm",
                "Reads a prompt ahead for a session.",
                {202: begun, **_refusals(LOCKED, SENT, WORK, NAMED)},
                body={JSON: ahead},
                parameters=(SESSION, TAG),
            )
        },
        wire.FORGET: {
            "post": operation(
                "forget",
                "Drops all that is kept of a session.",
                {200: answer("Nothing is left of it.", {JSON: gone}, ("ETag",)), **_refusals(LOCKED, SENT, WORK)},
                body={JSON: _object({"session_id": NAME})},
                parameters=(SESSION,),
            )
        },
    }


def _watching() -> Described:
    """The routes that are only read."""
    models = answer("The model and its adapters.", {JSON: {"$ref": "#/components/schemas/Models"}}, ("ETag",))
    healthy = answer("It can write.", {JSON: HEALTH}, ("ETag",))
    ill = answer("It drains, or broke down.", {JSON: HEALTH})
    figures = answer("Numbers for Prometheus.", {CONTENT_TYPE: TEXT})
    own = answer("This document.", {JSON: {"type": "object"}})
    return {
        wire.MODELS: reading(operation("models", "Tells what is served.", {200: models, **_refusals(LOCKED)})),
        wire.HEALTH: reading(
            operation("health", "Tells whether it can write.", {**_refusals(), 200: healthy, 503: ill}) | {"security": []}
        ),
        wire.METRICS: reading(operation("metrics", "Tells how it does.", {200: figures, **_refusals(LOCKED)})),
        wire.OPENAPI: reading(operation("openapi", "Tells what it answers.", {200: own, **_refusals(LOCKED)})),
    }


def _order(settings: EngineServerSettings) -> Described:
    texts = {"type": "string", "maxLength": settings.stop_length}
    most = {"type": ["integer", "null"], "minimum": 1, "maximum": settings.max_tokens}
    return _object(
        {
            "prompt": _prompt(),
            "max_tokens": most,
            "max_completion_tokens": most,
            "stop": {"anyOf": [texts, {"type": "array", "items": texts, "maxItems": settings.stops}, NULL]},
            "seed": {"type": ["integer", "null"], "minimum": -1, "maximum": LARGEST},
            "stream": FLAG,
            "stream_options": {"type": ["object", "null"], "properties": {"include_usage": FLAG}},
            "session_id": NAME,
            "community": NAME,
            "deadline": {"type": ["number", "null"], "minimum": 0, "maximum": LONGEST_DEADLINE},
            "borders": {"anyOf": [IDS, NULL]},
            "return_token_ids": FLAG,
            "queue_updates": FLAG,
            "n": {"enum": [1, None]},
            "best_of": {"enum": [1, None]},
            "echo": {"enum": [False, None]},
            "logprobs": {"enum": [False, None]},
            "suffix": {"enum": ["", None]},
            **_model(),
            **_sampling(settings),
        },
        "prompt",
    )


def _model() -> Described:
    return {"model": {"type": ["string", "null"], "maxLength": 2 * NAME_LENGTH}, "adapter": NAME}


def _prompt() -> Described:
    text = {"type": "string", "minLength": 1}
    ids = IDS | {"minItems": 1}
    alone = {"type": "array", "items": {"anyOf": [text, ids]}, "minItems": 1, "maxItems": 1}
    return {"anyOf": [text, ids, alone]}


def _segments(settings: EngineServerSettings) -> Described:
    segment = _object(
        {"text": {"type": ["string", "null"]}, "trusted": FLAG, "opens": FLAG, "token_ids": {"anyOf": [IDS, NULL]}}
    )
    return {"type": "array", "items": segment, "maxItems": settings.segments}


def _sampling(settings: EngineServerSettings) -> Described:
    """The sampler's settings, by their own names and those of other servers."""
    kinds: Described = {
        name: {"type": ["integer" if each.whole else "number", "null"], "minimum": each.low, "maximum": each.high}
        for name, each in BOUNDS.items()
    }
    breaker = {"type": "string", "minLength": 1, "maxLength": LONGEST_BREAKER}
    stages = {
        "type": "array",
        "items": {"enum": list(ORDER)},
        "minItems": len(ORDER),
        "maxItems": len(ORDER),
        "uniqueItems": True,
    }
    kinds |= {
        "penalize_newline": FLAG,
        "dry_breakers": {"anyOf": [breaker, {"type": "array", "items": breaker, "maxItems": MOST_BREAKERS}, NULL]},
        "order": {"anyOf": [stages, NULL]},
        "logit_bias": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[0-9]{1,9}$"},
            "additionalProperties": {"type": "number", "minimum": BIAS.low, "maximum": BIAS.high},
            "maxProperties": settings.biases,
        },
    }
    return kinds | {alias: kinds[name] for name, aliases in ALIASES.items() for alias in aliases}
