"""Who may begin stories: whoever may invite the bot, with the power that it takes besides. Pure; it knows no story."""

from adapters.matrix.commands.asking import Asker, is_direct
from adapters.matrix.ears.members import rule_against
from adapters.matrix.settings import Settings

BARRED = "The operator does not let you begin stories; ask them to name you, or your homeserver, in the settings."
TOO_LOW = "Stories are begun here by those with a power level of {level} or more; ask a moderator of this room to begin one."


def refusal_to_start(settings: Settings, me: str, asker: Asker) -> str | None:
    """Why somebody may not begin a story in a room, or a thread of it, as a sentence for them; None when they may."""
    if rule_against(settings, me, asker.user, asker.room.id):
        return BARRED
    if asker.user in settings.operators or is_direct(asker.room):
        return None
    is_low = asker.room.level_of(asker.user) < settings.start_level
    return TOO_LOW.format(level=settings.start_level) if is_low else None
