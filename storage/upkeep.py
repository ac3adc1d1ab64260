"""What an operator asks of a database: how it stands, to bring it up to date, and all its rows out and in. It knows no story.

Rows go out and in as the database has them, by the tables and columns that it has, not by those that this program knows: so a
backup is whole also where a newer program made the tables, and one from SQLite can be put into PostgreSQL.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, MetaData, Table, func, insert, inspect, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Refused, StoreUnavailable
from storage import migrate
from storage.dialects import Database, sqlite_file
from storage.failures import fitting
from storage.leases import NOW
from storage.migrate import Schema, Tell
from storage.tables import outbox, processes

NOT_OF_PEOPLE = {"alembic_version", "works_with", "processes", "leases", "asked", "spent"}
"""Tables that migrations fill, those of programs that run, and counts that mean nothing a day later."""

AT_A_TIME = 100
"""Rows in hand: one of them may hold a picture."""

DAMAGED = "The database is damaged ({fault}) and stays as it is: restore the newest backup from before into an empty place."

KINDS: Mapping[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (float, int), bool: (bool,), bytes: (bytes,)}
"""What may stand in a column, by its kind. SQLite takes anything anywhere, and PostgreSQL the whole part of a fraction."""

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Health:
    """How a database stands: its kind, its schema, and what is wrong with it, a line each."""

    kind: str
    schema: Schema
    faults: tuple[str, ...]


async def health(url: str) -> Health:
    """Look at a database without changing it. Raises StoreUnavailable."""
    async with _opened(url, must_exist=True) as database, database.reading() as connection:
        schema = await connection.run_sync(_schema_of)
        faults = await _damage(connection)
        if not schema.steps and not faults:
            faults = await connection.run_sync(lambda each: migrate.differences(each, may_have_more=schema.is_newer))
        return Health(connection.dialect.name, schema, faults)


async def at_work(url: str) -> int:
    """How many processes say that they work on a database at this moment. Raises StoreUnavailable."""
    async with _opened(url, must_exist=True) as database, database.reading() as connection:
        if connection.dialect.name != "postgresql" or not await connection.run_sync(_has_processes):
            return 0  # only on PostgreSQL can there be several, and they say so
        return int(await connection.scalar(select(func.count()).select_from(processes).where(processes.c.until > NOW)) or 0)


def _has_processes(connection: Connection) -> bool:
    return inspect(connection).has_table(processes.name)


def _schema_of(connection: Connection) -> Schema:
    """How the schema stands. Raises StoreUnavailable where the tables are those of another program."""
    schema = migrate.schema_of(connection)
    if schema.found is None and not migrate.is_empty(connection):
        raise StoreUnavailable("The database holds tables of another program and none of Understudy: name another database.")
    return schema


async def bring_up_to_date(url: str, tell: Tell) -> Schema:
    """Migrate a database, telling of each step; how it stood before. Raises StoreUnavailable, also for one that is damaged."""
    async with _opened(url, must_exist=True) as database, database.writing() as connection:
        await database.lock_schema(connection)
        before = await connection.run_sync(_schema_of)
        faults = await _damage(connection)
        if not faults:
            await connection.run_sync(lambda each: migrate.bring_up_to_date(each, tell=tell))
        if not faults and not before.steps:
            faults = await connection.run_sync(lambda each: migrate.differences(each, may_have_more=before.is_newer))
        if faults:
            raise StoreUnavailable(DAMAGED.format(fault=faults[0]))
        return before


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a database while others write: its tables, those first that others refer to, and their numbers of rows.

    `counters` are the last numbers that were given out to rows, by table: no number is given out twice.
    """

    kind: str
    revision: str
    rows: Mapping[str, int]
    counters: Mapping[str, int]
    _connection: AsyncConnection
    _tables: Mapping[str, Table]

    def columns(self, table: str) -> tuple[str, ...]:
        """The names of a table's columns."""
        return tuple(column.name for column in self._tables[table].columns)

    async def read(self, table: str) -> AsyncIterator[Sequence[Values]]:
        """The rows of a table, some at a time: texts, numbers, truths, bytes, None."""
        found = self._tables[table]
        query = select(found).order_by(*found.primary_key.columns)
        result = await self._connection.stream(query, execution_options={"yield_per": AT_A_TIME})
        async for rows in result.partitions(AT_A_TIME):
            yield [tuple(row) for row in rows]


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """One state of a database, until the block ends. Raises StoreUnavailable, and Refused where there are no tables yet."""
    async with _opened(url, must_exist=True) as database, database.reading() as connection:
        # Rows are packed and written to a slow disk between two questions.
        await database.take_time(connection)
        schema = await connection.run_sync(_schema_of)
        if schema.found is None:
            raise Refused("The database holds no stories yet, so there is nothing to back up.")
        tables = await connection.run_sync(_reflected)
        counts = {name: await connection.scalar(select(func.count()).select_from(each)) for name, each in tables.items()}
        counters = {name: await _counter(connection, each) for name, each in tables.items() if _numbers(each)}
        rows = {name: int(count or 0) for name, count in counts.items()}
        yield Snapshot(connection.dialect.name, schema.found, rows, counters, connection, tables)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is to be put into an empty database: see Snapshot. `read` gives a table's columns, and then its rows."""

    revision: str
    tables: Sequence[str]
    counters: Mapping[str, int]
    read: Callable[[str], tuple[Sequence[str], Iterable[Sequence[Values]]]]


async def fill(url: str, contents: Contents, at_last: Callable[[], None]) -> None:
    """Put contents into a database that has no tables, and bring it up to date: all of it or nothing.

    `at_last` is called when all is in and nothing is final yet; what it raises undoes all. Raises Refused where there are
    tables or what is to come in does not fit, and StoreUnavailable.
    """
    if not migrate.knows(contents.revision):
        raise Refused(
            f"The backup has the schema {contents.revision}, which only a newer version of Understudy knows: install that."
        )
    file = _file(url)
    is_new = file is not None and (not file.exists() or not file.stat().st_size)
    try:
        async with _opened(url) as database, database.writing() as connection:
            await database.take_time(connection)
            await database.lock_schema(connection)
            await _check_empty(connection, file)
            await connection.run_sync(lambda each: migrate.bring_up_to_date(each, to=contents.revision))
            await _put_in(connection, contents)
            await connection.run_sync(migrate.bring_up_to_date)
            # What was on its way then may have arrived since: it is looked for in its place before it is sent again.
            await connection.execute(update(outbox).where(outbox.c.reason.is_(None)).values(uncertain=true()))
            at_last()
    except BaseException:
        if is_new and file is not None:
            for each in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
                each.unlink(missing_ok=True)
        raise


async def _check_empty(connection: AsyncConnection, file: Path | None) -> None:
    if not await connection.run_sync(migrate.is_empty):
        where = f"{file} is there already: move it away" if file else "The database holds tables already: name an empty one"
        raise Refused(f"{where}, so that nothing is mixed.")


async def _put_in(connection: AsyncConnection, contents: Contents) -> None:
    tables = await connection.run_sync(_reflected)
    strange = sorted(set(contents.tables) - set(tables))
    if strange:
        raise Refused(f"The backup holds a table that its schema does not have ({strange[0]}); it cannot be used.")
    for name, table in tables.items():
        if name not in contents.tables:
            continue
        columns, batches = contents.read(name)
        if sorted(columns) != sorted(column.name for column in table.columns):
            raise Refused(f"The backup's table {name} does not have the columns of its schema; it cannot be used.")
        kinds = [KINDS[table.columns[column].type.python_type] for column in columns]
        misfit = f"The backup holds rows of {name} that do not fit that table; it cannot be used."
        for rows in batches:
            if not all(_are_of(kinds, row) for row in rows):
                raise Refused(misfit)
            with fitting(misfit):
                await connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        if _numbers(table) and contents.counters.get(name):
            await _set_counter(connection, table, contents.counters[name])


def _are_of(kinds: Sequence[tuple[type, ...]], row: Values) -> bool:
    """Whether each value of a row is of its column's kind. Not by isinstance: a truth would be a number."""
    return all(value is None or type(value) in kind for kind, value in zip(kinds, row, strict=True))


@asynccontextmanager
async def _opened(url: str, *, must_exist: bool = False) -> AsyncIterator[Database]:
    file = _file(url)
    if must_exist and file is not None and not file.is_file():
        raise StoreUnavailable(
            f"There are no stories yet, as there is no file {file}: name another folder with --data, or file in [storage] url."
        )
    database = Database(url, as_it_is=must_exist)
    try:
        yield database
    finally:
        await database.close()


def _file(url: str) -> Path | None:
    return Path(sqlite_file(url)) if url.startswith("sqlite") else None


async def _damage(connection: AsyncConnection) -> tuple[str, ...]:
    """What the database itself finds wrong. PostgreSQL checks keys at every change, and has no such question."""
    if connection.dialect.name != "sqlite":
        return ()
    told = [str(line) for line in await connection.scalars(text("PRAGMA integrity_check")) if line != "ok"]
    lost = await connection.execute(text("PRAGMA foreign_key_check"))
    return (*told, *(f"a row of {row[0]} belongs to one of {row[2]} that is not there" for row in lost))


def _reflected(connection: Connection) -> dict[str, Table]:
    """The tables with what people do, as they are, those first that others refer to."""
    found = MetaData()
    found.reflect(connection)
    return {table.name: table for table in found.sorted_tables if table.name not in NOT_OF_PEOPLE}


def _numbers(table: Table) -> bool:
    """Whether the database numbers the rows of a table."""
    keys = list(table.primary_key.columns)
    return len(keys) == 1 and isinstance(keys[0].type, Integer | BigInteger)


async def _counter(connection: AsyncConnection, table: Table) -> int:
    """The last number that was given out; 0 for none."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(await connection.scalar(query, {"name": table.name}) or 0)
    quoted = await connection.scalar(*_sequence(table))
    row = (await connection.execute(text(f"SELECT last_value, is_called FROM {quoted}"))).one()  # noqa: S608  PostgreSQL quoted it
    return int(row.last_value) if row.is_called else 0


async def _set_counter(connection: AsyncConnection, table: Table, number: int) -> None:
    if connection.dialect.name == "sqlite":
        await connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        values = {"name": table.name, "seq": number}
        await connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)
        return
    quoted = await connection.scalar(*_sequence(table))
    await connection.execute(
        text("SELECT setval(CAST(:sequence AS regclass), :number)"), {"sequence": quoted, "number": number}
    )


def _sequence(table: Table) -> tuple[Any, dict[str, str]]:
    """The question for the sequence behind a table's numbers; the answer is quoted where it has to be."""
    [key] = table.primary_key.columns
    return text("SELECT pg_get_serial_sequence(:table, :key)"), {"table": f'"{table.name}"', "key": key.name}
