"""A story as people read it: turns with what stands for them, page by page from the newest. It changes nothing."""

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import MessageId, Place
from bot.ports.store import Shown, StoryPage
from bot.story.turn import Turn
from storage import sessions
from storage import turns as told
from storage.outbox import post_of
from storage.tables import messages, turns


async def page(connection: AsyncConnection, place: Place, before: int | None, limit: int) -> StoryPage:
    """The newest `limit` turns older than number `before`, and whatever stands from the first of them to `before`.

    The oldest page also has what stands before its first turn, so that every message is on exactly one page.
    """
    found = await _newest(connection, place, before, limit + 1)
    has_older = len(found) > limit
    shown_turns = found[1:] if has_older else found
    first = shown_turns[0].number if has_older else None
    return StoryPage(shown_turns, await _standing(connection, place, first, before), has_older)


async def _newest(connection: AsyncConnection, place: Place, before: int | None, limit: int) -> tuple[Turn, ...]:
    session = await sessions.id_at(connection, place)
    if session is None:
        return ()
    older = true() if before is None else turns.c.number < before
    query = select(turns.c.number).where(turns.c.session == session, older).order_by(turns.c.number.desc()).limit(limit)
    numbers = (await connection.scalars(query)).all()
    if not numbers:
        return ()
    return await told.read(connection, session, turns.c.number.between(numbers[-1], numbers[0]))


async def _standing(connection: AsyncConnection, place: Place, first: int | None, before: int | None) -> tuple[Shown, ...]:
    """What stands for the turns from `first` on and before `before`: the posts of a turn in order, then its notices."""
    here: list[ColumnElement[bool]] = [
        messages.c.platform == place.platform,
        messages.c.channel == place.channel,
        messages.c.left_by.is_(None),
    ]
    if first is not None:
        here.append(messages.c.turn >= first)
    if before is not None:
        here.append(messages.c.turn < before)
    order = (messages.c.turn, messages.c.position.is_(None), messages.c.position, messages.c.id)
    rows = await connection.execute(select(messages).where(*here).order_by(*order))
    return tuple(Shown(MessageId(row.message), post_of(row)) for row in rows)
