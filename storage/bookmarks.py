"""How far adapters have read their platforms: one text a place, which only the adapter understands."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import ChannelKey, Place, Platform
from storage.tables import bookmarks


async def keep(connection: AsyncConnection, place: Place, mark: str) -> None:
    """Keep a place's mark instead of the one before; an empty text keeps none."""
    here = (bookmarks.c.platform == place.platform) & (bookmarks.c.channel == place.channel)
    await connection.execute(delete(bookmarks).where(here))
    if mark:
        row = {"platform": place.platform, "channel": place.channel, "mark": mark}
        await connection.execute(insert(bookmarks).values(row))


async def read(connection: AsyncConnection, platform: Platform) -> Mapping[ChannelKey, str]:
    """The marks of a platform's places."""
    query = select(bookmarks.c.channel, bookmarks.c.mark).where(bookmarks.c.platform == platform)
    return {ChannelKey(row.channel): row.mark for row in await connection.execute(query)}
