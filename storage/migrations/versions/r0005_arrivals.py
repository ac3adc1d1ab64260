"""What adapters took in from platforms that they read as one stream, and how far they had read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add two tables; programs from before this one work on, without them."""
    op.create_table(
        "streams",
        Column("platform", sa.Text(), nullable=False),
        Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_streams")),
    )
    op.create_table(
        "arrivals",
        Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        Column("platform", sa.Text(), nullable=False),
        Column("event", sa.Text(), nullable=False),
        Column("channel", sa.Text(), nullable=False),
        Column("author", sa.Text(), nullable=False),
        Column("payload", sa.Text()),
        Column("let_go", sa.Double()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        sa.UniqueConstraint("platform", "event", name=op.f("uq_arrivals_platform_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_arrivals_author"), "arrivals", ["author"])
    op.create_index(op.f("ix_arrivals_let_go"), "arrivals", ["let_go"])
