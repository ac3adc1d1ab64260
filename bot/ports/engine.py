"""The wall to the engine that writes. The caller cannot tell whether it runs in this process or on another host."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.ids import CommunityId, SessionId
from bot.sampling import SamplingSettings
from bot.story.policy import Rating


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt.

    Only a `trusted` one (the template's own words) may become control tokens; anything a player or the model wrote is
    tokenised as plain text. `token_ids`, when set, are what the model itself wrote for exactly this text and are used as
    they are, so that its cached prefix holds; an engine that cannot take ids uses the text. A trusted segment of ids
    without a text is a prompt that was tokenised before, on the other side of a network.

    `opens` marks the first segment of a part of the prompt (the head, a turn, the tail). What stands before it is the same
    from turn to turn, so the model's reading is divided there: see `bot.engine.chunks`.
    """

    text: str
    trusted: bool = False
    token_ids: tuple[int, ...] = ()
    opens: bool = False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to write.

    `session` is whose cache to use; `stop` are texts that end the reply and are not part of it. `community` is whose fair
    share of the model the work counts against (None: the session's own). `adapter` names a LoRA adapter of the engine's
    (empty: none). `deadline` is in seconds from now: a reply that waits longer is refused with EngineBusy, one that is
    being written then ends with FinishReason.DEADLINE. With `keeps` False nothing of it stays in the cache when it is over.
    """

    session: SessionId
    segments: tuple[Segment, ...]
    max_tokens: int
    sampling: SamplingSettings
    seed: int
    stop: tuple[str, ...] = ()
    community: CommunityId | None = None
    adapter: str = ""
    deadline: float | None = None
    keeps: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """The request waits for its turn: its position in line, from 1, and about how many seconds are left (None: unknown)."""

    position: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next stretch of the reply, whole characters only, and the ids of the tokens that have ended by its end.

    A stretch that brings ids ends where a token ends: all ids so far then spell exactly all text so far. One that brings
    none may end inside a token.
    """

    text: str
    token_ids: tuple[int, ...] = ()


class FinishReason(StrEnum):
    """Why a reply ended."""

    END = "end"
    STOP = "stop"
    LENGTH = "length"
    DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a request: read in all, of those found in the cache, of those handed to the model, and written."""

    prompt_tokens: int
    cached_tokens: int
    prefilled_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The one last thing of a stream. `stop` is the stop text that was met, for STOP."""

    reason: FinishReason
    usage: Usage
    stop: str = ""


StreamItem = Waiting | TextDelta | Finished
"""What a stream of a reply is made of."""


@dataclass(frozen=True, slots=True)
class EngineCapabilities:
    """What the engine runs: the model's name, its context in tokens, its rating, and the names of its LoRA adapters.

    `unhonoured` names the settings of `bot.sampling.SamplingSettings` that it cannot follow. `fingerprint` is a word for what
    is in the model's file, wherever it lies (empty: not told). With `forgets` False it cannot be made to forget a session.
    """

    model: str
    context: int
    rating: Rating = Rating.UNRATED
    adapters: tuple[str, ...] = ()
    unhonoured: tuple[str, ...] = ()
    fingerprint: str = ""
    forgets: bool = True


class Engine(Protocol):
    """Writes text. May raise EngineBusy, EngineUnavailable and PromptTooLong, and nothing else."""

    async def capabilities(self) -> EngineCapabilities:
        """What it runs. Does not change while it runs."""
        ...

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        """The number of tokens of each segment, by the model's own tokenizer, as `generate` would read it."""
        ...

    def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        """Stream a reply: any number of Waiting, then of TextDelta, then one Finished. No text of a stop string is streamed.

        Closing the stream early stops the work and frees its slot; what was read stays cached for the session.
        """
        ...

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        """Read this prompt into the session's cache while nobody waits for the engine.

        Returns at once; the reading gives way to any `generate`, and a newer call for the session replaces an older
        one. It never raises: warming is a favour, not a promise.
        """
        ...

    async def forget(self, session: SessionId) -> None:
        """Drop all that is kept of this session: in its slot, in memory and in files. Returns when that is so.

        A reply that is asked for, or being written, ends with StoryForgotten, and reading ahead is given up. What is asked
        for later is read from its beginning: so this is also for a story whose text was edited or taken back.

        Raises EngineUnavailable when it cannot be known that everything is gone: ask again later. An engine whose
        capabilities say that it does not `forget` does what it can, and returns. What a model's own memory held of the
        slot is marked as free and may stay there, unread, until it is written over: in memory only, never in a file.
        """
        ...
