"""What to do about an inbound event: a pure decision over the session and the event. Nothing is done here."""

from collections.abc import Collection
from dataclasses import dataclass

from bot import texts
from bot.commands.catalogue import find
from bot.commands.spec import Who
from bot.ids import AuthorId
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from bot.story.session import Session

ALWAYS = frozenset({"undo", "delete", "rewind", "pause", "unpause", "remove", "allow", "lines add", "veils add"})
"""Commands that only take away or hold back: they are carried out even where nothing may be played."""


REMOVED = "the player was removed"

WRITES = frozenset({"retry", "continue", "shorter", "longer", "roll"})
"""Commands that have something written or added: not while a story is paused."""

TAKES_BACK = frozenset({"undo", "rewind"})
"""Commands that take story back: not in a session that goes on elsewhere."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is to be done; the reason is logged, and `notice`, if there is one, is told to the place."""

    reason: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A player's act on the story is to be carried out."""

    session: Session
    command: Command
    who: Who = Who.PLAYER


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """A player's post joins the story and its character answers."""

    session: Session
    post: InboundPost


@dataclass(frozen=True, slots=True)
class Amend:
    """A player's post was changed or taken away on its platform, and the story follows."""

    session: Session
    event: Edited | Deleted


@dataclass(frozen=True, slots=True)
class Standing:
    """What an event meets: why nothing may be played here (None: it may), and how near to the table whoever asks is."""

    closed: str | None = None
    who: Who = Who.ANYONE


Decision = Ignore | RunCommand | TakeTurn | Amend


def decide(session: Session | None, event: Inbound, standing: Standing) -> Decision:
    """What to do about an event in a place with this session."""
    if session is None:
        return Ignore(texts.NO_SESSION)
    if isinstance(event, Deleted):
        return Amend(session, event)
    if isinstance(event, Edited):
        return Ignore(REMOVED) if event.author in session.table.removed else Amend(session, event)
    if isinstance(event, Command):
        closed = None if event.name in ALWAYS else _closed(session, standing, "")
        return closed or _withheld(session, event, standing.who) or RunCommand(session, event, standing.who)
    return _closed(session, standing, texts.NOT_TAKEN) or _unheard(session, event) or TakeTurn(session, event)


def circle(session: Session, command: Command, operators: Collection[AuthorId]) -> Who:
    """How near whoever asks is to the table of a session: what they may use follows from it."""
    author = command.author
    if author in operators:
        return Who.OPERATOR
    if command.is_moderator or author == session.table.owner:
        return Who.TABLE
    if author in session.table.removed or session.persona_of(author) is None:
        return Who.ANYONE
    return Who.PLAYER


def _closed(session: Session, standing: Standing, lost: str) -> Ignore | None:
    """Why nothing may be played or added here, if that is so; `lost` says what becomes of a post."""
    if standing.closed:
        return Ignore("the age gate is closed", standing.closed + lost)
    return Ignore("the session is locked", texts.LOCKED) if session.locked else None


def _withheld(session: Session, command: Command, who: Who) -> Ignore | None:
    """Why this command is not carried out for whoever asks now, if that is so."""
    spec = find(command.name)
    if spec is None:
        return Ignore("there is no such command", texts.NO_COMMAND.format(name=command.name))
    if command.author in session.table.removed:
        return Ignore(REMOVED)
    if not who.may(spec.who):
        return Ignore("it is not theirs to ask for", texts.NOT_YOURS[spec.who])
    if session.locked and command.name in TAKES_BACK:
        return Ignore("the session is locked", texts.LOCKED_COMMAND)
    if session.table.paused and command.name in WRITES:
        return Ignore("the session is paused", texts.PAUSED_COMMAND)
    return None


def _unheard(session: Session, post: InboundPost) -> Ignore | None:
    if post.author in session.table.removed:
        return Ignore(REMOVED)
    return Ignore("the session is paused", texts.PAUSED) if session.table.paused else None
