"""From the segments of a prompt to tokens, remembering what was tokenised before. It knows no model, only its tokenizer."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

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


class PromptTokens:
    """Tokenises segment by segment: joined, the parts are the prompt as it is read. For one event loop only."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: OrderedDict[_Asked, tuple[int, ...]] = OrderedDict()

    async def parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment. Ids that a segment brings are used as they are."""
        return tuple([await self._part(segment, first=not place) for place, segment in enumerate(segments)])

    async def _part(self, segment: Segment, *, first: bool) -> tuple[int, ...]:
        if segment.token_ids:
            return segment.token_ids
        asked = _Asked(segment.text, segment.trusted, first)
        if len(asked.text) >= LONG_TEXT:
            return await asyncio.to_thread(self._tokenize, asked)
        if asked in self._known:
            self._known.move_to_end(asked)
            return self._known[asked]
        tokens = self._known[asked] = self._tokenize(asked)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return tokens

    def _tokenize(self, asked: _Asked) -> tuple[int, ...]:
        return self._runner.tokenize(asked.text, special=asked.special, first=asked.first)
