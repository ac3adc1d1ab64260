"""Who asked the model for how much."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add two tables; programs from before this one count nothing, and work on."""
    op.create_table(
        "asked",
        Column("platform", sa.Text(), nullable=False),
        Column("event", sa.Text(), nullable=False),
        Column("channel", sa.Text(), nullable=False),
        Column("community", sa.Text()),
        Column("author", sa.Text(), nullable=False),
        Column("at", sa.Double(), nullable=False),
        Column("writing", sa.Boolean(), nullable=False),
        Column("ended", sa.Double()),
        Column("over", sa.Text()),
        Column("until", sa.Double()),
        Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "event", name=op.f("pk_asked")),
    )
    for columns in (("author", "at"), ("platform", "channel", "at"), ("platform", "community", "at"), ("ended", "at")):
        op.create_index(op.f(f"ix_asked_{'_'.join(columns)}"), "asked", list(columns))
    op.create_table(
        "spent",
        Column("scope", sa.Text(), nullable=False),
        Column("name", sa.Text(), nullable=False),
        Column("hour", sa.BigInteger(), nullable=False),
        Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", "hour", name=op.f("pk_spent")),
    )
    op.create_index(op.f("ix_spent_hour"), "spent", ["hour"])
