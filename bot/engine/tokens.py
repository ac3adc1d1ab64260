"""From the segments of a prompt to tokens, remembering what was tokenised before. It knows no model, only its tokenizer."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import UnknownToken
from bot.ports.engine import Segment
from bot.ports.runner import Runner

REMEMBERED = 4096
LONG_TEXT = 20_000
"""Characters and ids from which on what is asked at once is tokenised outside the event loop.

One text that has so many is not remembered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    special: bool
    first: bool
    ids: tuple[int, ...] = ()

    @property
    def is_prompt(self) -> bool:
        """Whether these are ids from the other side of a network: they may be none of the model's, and are not remembered."""
        return self.special and not self.text

    @property
    def size(self) -> int:
        """How much work it is, in characters or ids."""
        return len(self.text) + len(self.ids)


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
        self._forgotten = 0
        self._real: set[int] = set()

    async def parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment. Ids that a segment brings are used as they are, where they spell it.

        They may not: a story can be played on with another model than the one that wrote them. Raises RunnerFailed.
        """
        asked = [_Asked(each.text, each.trusted, not place, each.token_ids) for place, each in enumerate(segments)]
        found = {each: self._known[each] for each in asked if each in self._known}
        unknown = [each for each in dict.fromkeys(asked) if each not in found]
        forgotten = self._forgotten
        if sum(each.size for each in unknown) >= LONG_TEXT:
            found |= await asyncio.to_thread(self._all, unknown)
        else:
            found |= self._all(unknown)
        if forgotten == self._forgotten:
            self._remember(found)
        return tuple(found[each] for each in asked)

    def forget(self) -> None:
        """Remember no text any more, nor those that are being tokenised: which story one belongs to, nobody here knows."""
        self._known.clear()
        self._forgotten += 1

    def _remember(self, found: Mapping[_Asked, tuple[int, ...]]) -> None:
        for asked, tokens in found.items():
            if not asked.is_prompt and asked.size < LONG_TEXT:
                self._known[asked] = tokens
                self._known.move_to_end(asked)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _all(self, asked: Sequence[_Asked]) -> dict[_Asked, tuple[int, ...]]:
        return {each: self._known_ids(each.ids) if each.is_prompt else self._tokenize(each) for each in asked}

    def _known_ids(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """These ids, once it is certain that all are tokens of the model: one that is none would fail a step for everybody."""
        for token in sorted(set(ids) - self._real):
            self._runner.piece(token)
            # Only the model's own are remembered, so there are never more than it has.
            self._real.add(token)
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
