"""How a player's post joins the story: what of it is story and what is talk, its dice, and who answers when. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from bot.cleaning import NAME_LIMIT
from bot.flow.wishes import notice
from bot.ports.store import Change
from bot.posts import InboundPost
from bot.prompt.length import match_length
from bot.story import cutting
from bot.story.acts import add_aside, add_post, edit, open_reply
from bot.story.marks import Marked, split
from bot.story.persona import Persona
from bot.story.policies import answers, call_on, speaker, whose_turn
from bot.story.rolling import find_rolls, roll
from bot.story.session import Session, with_turn
from bot.story.settings import Length, TurnPolicy
from bot.story.turn import Role, Turn


@dataclass(frozen=True, slots=True)
class Joined:
    """What a post changes, and why it is not answered at once (empty: it is, or it is no matter of the story)."""

    change: Change
    unanswered: str = ""


@dataclass(frozen=True, slots=True)
class Joining:
    """What the joining of posts needs: seeds."""

    roll: Callable[[], int]

    def join(self, session: Session, persona: Persona, post: InboundPost, held: str = "") -> Joined:
        """What a post changes: it joins the story, as talk or as a post, and is answered if it is time. Raises Refused.

        `held` says why it is not answered even then.
        """
        marked, sources = split(post.text), post.parts or (post.event,)
        persona = told_apart(session, persona)
        after = session
        if marked.aside:
            after = add_aside(after, persona.author, persona.name, marked.aside, sources)
        if not marked.story:
            return Joined(Change(session, after, handled=post.event), "it is talk beside the story")
        answer = answers(after, persona.author, marked.story)
        rolls = tuple(roll(asked.dice, self.roll(), persona.name, asked.reason) for asked in find_rolls(marked.story))
        after = add_post(after, persona, marked.story, sources=sources, rolls=rolls)
        if answer.now:
            return Joined(Change(session, after if held else self.answered(after), handled=post.event), held)
        waiting = whose_turn(after) if session.settings.turns is TurnPolicy.IN_ORDER else None
        said = (notice(after, answer.why, post.event),) if waiting else ()
        return Joined(Change(session, after, said, post.event), answer.why)

    def amended(self, session: Session, turns: Sequence[Turn], text: str | None) -> Session:
        """The session in which a player's post reads otherwise, or (None) is gone; `turns` are what was made of it."""
        marked = split(text) if text is not None else Marked("", "")
        for turn in turns:
            kept, other = (marked.aside, marked.story) if turn.role is Role.ASIDE else (marked.story, marked.aside)
            if not kept and other and len(turns) == 1:
                # What was talk is story now, or the other way round: it keeps its place.
                role = Role.PLAYER if turn.role is Role.ASIDE else Role.ASIDE
                session, kept = with_turn(session, replace(session.turn(turn.number), role=role)), other
            session = edit(session, turn.number, kept) if kept else cutting.delete(session, turn.number)[0]
        return session

    def answered(self, session: Session, length: Length | None = None) -> Session:
        """The session with a reply opened to its newest post: by whoever's turn it is, in the length that is asked for."""
        text = session.last.text if session.last else ""
        if length is None and session.settings.matches_length:
            length = match_length(len(text.split()), None)
        name = speaker(session, text).name
        return open_reply(call_on(session, ""), self.roll(), speaker=name, length=length)


def told_apart(session: Session, persona: Persona) -> Persona:
    """The part of a player under a name that nobody else in the story has: a newcomer's is marked where it is taken."""
    if session.persona_of(persona.author) == persona:
        return persona
    taken = {name.casefold() for card in session.cast for name in (card.name, card.nickname)}
    taken |= {each.name.casefold() for each in session.personas if each.author != persona.author}
    name = persona.name
    for number in count(2):
        if name.casefold() not in taken:
            break
        name = f"{persona.name[: NAME_LIMIT - 4]} {number}"
    return replace(persona, name=name)
