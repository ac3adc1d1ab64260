"""Old turns leave rarely and many at a time, so that what was read stays read."""

import random
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompt import window
from bot.prompt.build import Prompt, build
from bot.prompt.format import LIMARP
from bot.prompt.length import reply_budget
from bot.story import session as story
from bot.story.session import Session
from tests.builders import TOBIAS, a_session
from tests.prompt.cases import written

sizes = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("turn_tokens", "room", "first"),
    [
        ([], 100, 0),
        ([40, 60], 100, 0),
        ([40, 60, 1], 100, 1),  # 61 of 100 stay
        ([30, 20, 20, 20, 20], 100, 2),  # 60 stay; 40 would be too few
        ([30, 10, 50], 60, 2),  # 50 stay
        ([100, 1, 1], 100, 1),  # the turn that crosses the half does not fit
        ([5, 500], 100, 1),  # the newest stays, whatever its size
        ([500], 100, 0),
        ([5, 5], 0, 1),
    ],
)
def test_where_the_window_begins(turn_tokens: list[int], room: int, first: int) -> None:
    assert window.plan(turn_tokens, room) == first


@given(turn_tokens=sizes, room=st.integers(600, 3_000))
def test_at_least_half_of_the_room_stays_filled_and_all_of_it_fits(turn_tokens: list[int], room: int) -> None:
    first = window.plan(turn_tokens, room)
    stays = sum(turn_tokens[first:])

    assert stays <= room
    if first:
        assert 2 * stays >= room
        assert 2 * (stays - turn_tokens[first]) < room


@given(turn_tokens=sizes, room=st.integers(1, 3_000))
def test_the_newest_turn_never_leaves(turn_tokens: list[int], room: int) -> None:
    assert 0 <= window.plan(turn_tokens, room) < len(turn_tokens)
    assert 0 <= window.plan_ahead(turn_tokens, room) < len(turn_tokens)


@given(turn_tokens=sizes, room=st.integers(600, 3_000))
def test_after_a_step_the_next_ones_are_not_near(turn_tokens: list[int], room: int) -> None:
    first = window.plan(turn_tokens, room)

    assert window.plan(turn_tokens[first:], room) == 0


def test_the_window_steps_early_when_a_post_like_the_last_ones_would_not_fit() -> None:
    turn_tokens = [30, 30, 30]

    assert window.plan(turn_tokens, 100) == 0
    assert window.plan_ahead(turn_tokens, 120) == 1
    assert window.plan_ahead(turn_tokens, 130) == 0


def test_the_room_is_what_head_tail_and_reply_leave() -> None:
    assert window.room(2_048, 200, 20, 512) == 1_316
    assert window.room(100, 200, 20, 512) == 0


@dataclass
class Reader:
    """Reads prompts like an engine with one slot: what the cache already begins with is not read again."""

    cache: list[str] = field(default_factory=list)
    read: int = 0

    def take(self, tokens: list[str]) -> int:
        longest = min(len(self.cache), len(tokens))
        shared = bisect_left(range(1, longest + 1), True, key=lambda size: self.cache[:size] != tokens[:size])
        self.read += len(tokens) - shared
        self.cache = tokens
        return len(tokens) - shared


def tokens_of(prompt: Prompt) -> list[str]:
    return [token for segment in prompt.segments for token in tokens_in(segment.text)]


@cache
def tokens_in(text: str) -> list[str]:
    return re.findall(r"\n| ?\w+| ?[^\w\s]", text)


def measured(prompt: Prompt) -> tuple[int, list[int], int]:
    def count(segments: Iterator[str]) -> int:
        return sum(len(tokens_in(text)) for text in segments)

    turns = [count(segment.text for segment in segments) for _, segments in prompt.turns]
    return count(each.text for each in prompt.head), turns, count(each.text for each in prompt.tail)


def moved(session: Session, prompt: Prompt, first: int) -> Session:
    return story.with_window(session, prompt.turns[first][0]) if first else session


@dataclass
class Played:
    """What a long story cost."""

    new: int
    read: int
    starts: list[int]
    fills: list[float]
    steps_in_the_way: int


def play(posts: int, context: int, seed: int) -> Played:
    """Play posts and replies of random sizes the way the flow does: fit, write, then step early and read ahead."""
    dice, reader = random.Random(seed), Reader()  # noqa: S311 - no secret: the story's sizes
    session, new, in_the_way = story.greet(a_session()), 0, 0
    budget = reply_budget(session.settings.length, context)
    played = Played(0, 0, [], [], 0)
    reader.take(tokens_of(build(session, LIMARP)))
    reader.read = 0
    for number in range(posts // 2):
        session = story.add_post(session, TOBIAS, " ".join(dice.choices(["rain", "door", "coin"], k=dice.randint(10, 80))))
        session = story.open_reply(session, number)
        head, turns, tail = measured(build(session, LIMARP))
        first = window.plan(turns, window.room(context, head, tail, budget))
        in_the_way += first > 0
        session = moved(session, build(session, LIMARP), first)
        prompt = build(session, LIMARP)
        reader.take(tokens_of(prompt))
        reply = " ".join(dice.choices(["lamp", "stair", "key"], k=dice.randint(40, 160)))
        reader.cache = [*reader.cache, *tokens_in(" " + reply)]
        session = written(session, reply)
        prompt = build(session, LIMARP)
        head, turns, _ = measured(prompt)
        new += sum(turns[-2:])
        room = window.room(context, head, 0, budget)
        session = moved(session, prompt, window.plan_ahead(turns, room))
        prompt = build(session, LIMARP)
        reader.take(tokens_of(prompt))
        played.starts.append(session.window_start)
        played.fills.append(sum(measured(prompt)[1]) / room)
    return Played(new, reader.read, played.starts, played.fills, in_the_way)


@pytest.mark.parametrize("context", [2_048, 8_192])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_long_story_is_read_little_more_than_twice(context: int, seed: int) -> None:
    played = play(1_000, context, seed)

    assert played.read <= 2.2 * played.new
    assert played.steps_in_the_way == 0


@pytest.mark.parametrize("context", [2_048, 8_192])
def test_half_of_the_window_stays_filled_and_its_beginning_stays_for_many_turns(context: int) -> None:
    played = play(1_000, context, seed=4)
    steps = [at for at, (before, after) in enumerate(pairwise(played.starts)) if before != after]

    assert min(played.fills[steps[0] :]) >= 0.5
    assert len(steps) > 3
    # Half of the room is filled again by turns of about 160 tokens.
    assert len(played.starts) / len(steps) > context / 2 / 160 / 2
