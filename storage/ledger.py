"""Who asked the model for how much: replies one by one while they matter, tokens by the hour. It knows no story."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, exists, func, insert, literal, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, CommunityId, EventId, Place, Platform
from bot.limits import DAY, HOUR, MINUTE, Kind, Limits, Over, Scope, Share, Used, judge, longest
from bot.ports.ledger import FORGIVEN, ON_ITS_WAY, TOLD_FOR, Asked, Ruling
from bot.ports.store import Change
from storage.dialects import insert_adding
from storage.tables import asked, inbox, spent

NOBODY = ""
"""The author of what was asked for by somebody who was forgotten since."""


def counters(which: Asked, limits: Limits) -> frozenset[str]:
    """The names of all that is counted for what is asked for: whoever counts must be the only one who does so for these.

    The place is always one of them: so the same event is asked about once at a time.
    """
    names = _names(which.place.platform, which.place.channel, which.community, which.author)
    return frozenset(
        f"{of} {name}" for of, name in names.items() if of is Scope.PLACE or (name and limits.share(of).is_limited)
    )


async def ask(connection: AsyncConnection, which: Asked, limits: Limits, now: float) -> Ruling:
    """Count what is asked for, unless a limit is reached. Nobody else may be counting for its `counters` at the same time."""
    known = await _known(connection, which)
    if known.event is not None:
        return Ruling(_over(known, limits, now), was_told=True, is_repeated=True)
    if known.was_handled:
        return Ruling()
    over = await _judged(connection, which, limits, now)
    was_told = over is not None and await _was_told(connection, which, over, now)
    if over is None or which.stays or not was_told:
        told = over is not None and not was_told
        await connection.execute(insert(asked).values(_row(which, over, now, told=told)))
    return Ruling(over, was_told)


async def follow(connection: AsyncConnection, change: Change, now: float) -> None:
    """What a change means for what was asked for: a reply begins or is over, and has cost so much."""
    place, writes = change.after.place, change.after.writing is not None
    mine = _written_in(place) if change.handled is None else _this(place, change.handled)
    if change.spent:
        await _spend(connection, mine, change.spent, now)
    if change.handled is not None and writes:
        await connection.execute(update(asked).where(_written_in(place)).values(ended=now))
        await connection.execute(update(asked).where(mine, asked.c.ended.is_(None)).values(writing=True))
    elif change.handled is not None:
        await dismiss(connection, place, change.handled, now)
    if not writes and change.before is not None and change.before.writing is not None:
        await connection.execute(update(asked).where(_written_in(place)).values(ended=now))
    if change.handled is not None:
        await connection.execute(delete(asked).where(mine, asked.c.over.is_not(None), ~asked.c.told))


async def dismiss(connection: AsyncConnection, place: Place, event: EventId, now: float) -> None:
    """An event is handled, and no reply waits for it."""
    await connection.execute(update(asked).where(_this(place, event), asked.c.ended.is_(None)).values(ended=now))


async def end(connection: AsyncConnection, place: Place, now: float) -> None:
    """The story of a place ends, and with it what waits there."""
    await connection.execute(update(asked).where(_at(place), asked.c.ended.is_(None)).values(ended=now))


async def forget(connection: AsyncConnection, author: AuthorId, now: float) -> None:
    """What a player asked for counts for its place and its community only, and is nobody's. What still waits never begins."""
    waits = (asked.c.author == author) & ~asked.c.writing & asked.c.ended.is_(None)
    await connection.execute(update(asked).where(waits).values(ended=now))
    await connection.execute(update(asked).where(asked.c.author == author).values(author=NOBODY))
    await connection.execute(delete(spent).where(spent.c.scope == Scope.PLAYER, spent.c.name == author))


async def drop(connection: AsyncConnection, now: float) -> None:
    """Drop what no limit asks for any more."""
    is_past = or_(asked.c.until.is_(None), asked.c.until < now)
    await connection.execute(delete(asked).where(asked.c.ended < now - FORGIVEN, is_past))
    await connection.execute(delete(asked).where(asked.c.ended.is_(None), asked.c.at < now - DAY))
    await connection.execute(delete(spent).where(spent.c.hour <= now - DAY))
    # Counted while the clock was wrong.
    await connection.execute(delete(asked).where(asked.c.at > now + DAY))
    await connection.execute(delete(spent).where(spent.c.hour > now + DAY))


async def _judged(connection: AsyncConnection, which: Asked, limits: Limits, now: float) -> Over | None:
    scopes = [scope for scope in Scope if scope is not Scope.COMMUNITY or which.community is not None]
    shares = {scope: limits.share(scope) for scope in scopes}
    times, tokens = await _times(connection, which, shares, now), await _tokens(connection, which, shares, now)
    waiting = await _waiting(connection, which, now) if any(share.waiting for share in shares.values()) else {}
    found = (
        judge(scope, share, Used(times.get(scope, ()), waiting.get(scope, 0), tokens.get(scope, ())), now)
        for scope, share in shares.items()
    )
    return longest([over for over in found if over])


async def _waiting(connection: AsyncConnection, which: Asked, now: float) -> dict[Scope, int]:
    """How many replies wait or are being written: few at any time, so they are looked at once for all scopes.

    What was counted and never came in (a crash was between the two) waits for no longer than it may be on its way.
    """
    came = exists().where(inbox.c.platform == asked.c.platform, inbox.c.event == asked.c.event, inbox.c.payload.is_not(None))
    is_there = or_(asked.c.writing, asked.c.at > now - ON_ITS_WAY, came)
    counts = [func.coalesce(func.sum(case((_whose(scope, which), 1), else_=0)), 0).label(scope) for scope in Scope]
    query = select(*counts).where(asked.c.ended.is_(None), _within(asked.c.at, FORGIVEN, now), is_there)
    row = (await connection.execute(query)).one()
    return {scope: int(row._mapping[scope]) for scope in Scope}  # noqa: SLF001  SQLAlchemy's public name


async def _times(
    connection: AsyncConnection, which: Asked, shares: Mapping[Scope, Share], now: float
) -> dict[Scope, list[float]]:
    """When they asked within the last minute, the newest first, and no more than are needed."""
    newest = [
        select(literal(str(scope)).label("scope"), asked.c.at)
        .where(_whose(scope, which), _within(asked.c.at, MINUTE, now), asked.c.over.is_(None))
        .order_by(asked.c.at.desc())
        .limit(share.turns_a_minute)
        .subquery()
        for scope, share in shares.items()
        if share.turns_a_minute
    ]
    found: dict[Scope, list[float]] = {}
    if newest:
        rows = await connection.execute(union_all(*(select(each.c.scope, each.c.at) for each in newest)))
        for row in sorted(rows, key=lambda row: -row.at):
            found.setdefault(Scope(row.scope), []).append(row.at)
    return found


async def _tokens(
    connection: AsyncConnection, which: Asked, shares: Mapping[Scope, Share], now: float
) -> dict[Scope, list[tuple[float, int]]]:
    names = _names(which.place.platform, which.place.channel, which.community, which.author)
    each = [and_(spent.c.scope == scope, spent.c.name == names[scope]) for scope, share in shares.items() if share.tokens_a_day]
    found: dict[Scope, list[tuple[float, int]]] = {}
    if each:
        query = select(spent.c.scope, spent.c.hour, spent.c.tokens).where(or_(*each), _within(spent.c.hour, DAY, now))
        for row in await connection.execute(query):
            found.setdefault(Scope(row.scope), []).append((float(row.hour), int(row.tokens)))
    return found


async def _known(connection: AsyncConnection, which: Asked) -> Row[Any]:
    """What is known of an event: the ruling, if there was one, and whether it was handled."""
    place = which.place
    handled = exists().where(inbox.c.platform == place.platform, inbox.c.event == which.event, inbox.c.payload.is_(None))
    one = select(literal(1).label("one")).subquery().outerjoin(asked, _this(place, which.event))
    query = select(asked.c.event, asked.c.over, asked.c.until, handled.label("was_handled")).select_from(one)
    return (await connection.execute(query)).one()


async def _was_told(connection: AsyncConnection, which: Asked, over: Over, now: float) -> bool:
    """Whether this limit was told, and its time is not over: to the player wherever they were, else in this place.

    Where there is room for a moment again and again, it is told once a minute all the same.
    """
    whose = _whose(Scope.PLAYER if over.scope is Scope.PLAYER else Scope.PLACE, which)
    is_fresh = or_(asked.c.until > now, asked.c.at > now - TOLD_FOR) & (asked.c.at < now + TOLD_FOR)
    query = select(asked.c.at).where(whose, asked.c.over == over.label, asked.c.told, is_fresh)
    return (await connection.execute(query.limit(1))).first() is not None


async def _spend(connection: AsyncConnection, mine: ColumnElement[bool], tokens: int, now: float) -> None:
    row = (await connection.execute(select(asked).where(mine).limit(1))).first()
    if row is None:
        return
    hour = int(now // HOUR * HOUR)
    # In one order, so that two who spend at once never wait for each other crosswise.
    for scope, name in _names(row.platform, row.channel, row.community, row.author).items():
        if name:
            values = {"scope": scope, "name": name, "hour": hour, "tokens": tokens}
            await connection.execute(insert_adding(connection, spent, "tokens").values(values))


def _row(which: Asked, over: Over | None, now: float, *, told: bool) -> dict[str, Any]:
    return {
        "platform": which.place.platform,
        "event": which.event,
        "channel": which.place.channel,
        "community": which.community,
        "author": which.author,
        "at": now,
        "writing": False,
        "ended": None if over is None else now,
        "over": None if over is None else over.label,
        "until": None if over is None else now + (over.seconds or TOLD_FOR),
        "told": told,
    }


def _over(row: Row[Any], limits: Limits, now: float) -> Over | None:
    """The limit that a row names, as it is now."""
    if row.over is None:
        return None
    scope, kind = Scope(row.over.partition("_")[0]), Kind(row.over.partition("_")[2])
    seconds = None if kind is Kind.WAITING else max(1.0, row.until - now)
    return Over(scope, kind, limits.share(scope).most(kind), seconds)


def _names(platform: Platform, channel: str, community: CommunityId | None, author: str) -> dict[Scope, str]:
    """What tokens are kept under; empty where there is nobody to keep them for."""
    return {
        Scope.PLAYER: author,
        Scope.PLACE: f"{platform} {channel}",
        Scope.COMMUNITY: f"{platform} {community}" if community is not None else "",
    }


def _whose(scope: Scope, which: Asked) -> ColumnElement[bool]:
    if scope is Scope.PLAYER:
        return asked.c.author == which.author
    if scope is Scope.PLACE:
        return _at(which.place)
    return (asked.c.platform == which.place.platform) & (asked.c.community == which.community)


def _within(column: ColumnElement[Any], seconds: float, now: float) -> ColumnElement[bool]:
    """Whether a time is no older than that. One that is yet to come, by more than that, is of a clock that was wrong."""
    return (column > now - seconds) & (column < now + seconds)


def _at(place: Place) -> ColumnElement[bool]:
    return (asked.c.platform == place.platform) & (asked.c.channel == place.channel)


def _this(place: Place, event: EventId) -> ColumnElement[bool]:
    return (asked.c.platform == place.platform) & (asked.c.event == event)


def _written_in(place: Place) -> ColumnElement[bool]:
    return _at(place) & asked.c.writing & asked.c.ended.is_(None)
