"""What the operator decided about Matrix, as the adapter needs it. It knows no file and no environment."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the account is kept, who may let the bot in and begin stories, how commands are written, and how far gaps are read.

    `folder` holds the credentials and keys that `understudy matrix login` made. `operators` and `users` are user ids,
    `servers` names of homeservers ("*": all; with neither users nor servers, the bot's own), `rooms` ids of rooms. Somebody may
    invite the bot and begin stories who is one of `users` or of a server of `servers`; into one of `rooms` anybody may.
    `start_level` is the power level that beginning a story takes besides. `adults_in_public` lets a room that anybody can join
    be one for adults, if its administrator marks it so. `catch_up_hours` and `catch_up_messages` bound what is read of a room
    after a gap.
    """

    folder: Path
    operators: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    start_level: int = 0
    prefix: str = "!rp"
    adults_in_public: bool = False
    catch_up_hours: float = 24.0
    catch_up_messages: int = 500
    http_proxy: str = ""
