"""What a login is given, and whom it asks for the rest. Secrets show up in no representation."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was given already; empty is what was not. `user` is a user id, or beside a homeserver only its local part.

    `recovery_key` may be a passphrase instead. `proxy` is the address of one that is used for every request.
    """

    homeserver: str = ""
    user: str = ""
    device_name: str = "Understudy"
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    recovery_key: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)


class Asker(Protocol):
    """Whoever logs in."""

    @property
    def can_answer(self) -> bool:
        """Whether somebody is there to be asked."""
        ...

    def text(self, question: str) -> str:
        """An answer that may be seen. Raises Refused where nobody can answer."""
        ...

    def secret(self, question: str) -> str:
        """An answer that nobody sees; it may be empty. Raises Refused where nobody can answer."""
        ...

    def tell(self, sentence: str) -> None:
        """Something to know."""
        ...
