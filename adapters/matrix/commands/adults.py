"""Whether a room is for adults only, as an administrator of the room says it. What may be played is asked elsewhere.

Rule: what somebody said holds for the room as it is. Where people come in later without an invitation, the courier's limits
say so, and the gate is closed again by itself.
"""

from dataclasses import dataclass

from adapters.matrix.commands.asking import Asker
from adapters.matrix.rooms import Room, Rooms
from adapters.matrix.settings import Settings
from bot.errors import Refused

ON = (
    "This room, with all its threads, is for adults only now: characters for adults can play here. Let in only adults;"
    " {prefix} adults off takes it back. If people can come in uninvited one day, nothing for adults is played here."
)
OFF = "This room is not for adults only any more: what is for adults is played here no longer, until {prefix} adults on."
IS_ON = "This room is for adults only. {prefix} adults off takes it back."
IS_OFF = "This room is not for adults only. An administrator of the room can say that it is: {prefix} adults on."
IS_SHUT = "This room was said to be for adults only, but that does not count now. {why}"

NOT_ADMINISTRATOR = (
    "Only an administrator of this room (power level 100, or who made it) can say whether it is for adults only."
)
ANYBODY_JOINS = "People come into this room without an invitation; set its access to invite only, then say it again."
ANYBODY_READS = "Anybody can read this room without being in it; change who can read its history, then say it again."
WHICH = "Write {prefix} adults on or {prefix} adults off; {prefix} adults alone shows how it stands."


def open_to_all(room: Room, settings: Settings) -> str | None:
    """Why a room cannot be one for adults as it is, as a sentence; None when it can."""
    if room.history == "world_readable":
        return ANYBODY_READS
    return None if room.is_closed or settings.adults_in_public else ANYBODY_JOINS


@dataclass(frozen=True, slots=True)
class Adults:
    """Carries out `adults on`, `adults off` and `adults`."""

    settings: Settings
    rooms: Rooms

    async def carry_out(self, asker: Asker, word: str) -> str:
        """What is to be said. Raises Refused and StoreUnavailable. Done twice, it is as if done once."""
        prefix = self.settings.prefix
        match word.casefold():
            case "":
                return self._shown(asker.room).format(prefix=prefix)
            case "on" | "off" if not asker.room.is_administrator(asker.user):
                raise Refused(NOT_ADMINISTRATOR)
            case "on":
                if why := open_to_all(asker.room, self.settings):
                    raise Refused(why)
                await self.rooms.mark_for_adults(asker.room.id, is_for_adults=True)
                return ON.format(prefix=prefix)
            case "off":
                await self.rooms.mark_for_adults(asker.room.id, is_for_adults=False)
                return OFF.format(prefix=prefix)
        raise Refused(WHICH.format(prefix=prefix))

    def _shown(self, room: Room) -> str:
        if not room.is_for_adults:
            return IS_OFF
        why = open_to_all(room, self.settings)
        return IS_SHUT.format(why=why) if why else IS_ON
