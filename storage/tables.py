"""All tables, on one page. What they mean is in `bot/story` and `bot/ports/store.py`; this page knows only how they lie.

A place is written as its platform and channel in each table: inbox, outbox and messages exist before and after a session.
Where a session has left its place, `left_by` names it in the rows of outbox and messages that were its own there.
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
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from bot.story.card import CharacterCard
from bot.story.dice import DiceRoll
from bot.story.settings import SessionSettings
from bot.story.table import Link, Memory
from bot.story.table import Table as PlayersTable
from storage.columns import AnyText, AsJson, TextList, TokenIds, WholeNumber

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
    Column("settings", AsJson(SessionSettings), nullable=False),
    Column("window_start", Integer, nullable=False),
    Column("next_number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("memory", AsJson(Memory), nullable=False),
    Column("table", AsJson(PlayersTable), nullable=False),
    Column("came_from", AsJson(Link)),
    Column("goes_on_in", AsJson(tuple[Link, ...]), nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("ended", Double),  # when it left its place for the bin, in seconds since the epoch
    Column("touched", Double, nullable=False),  # when it was last changed, likewise
)
LIVING = text("ended IS NULL")
PLACE = (sessions.c.platform, sessions.c.channel)
Index("uq_sessions_place", *PLACE, unique=True, sqlite_where=LIVING, postgresql_where=LIVING)

characters = Table(  # the cast; the first one is at position 0
    "characters",
    metadata,
    Column("session", AnyText, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("card", AsJson(CharacterCard), nullable=False),
    PrimaryKeyConstraint("session", "position"),
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
    Column("sources", TextList, nullable=False),
    Column("rolls", AsJson(tuple[DiceRoll, ...]), nullable=False),
    Column("extras", AnyText, nullable=False),
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
    Column("is_cut", Boolean, nullable=False),
    Column("begun", Integer),
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
    Column("left_by", AnyText),
    Index(None, "platform", "channel", "id"),
    sqlite_autoincrement=True,
)
STANDING = text("left_by IS NULL")
SPOT = (messages.c.platform, messages.c.channel, messages.c.turn, messages.c.position)
Index("uq_messages_spot", *SPOT, unique=True, sqlite_where=STANDING, postgresql_where=STANDING)
LEFT = text("left_by IS NOT NULL")
Index("ix_messages_left_by", messages.c.left_by, sqlite_where=LEFT, postgresql_where=LEFT)

inbox = Table(  # the payload is emptied once the event is handled; its id stays for long, with the reason of a refusal
    "inbox",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("event", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("payload", AnyText),
    Column("reason", AnyText),
    UniqueConstraint("platform", "event"),
    sqlite_autoincrement=True,
)
WAITING = text("payload IS NOT NULL")
Index("ix_inbox_waiting", inbox.c.id, sqlite_where=WAITING, postgresql_where=WAITING)
REFUSED = text("reason IS NOT NULL")
Index("ix_inbox_refused", inbox.c.platform, inbox.c.channel, inbox.c.id, sqlite_where=REFUSED, postgresql_where=REFUSED)

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
    Column("left_by", AnyText),
    UniqueConstraint("platform", "channel", "key"),
    sqlite_autoincrement=True,
)
OPEN = text("reason IS NULL")
Index("ix_outbox_open", outbox.c.platform, outbox.c.channel, outbox.c.id, sqlite_where=OPEN, postgresql_where=OPEN)

cards = Table(  # the library; its names stand beside the cards so that a list need not read these
    "cards",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("owner", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("rating", AnyText, nullable=False),
    Column("card", AsJson(CharacterCard), nullable=False),
    Column("face", LargeBinary, nullable=False),
    Column("face_type", AnyText, nullable=False),
    Index(None, "owner"),
)

default_personas = Table(
    "default_personas",
    metadata,
    Column("author", AnyText, primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("description", AnyText, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("context", AnyText, nullable=False),
    Column("at", Double, nullable=False),  # seconds since the epoch
    sqlite_autoincrement=True,
)

unforgotten = Table(  # sessions, maybe gone, that engines must still forget
    "unforgotten",
    metadata,
    Column("number", Arrival, primary_key=True),
    Column("session", AnyText, nullable=False),
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    sqlite_autoincrement=True,
)

bookmarks = Table(  # how far an adapter has read a place; only the adapter knows what a mark says
    "bookmarks",
    metadata,
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("mark", AnyText, nullable=False),
    PrimaryKeyConstraint("platform", "channel"),
)

streams = Table(  # how far an adapter has read a platform that it reads as one stream
    "streams",
    metadata,
    Column("platform", AnyText, primary_key=True),
    Column("mark", AnyText, nullable=False),
)

arrivals = Table(  # what came up to there: without a payload, it was let go
    "arrivals",
    metadata,
    Column("id", Arrival, primary_key=True),
    Column("platform", AnyText, nullable=False),
    Column("event", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("author", AnyText, nullable=False),
    Column("payload", AnyText),
    Column("let_go", Double),  # seconds since the epoch
    UniqueConstraint("platform", "event"),
    Index(None, "author"),
    Index(None, "let_go"),
    sqlite_autoincrement=True,
)

processes = Table(  # which processes are alive, and until when unless they say so again: seconds since the epoch
    "processes",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("until", Double, nullable=False),
)

leases = Table(  # which process works on a place; one whose holder is not alive is free
    "leases",
    metadata,
    Column("platform", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("holder", AnyText, nullable=False),
    PrimaryKeyConstraint("platform", "channel"),
    Index(None, "holder"),
)

asked = Table(  # replies that were asked for: `over` names the limit that kept one from being written; all go within hours
    "asked",
    metadata,
    Column("platform", AnyText, nullable=False),
    Column("event", AnyText, nullable=False),
    Column("channel", AnyText, nullable=False),
    Column("community", AnyText),
    Column("author", AnyText, nullable=False),
    Column("at", Double, nullable=False),  # seconds since the epoch, like all times here
    Column("writing", Boolean, nullable=False),  # it is the reply that its place writes
    Column("ended", Double),
    Column("over", AnyText),
    Column("until", Double),  # when there is room again
    Column("told", Boolean, nullable=False),  # its place was told of the limit by this one
    PrimaryKeyConstraint("platform", "event"),
    Index(None, "author", "at"),
    Index(None, "platform", "channel", "at"),
    Index(None, "platform", "community", "at"),
    Index(None, "ended", "at"),
)

spent = Table(  # tokens by whose they are and by the hour in which they were used: its beginning
    "spent",
    metadata,
    Column("scope", AnyText, nullable=False),
    Column("name", AnyText, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "name", "hour"),
    Index(None, "hour"),
)

works_with = Table(  # the schema revisions whose programs can still use this database; see storage/migrations/env.py
    "works_with",
    metadata,
    Column("revision", AnyText, primary_key=True),
)
