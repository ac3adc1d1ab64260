"""The words that server and client share: routes, headers, codes of errors. It sends and reads nothing."""

COMPLETIONS = "/v1/completions"
TOKENIZE = "/v1/tokenize"
WARM = "/v1/warm"
FORGET = "/v1/forget"
MODELS = "/v1/models"
HEALTH = "/health"
METRICS = "/metrics"
OPENAPI = "/openapi.json"

OWNER = "understudy"
"""Who owns the models of our own server, as `/v1/models` tells it."""

SESSION_HEADER = "X-Session-Id"

BAD_REQUEST = "bad_request"
UNKNOWN_ID = "unknown_token_id"
WRONG_KEY = "invalid_api_key"
NOT_FOUND = "model_not_found"
NO_ROUTE = "not_found"
TOO_LARGE = "body_too_large"
TOO_LONG = "context_length_exceeded"
CHANGED = "model_changed"
BUSY = "engine_busy"
UNAVAILABLE = "engine_unavailable"
FORGOTTEN = "session_forgotten"

DEADLINE = "deadline"
"""The `stop_reason` beside the finish reason "length" of a reply whose deadline passed."""


def bare_tag(header: str) -> str:
    """What an ETag or If-Match names, without its quotes; a proxy that packs answers marks it as weak."""
    return header.strip().removeprefix("W/").strip('"')
