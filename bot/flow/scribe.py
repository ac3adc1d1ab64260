"""A reply on its way from stream to posts: text, token ids and cut posts so far. It knows no engine and no store."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.chunking.chunker import Chunker
from bot.ports.engine import TextDelta
from bot.posts import ChannelLimits
from bot.prompt.guard import SPEAKER, clean, kept_ids
from bot.safety.concern import Concern
from bot.safety.watch import Watch
from bot.story.turn import Variant


@dataclass(slots=True)
class Scribe:
    """Takes down one variant, from the text that it already has on.

    `foreign` finds the beginning of a line that is not the character's to write: there the reply is over. `watch`, where
    there is one, judges the text before any of it is shown; what it has found is the `concern`.
    Posts leave the chunker when they are sure and cannot be taken back; `tail` is the text after them.
    """

    variant: Variant
    limits: ChannelLimits
    foreign: re.Pattern[str]
    watched_by: Callable[[], Watch] | None = None
    posts: list[str] = field(default_factory=list)
    _chunker: Chunker = field(init=False)
    _watch: Watch | None = field(init=False, default=None)
    _concern: Concern | None = field(init=False, default=None)
    _text: str = field(init=False, default="")
    _cut: int = field(init=False, default=0)
    _end: int | None = field(init=False, default=None)
    _by_name: bool = field(init=False, default=False)
    _trail: list[tuple[str, tuple[int, ...]]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.start_over()

    def start_over(self) -> None:
        """Forget all that came since the variant's own text. Only as long as no post has become sure."""
        self._chunker = Chunker(self.limits)
        self._watch = self.watched_by() if self.watched_by else None
        self.posts, self._text, self._end, self._trail, self._cut, self._concern = [], "", None, [], 0, None
        if self.variant.text:
            self._trail.append((" " + self.variant.text, self.variant.token_ids))
            self._take(self.variant.text)

    @property
    def text(self) -> str:
        """All text so far, up to where the reply was over."""
        return self._text[: self._end]

    @property
    def is_over(self) -> bool:
        """Whether the reply went on in a line that is not the character's."""
        return self._end is not None

    @property
    def concern(self) -> Concern | None:
        """Why nothing of this reply may be shown, if that is so."""
        return self._concern

    @property
    def is_impersonation(self) -> bool:
        """Whether it was over because somebody else was made to speak."""
        return self.is_over and self._by_name

    @property
    def kept(self) -> str:
        """The text that a crash must not lose: what has left in posts, and what the variant began with."""
        return self._text[: self._fixed].rstrip()

    @property
    def tail(self) -> str:
        """The text that is still held back."""
        return self._text[self._chunker.taken : self._safe].lstrip()

    def feed(self, delta: TextDelta) -> bool:
        """Take down a stretch; True when a post has become sure."""
        known = len(self._text)
        self._trail.append((delta.text, delta.token_ids))
        became_sure = self._take(delta.text if self._text else delta.text.lstrip())
        line = self._text.rfind("\n", 0, known) + 1
        if found := self.foreign.search(self._text, max(line, self._fixed)):
            self._end, self._by_name = found.start(), found.lastgroup == SPEAKER
        return became_sure

    def finish(self, *, cut: bool) -> tuple[str, tuple[int, ...]]:
        """The reply is over: its final text and the ids that spell it (or none); `posts` is then the whole set.

        `cut` says that it did not end by itself: it is trimmed to its last whole sentence, but never into posts that are
        out or text that it began with.
        """
        if self._watch:
            self._concern = self._concern or self._watch.finish()
        self._hand_on(len(self._text))
        text = clean(self.text, cut=cut)
        if len(text) < self._fixed:
            text = self.kept or text
        self.posts += [chunk.text for chunk in self._chunker.finish(max(len(text), self._chunker.taken))]
        return text, kept_ids(self._trail, text)

    @property
    def _fixed(self) -> int:
        return max(self._chunker.taken, len(self.variant.text))

    @property
    def _safe(self) -> int:
        """How much of the text may be shown."""
        return len(self._text) if self._watch is None else max(self._watch.safe_until, len(self.variant.text))

    def _take(self, text: str) -> bool:
        self._text += text
        if self._watch:
            self._concern = self._concern or self._watch.feed(text)
        return self._hand_on(self._safe)

    def _hand_on(self, end: int) -> bool:
        """Give the chunker all text up to `end`; True when a post has become sure."""
        if self._concern or end <= self._cut:
            return False
        chunks = self._chunker.feed(self._text[self._cut : end])
        self._cut = end
        self.posts += [chunk.text for chunk in chunks]
        return bool(chunks)
