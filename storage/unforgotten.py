"""Notes of sessions that engines must still forget. It knows no story."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import ChannelKey, Place, Platform, SessionId
from bot.ports.privacy import Unforgotten
from storage.tables import unforgotten


async def note(connection: AsyncConnection, session: SessionId, place: Place) -> None:
    """An engine must forget a session."""
    row = {"session": session, "platform": place.platform, "channel": place.channel}
    await connection.execute(insert(unforgotten).values(row))


async def read(connection: AsyncConnection) -> tuple[Unforgotten, ...]:
    """All that is noted, the oldest first."""
    rows = await connection.execute(select(unforgotten).order_by(unforgotten.c.number))
    return tuple(
        Unforgotten(row.number, SessionId(row.session), Place(Platform(row.platform), ChannelKey(row.channel))) for row in rows
    )


async def drop(connection: AsyncConnection, which: Unforgotten) -> None:
    """What is noted of a session up to this note has come true."""
    mine = (unforgotten.c.session == which.session) & (unforgotten.c.number <= which.number)
    await connection.execute(delete(unforgotten).where(mine))
