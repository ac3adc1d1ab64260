"""Which turns a prompt still holds. It knows sizes in tokens, not texts; the head of a prompt never leaves.

Rule 1: turns leave whole, the oldest first, and the newest never.
Rule 2: they leave rarely and many at a time, so that between two steps the prompt only grows and its prefix stays cached.
"""

from collections.abc import Sequence

RECENT_TURNS = 8


def room(context: int, head_tokens: int, tail_tokens: int, reply_tokens: int) -> int:
    """The tokens that finished turns may fill in a context, beside head, tail and the longest reply; 0 when none are left."""
    return max(0, context - head_tokens - tail_tokens - reply_tokens)


def plan(turn_tokens: Sequence[int], room: int) -> int:
    """The index of the first turn that stays: 0 when all fit into `room`.

    When they do not, as few of the newest turns stay as fill half of `room`; fewer where the turn that crosses the half
    is too large to fit. The newest turn stays even if it fits nowhere: then the engine says so.
    """
    return 0 if not turn_tokens or sum(turn_tokens) <= room else _step(turn_tokens, room)


def plan_ahead(turn_tokens: Sequence[int], room: int) -> int:
    """Like `plan`, but for when the engine rests: it steps when a next post like the last ones would not fit, and makes room.

    Where half of `room` cannot stay filled beside such a post, the post comes first: nobody shall wait for a second step.
    """
    expected = expected_next(turn_tokens)
    return 0 if not turn_tokens or sum(turn_tokens) + expected <= room else _step(turn_tokens, room, expected)


def expected_next(turn_tokens: Sequence[int]) -> int:
    """How many tokens the next post may bring: a quarter more than the largest of the last few turns."""
    return max(turn_tokens[-RECENT_TURNS:], default=0) * 5 // 4


def _step(turn_tokens: Sequence[int], room: int, expected: int = 0) -> int:
    first = len(turn_tokens) - 1
    filled = turn_tokens[first]
    while first > 0 and 2 * filled < room and filled + turn_tokens[first - 1] + expected <= room:
        first -= 1
        filled += turn_tokens[first]
    return first
