"""How a story is played and what the model sees of it, in words; and why the last post was not answered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.flow.window import Measured, Reading, measure
from bot.ids import Place
from bot.ports.engine import EngineCapabilities
from bot.prompt.lore import extra_tokens
from bot.sampling import SamplingSettings, matters
from bot.story.policies import whose_turn
from bot.story.session import Session
from bot.story.turn import Role

SHOWN_REFUSALS = 3
EXCHANGE = 2
"""Turns: a post and its reply."""


@dataclass(slots=True)
class Status:
    """Tells how things stand. `reasons` says why the newest event of a place was ignored, where one was."""

    reading: Reading
    sampling: SamplingSettings
    reasons: Mapping[Place, str]

    async def of(self, session: Session) -> str:
        """All that players may want to know of a session, in lines. Raises EngineError."""
        engine = await self.reading.engine.capabilities()
        measured = await measure(self.reading, await self.reading.prompt(session))
        tokens = measured.head + sum(measured.turns) + measured.tail
        lines = [
            _cast(session),
            _length(session),
            f"Turns: {_words(session.settings.turns)}; characters answer {_words(session.settings.speakers)}.",
            *_waiting(session),
            f"The model {engine.model} sees {tokens:,} of {measured.context:,} tokens: {_seen(session)}",
            *await self._lore(session, measured),
            *_told(session),
            *_agreed(session),
            *_trouble(session, engine, self.sampling),
        ]
        return "\n".join(lines)

    async def why(self, place: Place) -> str:
        """Why the newest post of a place was not answered."""
        refusals = await self.reading.store.refusals(place, SHOWN_REFUSALS)
        reason = self.reasons.get(place)
        lines = [f"The last post was not answered: {reason.rstrip('.')}."] if reason else []
        lines += [f"Refused by the safety check: {each.reason.replace('_', ' ')}." for each in refusals]
        return "\n".join(lines) or "Nothing was left unanswered here since the program started."

    async def _lore(self, session: Session, measured: Measured) -> list[str]:
        told = await self.reading.lore.told(session)
        count = len(told.head_before) + len(told.head_after) + len(told.near)
        if not count and not told.left_out:
            return []
        left = f"; {len(told.left_out)} found no room" if told.left_out else ""
        turns = [turn for turn in session.turns if turn.role is not Role.ASIDE]
        older = replace(session, turns=tuple(turns[:-EXCHANGE]))
        before = await self.reading.lore.told(older)
        again = extra_tokens(before, told, measured.turns, min(EXCHANGE, len(measured.turns)), self.reading.lore.size)
        return [f"Lore: {count} entries are told{left}. For them {again} tokens were read again since the last exchange."]


def _cast(session: Session) -> str:
    players = _listed(each.name for each in session.personas) or "nobody yet"
    return f"{_listed(card.name for card in session.cast)} with {players}."


def _words(policy: str) -> str:
    return policy.replace("_", " ")


def _length(session: Session) -> str:
    if session.settings.matches_length:
        return "Length: as long as your posts."
    return f"Length: {session.settings.length or 'as it comes'}."


def _waiting(session: Session) -> Iterator[str]:
    if session.table.paused:
        yield "The story is paused."
    if waiting := whose_turn(session):
        yield f"It is {waiting.name}'s turn."


def _seen(session: Session) -> str:
    first = next((turn.number for turn in session.turns if turn.role is not Role.ASIDE), None)
    if first is None:
        return "there are no posts yet."
    if session.window_start == 0:
        return "all posts."
    summed = " A summary tells what came before." if session.memory.summary else " What came before is out of its sight."
    return f"the posts from number {first} on.{summed}"


def _told(session: Session) -> Iterator[str]:
    memory = session.memory
    if memory.note:
        yield f"Author's note, {memory.note_depth} posts from the end: {memory.note}"
    for number, fact in enumerate(memory.facts, 1):
        yield f"Pinned {number}: {fact}"
    entries = [entry for book in memory.lore for entry in book.entries]
    for number, entry in enumerate(entries, 1):
        yield f"Lore {number}: {', '.join(entry.keys) or entry.name}"


def _agreed(session: Session) -> Iterator[str]:
    for kind, agreed in (("Line", session.table.lines), ("Veil", session.table.veils)):
        for number, text in enumerate(agreed, 1):
            yield f"{kind} {number}: {text}"


def _trouble(session: Session, engine: EngineCapabilities, sampling: SamplingSettings) -> Iterator[str]:
    if session.table.impersonations:
        yield f"The model began to speak for a player {session.table.impersonations} times and was stopped."
    if ignored := [name for name in engine.unhonoured if matters(sampling, name)]:
        yield f"The engine cannot follow these sampler settings: {', '.join(ignored)}."


def _listed(names: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(names))
