"""How a player's post joins the story: what of it is story and what is talk, its dice, and who answers when. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.flow.wishes import notice
from bot.ports.store import Change
from bot.posts import InboundPost
from bot.prompt.length import match_length
from bot.story.acts import add_aside, add_post, open_reply
from bot.story.marks import split
from bot.story.persona import Persona
from bot.story.policies import answers, call_on, speaker, whose_turn
from bot.story.rolling import find_rolls, roll
from bot.story.session import Session
from bot.story.settings import Length, TurnPolicy


@dataclass(frozen=True, slots=True)
class Joining:
    """What the joining of posts needs: seeds."""

    roll: Callable[[], int]

    def join(self, session: Session, persona: Persona, post: InboundPost) -> Change:
        """The change that a post makes: it joins the story, as talk or as a post, and is answered if it is time."""
        marked = split(post.text)
        after = session
        if marked.aside:
            after = add_aside(after, persona.author, persona.name, marked.aside, post.event if not marked.story else None)
        if not marked.story:
            return Change(session, after, handled=post.event)
        answer = answers(after, persona.author, marked.story)
        rolls = tuple(roll(asked.dice, self.roll(), persona.name, asked.reason) for asked in find_rolls(marked.story))
        after = add_post(after, persona, marked.story, source=post.event, rolls=rolls)
        if answer.now:
            return Change(session, self.answered(after), handled=post.event)
        waiting = whose_turn(after) if session.settings.turns is TurnPolicy.IN_ORDER else None
        said = (notice(after, answer.why, post.event),) if waiting else ()
        return Change(session, after, said, post.event)

    def answered(self, session: Session, length: Length | None = None) -> Session:
        """The session with a reply opened to its newest post: by whoever's turn it is, in the length that is asked for."""
        text = session.last.text if session.last else ""
        if length is None and session.settings.matches_length:
            length = match_length(len(text.split()), None)
        name = speaker(session, text).name
        return open_reply(call_on(session, ""), self.roll(), speaker=name, length=length)
