"""Brings a database to the schema of this program, or finds out that it cannot be used. It knows no story."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from bot.errors import StoreUnavailable
from storage.tables import works_with

HISTORY = "storage:migrations"


def bring_up_to_date(connection: Connection, history: str = HISTORY) -> None:
    """Apply the migrations that are missing, in the transaction of the connection, which must hold the schema lock.

    A database that a newer program has migrated is used as it is when its migrations left this program able to. Raises
    StoreUnavailable when they did not.
    """
    config = Config()
    config.set_main_option("script_location", history)
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    ours = scripts.get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if found is None or found in known:
        command.upgrade(config, "head")
    elif connection.scalar(select(works_with.c.revision).where(works_with.c.revision == ours)) is None:
        raise StoreUnavailable(
            f"The database was changed by a newer version of this program (its schema is {found}, this one needs {ours}):"
            " install that version, or restore the backup from before the update."
        )
