"""Carrying out a player's act: the story's pure function, then its posts. What must be written is left open for the writer."""

from collections.abc import Callable
from dataclasses import replace

from bot.chunking.chunker import cut
from bot.errors import Refused
from bot.flow.wishes import removals_for, wishes_for
from bot.ports.store import Change, Wish
from bot.posts import Act, ChannelLimits, Command
from bot.story import acts as story
from bot.story.session import Session, with_length, with_turn
from bot.story.settings import Length
from bot.story.turn import Role, Turn


def carry_out(session: Session, command: Command, limits: ChannelLimits, roll: Callable[[], int]) -> Change:
    """What an act changes. Raises Refused, with a sentence for the player, when it makes no sense now."""
    match command.act:
        case Act.RETRY:
            return Change(session, story.retry(session, roll()), handled=command.event)
        case Act.CONTINUE:
            return Change(session, story.extend(session, roll()), handled=command.event)
        case Act.SWIPE_LEFT | Act.SWIPE_RIGHT:
            step = 1 if command.act is Act.SWIPE_RIGHT else -1
            swiped = story.swipe(session, step)
            return _shown_anew(session, swiped, swiped.turns[-1], limits, command)
        case Act.EDIT:
            if command.turn is None:
                raise Refused("An edit must name the post it changes.")
            edited = story.edit(session, command.turn, command.text)
            return _shown_anew(session, edited, edited.turn(command.turn), limits, command)
        case Act.UNDO:
            undone, gone = story.undo(session)
            wishes: tuple[Wish, ...] = tuple(removal for turn in gone for removal in removals_for(session, turn))
            return Change(session, undone, wishes, command.event)
        case Act.LENGTH:
            return Change(session, with_length(session, _length(command.text)), handled=command.event)


def _shown_anew(before: Session, after: Session, turn: Turn, limits: ChannelLimits, command: Command) -> Change:
    # A player's own post on the platform is theirs; only the character's posts are ours to show anew.
    if turn.role is Role.PLAYER:
        return Change(before, after, handled=command.event)
    posts = tuple(chunk.text for chunk in cut(turn.text, limits))
    wishes = wishes_for(before, turn, posts)
    return Change(before, with_turn(after, replace(turn, posts=posts)), wishes, command.event)


def _length(text: str) -> Length | None:
    if not text:
        return None
    try:
        return Length(text)
    except ValueError:
        known = ", ".join(Length)
        raise Refused(f"There is no such length; choose one of {known}, or none.") from None
