"""What to do about an inbound event: a pure decision over the session and the event. Nothing is done here."""

from dataclasses import dataclass

from bot import texts
from bot.posts import Command, Inbound, InboundPost
from bot.story.policy import Rating, is_adult, refusal
from bot.story.session import Session


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


Decision = Ignore | RunCommand | TakeTurn


def decide(session: Session | None, event: Inbound, model: Rating) -> Decision:
    """What to do about an event in a place with this session, on a model of this rating."""
    if session is None:
        return Ignore(texts.NO_SESSION)
    if blocked := refusal(model=model, character=session.character.rating, session=session.rating):
        lost = "" if isinstance(event, Command) else texts.NOT_TAKEN
        rated = texts.MODEL_RATED if is_adult(model) else ""
        return Ignore("the age gate is closed", blocked + lost + rated)
    if isinstance(event, Command):
        return RunCommand(session, event)
    return TakeTurn(session, event)
