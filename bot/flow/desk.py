"""What is answered at once, beside the walk: commands that only read, and those on what belongs to no single story."""

from dataclasses import dataclass
from typing import Protocol

from bot.posts import Command


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command that is answered at once comes back with: a sentence or a page of text, and maybe a file to take home."""

    text: str
    file: bytes = b""
    file_name: str = ""
    file_type: str = ""


class Desk(Protocol):
    """Answers commands at once."""

    def answers(self, name: str) -> bool:
        """Whether a command is answered here, and not in its place's lane."""
        ...

    async def answer(self, command: Command, upload: bytes = b"") -> Answer:
        """What comes of a command; `upload` is the file that came with it. Raises Refused, with a sentence for the player."""
        ...
