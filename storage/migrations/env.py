"""What Alembic runs to apply migrations, on the connection that `storage.migrate` gave it."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import delete, insert

from storage.migrate import line_of
from storage.tables import metadata, works_with


def note_who_can_read(ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]) -> None:
    """Keep in the database which programs can use it: those of this schema, and older ones unless the step broke them."""
    del heads, run_args
    connection, script = ctx.connection, step.up_revision
    if connection is None or not isinstance(script, Script):
        return
    if getattr(script.module, "breaks_older_programs", False):
        connection.execute(delete(works_with))
    connection.execute(insert(works_with).values(revision=script.revision))
    if tell := context.config.attributes.get("tell"):
        tell(line_of(script.revision, script.doc))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    on_version_apply=note_who_can_read,
)
with context.begin_transaction():
    context.run_migrations()
