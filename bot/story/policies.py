"""When the model answers and as whom: pure decisions over a session and the post that joins it. Nothing is written here.

"Players" are those with a part in the session who were not removed from it. A round is what was posted since the last
reply. Names are compared whatever their case, as whole words.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.session import Session
from bot.story.settings import SpeakerPolicy, TurnPolicy
from bot.story.turn import Role

MONOLOGUE = 3
"""After so many replies in a row, a character whom nobody named gives way to the next one of the cast."""

ARTICLES = frozenset({"a", "an", "the"})
TITLES = frozenset(
    """
    old young little big great saint st dr doctor prof professor mr mrs ms miss mx sir dame lord lady king queen
    prince princess duke duchess count countess baron baroness emperor empress captain colonel general sergeant
    officer agent father mother brother sister uncle aunt madam madame master mistress elder chief
    """.split()  # noqa: SIM905 - words are read more easily than sixty quoted lines
)
"""Words that a name may begin with and that call nobody by themselves."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the model answers a post now, why (or why not) in a sentence, and whose post it waits for, if it is one's."""

    now: bool
    why: str
    next_player: AuthorId | None = None


def answers(session: Session, post_author: AuthorId, text: str) -> Answer:
    """Whether a post by `post_author`, which has not joined the session yet, is answered at once.

    Somebody new joins with this post. They are waited for from then on, and come last in an order.
    """
    if post_author in session.table.removed:
        return Answer(False, "This player was removed from the story.")
    match session.settings.turns:
        case TurnPolicy.EVERY_POST:
            return Answer(True, "Every post is answered.")
        case TurnPolicy.ADDRESSED:
            return _when_addressed(session, text)
        case TurnPolicy.ALL_POSTED:
            return _after_all(session, post_author)
        case TurnPolicy.IN_ORDER:
            return _in_order(session, post_author)
        case TurnPolicy.ON_CONTINUE:
            return Answer(False, "The story is answered only when somebody uses continue.")


def whose_turn(session: Session) -> Persona | None:
    """The one player whose post the story waits for; None while it waits for nobody or for several."""
    if session.writing is not None:
        return None
    players, posted = _players(session), _round(session)
    match session.settings.turns:
        case TurnPolicy.IN_ORDER:
            at = _reached([player.author for player in players], posted)
            return players[at] if at < len(players) else None
        case TurnPolicy.ALL_POSTED:
            waiting = [player for player in players if player.author not in posted]
            return waiting[0] if len(waiting) == 1 else None
        case TurnPolicy.EVERY_POST | TurnPolicy.ADDRESSED | TurnPolicy.ON_CONTINUE:
            return None


def nudge_due(session: Session, posted_at: float, now: float) -> bool:
    """Whether the player whose turn it is should be reminded.

    Both times are in seconds of one clock. `posted_at` is when the story last moved or they were last reminded.
    """
    seconds = session.settings.nudge_seconds
    if seconds is None or session.table.paused or session.locked or whose_turn(session) is None:
        return False
    return now - posted_at >= seconds


def speaker(session: Session, text: str, named: str | None = None) -> CharacterCard:
    """Which character answers, `text` being the newest post: whom the players asked for, else by the session's policy.

    `named` takes the place of the session's own `next_speaker`; a name that is nobody's any more is passed over.
    """
    cast = session.cast
    asked = _called(cast, named or session.table.next_speaker)
    if asked is not None or len(cast) == 1:
        return asked or cast[0]
    spoke = _last_speakers(session)
    latest = _called(cast, spoke[0]) if spoke else None
    match session.settings.speakers:
        case SpeakerPolicy.BY_NAME:
            return _last_named(cast, text) or _going_on(cast, latest, spoke)
        case SpeakerPolicy.BY_TURN:
            return _next(cast, latest)
        case SpeakerPolicy.BY_PLAYERS:
            return latest or cast[0]


def call_on(session: Session, name: str) -> Session:
    """The session with this character asked to answer next; with an empty name, nobody is. Raises Refused for a stranger."""
    card = _called(session.cast, name) if name else None
    if name and card is None:
        raise Refused(f"No such character is in this story; choose one of {', '.join(each.name for each in session.cast)}.")
    return replace(session, table=replace(session.table, next_speaker=card.name if card else ""))


def addressed(cast: Sequence[CharacterCard], text: str) -> tuple[CharacterCard, ...]:
    """The characters that a text names, in the order of their last mention: by name, nickname or first name."""
    folded = _folded(text)
    mentions = [(_last_mention(folded, (card.name, card.nickname)), card) for card in cast]
    found = sorted(((end, card) for end, card in mentions if end is not None), key=lambda mention: mention[0])
    return tuple(card for _, card in found)


def _when_addressed(session: Session, text: str) -> Answer:
    named = addressed(session.cast, text)
    if named:
        return Answer(True, f"{named[-1].spoken_name} was addressed.")
    return Answer(False, f"Nobody was addressed; name {_either([card.spoken_name for card in session.cast])} for an answer.")


def _after_all(session: Session, post_author: AuthorId) -> Answer:
    posted = {*_round(session), post_author}
    waiting = [player for player in _players(session) if player.author not in posted]
    if not waiting:
        return Answer(True, "All players have posted.")
    only = waiting[0].author if len(waiting) == 1 else None
    return Answer(False, f"The story waits for {_both([player.name for player in waiting])} to post.", only)


def _in_order(session: Session, post_author: AuthorId) -> Answer:
    players = _players(session)
    order = [player.author for player in players]
    before = _reached(order, _round(session))
    after = _reached(order, [*_round(session), post_author])
    if after == len(order):
        return Answer(True, "All players have posted in their order.")
    out_of_turn = " The post is in the story, but it was out of turn." if after == before else ""
    return Answer(False, f"It is {players[after].name}'s turn.{out_of_turn}", order[after])


def _players(session: Session) -> list[Persona]:
    return [persona for persona in session.personas if persona.author not in session.table.removed]


def _round(session: Session) -> list[AuthorId]:
    """Who has posted since the last reply, oldest first, as often as they did."""
    authors: list[AuthorId] = []
    for turn in reversed(session.turns):
        if turn.role is Role.CHARACTER:
            break
        if turn.role is Role.PLAYER and turn.author is not None:
            authors.append(turn.author)
    return authors[::-1]


def _reached(order: Sequence[AuthorId], posted: Sequence[AuthorId]) -> int:
    """How many of the order have had their turn: a post out of turn takes nobody's."""
    at = 0
    for author in posted:
        if at < len(order) and order[at] == author:
            at += 1
    return at


def _last_speakers(session: Session) -> list[str]:
    """The names of the characters' replies, newest first."""
    return [turn.name for turn in reversed(session.turns) if turn.role is Role.CHARACTER]


def _going_on(cast: Sequence[CharacterCard], latest: CharacterCard | None, spoke: Sequence[str]) -> CharacterCard:
    """Who answers when nobody is named: who spoke last, but no monologue."""
    if latest is None:
        return cast[0]
    row = spoke[:MONOLOGUE]
    is_monologue = len(row) == MONOLOGUE and all(_called(cast, name) == latest for name in row)
    return _next(cast, latest) if is_monologue else latest


def _next(cast: Sequence[CharacterCard], latest: CharacterCard | None) -> CharacterCard:
    return cast[(cast.index(latest) + 1) % len(cast)] if latest is not None else cast[0]


def _last_named(cast: Sequence[CharacterCard], text: str) -> CharacterCard | None:
    named = addressed(cast, text)
    return named[-1] if named else None


def _called(cast: Sequence[CharacterCard], name: str) -> CharacterCard | None:
    """The character with this name: the whole of it first, then a nickname, then a first name."""
    wanted = _folded(name).removeprefix("@").strip()
    if not wanted:
        return None
    for way in (_name, _nickname, _first_name):
        for card in cast:
            if _folded(way(card)) == wanted:
                return card
    return None


def _name(card: CharacterCard) -> str:
    return card.name


def _nickname(card: CharacterCard) -> str:
    return card.nickname


def _first_name(card: CharacterCard) -> str:
    return first_name(card.name)


def first_name(name: str) -> str:
    """What a character is called for short: the first word of a name that is no title, or all of it but its article.

    "Joren" for Captain Joren Hale, "Old Man" for The Old Man, and the whole name when it is nothing but titles.
    """
    words = name.split()
    if len(words) > 1 and _folded(words[0]) in ARTICLES:
        return " ".join(words[1:])
    return next((word for word in words if _folded(word).strip(".") not in TITLES), name)


def _last_mention(text: str, names: Sequence[str]) -> int | None:
    """Where the last mention of one of these names ends."""
    ways = {_folded(way).strip() for name in names for way in (name, first_name(name))} - {""}
    if not ways:
        return None
    either = "|".join(re.escape(way) for way in sorted(ways, key=lambda way: (-len(way), way)))
    return max((found.end() for found in re.finditer(rf"(?<!\w)(?:{either})(?!\w)", text)), default=None)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'")


def _both(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
