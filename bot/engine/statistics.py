"""What an engine can tell of itself: one frozen record that logs, metrics and tests read alike."""

from dataclasses import dataclass, field

from bot.ports.shelf import ShelfStatistics


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """Sums since the start, but for `slots`, `waiting` and `writing`, which are of this moment.

    `cached_tokens` of all `prompt_tokens` were found in the cache and not read again: the tokens that it saved.
    `prefilled_tokens` were read for replies, `warmed_tokens` ahead of need; `decode_tokens` are all that were handed to the
    runner, in `steps` steps that took `step_seconds`. `requests` ended as `finished`, `cancelled`, `failed` (the model) or
    `refused` (their deadline passed in the queue). `evictions` counts the slots that were taken from a session, and
    `slot_hits` the replies whose session was in its slot still.
    """

    slots: int = 0
    waiting: int = 0
    writing: int = 0
    requests: int = 0
    finished: int = 0
    cancelled: int = 0
    failed: int = 0
    refused: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    prefilled_tokens: int = 0
    warmed_tokens: int = 0
    completion_tokens: int = 0
    decode_tokens: int = 0
    steps: int = 0
    step_seconds: float = 0.0
    evictions: int = 0
    slot_hits: int = 0
    ram: ShelfStatistics = field(default_factory=ShelfStatistics)
    disk: ShelfStatistics = field(default_factory=ShelfStatistics)
