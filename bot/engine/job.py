"""What the engine's loop is asked for and what it answers: values between the loop and whoever drives it."""

from dataclasses import dataclass

from bot.errors import EngineBusy, EngineUnavailable
from bot.ids import CommunityId, SessionId
from bot.ports.engine import Finished, TextDelta, Waiting
from bot.sampling import SamplingSettings


@dataclass(frozen=True, slots=True)
class Reading:
    """Tokens to read into a slot, with the places where a part of the prompt begins, rising, and the adapter to read with."""

    tokens: tuple[int, ...]
    borders: tuple[int, ...] = ()
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A reply to write.

    `ticket` is the caller's name for it, larger for later ones; `borders` are the places in the prompt where a part
    begins, rising; `deadline` is the moment, on the loop's clock, at which it is given up; with `keeps` False its slot is
    emptied when it is over.
    """

    ticket: int
    session: SessionId
    prompt: tuple[int, ...]
    max_tokens: int
    sampling: SamplingSettings
    seed: int
    stop: tuple[str, ...] = ()
    borders: tuple[int, ...] = ()
    community: CommunityId | None = None
    adapter: str = ""
    deadline: float | None = None
    keeps: bool = True

    @property
    def share(self) -> str:
        """Whose fair share it counts against: its community's, or its session's own."""
        return self.community or f"session {self.session}"

    @property
    def reading(self) -> "Reading":
        """What is to be read for it."""
        return Reading(self.prompt, self.borders, self.adapter)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A prompt to read ahead of need, for the session's next reply."""

    session: SessionId
    reading: Reading


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the caller of a ticket must hear: its place in line, text, the end, or the error that ended it."""

    ticket: int
    content: Waiting | TextDelta | Finished | EngineBusy | EngineUnavailable
