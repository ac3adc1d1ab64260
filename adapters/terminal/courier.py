"""Prints posts to a terminal. What is printed is data: no markup is read in it, and nothing in it can steer the terminal.

Rule 1: a post is printed once, however often it is sent. Rule 2: a line that stands cannot be changed: an edit prints the
new text, a deletion says so.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from bot.errors import PostRefused
from bot.ids import EventId, MessageId, Place, Platform
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt, Voice

TERMINAL = Platform("terminal")

# ECMA-48: CSI and OSC sequences whole, then other two-character escapes, then every control character left.
STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)

GONE = ("", -1, -1)
"""Stands for the line about deleted posts: a row of them is told once."""

WIDTH = 88
"""The longest line of prose that reads well, in characters."""


def tame(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return STEERING.sub("", text.replace("\r\n", "\n"))


@dataclass(slots=True)
class TerminalCourier:
    """The courier of the platform "terminal". It takes posts from the start and prints once `unmute` was called."""

    console: Console
    channel_limits: ChannelLimits
    muted: bool = True
    _gone: dict[MessageId, bool] = field(default_factory=dict)
    _kept: list[OutboundPost] = field(default_factory=list)
    _known: dict[tuple[int, int], str] = field(default_factory=dict)
    _headed: tuple[str, int, int] | None = None
    _live: Live | None = None

    @property
    def platform(self) -> Platform:
        """Always "terminal"."""
        return TERMINAL

    async def limits(self, place: Place) -> ChannelLimits:  # noqa: ARG002  the wall asks per place
        """The same for every place."""
        return self.channel_limits

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Print a post."""
        message = _message_of(post)
        if message not in self._gone:
            self._gone[message] = False
            self._show(post)
        return PostReceipt(message)

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Print a post's new text. Raises PostRefused when it was taken away."""
        if self._gone.get(message):
            raise PostRefused("The post was taken away and cannot be changed any more.")
        self._gone[message] = False
        self._show(post)

    async def delete(self, place: Place, message: MessageId) -> None:  # noqa: ARG002  a message's name says it all
        """Say that a post no longer counts."""
        if self._gone.get(message):
            return
        self._gone[message] = True
        if not self.muted and self._headed != GONE:
            self._headed = GONE
            self._print(Text("(what stood here last was taken away)", style="dim"))

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:  # noqa: ARG002  keys suffice
        """Whether the post was printed since the start."""
        message = _message_of(post)
        return PostReceipt(message) if self._gone.get(message) is False else None

    async def open(self, near: Place, title: str, key: str) -> Place:  # noqa: ARG002  there is none
        """Raises PostRefused: a terminal shows one story."""
        raise PostRefused("A terminal shows one story only; open another one on the page.")

    async def writing(self, place: Place, draft: Draft) -> None:  # noqa: ARG002  a terminal has one place
        """Show the text as it grows, below what is printed; a pipe gets only finished posts."""
        if self.muted or not self.console.is_terminal:
            return
        self._head(draft.speaker.name, draft.turn, self._headed[2] if self._headed else 0)
        if self._live is None:
            self._live = Live(console=self.console, transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(_Tail(tame(draft.text or draft.waiting)), refresh=True)

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """A terminal cannot go back to a post that was printed: it bears no signs."""

    async def resting(self, place: Place, turn: int) -> None:  # noqa: ARG002  a terminal has one place
        """End the growing text; the finished posts follow."""
        self.rest()

    def rest(self) -> None:
        """Take the growing text away, whatever it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def unmute(self, known: Mapping[tuple[int, int], str]) -> None:
        """Print from now on, beginning with what was kept.

        `known` are the texts that are on the screen already, by turn and position: their posts may still be on the way.
        """
        self.muted = False
        self._known = dict(known)
        kept, self._kept = self._kept, []
        for post in kept:
            self._show(post)

    def say(self, text: str, style: str = "") -> None:
        """Print a paragraph of the program's own."""
        self._headed = None
        self._print(Text(tame(text), style=style))

    def tell(self, name: str, text: str) -> None:
        """Print a paragraph under a name."""
        self._headed = None
        self._print(Text(tame(name), style="bold"))
        self._print(Text(tame(text)))
        self.console.print()

    def _show(self, post: OutboundPost) -> None:
        if self.muted:
            self._kept.append(post)
        elif post.position is not None and self._known.pop((post.turn, post.position), None) == post.text:
            return
        elif post.speaker.voice is Voice.MACHINERY:
            self.say(f"[{post.speaker.name}] {post.text}", "dim italic")
        else:
            self._head(post.speaker.name, post.turn, post.variant)
            self._print(Text(tame(post.text)))
            self.console.print()

    def _head(self, name: str, turn: int, variant: int) -> None:
        if self._headed != (name, turn, variant):
            self._headed = (name, turn, variant)
            self._print(Text(tame(name), style="bold"))

    def _print(self, text: Text) -> None:
        if self.console.is_terminal:
            self.console.print(text, width=min(self.console.width, WIDTH))
        else:
            self.console.print(text, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The last lines of a text, as many as fit the screen."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = Text(self.text or "…").wrap(console, min(options.max_width, WIDTH))
        yield from lines[-max(1, console.height - 2) :]


def _message_of(post: OutboundPost) -> MessageId:
    name = f"{post.place.channel}\n{post.key}".encode()
    return MessageId(hashlib.sha256(name).hexdigest()[:24])
