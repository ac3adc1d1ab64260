"""The LoRA adapter that a session is written with."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"
breaks_older_programs = False


def upgrade() -> None:
    """Add the column; older programs leave it empty, which means none."""
    op.add_column("sessions", Column("adapter", Text(), nullable=True))
