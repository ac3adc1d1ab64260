"""Brings a database to the schema of this program, or finds out that it cannot be used. It knows no story."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from bot.errors import StoreUnavailable
from storage.tables import metadata, works_with

HISTORY = "storage:migrations"

SAID = {"add": "missing", "remove": "not expected", "modify": "not as it should be"}
"""What Alembic would do about a difference, as what it finds."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Schema:
    """Which schema a database has (None: none yet), which one this program wants, and what lies between: a line for each step.

    `is_newer`: a later program made it. `is_usable`: this program can work with it, once the steps are made.
    """

    found: str | None
    wanted: str
    steps: tuple[str, ...]
    is_newer: bool
    is_usable: bool


def bring_up_to_date(connection: Connection, history: str = HISTORY, to: str = "head", tell: Tell | None = None) -> None:
    """Apply the migrations that are missing, in the transaction of the connection, which must hold the schema lock.

    A database that a newer program has migrated is used as it is when its migrations left this program able to. `to` stops
    earlier; `tell` hears of each step. Raises StoreUnavailable when a newer one did not.
    """
    schema = schema_of(connection, history)
    if not schema.is_usable:
        raise StoreUnavailable(
            f"The database was changed by a newer version of this program (its schema is {schema.found}, this one needs"
            f" {schema.wanted}): install that version, or restore the backup from before the update."
        )
    if not schema.is_newer:
        config = _config(history)
        config.attributes["connection"] = connection
        config.attributes["tell"] = tell
        command.upgrade(config, to)


def schema_of(connection: Connection, history: str = HISTORY) -> Schema:
    """How the schema of a database stands to that of this program."""
    scripts = ScriptDirectory.from_config(_config(history))
    wanted = scripts.get_current_head()
    if wanted is None:
        raise StoreUnavailable(f"There are no migrations in {history}: install the program anew.")
    found = MigrationContext.configure(connection).get_current_revision()
    newest_first = list(scripts.walk_revisions())
    known = [script.revision for script in newest_first]
    if found is not None and found not in known:
        lives = connection.scalar(select(works_with.c.revision).where(works_with.c.revision == wanted)) is not None
        return Schema(found, wanted, (), is_newer=True, is_usable=lives)
    missing = newest_first[: known.index(found)] if found else newest_first
    return Schema(found, wanted, tuple(line_of(each.revision, each.doc) for each in missing[::-1]), False, is_usable=True)


def line_of(revision: str, doc: str | None) -> str:
    """A migration in a line."""
    return f"{revision}: {(doc or '').splitlines()[0] if doc else 'no description'}"


def knows(revision: str, history: str = HISTORY) -> bool:
    """Whether this program has a migration of this name."""
    return any(revision == script.revision for script in ScriptDirectory.from_config(_config(history)).walk_revisions())


def is_empty(connection: Connection) -> bool:
    """Whether a database has no tables."""
    return not inspect(connection).get_table_names()


def differences(connection: Connection, *, may_have_more: bool) -> tuple[str, ...]:
    """What of the tables is not as this program wants it, a line each. A newer program `may_have_more` than we know."""
    found: list[str] = []
    for each in compare_metadata(MigrationContext.configure(connection), metadata):
        changes = each if isinstance(each, list) else [each]
        found += [_said(change) for change in changes if not (may_have_more and str(change[0]).startswith("remove_"))]
    return tuple(found)


def _said(change: tuple[Any, ...]) -> str:
    """A difference as Alembic tells it (alembic.autogenerate.compare_metadata), in words."""
    names = [getattr(part, "name", part) for part in change[1:]]
    act, _, what = str(change[0]).partition("_")
    return f"{SAID[act]}: {what.replace('_', ' ')} {'.'.join(name for name in names if isinstance(name, str))}"


def _config(history: str) -> Config:
    config = Config()
    config.set_main_option("script_location", history)
    return config
