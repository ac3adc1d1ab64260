"""How much there is of everything. It reads no story and no post."""

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.overview import Inventory, SessionInBrief
from storage.sessions import LIVING, place_of
from storage.tables import characters, inbox, outbox, sessions


async def read(connection: AsyncConnection, newest: int) -> Inventory:
    """The counts, and the sessions that changed last."""
    return Inventory(
        sessions=await _count(connection, select(sessions.c.id).where(LIVING)),
        ended=await _count(connection, select(sessions.c.id).where(~LIVING)),
        events=await _count(connection, select(inbox.c.id).where(inbox.c.payload.is_not(None))),
        wishes=await _count(connection, select(outbox.c.id).where(outbox.c.reason.is_(None))),
        newest=await _newest(connection, newest) if newest else (),
    )


async def _count(connection: AsyncConnection, rows: Select[tuple[object]]) -> int:
    return await connection.scalar(select(func.count()).select_from(rows.subquery())) or 0


async def _newest(connection: AsyncConnection, newest: int) -> tuple[SessionInBrief, ...]:
    query = (
        select(sessions.c.platform, sessions.c.channel, sessions.c.next_number, sessions.c.touched, characters.c.card)
        .join(characters, (characters.c.session == sessions.c.id) & (characters.c.position == 0))
        .where(LIVING)
        .order_by(sessions.c.touched.desc(), sessions.c.begun.desc())
        .limit(newest)
    )
    rows = await connection.execute(query)
    return tuple(SessionInBrief(place_of(row), row.card.name, row.next_number, row.touched) for row in rows)
