"""Puts the messages of one place together into posts: what one person writes without a pause is one. Time is told to it.

Rule 1: at most one post is being gathered. Somebody else's message closes it at once, so that order holds.
Rule 2: a post closes by time alone, however whole it looks: whether more comes only its writer knows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

from bot.ids import AuthorId

TYPING = 10.0
"""Seconds for which one sign of typing holds: Discord's own clients send the next one within this time."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a post: its id, its words, and the name that it bears."""

    id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A post that is whole: one author, one name, the messages in order."""

    author: AuthorId
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The name that all of its messages bear."""
        return self.parts[0].name

    @property
    def text(self) -> str:
        """What all of its messages say."""
        return joined(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Open:
    """What is being gathered. Times in seconds; `typing` is until when its author is taken to be writing on."""

    author: AuthorId
    parts: tuple[Part, ...]
    began: float
    last: float
    typing: float = 0.0


@dataclass(slots=True)
class Gathering:
    """Gathers for one place. `quiet`: the pause that ends a post; `limit`: how long one may take while its author types."""

    quiet: float
    limit: float
    _open: _Open | None = field(default=None)

    @property
    def due(self) -> float | None:
        """When what is being gathered is whole; None while there is nothing."""
        if self._open is None:
            return None
        # Without the limit, whoever never pauses would never be answered.
        return min(max(self._open.last + self.quiet, self._open.typing), self._open.began + max(self.limit, self.quiet))

    @property
    def author(self) -> AuthorId | None:
        """Whose post is being gathered."""
        return self._open.author if self._open else None

    @property
    def ids(self) -> tuple[int, ...]:
        """The messages that are being gathered, in order."""
        return tuple(part.id for part in self._open.parts) if self._open else ()

    def add(self, author: AuthorId, part: Part, at: float) -> list[Gathered]:
        """A person's message. Returns what it closes."""
        closed = self.take_due(at) if self._open and self._open.author == author else self.close()
        if self._open is None:
            self._open = _Open(author, (part,), at, at)
        else:
            # Whoever sent a message has stopped typing until the next sign.
            self._open = replace(self._open, parts=(*self._open.parts, part), last=at, typing=0.0)
        return closed

    def typing(self, author: AuthorId, at: float) -> list[Gathered]:
        """Somebody types. Returns what was due before that."""
        closed = self.take_due(at)
        if self._open is not None and self._open.author == author:
            self._open = replace(self._open, typing=at + TYPING)
        return closed

    def put(self, message: int, part: Part) -> bool:
        """Another message stands for one that is being gathered, in its place. False when that one is not."""
        return self._each(message, lambda _: part)

    def reword(self, message: int, text: str) -> bool:
        """A message that is being gathered reads otherwise now. False when it is not being gathered."""
        return self._each(message, lambda part: replace(part, text=text))

    def drop(self, message: int) -> bool:
        """A message that is being gathered is gone; with its last one the post vanishes. False when it is none."""
        return self._each(message, lambda _: None)

    def take_due(self, at: float) -> list[Gathered]:
        """What is whole by now."""
        return self.close() if self.due is not None and self.due <= at else []

    def close(self) -> list[Gathered]:
        """What is being gathered is whole as it is. Words under another name are another post of the same person."""
        group, self._open = self._open, None
        if group is None:
            return []
        return [Gathered(group.author, tuple(parts)) for _, parts in groupby(group.parts, key=lambda part: part.name)]

    def _each(self, message: int, change: Callable[[Part], Part | None]) -> bool:
        if self._open is None or message not in self.ids:
            return False
        changed = (change(part) if part.id == message else part for part in self._open.parts)
        parts = tuple(part for part in changed if part is not None)
        self._open = replace(self._open, parts=parts) if parts else None
        return True


def joined(texts: Iterable[str]) -> str:
    """The texts of messages as one post."""
    return "\n\n".join(text for text in texts if text)
