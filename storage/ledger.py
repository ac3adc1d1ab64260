"""Who asked the model for how much: replies one by one while they matter, tokens by the hour. It knows no story."""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, CommunityId, EventId, Place, Platform
from bot.limits import DAY, HOUR, MINUTE, Kind, Limits, Over, Scope, Share, Used, judge, longest
from bot.ports.ledger import FORGIVEN, TOLD_FOR, Asked, Ruling
from bot.ports.store import Change
from storage.dialects import insert_adding
from storage.tables import asked, inbox, spent

NOBODY = ""
"""The author of what was asked for by somebody who was forgotten since."""


async def ask(connection: AsyncConnection, which: Asked, limits: Limits, now: float) -> Ruling:
    """Count what is asked for, unless a limit is reached. Nobody else may be counting at the same time."""
    this = _this(which.place, which.event)
    if (row := (await connection.execute(select(asked).where(this))).first()) is not None:
        return Ruling(_over(row, limits, now), was_told=True, is_repeated=True)
    if await _was_handled(connection, which):
        return Ruling()
    over = await _judged(connection, which, limits, now)
    was_told = over is not None and await _was_told(connection, which, over, now)
    if over is None or which.stays or not was_told:
        until = None if over is None or was_told else now + (over.seconds or TOLD_FOR)
        await connection.execute(insert(asked).values(_row(which, over, until, now)))
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
    elif not writes and change.before is not None and change.before.writing is not None:
        await connection.execute(update(asked).where(mine).values(ended=now))
    if change.handled is not None:
        await connection.execute(delete(asked).where(mine, asked.c.over.is_not(None), asked.c.told_until.is_(None)))


async def dismiss(connection: AsyncConnection, place: Place, event: EventId, now: float) -> None:
    """An event is handled, and no reply waits for it."""
    await connection.execute(update(asked).where(_this(place, event), asked.c.ended.is_(None)).values(ended=now))


async def end(connection: AsyncConnection, place: Place, now: float) -> None:
    """The story of a place ends, and with it what waits there."""
    await connection.execute(update(asked).where(_at(place), asked.c.ended.is_(None)).values(ended=now))


async def forget(connection: AsyncConnection, author: AuthorId) -> None:
    """What a player asked for counts for its place and its community only, and is nobody's."""
    await connection.execute(update(asked).where(asked.c.author == author).values(author=NOBODY))
    await connection.execute(delete(spent).where(spent.c.scope == Scope.PLAYER, spent.c.name == author))


async def drop(connection: AsyncConnection, now: float) -> None:
    """Drop what no limit asks for any more."""
    untold = or_(asked.c.told_until.is_(None), asked.c.told_until < now)
    await connection.execute(delete(asked).where(asked.c.ended < now - FORGIVEN, untold))
    await connection.execute(delete(asked).where(asked.c.ended.is_(None), asked.c.at < now - DAY))
    await connection.execute(delete(spent).where(spent.c.hour <= now - DAY))


async def _judged(connection: AsyncConnection, which: Asked, limits: Limits, now: float) -> Over | None:
    scopes = [(scope, limits.share(scope)) for scope in Scope if scope is not Scope.COMMUNITY or which.community is not None]
    limited = [(scope, share) for scope, share in scopes if share.is_limited]
    waiting = await _waiting(connection, which, now) if any(share.waiting for _, share in limited) else {}
    found = []
    for scope, share in limited:
        used = Used(
            await _times(connection, _whose(scope, which), share, now),
            waiting.get(scope, 0),
            await _tokens(connection, scope, which, now) if share.tokens_a_day else (),
        )
        if over := judge(scope, share, used, now):
            found.append(over)
    return longest(found)


async def _waiting(connection: AsyncConnection, which: Asked, now: float) -> dict[Scope, int]:
    """How many replies wait or are being written: few at any time, so they are looked at once for all scopes."""
    counts = [func.coalesce(func.sum(case((_whose(scope, which), 1), else_=0)), 0).label(scope) for scope in Scope]
    query = select(*counts).where(asked.c.ended.is_(None), asked.c.at > now - FORGIVEN)
    row = (await connection.execute(query)).one()
    return {scope: int(row._mapping[scope]) for scope in Scope}  # noqa: SLF001  SQLAlchemy's public name


async def _times(connection: AsyncConnection, whose: ColumnElement[bool], share: Share, now: float) -> tuple[float, ...]:
    if not share.turns_a_minute:
        return ()
    recent = and_(whose, asked.c.at > now - MINUTE, asked.c.over.is_(None))
    query = select(asked.c.at).where(recent).order_by(asked.c.at.desc()).limit(share.turns_a_minute)
    return tuple(await connection.scalars(query))


async def _tokens(connection: AsyncConnection, scope: Scope, which: Asked, now: float) -> tuple[tuple[float, int], ...]:
    name = _names(which.place.platform, which.place.channel, which.community, which.author)[scope]
    query = select(spent.c.hour, spent.c.tokens).where(spent.c.scope == scope, spent.c.name == name, spent.c.hour > now - DAY)
    return tuple((float(row.hour), int(row.tokens)) for row in await connection.execute(query))


async def _was_handled(connection: AsyncConnection, which: Asked) -> bool:
    query = select(inbox.c.id).where(
        inbox.c.platform == which.place.platform, inbox.c.event == which.event, inbox.c.payload.is_(None)
    )
    return (await connection.execute(query)).first() is not None


async def _was_told(connection: AsyncConnection, which: Asked, over: Over, now: float) -> bool:
    """Whether this limit was told, and its time is not over: to the player wherever they were, else in this place."""
    whose = _whose(Scope.PLAYER if over.scope is Scope.PLAYER else Scope.PLACE, which)
    query = select(asked.c.at).where(whose, asked.c.over == over.label, asked.c.told_until > now)
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


def _row(which: Asked, over: Over | None, told_until: float | None, now: float) -> dict[str, Any]:
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
        "told_until": told_until,
    }


def _over(row: Row[Any], limits: Limits, now: float) -> Over | None:
    """The limit that a row names, as it is now."""
    if row.over is None:
        return None
    scope, kind = Scope(row.over.partition("_")[0]), Kind(row.over.partition("_")[2])
    seconds = None if row.told_until is None or kind is Kind.WAITING else max(1.0, row.told_until - now)
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


def _at(place: Place) -> ColumnElement[bool]:
    return (asked.c.platform == place.platform) & (asked.c.channel == place.channel)


def _this(place: Place, event: EventId) -> ColumnElement[bool]:
    return (asked.c.platform == place.platform) & (asked.c.event == event)


def _written_in(place: Place) -> ColumnElement[bool]:
    return _at(place) & asked.c.writing & asked.c.ended.is_(None)
