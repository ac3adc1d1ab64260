"""Files that were asked for and wait to be fetched: each once, few at a time, in memory only. It knows no HTTP."""

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.flow.desk import Answer

KEPT = 8
"""How many files wait at a time; the oldest makes room."""

TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
UNSAFE = re.compile(r"[^\w.() -]")


@dataclass(frozen=True, slots=True)
class Download:
    """One file as a browser is to keep it."""

    name: str
    type: str
    data: bytes


@dataclass(slots=True)
class Downloads:
    """The files that wait. Whoever knows a file's address may fetch it, so an address cannot be guessed."""

    _waiting: OrderedDict[str, Download] = field(default_factory=OrderedDict)

    def offer(self, answer: Answer) -> str:
        """Keep an answer's file until it is fetched; returns the last part of its address."""
        key = secrets.token_urlsafe(16)
        kind = answer.file_type if TYPE.fullmatch(answer.file_type) else "application/octet-stream"
        self._waiting[key] = Download(safe_name(answer.file_name), kind, answer.file)
        while len(self._waiting) > KEPT:
            self._waiting.popitem(last=False)
        return key

    def take(self, key: str) -> Download | None:
        """The file, which then waits no longer; None when it was fetched, or made room for others."""
        return self._waiting.pop(key, None)


def safe_name(name: str) -> str:
    """A name that every file system and every header takes."""
    return UNSAFE.sub("_", name).strip(" .")[:100] or "file"
