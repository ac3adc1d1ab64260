"""What Discord refuses and with which numbers. It knows no rule, only how a refusal looks."""

from typing import Any


class Refusal(Exception):
    """An answer that is not a success: HTTP `status`, Discord's `code`, a `message`, and errors by field for 50035."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "code": code} | ({"errors": errors} if errors else {})


def unknown(what: str) -> Refusal:
    """404 for a thing that is not there, by its name in Discord's table."""
    return Refusal(404, UNKNOWN[what], f"Unknown {what}")


def invalid(field: str, code: str, message: str) -> Refusal:
    """400/50035 that names the field, as `embeds.0.title`, and why."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(field.split(".")):
        errors = {part: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors)


UNKNOWN = {
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "Interaction": 10062,
    "Application Command": 10063,
    "Role": 10011,
}


def no_route() -> Refusal:
    return Refusal(404, 0, "404: Not Found")


def unauthorized() -> Refusal:
    return Refusal(401, 0, "401: Unauthorized")


def no_access() -> Refusal:
    return Refusal(403, 50001, "Missing Access")


def no_permission() -> Refusal:
    return Refusal(403, 50013, "Missing Permissions")


def empty_message() -> Refusal:
    return Refusal(400, 50006, "Cannot send an empty message")


def archived(status: int = 400) -> Refusal:
    return Refusal(status, 50083, "Thread is archived")


def locked() -> Refusal:
    return Refusal(403, 160005, "Thread is locked")


def wrong_kind() -> Refusal:
    return Refusal(400, 50024, "Cannot execute action on this channel type")


def not_the_author() -> Refusal:
    return Refusal(403, 50005, "Cannot edit a message authored by another user")


def second_thread() -> Refusal:
    return Refusal(400, 160004, "A thread has already been created for this message")


def already_acknowledged() -> Refusal:
    return Refusal(400, 40060, "Interaction has already been acknowledged.")


def wrong_webhook_token() -> Refusal:
    return Refusal(401, 50027, "Invalid Webhook Token")


def too_many_webhooks() -> Refusal:
    return Refusal(400, 30007, "Maximum number of webhooks reached (15)")


def too_large() -> Refusal:
    return Refusal(413, 40005, "Request entity too large")


def no_dm() -> Refusal:
    return Refusal(403, 50007, "Cannot send messages to this user")
