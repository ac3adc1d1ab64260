"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "0001"
down_revision = None
breaks_older_programs = False

ARRIVAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create them."""
    _sessions()
    _turns()
    _posts_in()
    _posts_out()
    _standing()
    _readers()


def _sessions() -> None:
    op.create_table(
        "sessions",
        Column("id", Text(), nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("begun", sa.BigInteger(), nullable=False),
        Column("scenario", Text(), nullable=False),
        Column("rating", Text(), nullable=False),
        Column("length", Text(), nullable=True),
        Column("window_start", Integer(), nullable=False),
        Column("next_number", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("platform", "channel", name=op.f("uq_sessions_platform_channel")),
    )
    op.create_table(
        "characters",
        Column("session", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("description", Text(), nullable=False),
        Column("greeting", Text(), nullable=False),
        Column("rating", Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_characters_sessions"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_characters")),
    )
    op.create_table(
        "personas",
        Column("session", Text(), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("author", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("description", Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_personas_sessions"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session", "position", name=op.f("pk_personas")),
    )


def _turns() -> None:
    op.create_table(
        "turns",
        Column("session", Text(), nullable=False),
        Column("number", Integer(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("author", Text(), nullable=True),
        Column("selected", Integer(), nullable=False),
        Column("posts", Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_turns_sessions"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session", "number", name=op.f("pk_turns")),
    )
    op.create_table(
        "variants",
        Column("session", Text(), nullable=False),
        Column("turn", Integer(), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("length", Text(), nullable=True),
        Column("seed", Text(), nullable=False),
        Column("token_ids", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session", "turn"], ["turns.session", "turns.number"], name=op.f("fk_variants_turns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session", "turn", "position", name=op.f("pk_variants")),
    )
    op.create_index(
        "ix_variants_writing",
        "variants",
        ["session"],
        unique=False,
        sqlite_where=sa.text("state = 'writing'"),
        postgresql_where=sa.text("state = 'writing'"),
    )


def _posts_in() -> None:
    op.create_table(
        "inbox",
        Column("id", ARRIVAL, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("payload", Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("platform", "event", name=op.f("uq_inbox_platform_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("payload IS NOT NULL"),
        postgresql_where=sa.text("payload IS NOT NULL"),
    )


def _posts_out() -> None:
    op.create_table(
        "outbox",
        Column("id", ARRIVAL, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("turn", Integer(), nullable=False),
        Column("position", Integer(), nullable=True),
        Column("variant", Integer(), nullable=False),
        Column("voice", Text(), nullable=False),
        Column("speaker", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("due", sa.Double(), nullable=False),
        Column("uncertain", sa.Boolean(), nullable=False),
        Column("reason", Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("platform", "channel", "key", name=op.f("uq_outbox_platform_channel_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["platform", "channel", "id"],
        unique=False,
        sqlite_where=sa.text("reason IS NULL"),
        postgresql_where=sa.text("reason IS NULL"),
    )


def _standing() -> None:
    op.create_table(
        "messages",
        Column("id", ARRIVAL, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("turn", Integer(), nullable=False),
        Column("position", Integer(), nullable=True),
        Column("variant", Integer(), nullable=False),
        Column("message", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("voice", Text(), nullable=False),
        Column("speaker", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("platform", "channel", "turn", "position", name=op.f("uq_messages_platform_channel_turn_position")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_platform_channel_id"), "messages", ["platform", "channel", "id"], unique=False)


def _readers() -> None:
    op.create_table(
        "works_with",
        Column("revision", Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_works_with")),
    )
