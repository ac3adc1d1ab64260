"""How a story opens in its place: the character's greetings ready to be shown, and their posts. Pure; it stores nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bot.cards.macros import Names, fill
from bot.chunking.chunker import cut
from bot.flow.wishes import wishes_for
from bot.ids import SessionId
from bot.ports.store import Change, Wish
from bot.posts import ChannelLimits, Command
from bot.prompt.head import NOBODY_YET, seed_of
from bot.story.acts import greet
from bot.story.session import Session, with_turn
from bot.story.turn import Role


def named_after(command: Command) -> SessionId:
    """What the session is called that a command makes: the same for the same command, however often it comes."""
    key = f"{command.place.platform}/{command.place.channel}/{command.event}"
    return SessionId(hashlib.sha256(key.encode()).hexdigest()[:32])


def opened(session: Session, limits: ChannelLimits) -> Change:
    """The change that begins a session: its greeting shown, further greetings as its other variants."""
    card = session.character
    names = Names(card.spoken_name, session.personas[0].name if session.personas else NOBODY_YET)
    greetings = [fill(text, names, seed_of(session)) for text in (card.greeting, *card.alternate_greetings)]
    begun = greet(session, greetings)
    greeting = begun.last
    if greeting is None:
        return Change(None, begun)
    posts = tuple(chunk.text for chunk in cut(greeting.text, limits))
    wishes: tuple[Wish, ...] = wishes_for(begun, greeting, posts)
    return Change(None, with_turn(begun, replace(greeting, posts=posts)), wishes)


def with_last_shown(session: Session, limits: ChannelLimits, said: Sequence[Wish] = ()) -> Change:
    """The change that stores a session which was told elsewhere so far: of its posts, the newest reply is shown here."""
    last = session.last
    if last is None or last.role is not Role.CHARACTER:
        return Change(None, session, tuple(said))
    posts = tuple(chunk.text for chunk in cut(last.text, limits))
    shown = with_turn(session, replace(last, posts=posts))
    return Change(None, shown, (*wishes_for(session, last, posts), *said))
