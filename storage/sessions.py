"""Sessions and their turns: read by window, written by difference. It knows no outbox and no transaction.

Rule 1: a write costs what the change costs. Turns are compared first by identity, and only those that differ are touched.
Rule 2: the version is checked and counted up by the first statement, so that of two changes to one version one finds nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StaleSession
from bot.ids import AuthorId, ChannelKey, Place, Platform, SessionId
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session
from bot.story.settings import Length, SessionSettings
from bot.story.turn import Role, Turn, Variant, VariantState
from storage.dialects import insert_new
from storage.tables import characters, personas, sessions, turns, variants


async def at(connection: AsyncConnection, place: Place) -> Session | None:
    """The session of a place, with the turns of its window."""
    row = (await connection.execute(select(sessions).where(_is_at(place)))).first()
    if row is None:
        return None
    return Session(
        id=SessionId(row.id),
        place=place,
        character=await _character(connection, row.id),
        scenario=row.scenario,
        personas=await _personas(connection, row.id),
        rating=Rating(row.rating),
        settings=SessionSettings(_length(row.length), row.adapter or ""),
        turns=await read_turns(connection, SessionId(row.id), turns.c.number >= row.window_start),
        window_start=row.window_start,
        next_number=row.next_number,
        version=row.version,
    )


async def id_at(connection: AsyncConnection, place: Place) -> SessionId | None:
    """The id of the session of a place."""
    found = await connection.scalar(select(sessions.c.id).where(_is_at(place)))
    return None if found is None else SessionId(found)


async def places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places that hold a session, in the order in which these began."""
    query = select(sessions.c.platform, sessions.c.channel).order_by(sessions.c.begun, sessions.c.id)
    return _as_places(await connection.execute(query))


async def unfinished_places(connection: AsyncConnection) -> tuple[Place, ...]:
    """The places whose session has a shown variant that is still being written."""
    shown = (turns.c.session == variants.c.session, turns.c.number == variants.c.turn, turns.c.selected == variants.c.position)
    writing = select(variants.c.session).join(turns, shown[0] & shown[1] & shown[2]).where(IS_WRITING)
    query = select(sessions.c.platform, sessions.c.channel).where(sessions.c.id.in_(writing)).order_by(sessions.c.begun)
    return _as_places(await connection.execute(query))


async def read_turns(connection: AsyncConnection, session: SessionId, which: ColumnElement[bool]) -> tuple[Turn, ...]:
    """The turns of a session that satisfy a condition on `turns`, in order, with their variants."""
    query = (
        select(turns, variants)
        .join(variants, (variants.c.session == turns.c.session) & (variants.c.turn == turns.c.number))
        .where(turns.c.session == session, which)
        .order_by(turns.c.number, variants.c.position)
    )
    rows = (await connection.execute(query)).all()
    return tuple(_turn(list(group)) for _, group in groupby(rows, key=lambda row: row.number))


async def write(connection: AsyncConnection, before: Session | None, after: Session) -> Session:
    """Store what differs; returns `after` as `at` would read it. Raises StaleSession when `before` is not what is stored."""
    stored = replace(after, version=before.version + 1 if before else 1)
    if before is None:
        await _begin(connection, stored)
    else:
        await _advance(connection, before, stored)
    await _write_cast(connection, before, after)
    await _write_turns(connection, before.turns if before else (), after)
    if before is None or after.window_start >= before.window_start:
        return stored
    # The window moved back: turns that had left it belong to it again.
    known = after.turns[0].number if after.turns else after.next_number
    again = (turns.c.number >= after.window_start) & (turns.c.number < known)
    return replace(stored, turns=(*await read_turns(connection, after.id, again), *after.turns))


async def _begin(connection: AsyncConnection, session: Session) -> None:
    begun = select(func.coalesce(func.max(sessions.c.begun), 0) + 1).scalar_subquery()
    place = {"platform": session.place.platform, "channel": session.place.channel}
    values = {"id": session.id, "begun": begun} | place | _columns(session)
    if (await connection.execute(insert_new(connection, sessions).values(values))).rowcount != 1:
        raise StaleSession("This place already holds a session.")


async def _advance(connection: AsyncConnection, before: Session, stored: Session) -> None:
    unmoved = (sessions.c.id == before.id) & (sessions.c.version == before.version)
    if (await connection.execute(update(sessions).where(unmoved).values(_columns(stored)))).rowcount != 1:
        raise StaleSession("The story has moved on since it was read.")


async def _write_cast(connection: AsyncConnection, before: Session | None, after: Session) -> None:
    """The character and the players' parts. They are few and seldom change: what differs is written anew."""
    if before is None or before.character != after.character:
        card = after.character
        await connection.execute(delete(characters).where(characters.c.session == after.id))
        row = {"name": card.name, "description": card.description, "greeting": card.greeting, "rating": card.rating}
        await connection.execute(insert(characters).values(session=after.id, **row))
    if (before.personas if before else ()) != after.personas:
        await connection.execute(delete(personas).where(personas.c.session == after.id))
        rows = [
            {
                "session": after.id,
                "position": position,
                "author": each.author,
                "name": each.name,
                "description": each.description,
            }
            for position, each in enumerate(after.personas)
        ]
        if rows:
            await connection.execute(insert(personas), rows)


async def _write_turns(connection: AsyncConnection, old: Sequence[Turn], after: Session) -> None:
    former = {turn.number: turn for turn in old}
    kept = {turn.number for turn in after.turns}
    gone = [number for number in former if number not in kept and number >= after.window_start]
    if gone:  # their variants go with them: the foreign key cascades
        await connection.execute(delete(turns).where(turns.c.session == after.id, turns.c.number.in_(gone)))
    new = [turn for turn in after.turns if turn.number not in former]
    if new:
        await connection.execute(insert(turns), [_turn_row(after.id, turn) for turn in new])
        rows = [_variant_row(after.id, turn, position) for turn in new for position in range(len(turn.variants))]
        await connection.execute(insert(variants), rows)
    for turn in after.turns:
        was = former.get(turn.number)
        if was is not None and was is not turn and was != turn:
            await _rewrite_turn(connection, after.id, was, turn)


async def _rewrite_turn(connection: AsyncConnection, session: SessionId, was: Turn, turn: Turn) -> None:
    if replace(was, variants=()) != replace(turn, variants=()):
        this = (turns.c.session == session) & (turns.c.number == turn.number)
        await connection.execute(update(turns).where(this).values(_turn_row(session, turn)))
    of_turn = (variants.c.session == session) & (variants.c.turn == turn.number)
    if len(turn.variants) < len(was.variants):
        await connection.execute(delete(variants).where(of_turn, variants.c.position >= len(turn.variants)))
    for position, variant in enumerate(turn.variants):
        row = _variant_row(session, turn, position)
        if position >= len(was.variants):
            await connection.execute(insert(variants).values(row))
        elif was.variants[position] != variant:
            await connection.execute(update(variants).where(of_turn, variants.c.position == position).values(row))


async def _character(connection: AsyncConnection, session: str) -> CharacterCard:
    row = (await connection.execute(select(characters).where(characters.c.session == session))).one()
    return CharacterCard(row.name, row.description, row.greeting, Rating(row.rating))


async def _personas(connection: AsyncConnection, session: str) -> tuple[Persona, ...]:
    query = select(personas).where(personas.c.session == session).order_by(personas.c.position)
    return tuple(Persona(AuthorId(row.author), row.name, row.description) for row in await connection.execute(query))


def _columns(session: Session) -> dict[str, Any]:
    return {
        "scenario": session.scenario,
        "rating": session.rating,
        "length": session.settings.length,
        "adapter": session.settings.adapter or None,
        "window_start": session.window_start,
        "next_number": session.next_number,
        "version": session.version,
    }


def _turn_row(session: SessionId, turn: Turn) -> dict[str, Any]:
    return {
        "session": session,
        "number": turn.number,
        "role": turn.role,
        "name": turn.name,
        "author": turn.author,
        "selected": turn.selected,
        "posts": turn.posts,
    }


def _variant_row(session: SessionId, turn: Turn, position: int) -> dict[str, Any]:
    variant = turn.variants[position]
    return {
        "session": session,
        "turn": turn.number,
        "position": position,
        "text": variant.text,
        "state": variant.state,
        "length": variant.length,
        "seed": variant.seed,
        "token_ids": variant.token_ids,
    }


def _turn(rows: Sequence[Row[Any]]) -> Turn:
    head = rows[0]
    return Turn(
        head.number,
        Role(head.role),
        head.name,
        variants=tuple(_variant(row) for row in rows),
        selected=head.selected,
        author=None if head.author is None else AuthorId(head.author),
        posts=head.posts,
    )


def _variant(row: Row[Any]) -> Variant:
    return Variant(row.text, VariantState(row.state), row.token_ids, _length(row.length), row.seed)


def _length(stored: str | None) -> Length | None:
    return None if stored is None else Length(stored)


def _is_at(place: Place) -> ColumnElement[bool]:
    return (sessions.c.platform == place.platform) & (sessions.c.channel == place.channel)


def _as_places(rows: Any) -> tuple[Place, ...]:  # noqa: ANN401  a result of any shape that has these two columns
    return tuple(Place(Platform(row.platform), ChannelKey(row.channel)) for row in rows)


IS_WRITING = variants.c.state == VariantState.WRITING
