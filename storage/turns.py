"""Turns and their variants: read by condition, written by difference. It knows no place and no version."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, literal, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, EventId, SessionId
from bot.story.session import Session
from bot.story.settings import Length
from bot.story.turn import Role, Turn, Variant, VariantState
from storage.columns import AnyText
from storage.tables import turns, variants

MANY = 50
"""More turns than this that change at once are written anew as a whole."""
AT_ONCE = 10_000
"""How many values a statement may name: either database takes some more."""


async def read(connection: AsyncConnection, session: SessionId, *which: ColumnElement[bool]) -> tuple[Turn, ...]:
    """The turns of a session that satisfy conditions on `turns`, in order, with their variants."""
    query = (
        select(turns, variants)
        .join(variants, (variants.c.session == turns.c.session) & (variants.c.turn == turns.c.number))
        .where(turns.c.session == session, *which)
        .order_by(turns.c.number, variants.c.position)
    )
    rows = (await connection.execute(query)).all()
    return tuple(_turn(list(group)) for _, group in groupby(rows, key=lambda row: row.number))


async def made_of(connection: AsyncConnection, session: SessionId, event: EventId) -> int | None:
    """The number of the newest turn of a session that has this event among its sources."""
    # The JSON holds it where taking it out would change the JSON: LIKE compares letters loosely and limits what it looks for.
    stored = type_coerce(turns.c.sources, AnyText)
    holds_it = func.replace(stored, literal(json.dumps(event, ensure_ascii=False), AnyText), "") != stored
    query = select(turns.c.number, turns.c.sources).where(turns.c.session == session, holds_it)
    rows = await connection.execute(query.order_by(turns.c.number.desc()))
    return next((row.number for row in rows if event in row.sources), None)


async def write(connection: AsyncConnection, old: Sequence[Turn], after: Session) -> None:
    """Store what differs between the turns that were read and those of `after`."""
    former = {turn.number: turn for turn in old}
    gone = lost(old, after)
    new = [turn for turn in after.turns if turn.number not in former]
    others = ((former[turn.number], turn) for turn in after.turns if turn.number in former)
    changed = [(was, turn) for was, turn in others if was is not turn and was != turn]
    if len(changed) > MANY:  # two statements for all of them instead of some for each
        gone += [turn.number for _, turn in changed]
        new += [turn for _, turn in changed]
        changed = []
    for at in range(0, len(gone), AT_ONCE):  # their variants go with them: the foreign key cascades
        few = gone[at : at + AT_ONCE]
        await connection.execute(delete(turns).where(turns.c.session == after.id, turns.c.number.in_(few)))
    if new:
        await connection.execute(insert(turns), [_turn_row(after.id, turn) for turn in new])
        rows = [_variant_row(after.id, turn, position) for turn in new for position in range(len(turn.variants))]
        await connection.execute(insert(variants), rows)
    for was, turn in changed:
        await _rewrite(connection, after.id, was, turn)


def lost(old: Sequence[Turn], after: Session) -> list[int]:
    """The numbers of the turns that `after` has lost, other than by its window moving up past them."""
    kept = {turn.number for turn in after.turns}
    left_before = min(after.window_start, after.turns[0].number) if after.turns else after.window_start
    return [turn.number for turn in old if turn.number not in kept and turn.number >= left_before]


async def _rewrite(connection: AsyncConnection, session: SessionId, was: Turn, turn: Turn) -> None:
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


def _turn_row(session: SessionId, turn: Turn) -> dict[str, Any]:
    return {
        "session": session,
        "number": turn.number,
        "role": turn.role,
        "name": turn.name,
        "author": turn.author,
        "selected": turn.selected,
        "posts": turn.posts,
        "sources": turn.sources,
        "rolls": turn.rolls,
        "extras": turn.extras,
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
        "is_cut": variant.is_cut,
        "begun": variant.begun,
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
        sources=head.sources,
        rolls=head.rolls,
        extras=head.extras,
    )


def _variant(row: Row[Any]) -> Variant:
    length = None if row.length is None else Length(row.length)
    return Variant(row.text, VariantState(row.state), row.token_ids, length, row.seed, row.is_cut, row.begun or 0)
