"""All that is stored of one player, and forgetting it. What counts as theirs in a story `bot.story.forgetting` decides."""

import asyncio
from collections.abc import Callable

from sqlalchemy import ColumnElement, Table, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, EventId, Place, SessionId
from bot.ports.privacy import Forgotten, ForgottenStory, PlayerData, PlayerStory
from bot.story.forgetting import Gap, Known, changed, take_out
from bot.story.session import Session
from bot.texts import FORGOTTEN, SOMEONE
from storage import arrivals, inbox, ledger, library, reports, sessions, unforgotten
from storage import tables as rows
from storage import turns as told
from storage.tables import messages, outbox, personas, turns, variants

GAP = Gap(FORGOTTEN, SOMEONE)


async def words_of(connection: AsyncConnection, author: AuthorId) -> PlayerData:
    """All that is stored of a player."""
    stories = []
    for session in await _played_in(connection, author):
        row = (await connection.execute(select(rows.sessions).where(rows.sessions.c.id == session))).one()
        part = (await connection.execute(select(personas).where(personas.c.session == session, _is(personas, author)))).first()
        persona = None if part is None else sessions.persona_of(part)
        own = await told.read(connection, session, turns.c.author == author)
        stories.append(PlayerStory(session, sessions.place_of(row), persona, own))
    return PlayerData(
        await library.persona_of(connection, author),
        await library.cards_of(connection, author),
        tuple(stories),
        tuple(kept.report for kept in await reports.read(connection, _is(rows.reports, author))),
    )


async def forget(connection: AsyncConnection, author: AuthorId, answers: EventId | None, now: float) -> Forgotten:
    """Take a player out of every table. One session at a time is in memory."""
    known = await _known(connection, author)
    stories = []
    for session in await _concerned(connection, author):
        story = await _forget_in(connection, session, author, known, now)
        stories += [story] if story else []
    await library.drop_persona(connection, author)
    await library.drop_cards_of(connection, author)
    await reports.drop(connection, _is(rows.reports, author))
    await inbox.forget(connection, author, answers)
    await arrivals.forget(connection, author, answers, now)
    await ledger.forget(connection, author, now)
    return Forgotten(tuple(stories))


async def _forget_in(
    connection: AsyncConnection, session: SessionId, author: AuthorId, known: Known, now: float
) -> ForgottenStory | None:
    before = await sessions.by_id(connection, session, back_to=0)
    if before is None:
        return None
    # It may be a long story: the event loop goes on meanwhile.
    after, fill = await asyncio.to_thread(take_out, before, author, known, GAP)
    if after == before:
        return None
    await sessions.write(connection, before, after, now)
    await unforgotten.note(connection, session, before.place)
    shown = changed(before, after)
    for table in (messages, outbox):
        await _clear_posts(connection, table, before, shown, fill)
    for kept in await reports.read(connection, *_in(rows.reports, before.place)):
        cleared = {"reason": fill(kept.report.reason), "context": fill(kept.report.context)}
        await connection.execute(update(rows.reports).where(rows.reports.c.id == kept.number).values(cleared))
    sources = tuple(source for turn in before.turns if turn.author == author for source in turn.sources)
    return ForgottenStory(session, before.place, shown, sources)


async def _clear_posts(
    connection: AsyncConnection, table: Table, session: Session, shown: tuple[int, ...], fill: Callable[[str], str]
) -> None:
    """What stands or waits for a session: posts of changed turns, and whatever else quotes or names the player."""
    mine = table.c.left_by == session.id
    if await sessions.id_at(connection, session.place) == session.id:
        mine = or_(mine, and_(*_in(table, session.place), table.c.left_by.is_(None)))
    numbers = set(shown)
    query = select(table.c.id, table.c.turn, table.c.position, table.c.text).where(mine)
    for row in (await connection.execute(query)).all():
        is_changed = row.turn in numbers and row.position is not None
        text = FORGOTTEN if is_changed and row.text else fill(row.text)
        if text != row.text:
            await connection.execute(update(table).where(table.c.id == row.id).values(text=text))


async def _played_in(connection: AsyncConnection, author: AuthorId) -> tuple[SessionId, ...]:
    """The sessions where a player has a part or wrote, the oldest first."""
    parts = select(personas.c.session).where(_is(personas, author))
    wrote = select(turns.c.session).where(_is(turns, author))
    found = rows.sessions.c.id.in_(parts.union(wrote))
    ids = await connection.scalars(select(rows.sessions.c.id).where(found).order_by(rows.sessions.c.begun))
    return tuple(SessionId(each) for each in ids)


async def _concerned(connection: AsyncConnection, author: AuthorId) -> tuple[SessionId, ...]:
    """Those sessions, the ones that the player began, and all that hang together with them: summaries travel along links."""
    table = rows.sessions.c
    stored = (await connection.execute(select(table.id, table.table, table.came_from, table.goes_on_in))).all()
    found = {*await _played_in(connection, author), *(row.id for row in stored if row.table.owner == author)}
    groups = [{row.id, *(link.session for link in (row.came_from, *row.goes_on_in) if link)} for row in stored]
    while added := {session for group in groups if group & found for session in group} - found:
        found |= added
    return tuple(SessionId(row.id) for row in stored if row.id in found)


async def _known(connection: AsyncConnection, author: AuthorId) -> Known:
    is_theirs = (turns.c.session == variants.c.session) & (turns.c.number == variants.c.turn) & _is(turns, author)
    texts = (await connection.scalars(select(variants.c.text).join(turns, is_theirs))).all()
    parts = (await connection.execute(select(personas.c.name, personas.c.description).where(_is(personas, author)))).all()
    names = (await connection.scalars(select(turns.c.name).where(_is(turns, author)).distinct())).all()
    default = await library.persona_of(connection, author)
    own = [(part.name, part.description) for part in parts] + ([(default.name, default.description)] if default else [])
    described = [text for _, text in own]
    return Known((*texts, *described), tuple(dict.fromkeys([*(name for name, _ in own), *names])))


def _in(table: Table, place: Place) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.platform == place.platform, table.c.channel == place.channel


def _is(table: Table, author: AuthorId) -> ColumnElement[bool]:
    return table.c.author == author
