"""What to do about an inbound event: a pure decision over the session and the event. Nothing is done here."""

from dataclasses import dataclass

from bot import texts
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from bot.story.policy import Rating, is_adult, refusal
from bot.story.session import Session

ALWAYS = frozenset({"undo", "delete", "rewind", "pause", "unpause", "remove", "allow", "lines add", "veils add", "end"})
"""Commands that only take away or hold back: they are carried out even where nothing may be played."""


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


Decision = Ignore | RunCommand | TakeTurn | Amend


def decide(session: Session | None, event: Inbound, model: Rating) -> Decision:
    """What to do about an event in a place with this session, on a model of this rating."""
    if session is None:
        return Ignore(texts.NO_SESSION)
    if isinstance(event, Edited | Deleted):
        return Amend(session, event)
    if isinstance(event, Command):
        closed = None if event.name in ALWAYS else _closed(session, model, "")
        return closed or RunCommand(session, event)
    return _closed(session, model, texts.NOT_TAKEN) or _unheard(session, event) or TakeTurn(session, event)


def _closed(session: Session, model: Rating, lost: str) -> Ignore | None:
    """Why nothing may be played or added here, if that is so; `lost` says what becomes of a post."""
    if blocked := refusal(model=model, character=session.character.rating, session=session.rating):
        return Ignore("the age gate is closed", blocked + lost + (texts.MODEL_RATED if is_adult(model) else ""))
    return Ignore("the session is locked", texts.LOCKED) if session.locked else None


def _unheard(session: Session, post: InboundPost) -> Ignore | None:
    if post.author in session.table.removed:
        return Ignore("the player was removed")
    return Ignore("the session is paused", texts.PAUSED) if session.table.paused else None
