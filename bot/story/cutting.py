"""Cutting a story: one turn out, all from a turn on, a branch into another place, a part that ends. Pure, as all acts are."""

from collections.abc import Sequence
from dataclasses import replace

from bot.errors import Refused
from bot.ids import Place, SessionId
from bot.story.acts import WINDOW_STEP_BACK, forgetting_from, refuse_while_writing, without
from bot.story.session import Session
from bot.story.table import Link, LinkKind
from bot.story.turn import Role, Turn


def delete(session: Session, number: int) -> tuple[Session, tuple[Turn, ...]]:
    """The session without one turn, and that turn."""
    refuse_while_writing(session)
    return without(session, (session.turn(number),))


def rewind(session: Session, number: int) -> tuple[Session, tuple[Turn, ...]]:
    """The session as it was before turn `number`: without it and all after it, and the turns that left."""
    refuse_while_writing(session)
    session.turn(number)
    return without(session, tuple(turn for turn in session.turns if turn.number >= number))


def branch(session: Session, turns: Sequence[Turn], number: int, new: SessionId, place: Place) -> tuple[Session, Session]:
    """The session with a link, and a new one in `place` that tells the same story up to turn `number`, which it includes.

    `turns` are all turns of the session, also those that left the window. The copies stand in no posts: where they were
    shown, they still are.
    """
    refuse_while_writing(session)
    if all(turn.number != number for turn in turns):
        raise Refused("There is no such post to branch from; look at the story as it is now.")
    copies = tuple(replace(turn, posts=(), sources=()) for turn in turns if turn.number <= number)
    start = session.window_start if session.window_start < number else max(0, number - WINDOW_STEP_BACK)
    branched = replace(
        session,
        id=new,
        place=place,
        turns=copies,
        window_start=start,
        next_number=number + 1,
        version=0,
        came_from=Link(LinkKind.BRANCH, session.id, session.place, number),
        goes_on_in=(),
        locked=False,
    )
    return _linked(session, Link(LinkKind.BRANCH, new, place, number)), forgetting_from(branched, number + 1)


def next_part(session: Session, new: SessionId, place: Place, summary: str) -> tuple[Session, Session]:
    """The session locked, and the one that goes on with it in `place`: told what happened by `summary` and the last reply."""
    refuse_while_writing(session)
    replies = [turn for turn in session.turns if turn.role is Role.CHARACTER and turn.text.strip()]
    if not replies:
        raise Refused("There is no story yet that could go on elsewhere.")
    last = replace(replies[-1], number=0, posts=(), variants=(replies[-1].variant,), selected=0)
    part = replace(
        session,
        id=new,
        place=place,
        turns=(last,),
        window_start=0,
        next_number=1,
        version=0,
        memory=replace(session.memory, summary=summary, summary_until=0),
        came_from=Link(LinkKind.PART, session.id, session.place, replies[-1].number),
        goes_on_in=(),
    )
    locked = replace(session, locked=True)
    return _linked(locked, Link(LinkKind.PART, new, place, replies[-1].number)), part


def _linked(session: Session, link: Link) -> Session:
    return replace(session, goes_on_in=(*session.goes_on_in, link))
