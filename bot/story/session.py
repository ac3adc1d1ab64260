"""What a place remembers of its story, as one value. The acts on it are its neighbours: acts, cutting, agreements."""

from dataclasses import dataclass, field, replace

from bot.errors import Refused
from bot.ids import AuthorId, Place, SessionId
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.settings import Length, SessionSettings
from bot.story.table import Link, Memory, Table
from bot.story.turn import Role, Turn


@dataclass(frozen=True, slots=True)
class Session:
    """What a place remembers of its story.

    `turns` are the turns that the model may read, from number `window_start` on; older ones stay in the store.
    `next_number` is the number of the next turn; `version` counts the changes stored so far. `character` is the first of
    the cast; `others` are further characters that the model plays. `came_from` is the session that it branched from or goes
    on; `goes_on_in` are those that branched from it or go on from it. A `locked` session goes on elsewhere: it is only read.
    """

    id: SessionId
    place: Place
    character: CharacterCard
    scenario: str
    personas: tuple[Persona, ...] = ()
    rating: Rating = Rating.UNRATED
    settings: SessionSettings = field(default_factory=SessionSettings)
    turns: tuple[Turn, ...] = ()
    window_start: int = 0
    next_number: int = 0
    version: int = 0
    others: tuple[CharacterCard, ...] = ()
    memory: Memory = field(default_factory=Memory)
    table: Table = field(default_factory=Table)
    came_from: Link | None = None
    goes_on_in: tuple[Link, ...] = ()
    locked: bool = False

    @property
    def cast(self) -> tuple[CharacterCard, ...]:
        """All characters that the model plays."""
        return (self.character, *self.others)

    @property
    def last(self) -> Turn | None:
        """The newest turn of the story, if there is one; asides are none."""
        return next((turn for turn in reversed(self.turns) if turn.role is not Role.ASIDE), None)

    @property
    def writing(self) -> Turn | None:
        """The turn that is being written, if there is one: only ever the newest."""
        return self.last if self.last and self.last.is_writing else None

    def turn(self, number: int) -> Turn:
        """The turn of this number. Raises Refused when the story no longer holds it."""
        for turn in self.turns:
            if turn.number == number:
                return turn
        raise Refused("That post is no longer part of what can be changed; look at the story as it is now.")

    def persona_of(self, author: AuthorId) -> Persona | None:
        """The part that this player plays, if they have one."""
        return next((persona for persona in self.personas if persona.author == author), None)


def with_persona(session: Session, persona: Persona) -> Session:
    """The session with this player's part added at the end, or replaced where it stands."""
    if session.persona_of(persona.author) is None:
        return replace(session, personas=(*session.personas, persona))
    # The order stays, so that the head of the prompt changes no more than it must.
    return replace(session, personas=tuple(persona if each.author == persona.author else each for each in session.personas))


def with_length(session: Session, length: Length | None) -> Session:
    """The session with another length modifier for the replies to come."""
    return replace(session, settings=replace(session.settings, length=length))


def with_turn(session: Session, turn: Turn) -> Session:
    """The session with the turn of the same number replaced."""
    session.turn(turn.number)
    return replace(session, turns=tuple(turn if each.number == turn.number else each for each in session.turns))


def with_window(session: Session, start: int) -> Session:
    """The session with its prompt's story beginning at turn number `start`; older turns leave the prompt for good."""
    kept = tuple(turn for turn in session.turns if turn.number >= start)
    return replace(session, turns=kept, window_start=start)
