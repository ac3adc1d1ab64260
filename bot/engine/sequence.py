"""One reply while it is written: what is drawn, as text that is safe to show. It knows no slots, threads or models."""

import codecs
from collections import deque
from collections.abc import Sequence

from bot.ports.engine import FinishReason, TextDelta


class StopFinder:
    """Lets text pass until one of the stop texts appears, and holds back what may be the beginning of one.

    The stop that is complete first ends the text; of several that are, the one that began first, then the longest.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.met = ""

    def feed(self, text: str) -> str:
        """The text that can be shown now. Once `met` names a stop, nothing more will come."""
        if self.met:
            return ""
        text = self._held + text
        found = [(at, -len(stop), stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            at, _, self.met = min(found)
            self._held = ""
            return text[:at]
        hold = max((_overlap(text, stop) for stop in self._stops), default=0)
        cut = len(text) - hold
        self._held = text[cut:]
        return text[:cut]

    def rest(self) -> str:
        """What was held back, for when the reply ended without a stop."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that `stop` begins with, short of the whole stop."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)


class ReplySequence:
    """The tokens drawn for one reply, and the text they spell.

    `accept` and `end` give what can be shown now. A character spread over several tokens comes whole or, when the reply
    ends in its middle, not at all. Bytes that are no UTF-8 become U+FFFD.
    """

    def __init__(self, max_tokens: int, stops: Sequence[str]) -> None:
        self._max_tokens = max_tokens
        self._stops = StopFinder(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._unsent: deque[tuple[int, int]] = deque()
        self._spelled = 0
        self._shown = 0
        self.drawn = 0
        self.reason: FinishReason | None = None

    @property
    def stop(self) -> str:
        """The stop text that was met, or nothing."""
        return self._stops.met

    def accept(self, token: int, piece: bytes) -> TextDelta | None:
        """Take one drawn token that does not end the reply; it may end it by a stop text or by being the last allowed."""
        text = self._decoder.decode(piece)
        self._unsent.append((token, self._spelled))
        self._spelled += len(text)
        self.drawn += 1
        shown = self._stops.feed(text)
        if self._stops.met:
            self.reason = FinishReason.STOP
        elif self.drawn >= self._max_tokens:
            self.reason = FinishReason.LENGTH
            shown += self._stops.rest()
        return self._delta(shown)

    def end(self) -> TextDelta | None:
        """The model drew its end token: what was held back comes out."""
        self.reason = FinishReason.END
        return self._delta(self._stops.rest())

    def _delta(self, text: str) -> TextDelta | None:
        """The text, with all ids that are due when it ends where a token ends; ids that came early would spell too much."""
        if not text:
            return None
        self._shown += len(text)
        if not self._is_border(self._shown):
            return TextDelta(text)
        ids: list[int] = []
        while self._unsent and self._unsent[0][1] < self._shown:
            ids.append(self._unsent.popleft()[0])
        return TextDelta(text, tuple(ids))

    def _is_border(self, at: int) -> bool:
        """Whether a token ends after this many characters, with no byte of an unfinished one behind it."""
        if at == self._spelled:
            return not self._decoder.getstate()[0]
        return any(start == at for _, start in self._unsent)
