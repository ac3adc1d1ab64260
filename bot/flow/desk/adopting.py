"""How posts that stand in a place become the story there. Pure; it stores nothing and asks nobody."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from bot.cleaning import mended_name, shows_something, without_traps
from bot.errors import Refused
from bot.flow.joining import told_apart
from bot.ids import EventId
from bot.posts import OldPost
from bot.story.marks import split
from bot.story.persona import Persona
from bot.story.session import Session, with_persona
from bot.story.turn import Role, Turn, Variant

LONGEST = 100_000
"""Characters of one old post, put together, at most: what one person posted in a row."""

WINDOW = 64
"""How many of the newest turns are in the window at first."""


def adopted(session: Session, posts: Sequence[OldPost]) -> Session:
    """The session with these posts as its turns, what one person posted in a row together; its players are who posted.

    The first of them keep the names that they have there. Raises Refused where there is no word to make a story of.
    """
    parts: dict[str, Persona] = {}
    turns: list[Turn] = []
    for group in _in_a_row(posts):
        text = _joined(post.text for post in group)
        if not text:
            continue
        first, sources = group[0], tuple(post.event for post in group)
        if first.author is None:
            turns.append(Turn(len(turns), Role.CHARACTER, session.character.name, (Variant(text),)))
            continue
        if first.author not in parts:
            usual = Persona(first.author, mended_name(first.name) or "Somebody")
            parts[first.author] = told_apart(session, session.persona_of(first.author) or usual)
            session = with_persona(session, parts[first.author])
        turns += _player_turns(len(turns), parts[first.author], text, sources)
    if not turns:
        raise Refused("There are no posts here that could become a story; start begins a new one.")
    return replace(session, turns=tuple(turns), next_number=len(turns), window_start=max(0, len(turns) - WINDOW))


def _in_a_row(posts: Sequence[OldPost]) -> Iterator[list[OldPost]]:
    for _, group in groupby(posts, key=lambda post: post.author):
        yield list(group)


def _joined(texts: Iterable[str]) -> str:
    joined = without_traps("\n\n".join(text.strip() for text in texts if text.strip()))[:LONGEST].strip()
    return joined if shows_something(joined) else ""


def _player_turns(number: int, persona: Persona, text: str, sources: tuple[EventId, ...]) -> Iterator[Turn]:
    marked = split(text)
    for role, words in ((Role.ASIDE, marked.aside), (Role.PLAYER, marked.story)):
        if words:
            yield Turn(number, role, persona.name, (Variant(words),), author=persona.author, sources=sources)
            number += 1
