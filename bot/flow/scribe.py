"""A reply on its way from stream to posts: text, token ids and cut posts so far. It knows no engine and no store."""

from dataclasses import dataclass, field

from bot.chunking.chunker import Chunker
from bot.ports.engine import TextDelta
from bot.posts import ChannelLimits
from bot.prompt.guard import clean, kept_ids
from bot.story.turn import Variant


@dataclass(slots=True)
class Scribe:
    """Takes down one variant, from the text that it already has on.

    Posts leave the chunker when they are sure and cannot be taken back; `tail` is the text after them.
    """

    variant: Variant
    limits: ChannelLimits
    posts: list[str] = field(default_factory=list)
    _chunker: Chunker = field(init=False)
    _text: str = field(init=False, default="")
    _trail: list[tuple[str, tuple[int, ...]]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._chunker = Chunker(self.limits)
        if self.variant.text:
            self._trail.append((" " + self.variant.text, self.variant.token_ids))
            self._take(self.variant.text)

    @property
    def text(self) -> str:
        """All text so far."""
        return self._text

    @property
    def kept(self) -> str:
        """The text that a crash must not lose: what has left in posts, and what the variant began with."""
        return self._text[: self._fixed].rstrip()

    @property
    def tail(self) -> str:
        """The text that is still held back."""
        return self._text[self._chunker.taken :].lstrip()

    def feed(self, delta: TextDelta) -> bool:
        """Take down a stretch; True when a post has become sure."""
        self._trail.append((delta.text, delta.token_ids))
        return self._take(delta.text if self._text else delta.text.lstrip())

    def finish(self, *, cut: bool) -> tuple[str, tuple[int, ...]]:
        """The reply is over: its final text and the ids that spell it (or none); `posts` is then the whole set.

        `cut` says that it did not end by itself: it is trimmed to its last whole sentence, but never into posts that are
        out or text that it began with.
        """
        text = clean(self._text, cut=cut)
        if len(text) < self._fixed:
            text = self.kept or text
        self.posts += [chunk.text for chunk in self._chunker.finish(max(len(text), self._chunker.taken))]
        return text, kept_ids(self._trail, text)

    @property
    def _fixed(self) -> int:
        return max(self._chunker.taken, len(self.variant.text))

    def _take(self, text: str) -> bool:
        self._text += text
        chunks = self._chunker.feed(text)
        self.posts += [chunk.text for chunk in chunks]
        return bool(chunks)
