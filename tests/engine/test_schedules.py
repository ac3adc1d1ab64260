"""Stories played in any order, on few slots and little memory: every reply is the one that a loop of its own would write."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from bot.engine.job import Event
from bot.engine.loop import EngineLoop
from bot.ids import SessionId
from bot.ports.engine import Finished
from tests.engine.stage import a_job, a_loop, a_warm_up, ids_of, run_out, text_of
from tests.fakes.runner import CountingRunner
from tests.fakes.shelf import MemoryShelf

HEADER, NEWEST, NAME, POST = 201, 202, 203, 204


@dataclass(slots=True)
class Story:
    """A story that grows by posts and replies; the newest header differs from those of older replies, but not at once."""

    session: SessionId
    tokens: list[int] = field(default_factory=lambda: list(range(40)))
    borders: list[int] = field(default_factory=list)
    asked: int | None = None

    def post(self, words: int) -> None:
        self.add(POST, *range(words))

    def add(self, *tokens: int) -> None:
        self.borders.append(len(self.tokens))
        self.tokens += tokens

    @property
    def prompt(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (*self.tokens, NAME, NEWEST, NAME), (*self.borders, len(self.tokens))


@dataclass(slots=True)
class Play:
    """One random run: a loop that is restarted now and then, its stories, and what each reply should have been."""

    chance: random.Random
    shelf: MemoryShelf = field(default_factory=lambda: MemoryShelf(limit=60_000))
    loop: EngineLoop = field(init=False)
    runner: CountingRunner = field(init=False)
    stories: dict[SessionId, Story] = field(init=False)
    events: list[Event] = field(default_factory=list)
    tickets: Iterator[int] = field(default_factory=lambda: count(1))
    judged: int = 0

    def __post_init__(self) -> None:
        self.stories = {SessionId(name): Story(SessionId(name)) for name in "abcde"}
        self.open()

    def open(self) -> None:
        self.runner = self.a_runner()
        self.loop = a_loop(self.runner, memory_bytes=self.chance.choice((0, 15_000, 10**6)), shelf=self.shelf)

    def a_runner(self) -> CountingRunner:
        neighbours = self.chance.random() < 0.5
        return CountingRunner(slots=self.chance.randint(1, 5), context=900, batch=40, chunk=16, neighbours=neighbours)

    def act(self) -> None:
        story = self.chance.choice(list(self.stories.values()))
        match self.chance.randrange(40):
            case 0:
                self.restart()
            case 1 if story.asked:
                self.loop.cancel(story.asked)
                story.asked = None
            case 2 | 3 if not story.asked:
                self.loop.warm(a_warm_up(story.session, story.tokens, tuple(story.borders)))
            case 4:
                self.shelf.holds_back = not self.shelf.holds_back
            case 5 | 6 | 7 | 8 if not story.asked and len(story.tokens) < 700:
                story.post(self.chance.randint(1, 30))
                self.ask(story)
            case _:
                self.step()

    def ask(self, story: Story) -> None:
        prompt, borders = story.prompt
        story.asked = next(self.tickets)
        self.loop.submit(a_job(story.asked, story.session, prompt, self.chance.randint(1, 25), borders=borders))

    def step(self) -> None:
        self.events += self.loop.step()
        self.loop.check_integrity()
        for event in [each for each in self.events if isinstance(each.content, Finished)]:
            self.judge(next(story for story in self.stories.values() if story.asked == event.ticket), event.ticket)

    def judge(self, story: Story, ticket: int) -> None:
        prompt, borders = story.prompt
        written = ids_of(self.events, ticket)
        alone = a_loop(CountingRunner(slots=1, context=900, batch=40, chunk=16))
        alone.submit(a_job(1, story.session, prompt, len(written), borders=borders))
        assert text_of(self.events, ticket) == text_of(run_out(alone))
        self.judged += 1
        self.events = [event for event in self.events if event.ticket != ticket]
        story.add(NAME, HEADER, NAME, *written)
        story.asked = None

    def restart(self) -> None:
        self.shelf.holds_back = False
        self.loop.close()
        self.shelf = self.shelf.reopened()
        self.open()
        for story in self.stories.values():
            self.events = [event for event in self.events if event.ticket != story.asked]
            story.asked = None

    def end(self) -> None:
        self.shelf.holds_back = False
        for _ in range(5_000):
            if not self.loop.has_work:
                return
            self.step()
        raise AssertionError("somebody waits for ever")


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_posts_cancels_restarts_and_lost_slots_gives_the_replies_of_a_loop_alone(seed: int) -> None:
    play = Play(random.Random(seed))  # noqa: S311 - chance that can be repeated
    for _ in range(900):
        play.act()
    play.end()
    assert play.judged > 5
    assert play.loop.statistics.waiting == play.loop.statistics.writing == 0
