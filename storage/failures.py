"""The errors of databases and drivers as sentences that say what to check. The one place that knows their codes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import Refused, StoreAway, StoreUnavailable

LOCKED = "Another program holds the database locked: see whether a second Understudy or a database tool has it open."

# Names of result codes at https://www.sqlite.org/rescode.html; extended codes begin with the name of the primary one.
SQLITE = {
    "SQLITE_FULL": "The disk that holds the database is full: make room on it.",
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_NOTADB": "The database file is not an SQLite database: check the path, or move the file away to begin anew.",
    "SQLITE_CORRUPT": "The database file is damaged: stop the program and restore the file from a backup.",
    "SQLITE_CANTOPEN": "The database file cannot be opened: check that its folder exists and that this user may write there.",
    "SQLITE_READONLY": "The database file cannot be written: check the rights of the file and of its folder.",
    "SQLITE_PERM": "The database file cannot be used: check the rights of the file and of its folder.",
    "SQLITE_IOERR": "The disk that holds the database failed to read or write: check the disk and the system's log.",
}

# Codes and classes at https://www.postgresql.org/docs/current/errcodes-appendix.html, the most exact first.
POSTGRES = {
    "53100": "The disk of the PostgreSQL server is full: make room on it.",
    "53300": "The PostgreSQL server has no free connections: close some, or raise max_connections.",
    "57P": "The PostgreSQL server is stopping or starting: try again when it is up.",
    "28": "PostgreSQL refused the user or the password: check the database address in the configuration.",
    "3D000": "PostgreSQL has no database of that name: create it, or correct the address in the configuration.",
    "42501": "PostgreSQL denies this user the rights it needs: let the user own the database.",
    "08": "The connection to PostgreSQL broke: check that the server runs.",
    "40": "PostgreSQL undid the step because of another one at the same moment: try again.",
}

UNREACHABLE = "PostgreSQL cannot be reached: check that it runs and that the address in the configuration names it."
ADDRESS = (
    "The database address cannot be used: write sqlite+aiosqlite:////path/to/file.db"
    " or postgresql+asyncpg://user:password@host/database, with ?ssl=require behind it for TLS."
)
CROWDED = "The database is too slow for what is asked of it: no connection became free in time."


PASSING = frozenset({LOCKED, UNREACHABLE, CROWDED, POSTGRES["53300"], POSTGRES["57P"], POSTGRES["08"]})
"""Sentences about what may be over by itself."""


REFUSED = "The database refused a step"


@contextmanager
def fitting(told: str) -> Iterator[None]:
    """Rows from elsewhere that do not fit their table leave as Refused with this sentence; any other trouble as it came."""
    try:
        yield
    except StatementError as error:
        if not sentence(error).startswith(REFUSED):
            raise
        raise Refused(told) from None


@contextmanager
def translated() -> Iterator[None]:
    """Whatever a database or driver raises inside leaves as StoreUnavailable (StoreAway, if it may pass), its cause kept."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        told = sentence(error)
        raise (StoreAway if told in PASSING else StoreUnavailable)(told) from error


def sentence(error: Exception) -> str:
    """What happened and what to check. It never quotes parameters: these are what players wrote."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    for prefix, known in (SQLITE | POSTGRES).items():
        if str(code).startswith(prefix):
            return known
    if isinstance(cause, ArgumentError):
        return ADDRESS
    if isinstance(cause, PoolTimeout):
        return CROWDED
    if isinstance(cause, OSError | asyncpg.InterfaceError):
        return UNREACHABLE
    return f"{REFUSED}: {_first_line(cause)} ({code or type(cause).__name__})."


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else "it gave no reason"
