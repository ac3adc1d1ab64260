"""Old turns leave rarely and many at a time, so that what was read stays read."""

import random
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ports.engine import Segment
from bot.prompt import window
from bot.prompt.build import Prompt, build
from bot.prompt.format import LIMARP
from bot.prompt.length import reply_budget
from bot.story import acts as story
from bot.story.session import Session, with_window
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


@settings(deadline=None)
@given(turn_tokens=sizes, room=st.integers(600, 3_000))
def test_at_least_half_of_the_room_stays_filled_and_all_of_it_fits(turn_tokens: list[int], room: int) -> None:
    first = window.plan(turn_tokens, room)
    stays = sum(turn_tokens[first:])

    assert stays <= room
    if first:
        assert 2 * stays >= room
        assert 2 * (stays - turn_tokens[first]) < room


@settings(deadline=None)
@given(turn_tokens=sizes, room=st.integers(1, 3_000))
def test_the_newest_turn_never_leaves(turn_tokens: list[int], room: int) -> None:
    assert 0 <= window.plan(turn_tokens, room) < len(turn_tokens)
    assert 0 <= window.plan_ahead(turn_tokens, room) < len(turn_tokens)


@settings(deadline=None)
@given(turn_tokens=sizes, room=st.integers(600, 3_000))
def test_after_a_step_the_next_ones_are_not_near(turn_tokens: list[int], room: int) -> None:
    first = window.plan(turn_tokens, room)

    assert window.plan(turn_tokens[first:], room) == 0


@settings(deadline=None)
@given(turn_tokens=sizes, room=st.integers(800, 3_000))
def test_after_a_step_ahead_of_need_the_next_post_needs_no_step(turn_tokens: list[int], room: int) -> None:
    first = window.plan_ahead(turn_tokens, room)
    next_post = window.expected_next(turn_tokens)

    assert window.plan([*turn_tokens[first:], next_post], room) == 0


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
        """Read a prompt; returns how many tokens of it were new."""
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


def sizes_of(prompt: Prompt) -> tuple[int, list[int], int]:
    """Tokens of the head, of each turn and of the tail."""

    def count(segments: tuple[Segment, ...]) -> int:
        return sum(len(tokens_in(segment.text)) for segment in segments)

    return count(prompt.head), [count(segments) for _, segments in prompt.turns], count(prompt.tail)


@dataclass
class Player:
    """Plays posts and replies of random sizes the way the flow does: fit, write, then step early and read ahead."""

    context: int
    dice: random.Random
    session: Session = field(default_factory=lambda: story.greet(a_session()))
    reader: Reader = field(default_factory=Reader)
    new: int = 0
    steps_in_the_way: int = 0
    starts: list[int] = field(default_factory=list)
    fills: list[float] = field(default_factory=list)

    def words(self, fewest: int, most: int) -> str:
        return " ".join(self.dice.choices(["rain", "door", "coin"], k=self.dice.randint(fewest, most)))

    def read(self, plan: Callable[[list[int], int], int]) -> bool:
        """Read the prompt in the window that the plan wants; whether it had to be moved."""
        prompt = build(self.session, LIMARP)
        head, turns, tail = sizes_of(prompt)
        space = window.room(self.context, head, tail, reply_budget(self.session.settings.length, self.context))
        first = plan(turns, space)
        if first:
            self.session = with_window(self.session, prompt.turns[first][0])
            prompt = build(self.session, LIMARP)
        self.reader.take(tokens_of(prompt))
        self.fills.append(sum(turns[first:]) / space)
        return first > 0

    def exchange(self, number: int) -> None:
        self.session = story.add_post(self.session, TOBIAS, self.words(10, 80))
        self.session = story.open_reply(self.session, number)
        self.steps_in_the_way += self.read(window.plan)
        reply = self.words(40, 160)
        self.reader.cache = [*self.reader.cache, *tokens_in(" " + reply)]
        self.session = written(self.session, reply)
        self.new += sum(sizes_of(build(self.session, LIMARP))[1][-2:])
        self.read(window.plan_ahead)
        self.starts.append(self.session.window_start)


@cache
def play(posts: int, context: int, seed: int) -> Player:
    player = Player(context, random.Random(seed))  # noqa: S311 - no secret: the story's sizes
    player.reader.cache = tokens_of(build(player.session, LIMARP))
    for number in range(posts // 2):
        player.exchange(number)
    return player


@pytest.mark.parametrize(("posts", "context", "seed"), [(1_000, 2_048, 1), (1_000, 2_048, 2), (500, 8_192, 1)])
def test_a_long_story_is_read_little_more_than_twice(posts: int, context: int, seed: int) -> None:
    played = play(posts, context, seed)

    assert played.reader.read <= 2.2 * played.new
    assert played.steps_in_the_way == 0


@pytest.mark.parametrize(("posts", "context"), [(1_000, 2_048), (500, 8_192)])
def test_half_of_the_window_stays_filled_and_its_beginning_stays_for_many_turns(posts: int, context: int) -> None:
    played = play(posts, context, 1)
    steps = [at for at, (before, after) in enumerate(pairwise(played.starts)) if before != after]

    assert min(played.fills[2 * steps[0] + 4 :]) >= 0.5
    assert len(steps) > 3
    # Half of the room is filled again by turns of about 160 tokens.
    assert len(played.starts) / len(steps) > context / 2 / 160 / 2
