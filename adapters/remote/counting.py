"""The tokens of a prompt's segments, as the other side's tokenizer has them, remembering what was asked before.

It knows how each kind of server tokenises; what is asked of ours is one request for all that is not known.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.remote import wire
from adapters.remote.connection import Line
from adapters.remote.parsing import Changed
from adapters.remote.servers import ServerKind, Tokenizer
from bot.errors import EngineUnavailable
from bot.ports.engine import Segment

REMEMBERED = 4096
SIDE_BY_SIDE = 8
"""Requests at a time to a server that tokenises one text per request."""

BYTES_PER_TOKEN = 3
"""For servers that tell no tokens: fewer than most texts have, so that estimates are rather too high."""

LEADER = "\n"
"""Stands before a text that is not the first of a prompt, and its tokens are taken off again: many tokenizers put a space
before any text, or a begin-of-sequence token, which must not happen in the middle of a prompt."""

_MARKUP = re.compile(r"[<\[](?=[^\s<>\[\]]{1,60}[>\]])")


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    special: bool
    first: bool
    ids: tuple[int, ...] = ()


class RemoteTokens:
    """Tokenises segment by segment. Made for one kind of server at one address; `tag` names the model it was made with."""

    def __init__(self, line: Line, kind: ServerKind, model: str, tag: str = "") -> None:
        self._line = line
        self._kind = kind
        self._model = model
        self.tag = tag
        self._known: OrderedDict[_Asked, tuple[int, ...]] = OrderedDict()
        self._forgotten = 0
        self._gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def parts(self, segments: Sequence[Segment]) -> tuple[tuple[int, ...], ...]:
        """The tokens of each segment; for a server that tells none, as many zeros as are estimated.

        Raises EngineUnavailable, Passing and Changed; tries once.
        """
        asked = [self._asked(segment, first=not place) for place, segment in enumerate(segments)]
        # Held here, as what is remembered may be forgotten while others are asked for.
        found = {each: self._known[each] for each in asked if each in self._known}
        unknown = [each for each in dict.fromkeys(asked) if each not in found]
        forgotten = self._forgotten
        if unknown:
            found |= zip(unknown, await self._tokens(unknown), strict=True)
        if forgotten == self._forgotten:
            self._remember(found)
        return tuple(found[each] for each in asked)

    def forget(self) -> None:
        """Remember no text any more, nor those that are being tokenised: which story one belongs to, nobody here knows."""
        self._known.clear()
        self._forgotten += 1

    def _asked(self, segment: Segment, *, first: bool) -> _Asked:
        # Only our own server checks that ids spell their text; elsewhere the text alone is certain.
        ids = segment.token_ids if self._kind.is_ours or not segment.text else ()
        return _Asked(segment.text if self._kind.is_ours else clean(segment.text), segment.trusted, first, ids)

    def _remember(self, found: Mapping[_Asked, tuple[int, ...]]) -> None:
        for each, part in found.items():
            self._known[each] = part
            self._known.move_to_end(each)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _tokens(self, asked: Sequence[_Asked]) -> tuple[tuple[int, ...], ...]:
        if self._kind.is_ours:
            return await self._all_at_once(asked)
        tokenizer = self._kind.tokenizer
        if tokenizer is None:
            return tuple((0,) * (len(each.text.encode(errors="replace")) // BYTES_PER_TOKEN + 1) for each in asked)
        return tuple(await asyncio.gather(*(self._one(tokenizer, each) for each in asked)))

    async def _all_at_once(self, asked: Sequence[_Asked]) -> tuple[tuple[int, ...], ...]:
        # The first segment of a request gets the begin-of-sequence token: where ours is not first, nothing stands there.
        ahead = [] if asked[0].first else [_Asked("", special=True, first=True)]
        segments = [{"text": each.text, "trusted": each.special, "token_ids": list(each.ids)} for each in (*ahead, *asked)]
        answer = await self._line.post(wire.TOKENIZE, {"segments": segments})
        if answer.tag != self.tag:
            raise Changed("The engine serves another model than before.")
        found = answer.content.get("tokens") if isinstance(answer.content, dict) else None
        if not isinstance(found, list) or len(found) != len(segments):
            raise EngineUnavailable("The engine does not tokenise as it should.")
        return tuple(tuple(part) for part in found[len(ahead) :])

    async def _one(self, tokenizer: Tokenizer, asked: _Asked) -> tuple[int, ...]:
        if asked.ids:
            return asked.ids
        if not asked.text and not asked.first:
            return ()
        tokens: list[int] = []
        for place, piece in enumerate(self._pieces(asked)):
            tokens += await self._piece(tokenizer, piece, special=asked.special, first=asked.first and not place)
        return tuple(tokens)

    def _pieces(self, asked: _Asked) -> list[str]:
        """A player's text cut inside all that looks like a control word, so that a prompt of ids cannot hold one of theirs."""
        if asked.special or not self._kind.takes_ids:
            return [asked.text]
        cuts = [match.end() for match in _MARKUP.finditer(asked.text)]
        return [asked.text[start:end] for start, end in zip([0, *cuts], [*cuts, len(asked.text)], strict=True)]

    async def _piece(self, tokenizer: Tokenizer, text: str, *, special: bool, first: bool) -> list[int]:
        if first:
            return await self._raw(tokenizer, text, special=special, first=True)
        leader = await self._leader(tokenizer)
        tokens = await self._raw(tokenizer, LEADER + text, special=special, first=False)
        if tuple(tokens[: len(leader)]) == leader:
            return tokens[len(leader) :]
        return await self._raw(tokenizer, text, special=special, first=False)

    async def _leader(self, tokenizer: Tokenizer) -> tuple[int, ...]:
        asked = _Asked(LEADER, special=False, first=False)
        if asked not in self._known:
            self._known[asked] = tuple(await self._raw(tokenizer, LEADER, special=False, first=False))
        return self._known[asked]

    async def _raw(self, tokenizer: Tokenizer, text: str, *, special: bool, first: bool) -> list[int]:
        body: dict[str, object] = {tokenizer.text: text}
        if self._model:
            body["model"] = self._model
        if tokenizer.first:
            body[tokenizer.first] = first
        if tokenizer.special:
            body[tokenizer.special] = special
        async with self._gate:
            answer = await self._line.post(tokenizer.route, body)
        ids = answer.content.get(tokenizer.ids) if isinstance(answer.content, dict) else None
        if not isinstance(ids, list):
            raise EngineUnavailable(f"The engine does not tokenise as a {self._kind.name} does.")
        return [each for each in ids if isinstance(each, int)]


def clean(text: str) -> str:
    """The text without lone surrogates, which most servers take for a broken request."""
    return text.encode(errors="replace").decode()
