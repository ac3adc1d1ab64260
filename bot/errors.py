"""The one error tree. Foreign errors are translated into these at the door where they come in.

UnderstudyError
├── ConfigMistakes       the configuration cannot be used; holds every mistake at once
├── Refused              a player or operator asked for what cannot be done; the sentence is for them
│   ├── NotNow           somebody else has what is needed: the same may work later
│   └── TextRefused      a text may not be part of a story; `reason` says why, in a word
├── StoreError
│   ├── StaleSession     the story moved on since it was read: read again, decide again
│   ├── LeaseLost        another process works on the place by now: nothing was stored
│   └── StoreUnavailable the database cannot be used now
│       └── StoreAway    it does not answer: the same may work later
├── CourierError
│   ├── TryLater         the platform asks for patience; `seconds` says how much
│   ├── ChannelGone      the place is no longer there: nothing more can be posted to it
│   ├── PostRefused      the platform will never take this post
│   │   └── PostGone     a post that stood can be changed no more: show it anew
│   └── OutcomeUnknown   the post may or may not have arrived: read back before sending again
├── EngineError
│   ├── EngineBusy       the queue is full; `seconds` says when to come back
│   ├── EngineUnavailable the model cannot be used now
│   │   └── StoryForgotten the story of this reply was forgotten while it was written
│   └── PromptTooLong    the prompt does not fit the context
└── RunnerError
    ├── ModelNotLoaded   the model file cannot be used; the message says why and what to do
    └── RunnerFailed     the model failed in a step; what it held for its slots is lost
"""

from collections.abc import Sequence


class UnderstudyError(Exception):
    """Anything that this program itself reports as gone wrong."""


class ConfigMistakes(UnderstudyError):
    """The configuration cannot be used: every mistake in it, one sentence each, with its line where it has one."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class Refused(UnderstudyError):
    """What was asked for cannot be done; the message is one clear sentence for the person who asked."""


class NotNow(Refused):
    """Another program has what is needed, such as a file or a port. The same may work later, with nothing changed."""


class TextRefused(Refused):
    """A text may not be part of a story. Neither the sentence nor `reason` holds a word of it."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class StoreError(UnderstudyError):
    """The store could not do its work."""


class StaleSession(StoreError):
    """The session was changed by somebody else since it was read: read it again and decide again."""


class LeaseLost(StoreError):
    """This process does not work on the place, or no longer: another one may. Nothing was stored; ask for the place again."""


class AlreadyHandled(StoreError):
    """The event that this change answers is not waiting any more: it was handled before, and nothing was stored."""


class StoreUnavailable(StoreError):
    """The database cannot be used now; the message says what to check."""


class StoreAway(StoreUnavailable):
    """The database does not answer now: it is not up yet, or too busy. The same may work later, with nothing changed."""


class CourierError(UnderstudyError):
    """A post could not be brought to its place."""


class TryLater(CourierError):
    """The platform asks to wait; nothing was shown."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The platform asks to wait {seconds:g} seconds.")
        self.seconds = seconds


class ChannelGone(CourierError):
    """The place no longer exists or can no longer be written to."""


class PostRefused(CourierError):
    """The platform will never accept this post; the message says why."""


class PostGone(PostRefused):
    """A post that was shown can no longer be changed: it was taken away, or is out of reach. It can be shown anew."""


class OutcomeUnknown(CourierError):
    """The connection broke while posting: the post may have arrived. Read back before sending again."""


class EngineError(UnderstudyError):
    """The engine could not write."""


class EngineBusy(EngineError):
    """The engine's queue is full."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The model's queue is full; come back in {seconds:g} seconds.")
        self.seconds = seconds


class EngineUnavailable(EngineError):
    """The model cannot be used now; the message says why."""


class StoryForgotten(EngineUnavailable):
    """The engine was told to forget the story while this reply was asked for: it is not written on, nor begun again."""

    def __init__(self, sentence: str = "The story was forgotten while this reply was written.") -> None:
        super().__init__(sentence)


class PromptTooLong(EngineError):
    """The prompt and the room for the reply do not fit the model's context."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"The prompt has {tokens} tokens and the context leaves room for {limit}.")
        self.tokens = tokens
        self.limit = limit


class RunnerError(UnderstudyError):
    """The model behind the engine could not do its work."""


class ModelNotLoaded(RunnerError):
    """The model file cannot be used; the message says why and what to do."""


class RunnerFailed(RunnerError):
    """A step of the model failed; what the model held for the slots of that step is lost."""


class UnknownToken(RunnerFailed):
    """An id that is none of this model's tokens; nothing was done with it."""
