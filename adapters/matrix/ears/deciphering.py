"""Opens encrypted events, and says why one cannot be opened. It keeps none, and waits for nothing."""

from typing import Any

from nio import AsyncClient, MegolmEvent

from adapters.matrix.ears.around import Around
from adapters.matrix.ears.keys import Keys
from adapters.matrix.ears.reading import SEALED, read, sent_at, thread_of
from adapters.matrix.ears.synced import Event, content_of
from adapters.matrix.heard import Heard, Unreadable

AGAIN = "Write it again, please"

WHY = {
    "m.unverified": (
        "I cannot read your message: your app gives its key to verified devices only, and mine is none to it. Whoever runs me "
        "finds out why with `understudy matrix doctor`."
    ),
    "m.blacklisted": f"I cannot read your message: your app blocks my device and keeps the key from it. {AGAIN}, unblocked.",
    "m.unauthorised": f"I cannot read your message: your app says that I may not have its key. {AGAIN}.",
    "m.no_olm": f"I cannot read your message: your app could not reach my device with its key. {AGAIN}.",
}
"""https://spec.matrix.org/v1.16/client-server-api/#reporting-that-decryption-keys-are-withheld"""

NO_KEY = (
    f"I cannot read your message: your app has not sent me its key. {AGAIN}; if that does not help, whoever runs me finds out "
    "more with `understudy matrix doctor`."
)


class Sealed(Exception):
    """An event cannot be opened, or not yet."""


def is_sealed(event: Event) -> bool:
    """Whether an event is encrypted, and not known to be something else."""
    return event.get("type") == SEALED and "state_key" not in event


def session_of(event: Event) -> str:
    """The session with whose key an event is encrypted; empty where it does not say."""
    session = content_of(event).get("session_id")
    return session if isinstance(session, str) else ""


def understood(around: Around, room: str, event: Event) -> Heard | None:
    """What an event means, encrypted or not; None where it is nothing that matters. Raises Sealed while its key is missing."""
    return read(opened(around.client, room, event), room)


def unreadable(keys: Keys, room: str, event: Event) -> Unreadable:
    """What to tell of an event that cannot be opened."""
    return Unreadable(
        room=room,
        event=str(event.get("event_id")),
        sender=str(event.get("sender")),
        at=sent_at(event),
        why=WHY.get(keys.withheld(room, session_of(event)), NO_KEY),
        root=thread_of(event),
    )


def opened(client: AsyncClient | None, room: str, event: Event) -> Event:
    """An event as it was before it was encrypted, if it was. Raises Sealed while its key is missing."""
    if not is_sealed(event):
        return event
    if client is None or client.olm is None:
        raise Sealed
    try:
        sealed = MegolmEvent.from_dict({**event, "unsigned": {}})
        # What lacks something is no such event to the library, and ends here too.
        sealed.room_id = room
        inside: dict[str, Any] = client.decrypt_event(sealed).source
    except Exception:  # noqa: BLE001  without a key, or with whatever somebody sent in place of what the library expects
        raise Sealed from None
    if inside.get("room_id") != room:
        # Somebody carried it over from another room: https://spec.matrix.org/v1.16/client-server-api/#mmegolmv1aes-sha2
        raise Sealed
    return {
        "type": inside.get("type"),
        "content": inside.get("content"),
        "sender": event.get("sender"),
        "event_id": event.get("event_id"),
        "origin_server_ts": event.get("origin_server_ts"),
    }
