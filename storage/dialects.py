"""Where SQLite and PostgreSQL differ: addresses, connections, locks and inserts. It knows no table and no story."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Insert, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreUnavailable
from storage.failures import translated

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

# FULL writes through to the disk at every commit. NORMAL would survive the end of the process but may lose the last
# steps with the power, and a post that was shown but forgotten would be shown twice. tests/bench/bench_storage.py
# prints what the difference costs.
SYNCHRONOUS = "FULL"
# What may stand behind an address of PostgreSQL: the options of its driver that are texts. libpq calls `ssl` `sslmode`.
OPTIONS = frozenset(
    {"host", "port", "user", "password", "database", "ssl", "passfile", "service", "servicefile"}
    | {"target_session_attrs", "krbsrvname", "gsslib", "prepared_statement_cache_size"}
)
BUSY_SECONDS = 20
LOG_TRIES = 100
# A step that took text away waits no longer than this for readers to let the write-ahead log be emptied; the next such
# step, or the end of the program, does it then.
PATIENCE_MS = 100
# A process that vanished in the middle of a step (its machine lost power) keeps rows locked on PostgreSQL until the server
# gives the step up; nothing here is ever idle in a step for so long.
IDLE_SECONDS = 10
# A server whose machine vanished says nothing any more, also not that it is gone: asked by the system whether it is still
# there, it has so long to answer. Without, a step that waits for it would wait for ever, and its place with it.
GONE_SECONDS = 30
# A sign of life that takes longer than this is none.
PULSE_SECONDS = 3

UNEMPTIED = (
    "What was deleted is gone from the database, but its write-ahead log still holds it, because another program is reading"
    " the database: close that one; the log is emptied with the next change that deletes something."
)

MIGRATION_LOCK = 7_103_452_160_388_941
"""Any number will do, as long as every version of this program asks PostgreSQL for the same one."""


class Database:
    """The engine of one database, and its two kinds of transaction: both all or nothing, both with translated errors."""

    def __init__(self, url: str, *, synchronous: str = SYNCHRONOUS, as_it_is: bool = False) -> None:
        """`as_it_is` leaves an SQLite file in the mode that it has: it may be another program's."""
        with translated():
            address = _address(url)
            if address.get_backend_name() == "sqlite":
                # A file that cannot be opened is found out here: the driver would leave a thread behind that cannot end.
                sqlite3.connect(str(address.database)).close()
        self._is_sqlite = address.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self._is_sqlite else {"pool_pre_ping": True}
        # Errors and logs must not quote parameters: these are what players wrote.
        self._engine = create_async_engine(address, pool_size=4, max_overflow=0, hide_parameters=True, **options)
        self._one_writer = asyncio.Lock()
        self._readers, self._writers = (
            _prepare(self._engine, synchronous, as_it_is=as_it_is) if self._is_sqlite else _snapshots(self._engine)
        )
        bare: dict[str, Any] = {"sqlite_begin": None} if self._is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._bare = self._engine.execution_options(**bare)
        self._pulse = None if self._is_sqlite else _pulse(address)

    @property
    def is_shared(self) -> bool:
        """Whether several processes can use it at once."""
        return self._pulse is not None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the database from its first statement to its last."""
        with translated():
            async with self._readers.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end of the block, and undone when the block raises."""
        with translated():
            if self._is_sqlite:
                # SQLite has one writer at a time; waiting for it here is fair and holds no thread, waiting there is not.
                async with self._one_writer, self._writers.begin() as connection:
                    yield connection
            else:
                async with self._writers.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def pulsing(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction on a connection of its own: others that are slow or stuck do not make it late."""
        if self._pulse is None:
            raise StoreUnavailable("Only PostgreSQL can be shared by several processes.")
        with translated():
            async with self._pulse.begin() as connection:
                yield connection

    async def lock_schema(self, connection: AsyncConnection) -> None:
        """Keep every other process from changing the schema until this writing transaction ends."""
        if not self._is_sqlite:  # an SQLite writer is alone from its beginning
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})

    async def lock_counts(self, connection: AsyncConnection, names: Iterable[str]) -> None:
        """Keep every other process from counting for these until this writing transaction ends: two would find room for one."""
        if not self._is_sqlite:
            # In one order for all, so that no two wait for each other.
            keys = sorted({_lock_key(name) for name in names})
            step = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
            await connection.execute(step, {"keys": keys})

    async def take_time(self, connection: AsyncConnection) -> None:
        """Let the server not give this transaction up, however long it waits for us: it holds nothing that others need."""
        if not self._is_sqlite:
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    async def empty_log(self) -> None:
        """What was deleted leaves the files as well: SQLite's log is written back, over what stood there, and cut to nothing.

        Pages are overwritten with zeros where something was deleted (`secure_delete`), but what they held before is in the
        log and in the file until then. PostgreSQL sees to this by itself, in its own time.
        """
        if not self._is_sqlite:
            return
        with translated():
            async with self._one_writer, self._bare.connect() as connection:
                await connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE_MS}")
                try:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    await connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    async def rebuild(self, tables: Iterable[str]) -> None:
        """Write the tables anew, so that no file holds anything that was deleted. Nobody else can use them meanwhile.

        Deleted cells are zeroed at once, but SQLite leaves copies now and then in the free space of pages that it divided
        or joined (version 3.40 did in one of five long stories). On PostgreSQL, deleted rows stay where they were until
        something else takes their room, and its statistics quote common values: they are taken and written anew as well.
        """
        with translated():
            if not self._is_sqlite:
                async with self._bare.connect() as connection:
                    await connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {', '.join(tables)}")
                    await connection.exec_driver_sql("VACUUM (FULL) pg_catalog.pg_statistic")
                return
            async with self._one_writer, self._bare.connect() as connection:
                await connection.exec_driver_sql("VACUUM")
                busy, *_ = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()
            if busy:
                raise StoreUnavailable(UNEMPTIED)

    async def close(self) -> None:
        """Give back the connections."""
        with translated():
            await self._engine.dispose()
            if self._pulse is not None:
                await self._pulse.dispose()


def sqlite_url(path: Path) -> str:
    """The address of an SQLite file, whatever characters its path has."""
    return URL.create("sqlite+aiosqlite", database=str(path)).render_as_string(hide_password=False)


def sqlite_file(url: str) -> str:
    """The path of the file that an SQLite address names. Raises StoreUnavailable when it names none."""
    with translated():
        return str(_address(url).database)


def insert_new(connection: AsyncConnection, table: Table) -> Insert:
    """An insert that leaves rows alone whose keys are there already; its row count tells which it was."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def insert_adding(connection: AsyncConnection, table: Table, column: str) -> Insert:
    """An insert that, where its key is there already, adds what it has in a column to what stands there."""
    keys = list(table.primary_key.columns)
    if connection.dialect.name == "sqlite":
        to_sqlite = sqlite.insert(table)
        added = {column: table.c[column] + to_sqlite.excluded[column]}
        return to_sqlite.on_conflict_do_update(index_elements=keys, set_=added)
    insert = postgresql.insert(table)
    return insert.on_conflict_do_update(index_elements=keys, set_={column: table.c[column] + insert.excluded[column]})


def _lock_key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ValueError as error:
        raise ArgumentError("a part of the address is malformed") from error
    address = address.set(drivername=DRIVERS.get(address.drivername, address.drivername))
    if address.drivername not in DRIVERS.values():
        raise ArgumentError(f"unknown database {address.drivername}")
    if address.get_backend_name() == "sqlite" and (address.database in {None, "", ":memory:"} or address.query):
        raise ArgumentError("a story needs a file to survive in, named by its path alone")
    if address.get_backend_name() != "sqlite" and not address.query.keys() <= OPTIONS:
        raise ArgumentError("its driver does not know such an option")
    return address


def _pulse(address: URL) -> AsyncEngine:
    patience = {"timeout": PULSE_SECONDS, "command_timeout": PULSE_SECONDS}
    return create_async_engine(address, pool_size=1, max_overflow=0, connect_args=patience, hide_parameters=True)


def _snapshots(engine: AsyncEngine) -> tuple[AsyncEngine, AsyncEngine]:
    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: DBAPIConnection, _record: object) -> None:
        # Not as a parameter of the connection: poolers between us and the server refuse those that they do not know.
        cursor = connection.cursor()
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
        cursor.close()
        connection.commit()
        _watch(connection)

    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), engine


def _watch(connection: Any) -> None:  # noqa: ANN401  SQLAlchemy's wrapping of asyncpg's, which has no types
    """Have the system notice when the other end of a connection has vanished (tcp(7))."""
    wire = connection.driver_connection._transport.get_extra_info("socket")  # noqa: SLF001  asyncpg shows it nowhere else
    if wire is None or wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {"TCP_KEEPIDLE": GONE_SECONDS // 3, "TCP_KEEPINTVL": GONE_SECONDS // 6, "TCP_KEEPCNT": 4}
    wanted |= {"TCP_USER_TIMEOUT": GONE_SECONDS * 1000}
    for name, value in wanted.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            wire.setsockopt(socket.IPPROTO_TCP, option, value)


def _keep_log(cursor: DBAPICursor) -> None:
    """Have a file written with a log ahead. SQLite does not wait for another who turns it on just then, but refuses at once."""
    for _ in range(LOG_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            # These do wait, the one for a reader's lock and the other for a writer's.
            cursor.execute("SELECT count(*) FROM sqlite_master")
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return
    cursor.execute("PRAGMA journal_mode = WAL")


def _prepare(engine: AsyncEngine, synchronous: str, *, as_it_is: bool) -> tuple[AsyncEngine, AsyncEngine]:
    """SQLite engines whose transactions begin as SQLAlchemy says, not as Python's driver guesses.

    The driver opens a transaction at the first change only, so that what was read before it may be out of date.
    A writer takes the write lock at once: a reader that turns writer half-way is refused without any waiting.
    """
    pragmas = (
        f"synchronous = {synchronous}",
        "foreign_keys = ON",
        "secure_delete = ON",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: DBAPIConnection, _record: object) -> None:
        try:
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            if not as_it_is:
                _keep_log(cursor)
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
        except BaseException:
            connection.close()  # a connection whose set-up failed is nobody's: it would keep its thread
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        if kind is not None:  # None: what must not be in a transaction
            connection.exec_driver_sql(f"BEGIN {kind}")

    return engine, engine.execution_options(sqlite_begin="IMMEDIATE")
