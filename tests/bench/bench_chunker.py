"""What cutting costs: processor time of a long reply fed in small pieces, and of a megabyte at once."""

import sys
import time
from collections.abc import Callable

from bot.chunking.chunker import Chunker, cut
from bot.posts import ChannelLimits, LengthUnit

LIMITS = ChannelLimits(2_000)
TIMES = 20
_PARAGRAPHS = (
    "*The rain had not stopped since noon.* Mira set the lantern on the counter, **listening**; the shutters knocked. ",
    "“We close at ten,” she said. “But Mr. Harrow—if that is your name—may sit by the fire… Are you hungry?” ",
    "He looked at the door, at the ledger, at the hands that had written in it. Nobody, he thought, had ever asked him that. ",
)


def reply(length: int) -> str:
    """Prose with speech and emphasis, in paragraphs of about six hundred characters."""
    paragraphs = ("".join(_PARAGRAPHS[(i + k) % 3] for k in range(5)).strip() for i in range(length // 500 + 1))
    return "\n\n".join(paragraphs)[:length]


def in_pieces(text: str, pieces: int) -> None:
    """Feed a text in so many pieces of equal length."""
    chunker, step = Chunker(LIMITS), len(text) // pieces
    for start in range(0, len(text), step):
        chunker.feed(text[start : start + step])
    chunker.finish()


def milliseconds(work: Callable[[], object], times: int = TIMES) -> tuple[float, float]:
    """The median and the largest processor time of some runs."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(1_000 * (time.process_time() - start))
    return sorted(taken)[times // 2], max(taken)


def run() -> list[tuple[str, str]]:
    """Labels and figures."""
    text, megabyte = reply(10_000), reply(1_000_000)
    median, worst = milliseconds(lambda: in_pieces(text, 2_500))
    once, _ = milliseconds(lambda: cut(text, LIMITS))
    large, _ = milliseconds(lambda: cut(megabyte, LIMITS), 3)
    in_bytes, _ = milliseconds(lambda: cut(megabyte, ChannelLimits(2_000, LengthUnit.BYTES)), 3)
    return [
        ("chunker: 10,000 characters in 2,500 pieces (at most 50 ms)", f"{median:.1f} ms, worst of {TIMES} {worst:.1f} ms"),
        ("chunker: 10,000 characters at once", f"{once:.1f} ms"),
        ("chunker: 1,000,000 characters at once", f"{large:.0f} ms"),
        ("chunker: 1,000,000 characters at once, limit in bytes", f"{in_bytes:.0f} ms"),
    ]


if __name__ == "__main__":
    for label, figure in run():
        sys.stdout.write(f"{label:62} {figure}\n")
