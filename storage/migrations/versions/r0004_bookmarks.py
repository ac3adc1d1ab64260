"""How far adapters have read the places of their platforms, and where the writing of a reply began."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a table and a column; programs from before this one work on, without them."""
    op.create_table(
        "bookmarks",
        Column("platform", sa.Text(), nullable=False),
        Column("channel", sa.Text(), nullable=False),
        Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel", name=op.f("pk_bookmarks")),
    )
    op.add_column("variants", Column("begun", sa.Integer()))
