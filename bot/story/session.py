"""A stored session and the acts on its story, each a pure function from one session to the next.

Rule 1: nothing here waits, rolls dice or reads a clock; whatever is random comes in as an argument and is stored.
Rule 2: an act that makes no sense raises Refused with a sentence for the player, and changes nothing.
"""

from dataclasses import dataclass, field, replace

from bot.errors import Refused
from bot.ids import AuthorId, Place, SessionId
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.settings import Length, SessionSettings
from bot.story.table import Link, Memory, Table
from bot.story.turn import Role, Turn, Variant, VariantState


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
        raise Refused("That post is no longer part of what can be changed; reload the page to see the story as it is.")

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


def greet(session: Session) -> Session:
    """The session opened by its character's greeting, if it has one."""
    if not session.character.greeting:
        return session
    return _append(session, Role.CHARACTER, session.character.name, Variant(session.character.greeting))


def add_post(session: Session, persona: Persona, text: str) -> Session:
    """The session with a player's post at its end, and that player's part in it."""
    _refuse_while_writing(session)
    joined = session if session.persona_of(persona.author) == persona else with_persona(session, persona)
    return _append(joined, Role.PLAYER, persona.name, Variant(text), persona.author)


def open_reply(session: Session, seed: int) -> Session:
    """The session with an empty reply of its character at the end, to be written next."""
    _refuse_while_writing(session)
    variant = Variant("", VariantState.WRITING, length=session.settings.length, seed=seed)
    return _append(session, Role.CHARACTER, session.character.name, variant)


def retry(session: Session, seed: int) -> Session:
    """The session with one more, empty variant of its last reply, or with the reply that its last post still lacks."""
    if session.writing is None and session.last is not None and session.last.role is Role.PLAYER:
        return open_reply(session, seed)
    turn = _last_reply(session)
    variant = Variant("", VariantState.WRITING, length=session.settings.length, seed=seed)
    return with_turn(session, turn.with_new_variant(variant))


def swipe(session: Session, step: int) -> Session:
    """The session with the variant `step` to the right (or, negative, to the left) of the shown one selected."""
    turn = _last_reply(session)
    wanted = turn.selected + step
    if not 0 <= wanted < len(turn.variants):
        side = "later" if step > 0 else "earlier"
        raise Refused(f"There is no {side} version of this reply; use retry to have another one written.")
    return with_turn(session, replace(turn, selected=wanted))


def extend(session: Session, seed: int) -> Session:
    """The session with its last reply opened again, to be written on from where it stands (the players' "continue")."""
    turn = _last_reply(session)
    variant = replace(turn.variant, state=VariantState.WRITING, seed=seed)
    return with_turn(session, turn.with_variant(variant))


def give_up(session: Session, selected: int | None = None) -> Session:
    """The session without the variant being written, which came to nothing: `selected` (else the last one) is shown again.

    Without another variant, there is no reply any more.
    """
    turn = session.writing
    if turn is None:
        return session
    variants = (*turn.variants[: turn.selected], *turn.variants[turn.selected + 1 :])
    if not variants:
        return replace(session, turns=session.turns[:-1])
    return with_turn(session, replace(turn, variants=variants, selected=len(variants) - 1 if selected is None else selected))


def edit(session: Session, number: int, text: str) -> Session:
    """The session with the shown text of one turn replaced."""
    _refuse_while_writing(session)
    if not text.strip():
        raise Refused("An edited post needs some text; use undo to take the last posts away.")
    turn = session.turn(number)
    variant = replace(turn.variant, text=text, token_ids=(), state=VariantState.WHOLE)
    return with_turn(session, turn.with_variant(variant))


def undo(session: Session) -> tuple[Session, tuple[Turn, ...]]:
    """The session without its last exchange (the last player's post and all after it), and the turns that left.

    With no player's post left there is nothing to undo: the greeting stays. When few turns, or no player's, are left in
    the window, it is moved back, so that the store reads older turns into it.
    """
    _refuse_while_writing(session)
    posts = [turn.number for turn in session.turns if turn.role is Role.PLAYER]
    if not posts:
        raise Refused("There is nothing to undo: no player has posted yet.")
    kept = tuple(turn for turn in session.turns if turn.number < posts[-1])
    gone = session.turns[len(kept) :]
    enough = len(posts) > 1 and len(kept) > WINDOW_FLOOR
    start = session.window_start if enough else max(0, session.window_start - WINDOW_STEP_BACK)
    return replace(session, turns=kept, window_start=start), gone


WINDOW_FLOOR = 2
WINDOW_STEP_BACK = 64


def _append(session: Session, role: Role, name: str, variant: Variant, author: AuthorId | None = None) -> Session:
    turn = Turn(session.next_number, role, name, (variant,), author=author)
    return replace(session, turns=(*session.turns, turn), next_number=session.next_number + 1)


def _last_reply(session: Session) -> Turn:
    _refuse_while_writing(session)
    if session.last is None or session.last.role is not Role.CHARACTER:
        raise Refused("The last post is not the character's; post something, or wait for the reply.")
    return session.last


def _refuse_while_writing(session: Session) -> None:
    if session.writing is not None:
        raise Refused(f"{session.character.name} is still writing; wait for the end or stop it first.")
