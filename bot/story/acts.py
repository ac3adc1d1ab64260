"""The acts on the end of a story: posts, replies and their variants, each a pure function from one session to the next.

Rule 1: nothing here waits, rolls dice or reads a clock; whatever is random comes in as an argument and is stored.
Rule 2: an act that makes no sense raises Refused with a sentence for the player, and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.errors import Refused
from bot.ids import AuthorId, EventId
from bot.story.dice import DiceRoll
from bot.story.persona import Persona
from bot.story.session import Session, with_persona, with_turn
from bot.story.settings import Length
from bot.story.turn import Role, Turn, Variant, VariantState

WINDOW_FLOOR = 2
WINDOW_STEP_BACK = 64


def greet(session: Session, greetings: Sequence[str] | None = None) -> Session:
    """The session opened by its character, if it has a greeting.

    `greetings` are its texts ready to be shown, the first one first; without them they are the card's as they stand.
    """
    card = session.character
    if greetings is None:
        greetings = (card.greeting, *card.alternate_greetings)
    variants = tuple(Variant(text) for text in greetings if text.strip())
    return _append(session, Role.CHARACTER, session.character.name, variants) if variants else session


def add_post(
    session: Session, persona: Persona, text: str, *, sources: tuple[EventId, ...] = (), rolls: tuple[DiceRoll, ...] = ()
) -> Session:
    """The session with a player's post at its end, and that player's part in it."""
    refuse_while_writing(session)
    joined = session if session.persona_of(persona.author) == persona else with_persona(session, persona)
    turn = _new_turn(session, Role.PLAYER, persona.name, (Variant(text),), persona.author)
    return _with_new(joined, replace(turn, sources=sources, rolls=rolls))


def add_aside(session: Session, author: AuthorId, name: str, text: str, sources: tuple[EventId, ...] = ()) -> Session:
    """The session with talk beside the story at its end: it is kept and shown, and never read by the model."""
    refuse_while_writing(session)
    turn = _new_turn(session, Role.ASIDE, name, (Variant(text),), author)
    return _with_new(session, replace(turn, sources=sources))


def add_rolls(session: Session, persona: Persona, rolls: tuple[DiceRoll, ...]) -> Session:
    """The session with dice of a player: with their post, if it is the newest turn, else as a turn of its own."""
    refuse_while_writing(session)
    turn = session.last
    if turn is None or turn.author != persona.author:
        return add_post(session, persona, "", rolls=rolls)
    return with_turn(session, replace(turn, rolls=(*turn.rolls, *rolls)))


def open_reply(session: Session, seed: int, *, speaker: str = "", length: Length | None = None) -> Session:
    """The session with an empty reply at the end, to be written next: by `speaker` (else its first character).

    `length` None takes the session's.
    """
    refuse_while_writing(session)
    variant = Variant("", VariantState.WRITING, length=length or session.settings.length, seed=seed)
    return _append(session, Role.CHARACTER, speaker or session.character.name, (variant,))


def retry(session: Session, seed: int, *, length: Length | None = None) -> Session:
    """The session with one more, empty variant of its last reply, or with the reply that its last post still lacks."""
    if session.writing is None and session.last is not None and session.last.role is Role.PLAYER:
        return open_reply(session, seed, length=length)
    turn = last_reply(session)
    variant = Variant("", VariantState.WRITING, length=length or session.settings.length, seed=seed)
    return with_turn(session, turn.with_new_variant(variant))


def swipe(session: Session, step: int) -> Session:
    """The session with the variant `step` to the right (or, negative, to the left) of the shown one selected."""
    turn = last_reply(session)
    wanted = turn.selected + step
    if not 0 <= wanted < len(turn.variants):
        side = "later" if step > 0 else "earlier"
        raise Refused(f"There is no {side} version of this reply; use retry to have another one written.")
    return with_turn(session, replace(turn, selected=wanted))


def extend(session: Session, seed: int) -> Session:
    """The session with its last reply opened again, to be written on from where it stands (the players' "continue")."""
    turn = last_reply(session)
    opened = replace(turn.variant, state=VariantState.WRITING, seed=seed, is_cut=False, begun=len(turn.text))
    return with_turn(session, turn.with_variant(opened))


def give_up(session: Session, selected: int | None = None) -> Session:
    """The session without the variant being written, which came to nothing: `selected` (else the last one) is shown again.

    Without another variant, there is no reply any more.
    """
    turn = session.writing
    if turn is None:
        return session
    variants = (*turn.variants[: turn.selected], *turn.variants[turn.selected + 1 :])
    if not variants:
        return replace(session, turns=tuple(each for each in session.turns if each.number != turn.number))
    return with_turn(session, replace(turn, variants=variants, selected=len(variants) - 1 if selected is None else selected))


def edit(session: Session, number: int, text: str) -> Session:
    """The session with the shown text of one turn replaced."""
    refuse_while_writing(session)
    if not text.strip():
        raise Refused("An edited post needs some text; use undo to take the last posts away.")
    turn = session.turn(number)
    variant = replace(turn.variant, text=text, token_ids=(), state=VariantState.WHOLE, is_cut=False, begun=0)
    return forgetting_from(with_turn(session, turn.with_variant(variant)), number)


def undo(session: Session) -> tuple[Session, tuple[Turn, ...]]:
    """The session without its last exchange (the last player's post and all after it), and the turns that left.

    With no player's post left there is nothing to undo: the greeting stays. When few turns, or no player's, are left in
    the window, it is moved back, so that the store reads older turns into it.
    """
    refuse_while_writing(session)
    posts = [turn.number for turn in session.turns if turn.role is Role.PLAYER]
    if not posts:
        raise Refused("There is nothing to undo: no player has posted yet.")
    return without(session, tuple(turn for turn in session.turns if turn.number >= posts[-1]))


def without(session: Session, gone: tuple[Turn, ...]) -> tuple[Session, tuple[Turn, ...]]:
    """The session without these turns, and its window moved back where little is left in it."""
    numbers = {turn.number for turn in gone}
    kept = tuple(turn for turn in session.turns if turn.number not in numbers)
    posts = sum(turn.role is Role.PLAYER for turn in kept)
    start = session.window_start if posts and len(kept) > WINDOW_FLOOR else max(0, session.window_start - WINDOW_STEP_BACK)
    first = min(numbers, default=session.next_number)
    return forgetting_from(replace(session, turns=kept, window_start=start), first), gone


def forgetting_from(session: Session, number: int) -> Session:
    """The session without its summary, where that tells of turn `number` or what came after: it is no longer so."""
    if session.memory.summary_until <= number:
        return session
    return replace(session, memory=replace(session.memory, summary="", summary_until=0))


def last_reply(session: Session) -> Turn:
    """The newest turn, if it is a character's and finished. Raises Refused."""
    refuse_while_writing(session)
    if session.last is None or session.last.role is not Role.CHARACTER:
        raise Refused("The last post is not the character's; post something, or wait for the reply.")
    return session.last


def refuse_while_writing(session: Session) -> None:
    """Raises Refused while a reply is being written."""
    if turn := session.writing:
        raise Refused(f"{turn.name} is still writing; wait for the end or stop it first.")


def _append(session: Session, role: Role, name: str, variants: tuple[Variant, ...]) -> Session:
    return _with_new(session, _new_turn(session, role, name, variants, None))


def _new_turn(session: Session, role: Role, name: str, variants: tuple[Variant, ...], author: AuthorId | None) -> Turn:
    return Turn(session.next_number, role, name, variants, author=author)


def _with_new(session: Session, turn: Turn) -> Session:
    return replace(session, turns=(*session.turns, turn), next_number=session.next_number + 1)
