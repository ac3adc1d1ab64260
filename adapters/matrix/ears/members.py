"""The bot's own comings: whom it lets invite it, and how it joins a room. It hears nothing that is said there.

Rule 1: one request at a time, with a pause after it, whoever sends how many invitations.
Rule 2: nothing is tried for ever: what stays refused for a day is given up.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from adapters.matrix.ears.around import Around
from adapters.matrix.ears.asking import Unanswered, asked, part
from adapters.matrix.settings import Settings
from adapters.matrix.words import link_to, place_of, server_of
from adapters.network.retry import Backoff

log = logging.getLogger(__name__)

BETWEEN = 0.25
"""Seconds between two requests."""

WAITS = Backoff(first=2.0, longest=600.0, patience=86400.0)
"""Between tries to come into a room."""

FEW = 4
"""Tries at what matters less."""

JOINING = 120.0
"""Seconds that joining may take: a homeserver fetches a room from others first."""

FOLLOWED = (
    "This room has been replaced, so the stories that were played here end. I am in the new room: {link}. `!rp resume` takes a "
    "story up there."
)
"""What the old room is told, where anybody may still write in it."""


def rule_against(settings: Settings, me: str, inviter: str, room: str) -> str:
    """Which rule keeps somebody from inviting the bot; empty where none does."""
    servers = settings.servers or (frozenset() if settings.users else frozenset({server_of(me)}))
    if room in settings.rooms or inviter in settings.users or inviter in settings.operators:
        return ""
    if "*" in servers or server_of(inviter) in servers:
        return ""
    if settings.users or settings.servers:
        return "neither `users` nor `servers` names them, and `rooms` does not name the room"
    return "they are of another homeserver, and neither `users` nor `servers` is set"


@dataclass(slots=True)
class Members:
    """Answers invitations, and follows rooms to their successors."""

    around: Around
    _wanted: set[str] = field(default_factory=set)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_idle(self) -> bool:
        """Whether no invitation waits for an answer."""
        return not self._wanted

    def withdrawn(self, room: str) -> None:
        """An invitation does not hold any more."""
        self._wanted.discard(room)

    async def invited(self, room: str, inviter: str) -> None:
        """Answer an invitation by the rule. Never raises; returns once it is answered, or given up."""
        against = rule_against(self.around.settings, self.around.me, inviter, room)
        self._wanted.add(room)
        try:
            if against:
                log.warning("an invitation from %s is refused: %s", inviter, against, extra=_of(room, "refuse"))
                self.around.metrics.count("matrix_invitations_refused")
                await self._leave(room)
            elif await self._join(room, f"/v3/rooms/{part(room)}/join", WAITS):
                log.info("joined a room on the invitation of %s", inviter, extra=_of(room, "join"))
        finally:
            self._wanted.discard(room)

    async def follow(self, room: str, successor: str, sender: str) -> str:
        """Come along to the room that replaced one, as far as the rule lets. Returns what to say in the old one, or nothing.

        Anybody with the power for it may say that any room replaces theirs; only that room's own beginning proves it.
        """
        against = rule_against(self.around.settings, self.around.me, sender, successor)
        if against:
            log.warning("a room was replaced; the new one is not joined: %s", against, extra=_of(room, "refuse"))
            return ""
        self._wanted.add(successor)
        try:
            query = {"via": server_of(sender)}
            if not await self._join(successor, f"/v3/join/{part(successor)}", Backoff(2.0, 4.0, 30.0, 60.0), query):
                return ""
        finally:
            self._wanted.discard(successor)
        if not await self._came_from(successor, room):
            log.warning("a room names a successor that does not name it; left again", extra=_of(successor, "leave"))
            await self._leave(successor)
            return ""
        log.info("followed a room to its successor", extra=_of(successor, "join"))
        return FOLLOWED.format(link=link_to(place_of(successor)))

    async def _join(self, room: str, path: str, waits: Backoff, query: dict[str, str] | None = None) -> bool:
        """Join a room. Returns whether that was done."""
        failures, began = 0, self.around.clock.ticks()
        while room in self._wanted:
            try:
                await self._ask("POST", path, query, JOINING)
            except Unanswered as error:
                failures += 1
                wait = waits.wait(failures, self.around.clock.ticks() - began, 1.0, error.seconds)
                if not error.may_pass or wait is None:
                    log.warning("a room could not be joined: %s", error, extra=_of(room, "give_up"))
                    return False
                if failures == 1:
                    log.warning("a room cannot be joined yet: %s", error, extra=_of(room, "retry"))
                await self.around.clock.sleep(wait)
            else:
                return True
        return False

    async def _leave(self, room: str) -> None:
        for failures in range(1, FEW + 1):
            try:
                await self._ask("POST", f"/v3/rooms/{part(room)}/leave", None, JOINING)
            except Unanswered as error:
                if not error.may_pass or failures == FEW:
                    log.info("a room could not be left: %s", error, extra=_of(room, "give_up"))
                    return
                await self.around.pause(WAITS, failures, error.seconds)
            else:
                return

    async def _came_from(self, successor: str, room: str) -> bool:
        for failures in range(1, FEW + 1):
            try:
                made = await self._ask("GET", f"/v3/rooms/{part(successor)}/state/m.room.create/", None, JOINING)
            except Unanswered as error:
                if not error.may_pass:
                    return False
                await self.around.pause(WAITS, failures, error.seconds)
            else:
                before = made.get("predecessor")
                return isinstance(before, dict) and before.get("room_id") == room
        return False

    async def _ask(self, method: str, path: str, query: dict[str, str] | None, patience: float) -> dict[str, object]:
        async with self._one:
            client = self.around.client
            if client is None:
                raise Unanswered("there is no connection")
            try:
                return dict(await asked(client, method, path, query, {} if method == "POST" else None, patience))
            finally:
                await self.around.clock.sleep(BETWEEN)


def _of(room: str, action: str) -> dict[str, str]:
    return {"action": action, "place": room}
