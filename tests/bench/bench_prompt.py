"""What building the prompt of one turn costs early and late in a story, with the window that a context holds."""

import statistics
import time
from dataclasses import replace

from bot.prompt import window
from bot.prompt.build import build
from bot.prompt.format import FORMATS
from bot.prompt.length import reply_budget
from bot.story import acts as story
from bot.story.session import Session, with_turn, with_window
from bot.story.turn import VariantState
from tests.builders import TOBIAS, a_session

EARLY, LATE = 50, 1_000
HIGHEST_RATIO = 1.2
CONTEXTS = (2_048, 8_192)
ROUNDS = 200
# About what English prose comes to; only the size of the window hangs on it.
CHARACTERS_PER_TOKEN = 4
POST = '"The rain\u2019s not let up since noon," he said, and the road to the inn was a river of mud.\n\nHe waited. ' * 3
REPLY = "She looked at him for a long while, then at the door, and weighed the key in her hand \u2014 the last one. " * 5


def run() -> list[tuple[str, str]]:
    """Name and figure of each measurement."""
    rows = []
    for context in CONTEXTS:
        early, late = _stories(context)
        first, last = _compare(early, late)
        rows.append(
            (f"prompt build at post {EARLY}, context {context} ({len(early.turns)} turns)", f"{first * 1e6:.0f} \u00b5s")
        )
        rows.append((f"prompt build at post {LATE}, context {context} ({len(late.turns)} turns)", f"{last * 1e6:.0f} \u00b5s"))
        ratio = (last / len(late.turns)) / (first / len(early.turns))
        rows.append((f"ratio for each turn in the window, context {context} (at most {HIGHEST_RATIO})", f"{ratio:.2f}"))
    return rows


def _compare(early: Session, late: Session) -> tuple[float, float]:
    """The median seconds of one build each; rounds alternate, so that a busy machine slows both."""
    fmt = FORMATS["limarp"]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for session, taken in zip((early, late), seconds, strict=True):
            started = time.perf_counter()
            build(session, fmt)
            taken.append(time.perf_counter() - started)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def _stories(context: int) -> tuple[Session, Session]:
    """The same story at an early and at a late post, each with an open reply."""
    session = story.greet(a_session())
    early = session
    for post in range(2, LATE + 1, 2):
        session = _exchange(session, context)
        if post == EARLY:
            early = session
    return _asked(early), _asked(session)


def _asked(session: Session) -> Session:
    return story.open_reply(story.add_post(session, TOBIAS, POST), 1)


def _exchange(session: Session, context: int) -> Session:
    asked = _asked(session)
    turn = asked.turns[-1]
    answered = with_turn(asked, turn.with_variant(replace(turn.variant, text=REPLY, state=VariantState.WHOLE)))
    prompt = build(answered, FORMATS["limarp"])
    sizes = [sum(len(segment.text) for segment in segments) // CHARACTERS_PER_TOKEN for _, segments in prompt.turns]
    head = sum(len(segment.text) for segment in prompt.head) // CHARACTERS_PER_TOKEN
    space = window.room(context, head, 0, reply_budget(answered.settings.length, context))
    first = window.plan_ahead(sizes, space)
    return with_window(answered, prompt.turns[first][0]) if first else answered


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name:<70} {figure}")  # noqa: T201 - its output is the table
