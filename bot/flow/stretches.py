"""Which stretch of a reply's text one of its posts shows, so that the post can be changed alone. Pure."""

from dataclasses import dataclass

from bot.chunking.chunker import Chunk, cut
from bot.errors import Refused
from bot.posts import ChannelLimits, OutboundPost
from bot.story.turn import Turn

MOVED_ON = "That post shows an earlier text of the reply; wait until it is brought up to date, and try again."
NOT_IN_STRETCHES = (
    "This reply does not stand in its posts as it would be cut now, so that one of them cannot be changed alone;"
    " edit the whole of it by its number."
)


@dataclass(frozen=True, slots=True)
class Pointed:
    """One post of a reply: the turn, and the stretch of its text that the post shows."""

    turn: Turn
    chunk: Chunk

    @property
    def text(self) -> str:
        """What the post shows, without marks that were added for it alone."""
        return self.turn.text[self.chunk.start : self.chunk.end]

    def replaced(self, text: str) -> str:
        """The turn's text with exactly this stretch replaced."""
        return f"{self.turn.text[: self.chunk.start]}{text.strip()}{self.turn.text[self.chunk.end :]}"


def pointed(turn: Turn, post: OutboundPost, limits: ChannelLimits) -> Pointed:
    """The stretch of a turn that a post of it shows. Raises Refused where that cannot be said for sure."""
    chunks = cut(turn.text, limits)
    position = post.position
    if turn.is_writing or post.variant != turn.selected or position is None:
        raise Refused(MOVED_ON)
    if tuple(chunk.text for chunk in chunks) != turn.posts or position >= len(chunks):
        raise Refused(NOT_IN_STRETCHES)
    if chunks[position].text != post.text:
        raise Refused(MOVED_ON)
    return Pointed(turn, chunks[position])
