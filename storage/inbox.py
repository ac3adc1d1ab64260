"""Inbound events, kept until they are handled, and the ids of the newest ones beyond that. It knows no story."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import AlreadyHandled
from bot.ids import AuthorId, ChannelKey, EventId, Place, Platform
from bot.ports.reports import Refusal
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from storage.dialects import insert_new
from storage.tables import inbox


async def keep(connection: AsyncConnection, event: Inbound) -> bool:
    """Keep an event. False when its id was kept before."""
    row = {
        "platform": event.place.platform,
        "event": event.event,
        "channel": event.place.channel,
        "payload": json.dumps(_payload(event), ensure_ascii=False),
    }
    return (await connection.execute(insert_new(connection, inbox).values(row))).rowcount == 1


async def unhandled(connection: AsyncConnection, place: Place | None = None) -> tuple[Inbound, ...]:
    """What is kept and not handled, in order: of all places, or of one."""
    query = select(inbox).where(WAITS).order_by(inbox.c.id)
    if place is not None:
        query = query.where(inbox.c.platform == place.platform, inbox.c.channel == place.channel)
    return tuple(_event(row) for row in await connection.execute(query))


async def places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places where something waits, the one that waits longest first."""
    where = (inbox.c.platform, inbox.c.channel)
    query = select(*where).where(WAITS).group_by(*where).order_by(func.min(inbox.c.id))
    return tuple(Place(Platform(row.platform), ChannelKey(row.channel)) for row in await connection.execute(query))


async def mark_handled(connection: AsyncConnection, place: Place, event: EventId) -> None:
    """An event is handled: its payload goes, its id stays. Raises AlreadyHandled when it is not waiting."""
    this = (inbox.c.platform == place.platform) & (inbox.c.event == event) & inbox.c.payload.is_not(None)
    if (await connection.execute(update(inbox).where(this).values(payload=None))).rowcount != 1:
        raise AlreadyHandled(f"The event {event} is not waiting.")


async def refuse(connection: AsyncConnection, event: EventId, place: Place, reason: str) -> bool:
    """An event is handled for this reason, and nothing else is kept of it. False when it was handled before."""
    this = (inbox.c.platform == place.platform) & (inbox.c.event == event) & inbox.c.payload.is_not(None)
    if (await connection.execute(update(inbox).where(this).values(payload=None, reason=reason))).rowcount == 1:
        return True
    row = {"platform": place.platform, "event": event, "channel": place.channel, "reason": reason}
    return (await connection.execute(insert_new(connection, inbox).values(row))).rowcount == 1


async def drop_old(connection: AsyncConnection, keep: int, of_place: int) -> int:
    """Drop the ids of events that are handled, but for the newest `keep` of all and `of_place` of each place; how many."""
    newest = select(func.max(inbox.c.id)).scalar_subquery()
    place = func.row_number().over(partition_by=(inbox.c.platform, inbox.c.channel), order_by=inbox.c.id.desc())
    ranked = select(inbox.c.id, place.label("rank")).subquery()
    too_many = select(ranked.c.id).where(ranked.c.rank > of_place)
    old = (inbox.c.id <= newest - keep) & inbox.c.payload.is_(None) & inbox.c.id.in_(too_many)
    return (await connection.execute(delete(inbox).where(old))).rowcount


async def refusals(connection: AsyncConnection, place: Place, limit: int) -> tuple[Refusal, ...]:
    """What was refused in a place, the newest first."""
    here = (inbox.c.platform == place.platform) & (inbox.c.channel == place.channel)
    query = select(inbox.c.event, inbox.c.reason).where(here, inbox.c.reason.is_not(None)).order_by(inbox.c.id.desc())
    return tuple(Refusal(EventId(row.event), row.reason) for row in await connection.execute(query.limit(limit)))


async def forget(connection: AsyncConnection, author: AuthorId, but: EventId | None) -> None:
    """What waits of a player is handled, but for one event."""
    for event in await unhandled(connection):
        if not isinstance(event, Deleted) and event.author == author and event.event != but:
            await mark_handled(connection, event.place, event.event)


def _payload(event: Inbound) -> dict[str, Any]:
    parts = asdict(event)
    del parts["event"], parts["place"]
    return {"kind": KINDS[type(event)], **parts}


def _event(row: Row[Any]) -> Inbound:
    event, place = EventId(row.event), Place(Platform(row.platform), ChannelKey(row.channel))
    parts = json.loads(row.payload)
    wanted = parts.pop("kind")
    kind = next(kind for kind, name in KINDS.items() if name == wanted)
    if "parts" in parts:  # JSON knows no tuples
        parts["parts"] = tuple(parts["parts"])
    return kind(event, place, **parts)


KINDS: Mapping[type[InboundPost | Command | Edited | Deleted], str] = MappingProxyType(
    {InboundPost: "post", Command: "command", Edited: "edited", Deleted: "deleted"}
)
"""How the kinds of events are called in a payload, which holds their other fields by name."""

WAITS = inbox.c.payload.is_not(None)
