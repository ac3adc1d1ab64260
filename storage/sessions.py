"""Sessions: read by window, written by difference. It knows no outbox and no transaction.

Rule 1: a write costs what the change costs. Values are compared first by identity, and only those that differ are written.
Rule 2: the version is checked and counted up by the first statement, so that of two changes to one version one finds nothing.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StaleSession
from bot.ids import AuthorId, ChannelKey, Place, Platform, SessionId
from bot.story.acts import WINDOW_FLOOR
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session
from bot.story.turn import Role, Turn, VariantState
from storage import turns as told
from storage.dialects import insert_new
from storage.tables import characters, personas, sessions, turns, variants

PARTS = (
    *("scenario", "rating", "settings", "window_start", "next_number"),
    *("memory", "table", "came_from", "goes_on_in", "locked"),
)
"""What of a session has a column of its own, of the same name."""

LIVING = sessions.c.ended.is_(None)


async def at(connection: AsyncConnection, place: Place, back_to: int | None = None) -> Session | None:
    """The session of a place, with the turns of its window, which may be widened to begin at turn number `back_to`."""
    row = (await connection.execute(select(sessions).where(is_at(place), LIVING))).first()
    return None if row is None else await _session(connection, row, back_to)


async def by_id(connection: AsyncConnection, session: SessionId, back_to: int | None = None) -> Session | None:
    """The session of this id, in a place or in the bin, likewise."""
    row = (await connection.execute(select(sessions).where(sessions.c.id == session))).first()
    return None if row is None else await _session(connection, row, back_to)


async def id_at(connection: AsyncConnection, place: Place) -> SessionId | None:
    """The id of the session of a place."""
    found = await connection.scalar(select(sessions.c.id).where(is_at(place), LIVING))
    return None if found is None else SessionId(found)


async def places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places that hold a session, in the order in which these began."""
    query = select(sessions.c.platform, sessions.c.channel).where(LIVING).order_by(sessions.c.begun, sessions.c.id)
    return tuple(place_of(row) for row in await connection.execute(query))


async def reminding_places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places whose session reminds whoever holds it up. Its settings are read, and nothing else of it."""
    query = select(sessions.c.platform, sessions.c.channel, sessions.c.settings).where(LIVING).order_by(sessions.c.begun)
    rows = await connection.execute(query)
    return tuple(place_of(row) for row in rows if row.settings.nudge_seconds is not None)


async def unfinished_places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places whose session has a shown variant that is still being written."""
    shown = (turns.c.session == variants.c.session, turns.c.number == variants.c.turn, turns.c.selected == variants.c.position)
    writing = select(variants.c.session).join(turns, shown[0] & shown[1] & shown[2]).where(IS_WRITING)
    query = select(sessions.c.platform, sessions.c.channel).where(sessions.c.id.in_(writing), LIVING).order_by(sessions.c.begun)
    return tuple(place_of(row) for row in await connection.execute(query))


async def write(connection: AsyncConnection, before: Session | None, after: Session, now: float) -> Session:
    """Store what differs; returns `after` as `at` would read it. Raises StaleSession when `before` is not what is stored."""
    stored = replace(after, version=before.version + 1 if before else 1)
    if before is None:
        await _begin(connection, stored, now)
    else:
        stored = replace(stored, window_start=await _advance(connection, before, stored, now))
    await _write_cast(connection, before, after)
    await told.write(connection, before.turns if before else (), after)
    return replace(stored, turns=await _in_window(connection, before, stored))


async def _in_window(connection: AsyncConnection, before: Session | None, stored: Session) -> tuple[Turn, ...]:
    start = stored.window_start
    known = tuple(turn for turn in stored.turns if turn.number >= start)
    if before is None or start >= before.window_start:
        return known
    # The window moved back: turns that had left it belong to it again.
    end = known[0].number if known else stored.next_number
    return (*await told.read(connection, stored.id, turns.c.number >= start, turns.c.number < end), *known)


async def _begin(connection: AsyncConnection, session: Session, now: float) -> None:
    begun = select(func.coalesce(func.max(sessions.c.begun), 0) + 1).scalar_subquery()
    place = {"platform": session.place.platform, "channel": session.place.channel}
    values = {"id": session.id, "begun": begun, "version": session.version, "touched": now} | place | _parts(None, session)
    if (await connection.execute(insert_new(connection, sessions).values(values))).rowcount != 1:
        raise StaleSession("This place already holds a session.")


async def _advance(connection: AsyncConnection, before: Session, stored: Session, now: float) -> int:
    """Write the session's own parts, and say where its window starts."""
    values = {"version": stored.version, "touched": now} | _parts(before, stored)
    unmoved = (sessions.c.id == before.id) & (sessions.c.version == before.version)
    step = update(sessions).where(unmoved).values(values).returning(sessions.c.window_start)
    start = await connection.scalar(step)
    if start is None:
        raise StaleSession("The story has moved on since it was read.")
    # It starts later than `after` says where `before` was read with a wider window: then it stays where it was, so that
    # the head of the prompt does not move; unless so much was deleted that it would hold next to nothing.
    if start > stored.window_start and _too_little_from(start, stored):
        start = stored.window_start
        await connection.execute(update(sessions).where(sessions.c.id == stored.id).values(window_start=start))
    return int(start)


def _too_little_from(start: int, session: Session) -> bool:
    held = [turn.role for turn in session.turns if turn.number >= start]
    return len(held) <= WINDOW_FLOOR or Role.PLAYER not in held


async def _write_cast(connection: AsyncConnection, before: Session | None, after: Session) -> None:
    """The characters and the players' parts. They are few and seldom change: what differs is written anew."""
    former = before.cast if before else ()
    changed = [
        position
        for position in range(max(len(former), len(after.cast)))
        if former[position : position + 1] != after.cast[position : position + 1]
    ]
    if changed and former:
        await connection.execute(delete(characters).where(characters.c.session == after.id, characters.c.position.in_(changed)))
    cards = [{"session": after.id, "position": each, "card": after.cast[each]} for each in changed if each < len(after.cast)]
    if cards:
        await connection.execute(insert(characters), cards)
    if (before.personas if before else ()) != after.personas:
        await connection.execute(delete(personas).where(personas.c.session == after.id))
        parts = [(position, each.author, each.name, each.description) for position, each in enumerate(after.personas)]
        rows = [dict(zip(("position", "author", "name", "description"), part, strict=True)) for part in parts]
        if rows:
            await connection.execute(insert(personas), [row | {"session": after.id} for row in rows])


async def _session(connection: AsyncConnection, row: Row[Any], back_to: int | None) -> Session:
    session, start = SessionId(row.id), min(row.window_start, row.window_start if back_to is None else back_to)
    character, *others = await _cast(connection, session)
    parts = {name: row._mapping[name] for name in PARTS}  # noqa: SLF001  SQLAlchemy's public name
    return Session(
        id=session,
        place=place_of(row),
        character=character,
        others=tuple(others),
        personas=await _personas(connection, session),
        turns=await told.read(connection, session, turns.c.number >= start),
        version=row.version,
        **parts | {"rating": Rating(row.rating), "window_start": start},
    )


async def _cast(connection: AsyncConnection, session: SessionId) -> tuple[CharacterCard, ...]:
    query = select(characters.c.card).where(characters.c.session == session).order_by(characters.c.position)
    return tuple(await connection.scalars(query))


async def _personas(connection: AsyncConnection, session: SessionId) -> tuple[Persona, ...]:
    query = select(personas).where(personas.c.session == session).order_by(personas.c.position)
    return tuple(persona_of(row) for row in await connection.execute(query))


def persona_of(row: Row[Any]) -> Persona:
    """The part that a row of `personas` holds."""
    return Persona(AuthorId(row.author), row.name, row.description)


def _parts(before: Session | None, after: Session) -> dict[str, Any]:
    """The values to write: those that differ from what is stored, for a new session all of them."""
    new = {name: getattr(after, name) for name in PARTS}
    return {name: value for name, value in new.items() if before is None or getattr(before, name) != value}


def takes_text_away(before: Session | None, after: Session) -> bool:
    """Whether anything that people wrote is stored before a change and not after it. Text that only grew is still there."""
    if before is None:
        return False
    if any(getattr(before, name) != getattr(after, name) for name in ("scenario", "cast", "personas", "memory", "table")):
        return True
    kept = {turn.number: turn for turn in after.turns}
    pairs = [(turn, kept[turn.number]) for turn in before.turns if turn.number in kept]
    return bool(told.lost(before.turns, after)) or any(was is not now and _loses(was, now) for was, now in pairs)


def _loses(was: Turn, now: Turn) -> bool:
    if len(now.variants) < len(was.variants) or was.sources != now.sources or was.extras != now.extras:
        return True
    return any(not new.text.startswith(old.text) for old, new in zip(was.variants, now.variants, strict=False))


def is_at(place: Place) -> ColumnElement[bool]:
    """Whose session's place this is, or was when it ended."""
    return (sessions.c.platform == place.platform) & (sessions.c.channel == place.channel)


def place_of(row: Row[*tuple[Any, ...]]) -> Place:
    """The place that a row of any table names."""
    return Place(Platform(row.platform), ChannelKey(row.channel))


IS_WRITING = variants.c.state == VariantState.WRITING
