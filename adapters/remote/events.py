"""Reads server-sent events out of bytes that arrive in any pieces. It knows nothing of what the events say.

WHATWG HTML, section "Server-sent events", but for lines that end with a carriage return alone, which no server here sends.
"""

LONGEST = 4 * 1024 * 1024
"""Bytes of one event: more than any reply, so that a server gone mad cannot fill the memory."""


class EventTooLong(Exception):
    """An event has no end."""


class EventReader:
    """Takes bytes and gives the data of the events that are complete. Comments and other fields are passed over."""

    def __init__(self) -> None:
        self._unread = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[str]:
        """The data of the events that end in these bytes. Raises EventTooLong."""
        *lines, self._unread = (self._unread + received).split(b"\n")
        if len(self._unread) > LONGEST:
            raise EventTooLong
        events: list[str] = []
        for line in lines:
            self._take(line.removesuffix(b"\r"), events)
        return events

    def rest(self) -> list[str]:
        """The data of an event that lacks only the empty line at its end, as some servers leave it out."""
        return self.feed(b"\n\n")

    def _take(self, line: bytes, events: list[str]) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            events.append(b"\n".join(self._data).decode(errors="replace"))
            self._data.clear()
