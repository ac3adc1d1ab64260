"""Which processes are alive, and which of them works on a place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add two tables; programs from before this one work on, alone, without them."""
    op.create_table(
        "processes",
        Column("id", sa.Text(), nullable=False),
        Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    op.create_table(
        "leases",
        Column("platform", sa.Text(), nullable=False),
        Column("channel", sa.Text(), nullable=False),
        Column("holder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel", name=op.f("pk_leases")),
    )
    op.create_index(op.f("ix_leases_holder"), "leases", ["holder"])
