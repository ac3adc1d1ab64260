"""What a command that is answered at once comes back with, and what it is asked with."""

from dataclasses import dataclass

from bot.errors import Refused
from bot.posts import Command


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence or a page of text, and maybe a file to take home."""

    text: str
    file: bytes = b""
    file_name: str = ""
    file_type: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A command and the file that came with it."""

    command: Command
    upload: bytes = b""

    def text(self, option: str, default: str = "") -> str:
        """The text that was given for an option."""
        return str(self.command.values.get(option, default))

    def file(self) -> bytes:
        """The file. Raises Refused when none came."""
        if not self.upload:
            raise Refused("A file is needed for this; send the command together with it.")
        return self.upload
