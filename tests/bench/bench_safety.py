"""What the check on minors finds and refuses wrongly, by category, and what it costs on long and on hostile texts."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from bot.safety.blocklist import Blocklist
from bot.safety.judgement import Rules, judge
from bot.safety.watch import Watch
from tests.bench.figures import median
from tests.bench.options import Rows
from tests.safety.labelled import Labelled, developed, held_out
from tests.safety.scores import Score, by_category, score

LONG = 16_000
HOSTILE = 100_000
TIMES = 7
PIECE = 4
"""Characters of a piece of a reply, about a token."""

_PARAGRAPH = (
    "The storm kept the guests inside for five days. On the first they played cards, on the second they quarrelled, and by the"
    " third even the judge, who was seventy and deaf, knew who had been seen in whose corridor."
    " “You had better sit,” Vera said;"
    " “this will take until nine.” She set the ledger down and counted to twelve before she answered. Her pupils widened.\n\n"
)
HOSTILE_CHARACTERS = ("a", "1", "-", " ", "\u200b", "\u0301", "|", "(", '"', ".", "?", "*")
HOSTILE_PHRASES = (
    *(
        "15 ",
        "is ",
        "she is 1",
        "like a kid ",
        "no children ",
        "a.b.",
        "t3",
        "how old?",
        "when she was fifteen ",
        "six hundred ",
    ),
    *("twenty-", "looks like a ", "year-", "n't ", "not yet ", "she, "),
)
RULES = Rules(minors=True, adult=False, blocklist=Blocklist())


def run() -> Rows:
    """Labels and figures."""
    return [*_part("developed", developed()), *_part("held out", held_out()), *_costs()]


def _part(name: str, sentences: tuple[Labelled, ...]) -> Rows:
    rows: Rows = []
    for is_minor, what in ((True, "recall"), (False, "false positives")):
        written = score((each for each in sentences if each.is_written), is_minor=is_minor)
        rows += [
            (f"{name}: {what}", _shown(score(sentences, is_minor=is_minor), is_minor=is_minor)),
            (f"{name}: {what}, written by hand", _shown(written, is_minor=is_minor)),
            *((f"  {what}, {category}", _shown(each, is_minor=is_minor)) for category, each in _scores(sentences, is_minor)),
        ]
    return rows


def _scores(sentences: Iterable[Labelled], is_minor: bool) -> Iterable[tuple[str, Score]]:  # noqa: FBT001 which of two labels
    return by_category(sentences, is_minor=is_minor).items()


def _shown(each: Score, *, is_minor: bool) -> str:
    share = each.share_right if is_minor else each.share_wrong
    return f"{share:.3f} ({len(each.wrong)} wrong of {each.total})"


def _costs() -> Rows:
    prose = (_PARAGRAPH * (LONG // len(_PARAGRAPH) + 1))[:LONG]
    return [
        ("16,000 characters of prose (at most 20 ms)", f"{_milliseconds(lambda: judge(prose, RULES)):.1f} ms"),
        (f"a reply of 4,000 characters in pieces of {PIECE}", f"{_milliseconds(lambda: _watched(prose[:4_000])):.0f} ms"),
        ("100,000 times one character, the worst (at most 200 ms)", _worst(HOSTILE_CHARACTERS, HOSTILE)),
        ("100,000 characters of one phrase, the worst", _worst(HOSTILE_PHRASES, HOSTILE)),
        ("50,000 characters of one phrase, the worst", _worst(HOSTILE_PHRASES, HOSTILE // 2)),
    ]


def _worst(texts: tuple[str, ...], length: int) -> str:
    taken = {text: _milliseconds(partial(judge, (text * length)[:length], RULES), 1) for text in texts}
    slowest = max(texts, key=lambda text: taken[text])
    return f"{taken[slowest]:.0f} ms, {slowest!r}"


def _watched(text: str) -> None:
    watch = Watch(RULES)
    for at in range(0, len(text), PIECE):
        watch.feed(text[at : at + PIECE])
    watch.finish()


def _milliseconds(work: Callable[[], object], times: int = TIMES) -> float:
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(1_000 * (time.process_time() - start))
    return median(taken)
