"""Sessions that leave their place for the bin, come back, or go for good. It knows no story."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Refused
from bot.ids import AuthorId, Place, SessionId
from bot.ports.bin import EndedSession
from bot.story.session import Session
from storage import unforgotten
from storage.sessions import LIVING, by_id, id_at, is_at, place_of
from storage.tables import characters, messages, outbox, sessions, turns

TAKEN = "This place already holds a story; end that one first, or resume this one elsewhere."
GONE = "That story is not in the bin any more."
ENDED = sessions.c.ended.is_not(None)


async def end(connection: AsyncConnection, place: Place, now: float) -> SessionId | None:
    """The session of a place leaves it, and whatever it showed there stays its own. None when the place has none."""
    values = {"ended": now, "touched": now, "version": sessions.c.version + 1}
    step = update(sessions).where(is_at(place), LIVING).values(values).returning(sessions.c.id)
    session = await connection.scalar(step)
    if session is None:
        return None
    # The outbox first: a wish that is being settled at this moment is waited for, and has become a message afterwards.
    for table in (outbox, messages):
        here = _at(table, place) & table.c.left_by.is_(None)
        await connection.execute(update(table).where(here).values(left_by=session))
    return SessionId(session)


async def ended(connection: AsyncConnection, place: Place) -> tuple[EndedSession, ...]:
    """What the bin has of a place, the newest first."""
    return tuple(each for each, _ in await _in_bin(connection, is_at(place)))


async def ended_of(connection: AsyncConnection, owner: AuthorId) -> tuple[EndedSession, ...]:
    """What the bin has of a player's own stories, the newest first."""
    return tuple(each for each, began in await _in_bin(connection) if began == owner)


async def _in_bin(connection: AsyncConnection, *which: ColumnElement[bool]) -> Sequence[tuple[EndedSession, AuthorId | None]]:
    """What is in the bin, with who began it."""
    count = select(func.count()).where(turns.c.session == sessions.c.id).scalar_subquery()
    query = (
        select(sessions, characters.c.card, count.label("turns"))
        .join(characters, (characters.c.session == sessions.c.id) & (characters.c.position == 0))
        .where(ENDED, *which)
        .order_by(sessions.c.ended.desc(), sessions.c.begun.desc())
    )
    rows = await connection.execute(query)
    return [
        (EndedSession(SessionId(row.id), row.card.name, row.ended, row.turns, place_of(row)), row.table.owner) for row in rows
    ]


async def resume(connection: AsyncConnection, session: SessionId, place: Place, now: float) -> Session:
    """A session leaves the bin for a place. Raises Refused when it is not there or the place is taken."""
    if await id_at(connection, place) is not None:
        raise Refused(TAKEN)
    new = {"platform": place.platform, "channel": place.channel, "ended": None, "touched": now}
    step = update(sessions).where(sessions.c.id == session, ENDED).values(new | {"version": sessions.c.version + 1})
    try:
        found = (await connection.execute(step)).rowcount
    except IntegrityError as error:  # another one was quicker
        raise Refused(TAKEN) from error
    resumed = await by_id(connection, session) if found else None
    if resumed is None:
        raise Refused(GONE)
    for table in (outbox, messages):
        mine = _at(table, place) & (table.c.left_by == session)
        await connection.execute(update(table).where(mine).values(left_by=None))
    return resumed


async def delete_for_good(connection: AsyncConnection, which: ColumnElement[bool]) -> tuple[SessionId, ...]:
    """Delete sessions, and all that stands and waits for them; returns which they were."""
    query = select(sessions.c.id, sessions.c.platform, sessions.c.channel, sessions.c.ended).where(which)
    rows = (await connection.execute(query.order_by(sessions.c.begun))).all()
    for row in rows:
        for table in (messages, outbox):
            here = (table.c.platform == row.platform) & (table.c.channel == row.channel) & table.c.left_by.is_(None)
            mine: Sequence[ColumnElement[bool]] = [table.c.left_by == row.id, *([] if row.ended is not None else [here])]
            await connection.execute(delete(table).where(or_(*mine)))
        await connection.execute(delete(sessions).where(sessions.c.id == row.id))
        await unforgotten.note(connection, SessionId(row.id), place_of(row))
    return tuple(SessionId(row.id) for row in rows)


def _at(table: Table, place: Place) -> ColumnElement[bool]:
    return (table.c.platform == place.platform) & (table.c.channel == place.channel)
