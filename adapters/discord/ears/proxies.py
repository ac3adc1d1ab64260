"""Which person's words a proxy posts again. It knows one place, and no more than what was lately written there.

PluralKit and Tupperbox post a person's message again, through a webhook and under a character's name, and delete the original.
Both reach us, in either order of copy and deletion; the deletion may be late or missing. The words are one post.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from adapters.discord.words import fold
from bot.ids import AuthorId

WINDOW = 15.0
"""Seconds between a person's message and a proxy's copy of it, at most: usually it is one."""

TAGS = 100
"""The longest marks around a text, in characters, by which a proxy knows whose it is (PluralKit's own bound)."""

NAMES = 200
"""How many names are remembered for a place."""


@dataclass(frozen=True, slots=True)
class Original:
    """A person's message that may turn out to be copied. `at` is when it was written or last changed."""

    id: int
    author: AuthorId
    text: str
    at: float
    is_gone: bool = False
    is_copied: bool = False


@dataclass(slots=True)
class Proxies:
    """What a place needs to know to recognise copies."""

    _lately: OrderedDict[int, Original] = field(default_factory=OrderedDict)
    _names: OrderedDict[str, AuthorId] = field(default_factory=OrderedDict)

    def said(self, message: int, author: AuthorId, text: str, at: float) -> None:
        """A person wrote a message."""
        self._forget(at)
        self._lately[message] = Original(message, author, text, at)

    def reworded(self, message: int, text: str, at: float) -> None:
        """A person changed a message: a proxy may copy it now. It counts as new."""
        if message in self._lately:
            self._lately[message] = replace(self._lately.pop(message), text=text, at=at)

    def gone(self, message: int, at: float) -> None:
        """A message was deleted."""
        self._forget(at)
        if message in self._lately:
            self._lately[message] = replace(self._lately[message], is_gone=True)

    def was_copied(self, message: int) -> bool:
        """Whether a copy stands for this message already: how it reads is no matter any more."""
        found = self._lately.get(message)
        return found is not None and found.is_copied

    def original_of(self, name: str, text: str, at: float) -> Original | None:
        """The message that this copy was made of; from now on it counts as copied, and its author is known by this name.

        The one whose text has least around the copy's, one that is deleted rather than one that stands, the newest of these.
        """
        self._forget(at)
        fitting = [each for each in self._lately.values() if not each.is_copied and _holds(each.text, text)]
        if not fitting:
            return None
        found = min(reversed(fitting), key=lambda each: (len(each.text), not each.is_gone))
        self._lately[found.id] = replace(found, is_copied=True)
        self.know(name, found.author)
        return found

    def know(self, name: str, author: AuthorId) -> None:
        """A person is known by this name here."""
        self._names.pop(fold(name), None)
        self._names[fold(name)] = author
        while len(self._names) > NAMES:
            self._names.popitem(last=False)

    def known_as(self, name: str) -> AuthorId | None:
        """Who is known by this name here."""
        return self._names.get(fold(name))

    def _forget(self, at: float) -> None:
        # A message that was copied is remembered for longer: it may stand for a while before it is deleted.
        for message, each in tuple(self._lately.items()):
            if each.at + WINDOW * (4 if each.is_copied else 1) < at:
                del self._lately[message]


def _holds(original: str, copy: str) -> bool:
    return copy in original and len(original) - len(copy) <= TAGS
