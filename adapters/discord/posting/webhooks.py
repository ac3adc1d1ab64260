"""One webhook per channel, which lends the characters their names and faces. No token of it is stored anywhere.

Rule 1: a webhook is ours when Discord says that our application made it; after a restart it is found by that.
Rule 2: a post's webhook is the only one that can change the post, so it is looked for by its id.
Rule 3: no repetition of what may have taken effect: a webhook's post bears no nonce.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
from discord.http import Route, handle_message_parameters

from adapters.discord.errors import (
    INVALID_FORM,
    INVALID_WEBHOOK_TOKEN,
    TOO_MANY_WEBHOOKS,
    UNKNOWN_WEBHOOK,
    Attempt,
    code_of,
    translated,
    was_forbidden,
)
from adapters.discord.line import Line
from adapters.discord.posting.names import FALLBACK
from adapters.discord.posting.single_try import SingleTry, session_of
from adapters.discord.rooms import KEPT, Room, Rooms
from bot.errors import CourierError, PostRefused
from bot.ports.clock import Clock

log = logging.getLogger(__name__)

NAME = "Understudy"
"""What the webhook is called in a channel's settings."""

DEAD = frozenset({UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})
INCOMING = 1

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of ours."""

    id: int
    channel: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Guise:
    """The name and the face that a post bears."""

    name: str
    face: str | None = None


PLAIN = Guise(FALLBACK)
"""What nobody can object to."""


@dataclass(slots=True, eq=False)
class _Channel:
    """What is known of one channel's webhooks. None may be had there until `none_until` (in ticks)."""

    hooks: dict[int, Hook] = field(default_factory=dict)
    none_until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Webhooks:
    """Finds, makes and uses our webhooks."""

    line: Line
    rooms: Rooms
    clock: Clock
    single: SingleTry = field(default_factory=SingleTry)
    _channels: dict[int, _Channel] = field(default_factory=dict)
    _told: set[int] = field(default_factory=set)

    async def of(self, channel: int) -> Hook | None:
        """The channel's webhook of ours, made if there is none. None: the bot may not have one here."""
        known = self._channels.setdefault(channel, _Channel())
        async with known.lock:
            if not known.hooks and known.none_until <= self.clock.ticks():
                await self._fill(channel, known)
            return min(known.hooks.values(), key=lambda hook: hook.id, default=None)

    async def find(self, webhook: int, channel: int) -> Hook | None:
        """The webhook of ours with this id, if the channel still has it."""
        known = self._channels.setdefault(channel, _Channel())
        async with known.lock:
            if webhook not in known.hooks and known.none_until <= self.clock.ticks():
                try:
                    known.hooks = await self._listed(channel)
                except PostRefused as refused:
                    self._do_without(channel, known, refused)
            return known.hooks.get(webhook)

    def forget(self, channel: int) -> None:
        """The channel's webhooks have changed, or one of them turned out to be gone."""
        self._channels.pop(channel, None)

    async def post(self, room: Room, hook: Hook, text: str, guise: Guise) -> int:
        """Bring a text to a room of the webhook's channel; the message's id.

        A name or a face that Discord refuses for a reason of its own is left out: a post without is better than none. Raises
        the errors of a courier; one with a code of `DEAD` says that the webhook is gone and that nothing was shown.
        """
        try:
            return await self._post(room, hook, text, guise)
        except PostRefused as refused:
            if code_of(refused) != INVALID_FORM or guise == PLAIN:
                raise
        return await self._post(room, hook, text, PLAIN)

    async def edit(self, room: Room, hook: Hook, message: int, text: str) -> None:
        """Replace the text of a post that this webhook made."""
        payload = handle_message_parameters(content=text, allowed_mentions=discord.AllowedMentions.none()).payload
        async with self._using(room, hook, "edit my posts"):
            await self._call(self.single.edit_webhook_message)(
                hook.id, hook.token, message, payload=payload, thread_id=room.thread
            )

    async def delete(self, room: Room, hook: Hook, message: int) -> None:
        """Take a post away that this webhook made."""
        async with self._using(room, hook, "delete my posts"):
            await self._call(self.single.delete_webhook_message)(hook.id, hook.token, message, thread_id=room.thread)

    async def read(self, room: Room, hook: Hook, message: int) -> str:
        """The text of a post that this webhook made; the bot may see it so also where it may not read along."""
        async with translated(self.rooms.attempt(room, "read my posts", changes=False)):
            found = await self._call(self.single.get_webhook_message)(hook.id, hook.token, message, thread_id=room.thread)
        return str(found["content"])

    async def _post(self, room: Room, hook: Hook, text: str, guise: Guise) -> int:
        payload = handle_message_parameters(
            content=text,
            username=guise.name,
            avatar_url=guise.face or "",
            allowed_mentions=discord.AllowedMentions.none(),
        ).payload
        async with self._using(room, hook, "post", *room.to_post):
            made = await self._call(self.single.execute_webhook)(
                hook.id, hook.token, payload=payload, thread_id=room.thread, wait=True
            )
        return int(made["id"])

    @asynccontextmanager
    async def _using(self, room: Room, hook: Hook, act: str, *needs: str) -> AsyncIterator[None]:
        """Translates a call through a webhook, which is forgotten when it turns out to be gone."""
        try:
            async with translated(self.rooms.attempt(room, act, *needs)):
                yield
        except CourierError as refused:
            if code_of(refused) in DEAD:
                self.forget(hook.channel)
            raise

    def _call(self, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """A request of the library's, with the connection to make it through."""
        client = self.line.client

        def call(*args: Any, **options: Any) -> Awaitable[Any]:  # noqa: ANN401  the library's own
            http = client.http
            return ask(*args, session=session_of(client), proxy=http.proxy, proxy_auth=http.proxy_auth, **options)

        return call

    async def _fill(self, channel: int, known: _Channel) -> None:
        try:
            known.hooks = await self._listed(channel)
            if not known.hooks:
                made = await self._made(channel)
                known.hooks = {made.id: made}
        except PostRefused as refused:
            self._do_without(channel, known, refused)

    def _do_without(self, channel: int, known: _Channel, refused: PostRefused) -> None:
        """Note that there is no webhook to be had. Asking with each post, and being refused each time, brings a ban."""
        if not was_forbidden(refused) and code_of(refused) != TOO_MANY_WEBHOOKS:
            raise refused
        if channel not in self._told:
            self._told.add(channel)
            facts = {"action": "post_as_the_bot", "channel": channel}
            log.warning("characters have no faces in a channel: %s", refused, extra=facts)
        known.none_until = self.clock.ticks() + KEPT

    async def _listed(self, channel: int) -> dict[int, Hook]:
        client = self.line.client
        async with translated(self._managing(channel, changes=False)):
            listed = await client.http.channel_webhooks(channel)
        ours = [_hook_of(each) for each in listed if _is_ours(each, client.application_id)]
        return {hook.id: hook for hook in ours}

    async def _made(self, channel: int) -> Hook:
        route = Route("POST", "/channels/{channel_id}/webhooks", channel_id=channel)
        async with translated(self._managing(channel, changes=True)):
            return _hook_of(await self.single.ask(self.line.client, route, {"name": NAME}))

    def _managing(self, channel: int, *, changes: bool) -> Attempt:
        return self.rooms.attempt(channel, "use webhooks", "manage_webhooks", changes=changes)


def _hook_of(payload: Payload) -> Hook:
    return Hook(int(payload["id"]), int(payload["channel_id"]), str(payload["token"]))


def _is_ours(payload: Payload, application: int | None) -> bool:
    maker = payload.get("application_id")
    return payload["type"] == INCOMING and bool(payload.get("token")) and maker is not None and int(maker) == application
