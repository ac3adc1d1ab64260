"""All that a session holds by now: cast, memory, table, links, dice; a bin, a library, refusals and reports."""

import json
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Integer, Text

from storage.columns import escape, unescape

revision = "0003"
down_revision = "0002"
breaks_older_programs = True

ARRIVAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REBUILT = ("sessions", "characters", "personas", "turns", "variants", "messages")
# What was there before goes over as it is, with these columns beside.
SAME = {
    "personas": "session, position, author, name, description",
    "turns": "session, number, role, name, author, selected, posts",
    "variants": "session, turn, position, text, state, length, seed, token_ids",
    "messages": "id, platform, channel, turn, position, variant, message, key, voice, speaker, text",
}
NEW = {"turns": ("sources, rolls, extras", "'[]', '[]', ''"), "variants": ("is_cut", "false")}


def upgrade() -> None:
    """Build the tables anew whose constraints change (SQLite cannot change them in place), and add the others."""
    for table in REBUILT:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608  names of this page
    for table in reversed(REBUILT):
        op.drop_table(table)
    _sessions()
    _turns()
    _messages()
    _carry_over()
    for table in REBUILT:
        op.drop_table(f"old_{table}")
    _inbox_and_outbox()
    _library()


def _sessions() -> None:
    op.create_table(
        "sessions",
        Column("id", Text(), nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("begun", sa.BigInteger(), nullable=False),
        Column("scenario", Text(), nullable=False),
        Column("rating", Text(), nullable=False),
        Column("settings", Text(), nullable=False),
        Column("window_start", Integer(), nullable=False),
        Column("next_number", Integer(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("memory", Text(), nullable=False),
        Column("table", Text(), nullable=False),
        Column("came_from", Text(), nullable=True),
        Column("goes_on_in", Text(), nullable=False),
        Column("locked", sa.Boolean(), nullable=False),
        Column("ended", sa.Double(), nullable=True),
        Column("touched", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    _index("uq_sessions_place", "sessions", ["platform", "channel"], "ended IS NULL", unique=True)
    op.create_table(
        "characters",
        Column("session", Text(), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("card", Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_characters_sessions"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session", "position", name=op.f("pk_characters")),
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
        Column("sources", Text(), nullable=False),
        Column("rolls", Text(), nullable=False),
        Column("extras", Text(), nullable=False),
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
        Column("is_cut", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session", "turn"], ["turns.session", "turns.number"], name=op.f("fk_variants_turns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session", "turn", "position", name=op.f("pk_variants")),
    )
    _index("ix_variants_writing", "variants", ["session"], "state = 'writing'")


def _messages() -> None:
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
        Column("left_by", Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_platform_channel_id"), "messages", ["platform", "channel", "id"], unique=False)
    _index("uq_messages_spot", "messages", ["platform", "channel", "turn", "position"], "left_by IS NULL", unique=True)
    _index("ix_messages_left_by", "messages", ["left_by"], "left_by IS NOT NULL")


def _carry_over() -> None:
    connection = op.get_bind()
    _carry_sessions_over(connection)
    for table, columns in SAME.items():
        more, values = NEW.get(table, ("", ""))
        into, read = (f"{columns}, {more}", f"{columns}, {values}") if more else (columns, columns)
        op.execute(f"INSERT INTO {table} ({into}) SELECT {read} FROM old_{table}")  # noqa: S608  names of this page
    if connection.dialect.name == "postgresql":  # its counter began anew with the table
        highest = "SELECT coalesce(max(id), 0) + 1 FROM messages"
        op.execute(f"SELECT setval(pg_get_serial_sequence('messages', 'id'), ({highest}), false)")


def _carry_sessions_over(connection: sa.Connection) -> None:
    """One by one: their settings and cards become JSON. Readers give what is missing there its default."""
    now = time.time()
    for row in connection.execute(sa.text("SELECT * FROM old_sessions")).mappings().all():
        settings = {"length": row["length"], "adapter": unescape(row["adapter"] or "")}
        kept = {name: row[name] for name in ("id", "platform", "channel", "begun", "scenario", "rating")}
        kept |= {name: row[name] for name in ("window_start", "next_number", "version")}
        new = {"settings": _json(settings), "memory": "{}", "table": "{}", "goes_on_in": "[]"}
        _insert(connection, "sessions", kept | new | {"locked": False, "touched": now})
    for row in connection.execute(sa.text("SELECT * FROM old_characters")).mappings().all():
        card = {name: unescape(row[name]) for name in ("name", "description", "greeting", "rating")}
        _insert(connection, "characters", {"session": row["session"], "position": 0, "card": _json(card)})


def _insert(connection: sa.Connection, table: str, row: Mapping[str, Any]) -> None:
    connection.execute(sa.table(table, *(sa.column(name) for name in row)).insert().values(row))


def _json(value: Mapping[str, Any]) -> str:
    return escape(json.dumps(value, ensure_ascii=False))


def _inbox_and_outbox() -> None:
    op.add_column("inbox", Column("reason", Text(), nullable=True))
    _index("ix_inbox_refused", "inbox", ["platform", "channel", "id"], "reason IS NOT NULL")
    op.add_column("outbox", Column("left_by", Text(), nullable=True))


def _library() -> None:
    op.create_table(
        "cards",
        Column("id", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("rating", Text(), nullable=False),
        Column("card", Text(), nullable=False),
        Column("face", sa.LargeBinary(), nullable=False),
        Column("face_type", Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
    )
    op.create_index(op.f("ix_cards_owner"), "cards", ["owner"], unique=False)
    op.create_table(
        "default_personas",
        Column("author", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("description", Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", name=op.f("pk_default_personas")),
    )
    op.create_table(
        "reports",
        Column("id", ARRIVAL, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        Column("author", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("context", Text(), nullable=False),
        Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "unforgotten",
        Column("number", ARRIVAL, nullable=False),
        Column("session", Text(), nullable=False),
        Column("platform", Text(), nullable=False),
        Column("channel", Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_unforgotten")),
        sqlite_autoincrement=True,
    )


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
