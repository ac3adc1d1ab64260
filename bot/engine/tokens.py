"""From the segments of a prompt to tokens, remembering what was tokenised before. It knows no model, only its tokenizer."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UnknownToken
from bot.ports.engine import Segment
from bot.ports.runner import Runner

REMEMBERED = 4096
LONG_TEXT = 20_000
"""Characters from which on a text is tokenised outside the event loop and not remembered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    special: bool
    first: bool
    ids: tuple[int, ...] = ()


def joined(segments: Sequence[Segment], parts: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The prompt as one run of tokens, and the places in it where a part of the prompt opens."""
    tokens: list[int] = []
    borders: list[int] = []
    for segment, part in zip(segments, parts, strict=True):
        if segment.opens and tokens:
            borders.append(len(tokens))
        tokens.extend(part)
    return tuple(tokens), tuple(dict.fromkeys(borders))


class PromptTokens:
    """Tokenises segment by segment: joined, the parts are the prompt as it is read. For one event loop only."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: OrderedDict[_Asked, tuple[int, ...]] = OrderedDict()

    async def parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment. Ids that a segment brings are used as they are, where they spell it.

        They may not: a story can be played on with another model than the one that wrote them. Raises RunnerFailed.
        """
        return tuple([await self._part(segment, first=not place) for place, segment in enumerate(segments)])

    async def _part(self, segment: Segment, *, first: bool) -> tuple[int, ...]:
        if segment.trusted and not segment.text:
            # Ids from the other side of a network: they may be none of this model's, and are too many to be remembered.
            return self._known_ids(segment.token_ids)
        asked = _Asked(segment.text, segment.trusted, first, segment.token_ids)
        if len(asked.text) >= LONG_TEXT:
            return await asyncio.to_thread(self._tokenize, asked)
        if asked in self._known:
            self._known.move_to_end(asked)
            return self._known[asked]
        tokens = self._known[asked] = self._tokenize(asked)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return tokens

    def _known_ids(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """These ids, once it is certain that all are tokens of the model: one that is none would fail a step for everybody."""
        for token in ids:
            self._runner.piece(token)
        return ids

    def _tokenize(self, asked: _Asked) -> tuple[int, ...]:
        if asked.ids and self._spell(asked.ids, asked.text):
            return asked.ids
        return self._runner.tokenize(asked.text, special=asked.special, first=asked.first)

    def _spell(self, ids: Sequence[int], text: str) -> bool:
        try:
            spelled = b"".join(self._runner.piece(token) for token in ids)
        except UnknownToken:
            return False
        return spelled == text.encode(errors="replace")
