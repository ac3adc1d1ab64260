"""What players told the operator. It knows no story."""

from sqlalchemy import ColumnElement, Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId
from bot.ports.reports import KeptReport, Report
from storage.sessions import place_of
from storage.tables import reports


async def keep(connection: AsyncConnection, report: Report) -> int:
    """Keep a report; returns its number."""
    place = {"platform": report.place.platform, "channel": report.place.channel}
    said = {"author": report.author, "reason": report.reason, "context": report.context, "at": report.at}
    step = insert(reports).values(place | said).returning(reports.c.id)
    return int((await connection.execute(step)).scalar_one())


async def read(connection: AsyncConnection, *which: ColumnElement[bool]) -> tuple[KeptReport, ...]:
    """The reports that satisfy conditions, in order."""
    rows = await connection.execute(select(reports).where(*which).order_by(reports.c.id))
    return tuple(_report(row) for row in rows)


async def drop(connection: AsyncConnection, *which: ColumnElement[bool]) -> None:
    """Drop the reports that satisfy conditions."""
    await connection.execute(delete(reports).where(*which))


def _report(row: Row[tuple[object, ...]]) -> KeptReport:
    return KeptReport(row.id, Report(place_of(row), AuthorId(row.author), row.reason, row.context, row.at))
