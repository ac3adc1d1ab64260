"""How the stretches of a step are divided into calls of llama.cpp. It knows stretches, not models.

In one call, llama.cpp cuts the stretches of several slots to the length of the shortest and reads the rests after it. On a
CPU no stretch is cut by its neighbours, which would change its numbers: single tokens are read together, longer stretches
alone. That is as fast there, because it makes as many rounds over the weights.
Slots stand in rising order in every call, because llama.cpp reads in one go only what stands in neighbouring slots: beside a
gap it begins anew, with all weights. A narrow gap is therefore filled: an idle slot reads a token that is cut off again.
"""

from collections.abc import Sequence
from itertools import pairwise

from bot.ports.runner import Stretch

Call = tuple[int, ...]
"""The places, in the step, of the stretches that one call reads."""


def whole_calls(stretches: Sequence[Stretch], width: int) -> list[Call]:
    """Calls in which every stretch is read whole, and at most `width` single tokens together."""
    calls: list[Call] = []
    for round_ in _rounds(stretches):
        singles = tuple(place for place in round_ if len(stretches[place].tokens) == 1)
        calls += [singles[at : at + width] for at in range(0, len(singles), width)]
        calls += [(place,) for place in round_ if len(stretches[place].tokens) > 1]
    return calls


def joint_calls(stretches: Sequence[Stretch], most: int) -> list[Call]:
    """As few calls as `most` tokens of each allow."""
    calls: list[list[int]] = []
    room = 0
    for place in _by_slot(range(len(stretches)), stretches):
        size = len(stretches[place].tokens)
        if size > room:
            calls.append([])
            room = most
        calls[-1].append(place)
        room -= size
    return [tuple(call) for call in calls]


def fillers(stretches: Sequence[Stretch], lengths: Sequence[int], *, room: int, gap: int) -> list[Stretch]:
    """Tokens for idle slots between slots that read one each, where at most `gap` slots lie between and all have room.

    `lengths` are those of all slots, `stretches` those of one call, by slot.
    """
    filling: list[Stretch] = []
    for one, other in pairwise(stretches):
        between = range(one.slot + 1, other.slot)
        single = len(one.tokens) == len(other.tokens) == 1
        if single and len(between) <= gap and all(lengths[slot] < room for slot in between):
            filling += [Stretch(slot, one.tokens, lengths[slot], draws=False) for slot in between]
    return filling


def _rounds(stretches: Sequence[Stretch]) -> list[list[int]]:
    """The first stretch of every slot, then the second of those that have one, and so on."""
    rounds: list[list[int]] = []
    seen: dict[int, int] = {}
    for place in _by_slot(range(len(stretches)), stretches):
        number = seen[stretches[place].slot] = seen.get(stretches[place].slot, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


def _by_slot(places: Sequence[int], stretches: Sequence[Stretch]) -> list[int]:
    return sorted(places, key=lambda place: stretches[place].slot)
