"""How far adapters have read the places of their platforms."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a table; programs from before this one work on, without it."""
    op.create_table(
        "bookmarks",
        Column("platform", sa.Text(), nullable=False),
        Column("channel", sa.Text(), nullable=False),
        Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel", name=op.f("pk_bookmarks")),
    )
