"""A loop on a model without weights, its clock, and the ways in which its tests look at it."""

from collections.abc import Sequence
from typing import Any

from bot.engine.job import Event, Job, Reading, WarmUp
from bot.engine.loop import EngineLoop
from bot.ids import SessionId
from bot.ports.engine import Finished, TextDelta, Waiting
from bot.sampling import SamplingSettings
from tests.fakes.runner import CountingRunner

MIRA, TOBIAS, RAIN = SessionId("mira"), SessionId("tobias"), SessionId("rain")
LONG = tuple(range(100)) + tuple(range(100))


def a_loop(runner: CountingRunner, **settings: Any) -> EngineLoop:
    """A loop on the runner and the runner's own clock."""
    return EngineLoop(runner, runner.ticks, **settings)


def a_job(ticket: int = 1, session: SessionId = MIRA, prompt: Sequence[int] = LONG, max_tokens: int = 5, **more: Any) -> Job:
    return Job(ticket, session, tuple(prompt), max_tokens, SamplingSettings(), more.pop("seed", 1), **more)


def a_warm_up(session: SessionId = MIRA, tokens: Sequence[int] = LONG, borders: tuple[int, ...] = ()) -> WarmUp:
    return WarmUp(session, Reading(tuple(tokens), borders))


def run_out(loop: EngineLoop) -> list[Event]:
    """Step until nothing is left to do, with the slots checked after each step."""
    events: list[Event] = []
    for _ in range(10_000):
        if not loop.has_work:
            return events
        events += loop.step()
        loop.check_integrity()
    raise AssertionError("the loop does not come to an end")


def text_of(events: list[Event], ticket: int = 1) -> str:
    return "".join(event.content.text for event in events if event.ticket == ticket and isinstance(event.content, TextDelta))


def finish_of(events: list[Event], ticket: int = 1) -> Finished:
    (finish,) = (event.content for event in events if event.ticket == ticket and isinstance(event.content, Finished))
    return finish


def ids_of(events: list[Event], ticket: int = 1) -> tuple[int, ...]:
    deltas = [event.content for event in events if event.ticket == ticket and isinstance(event.content, TextDelta)]
    return tuple(token for delta in deltas for token in delta.token_ids)


def ends(events: list[Event]) -> list[int]:
    """The tickets in the order in which their replies ended."""
    return [event.ticket for event in events if isinstance(event.content, Finished)]


def waits(events: Sequence[Event]) -> list[tuple[int, int]]:
    """Ticket and position of everyone who was told a place in line."""
    return [(event.ticket, event.content.position) for event in events if isinstance(event.content, Waiting)]
