"""Which events of a room happened while the bot was in it. Pure.

A homeserver also shows what was before: after each joining the newest events come again, those from before with them. By
their order they are told apart, not by the times in them: each homeserver writes these by a clock of its own.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

from adapters.matrix.ears.synced import Event, content_of, is_state, text_in

MEMBER = "m.room.member"
JOINED = "join"


class Step(Enum):
    """What an event does to the bot's presence in a room."""

    CAME = "came"
    WENT = "went"


def step(event: Event, me: str, *, is_there: bool) -> Step | None:
    """Whether the bot came or went with an event. `is_there`: whether it was in the room, where the event does not say."""
    if not is_state(event, MEMBER, me):
        return None
    now, before = text_in(content_of(event), "membership"), _before(event)
    was_there = is_there if before is None else before == JOINED
    if now == JOINED:
        return None if was_there else Step.CAME
    return Step.WENT if now in {"leave", "ban"} and was_there else None


def attended(events: Sequence[Event], me: str, *, was_there: bool = True) -> tuple[Event, ...]:
    """What happened while the bot was there, and its own goings. `was_there`: what was last known, if anything says nothing."""
    kept, is_there = [], began_there(events, me, was_there=was_there)
    for event in events:
        done = step(event, me, is_there=is_there)
        if done is Step.CAME:
            # A second one, with no going known between, is the one that counts.
            is_there = True
        elif done is Step.WENT:
            is_there = False
            kept.append(event)
        elif is_there:
            kept.append(event)
    return tuple(kept)


def since_coming(events: Sequence[Event], me: str) -> Sequence[Event]:
    """What happened after the bot came; all of it where it came before that."""
    came = [number for number, event in enumerate(events) if step(event, me, is_there=False) is Step.CAME]
    return events[came[-1] + 1 :] if came else events


def began_there(events: Iterable[Event], me: str, *, was_there: bool = True) -> bool:
    """Whether the bot was in the room before these events: the first of its own comings and goings says so."""
    steps = (step(event, me, is_there=was_there) for event in events)
    return next((done is Step.WENT for done in steps if done is not None), True)


def _before(event: Event) -> str | None:
    """What the bot was to the room before; None where the event does not say."""
    unsigned = event.get("unsigned")
    if not isinstance(unsigned, dict):
        return None
    previous = unsigned.get("prev_content")
    if previous is None and "replaces_state" not in unsigned:
        # Nothing was before: the homeserver names both where there is something.
        return "leave"
    return (text_in(previous, "membership") if isinstance(previous, dict) else "") or None
