"""Who may let the bot in and begin stories: a pure decision over what the operator set and what a room says."""

from adapters.matrix.commands.asking import Asker, is_direct
from adapters.matrix.settings import Settings
from adapters.matrix.words import server_of

BARRED = "The operator does not let you begin stories; ask them to name you, or your homeserver, in the settings."
TOO_LOW = "Stories are begun here by those with a power level of {level} or more; ask a moderator of this room to begin one."


def may_use(settings: Settings, me: str, user: str, room: str) -> bool:
    """Whether somebody may invite the bot into a room, and begin stories there. `me` is the bot's own user id."""
    servers = settings.servers if settings.servers or settings.users else {server_of(me)}
    return (
        user in settings.operators
        or room in settings.rooms
        or user in settings.users
        or "*" in servers
        or (server_of(user) or "@") in servers
    )


def refusal_to_start(settings: Settings, me: str, asker: Asker) -> str | None:
    """Why somebody may not begin a story in a room, or a thread of it, as a sentence for them; None when they may."""
    if not may_use(settings, me, asker.user, asker.room.id):
        return BARRED
    if asker.user in settings.operators or is_direct(asker.room):
        return None
    is_low = asker.room.level_of(asker.user) < settings.start_level
    return TOO_LOW.format(level=settings.start_level) if is_low else None
