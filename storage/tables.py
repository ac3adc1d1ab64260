"""All tables, on one page. What they mean is in `bot/story` and `bot/ports/store.py`; this page knows only how they lie.

A place is written as its platform and channel in each table: inbox, outbox and messages exist before and after a session.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from storage.columns import AnyText, TextList, TokenIds, WholeNumber

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite numbers rows by itself in an INTEGER key only; AUTOINCREMENT (below) keeps it from giving a number out twice.
Arrival = BigInteger().with_variant(Integer(), "sqlite")

sessions = Table(
    "sessions",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("begun", BigInteger, nullable=False),  # the order in which sessions began
    Column("scenario", AnyText, nullable=False),
    Column("rating", AnyText, nullable=False),
    Column("length", AnyText),
    Column("window_start", Integer, nullable=False),
    Column("next_number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("adapter", AnyText),
    UniqueConstraint("platform", "channel"),
)

characters = Table(
    "characters",
    metadata,
    Column("session", AnyText, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("description", AnyText, nullable=False),
    Column("greeting", AnyText, nullable=False),
    Column("rating", AnyText, nullable=False),
)

personas = Table(
    "personas",
    metadata,
    Column("session", AnyText, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("description", AnyText, nullable=False),
    PrimaryKeyConstraint("session", "position"),
)

turns = Table(
    "turns",
    metadata,
    Column("session", AnyText, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("role", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("author", AnyText),
    Column("selected", Integer, nullable=False),
    Column("posts", TextList, nullable=False),
    PrimaryKeyConstraint("session", "number"),
)

variants = Table(
    "variants",
    metadata,
    Column("session", AnyText, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("state", AnyText, nullable=False),
    Column("length", AnyText),
    Column("seed", WholeNumber, nullable=False),
    Column("token_ids", TokenIds, nullable=False),
    PrimaryKeyConstraint("session", "turn", "position"),
    ForeignKeyConstraint(["session", "turn"], ["turns.session", "turns.number"], ondelete="CASCADE"),
)
WRITING = text("state = 'writing'")
Index("ix_variants_writing", variants.c.session, sqlite_where=WRITING, postgresql_where=WRITING)

messages = Table(  # what stands on the platform; a notice has no position
    "messages",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("position", Integer),
    Column("variant", Integer, nullable=False),
    Column("message", AnyText, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("voice", AnyText, nullable=False),
    Column("speaker", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    UniqueConstraint("platform", "channel", "turn", "position"),
    Index(None, "platform", "channel", "id"),
    sqlite_autoincrement=True,
)

inbox = Table(  # the payload is emptied once the event is handled; its id stays, so that it is never handled again
    "inbox",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("event", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("payload", AnyText),
    UniqueConstraint("platform", "event"),
    sqlite_autoincrement=True,
)
WAITING = text("payload IS NOT NULL")
Index("ix_inbox_waiting", inbox.c.id, sqlite_where=WAITING, postgresql_where=WAITING)

outbox = Table(  # settled wishes leave; abandoned ones keep their reason and lose their text
    "outbox",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("position", Integer),
    Column("variant", Integer, nullable=False),
    Column("voice", AnyText, nullable=False),
    Column("speaker", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("uncertain", Boolean, nullable=False),
    Column("reason", AnyText),
    UniqueConstraint("platform", "channel", "key"),
    sqlite_autoincrement=True,
)
OPEN = text("reason IS NULL")
Index("ix_outbox_open", outbox.c.platform, outbox.c.channel, outbox.c.id, sqlite_where=OPEN, postgresql_where=OPEN)

works_with = Table(  # the schema revisions whose programs can still use this database; see storage/migrations/env.py
    "works_with",
    metadata,
    Column("revision", AnyText, primary_key=True),
)
