"""Wishes on their way to their places, and what stands there already. It knows no story and no platform.

Rule 1: wishes of a place come true in the order in which they were queued; the oldest one blocks those behind it.
Rule 2: a settled wish leaves the outbox in the transaction that notes what stands in its place.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, false, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import ChannelKey, MessageId, Place, Platform, PostKey
from bot.ports.store import Delivery, Removal, Wish
from bot.posts import OutboundPost, Speaker, Voice
from storage.dialects import insert_new
from storage.tables import messages, outbox

SHOW, REMOVE = "show", "remove"


async def queue(connection: AsyncConnection, wishes: Sequence[Wish]) -> None:
    """Put wishes at the end. One whose key is there already is the same sending, and is not queued twice."""
    if wishes:
        await connection.execute(insert_new(connection, outbox), [_row(wish) for wish in wishes])


async def oldest(connection: AsyncConnection, place: Place, now: float) -> Delivery | None:
    """The oldest open wish of a place, if it is due."""
    here = (outbox.c.platform == place.platform) & (outbox.c.channel == place.channel)
    query = select(outbox).where(here, outbox.c.reason.is_(None)).order_by(outbox.c.id).limit(1)
    row = (await connection.execute(query)).first()
    if row is None or row.due > now:
        return None
    wish = _wish(row)
    last = select(messages.c.message).where(_at(place)).order_by(messages.c.id.desc()).limit(1)
    return Delivery(
        row.id,
        wish,
        standing=await connection.scalar(_standing(wish, row.left_by).with_only_columns(messages.c.message)),
        last_message=await connection.scalar(last),
        attempts=row.attempts,
        uncertain=row.uncertain,
    )


async def shown_as(connection: AsyncConnection, place: Place, message: MessageId) -> OutboundPost | None:
    """The post that a message shows for what is in its place now."""
    query = select(messages).where(_at(place), messages.c.message == message, messages.c.left_by.is_(None))
    row = (await connection.execute(query.order_by(messages.c.id.desc()))).first()
    return post_of(row) if row else None


async def places(connection: AsyncConnection, due: float | None = None) -> tuple[Place, ...]:
    """The places with open wishes, or with one that is due at this time; the one that waits longest first."""
    where = (outbox.c.platform, outbox.c.channel)
    query = select(*where).where(outbox.c.reason.is_(None)).group_by(*where).order_by(func.min(outbox.c.id))
    if due is not None:
        query = query.where(outbox.c.due <= due)
    return tuple(Place(Platform(row.platform), ChannelKey(row.channel)) for row in await connection.execute(query))


async def change(connection: AsyncConnection, delivery: int, **values: Any) -> None:  # noqa: ANN401  columns have many types
    """Set columns of an open wish; one that is settled or abandoned is left alone."""
    await connection.execute(update(outbox).where(_open(delivery)).values(**values))


async def try_begins(connection: AsyncConnection, delivery: int) -> None:
    """Count a try; its outcome is uncertain until something else is said."""
    await change(connection, delivery, attempts=outbox.c.attempts + 1, uncertain=True)


async def settle(connection: AsyncConnection, delivery: int, message: MessageId | None) -> bool:
    """Take a wish out, and note what stands at its position now. Says whether something else stood there before."""
    row = (await connection.execute(delete(outbox).where(_open(delivery)).returning(outbox))).first()
    if row is None:
        return False
    wish = _wish(row)
    old = (await connection.execute(_standing(wish, row.left_by).with_only_columns(messages.c.id, messages.c.message))).first()
    shows = isinstance(wish, OutboundPost) and message is not None
    standing = {name: row._mapping[name] for name in SHARED} | {"message": message}  # noqa: SLF001  SQLAlchemy's public name
    if old is not None and shows and old.message == message:
        await connection.execute(update(messages).where(messages.c.id == old.id).values(standing))
        return True
    if old is not None:
        await connection.execute(delete(messages).where(messages.c.id == old.id))
    if shows:  # a new row even in an old position: the platform shows it as the newest message of the place
        await connection.execute(insert(messages).values(standing))
    return old is not None


def post_of(row: Row[Any]) -> OutboundPost:
    """The post that a row of outbox or messages holds."""
    speaker = Speaker(Voice(row.voice), row.speaker)
    place = Place(Platform(row.platform), ChannelKey(row.channel))
    return OutboundPost(PostKey(row.key), place, row.turn, row.position, row.variant, speaker, row.text)


SHARED = ("platform", "channel", "turn", "position", "variant", "key", "voice", "speaker", "text", "left_by")


def _row(wish: Wish) -> dict[str, Any]:
    place = {"platform": wish.place.platform, "channel": wish.place.channel}
    spot = {"key": wish.key, "turn": wish.turn, "position": wish.position}
    shown = {"kind": REMOVE, "variant": 0, "voice": "", "speaker": "", "text": ""}
    if isinstance(wish, OutboundPost):
        voice, name = wish.speaker.voice, wish.speaker.name
        shown = {"kind": SHOW, "variant": wish.variant, "voice": voice, "speaker": name, "text": wish.text}
    return place | spot | shown | {"attempts": 0, "due": 0.0, "uncertain": False}


def _wish(row: Row[Any]) -> Wish:
    if row.kind == SHOW:
        return post_of(row)
    return Removal(PostKey(row.key), Place(Platform(row.platform), ChannelKey(row.channel)), row.turn, row.position)


def _open(delivery: int) -> ColumnElement[bool]:
    return (outbox.c.id == delivery) & outbox.c.reason.is_(None)


def _at(place: Place) -> ColumnElement[bool]:
    return (messages.c.platform == place.platform) & (messages.c.channel == place.channel)


def _standing(wish: Wish, left_by: str | None) -> Select[Any]:
    """What stands at the position of a wish; nothing ever does for a notice, which has none.

    A session that has left the place and the one that is there now number their turns alike: each has its own.
    """
    position = false() if wish.position is None else messages.c.position == wish.position
    owner = messages.c.left_by.is_(None) if left_by is None else messages.c.left_by == left_by
    return select(messages).where(_at(wish.place), owner, messages.c.turn == wish.turn, position)
