"""What bringing a long chat in and out costs: a SillyTavern file of 5,000 messages, and the same story as books."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from bot.ids import AuthorId
from bot.transcripts.book import book_of
from bot.transcripts.epub import to_epub
from bot.transcripts.html import to_html
from bot.transcripts.markdown import to_markdown
from bot.transcripts.sillytavern.reading import read_chat
from bot.transcripts.sillytavern.writing import write_chat
from tests.bench.prose import prose
from tests.builders import a_session

MESSAGES = 5_000
SWIPES = 3
TOKENS = 300
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Made = TypeVar("Made")


def file() -> bytes:
    """Posts and replies by turns, replies with several swipes and all that SillyTavern keeps beside them."""
    lines: list[dict[str, object]] = [{"user_name": "unused", "character_name": "unused", "chat_metadata": {"note_depth": 4}}]
    for number in range(MESSAGES):
        texts = [f"*{prose(f'{number} {swipe}', TOKENS)}* “Well?”" for swipe in range(SWIPES if number % 2 else 1)]
        line: dict[str, object] = {"name": "Mira" if number % 2 else "Tobias", "is_user": not number % 2, "is_system": False}
        line |= {"send_date": "2025-09-26T07:04:12.006Z", "mes": texts[0], "extra": {"api": "koboldcpp", "token_count": TOKENS}}
        if number % 2:
            info: dict[str, object] = {
                "send_date": "2025-09-26T07:04:12.006Z",
                "gen_started": None,
                "gen_finished": None,
                "extra": {},
            }
            line |= {"swipes": texts, "swipe_id": 0, "swipe_info": [info] * SWIPES}
        lines.append(line)
    return "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines).encode()


def run() -> list[tuple[str, str]]:
    """Labels and figures."""
    data = file()
    size = f"{MESSAGES:,} messages, {len(data) / 1024**2:.0f} MiB"
    read, reading = timed(lambda: read_chat(data, AuthorId("author-1")))
    back, writing = timed(lambda: write_chat(read.chat, NOW))
    book, binding = timed(lambda: book_of(a_session(), read.chat.turns, NOW))
    rows = [
        (f"SillyTavern chat read: {size} (at most 5 s)", f"{reading:.2f} s"),
        ("the same written back", f"{writing:.2f} s{'' if back == data else ', but not the same bytes'}"),
        (f"made into a book of {len(book.chapters)} chapters", f"{binding:.2f} s"),
    ]
    for name, make in (("Markdown", to_markdown), ("HTML", to_html)):
        text, seconds = timed(lambda make=make: make(book))  # type: ignore[misc]  # bound now, not when the loop has ended
        rows.append((f"printed as {name}, {len(text) / 1024**2:.0f} MiB", f"{seconds:.2f} s"))
    packed, seconds = timed(lambda: to_epub(book, "urn:uuid:bench"))
    rows.append((f"printed as EPUB, {len(packed) / 1024**2:.1f} MiB", f"{seconds:.2f} s"))
    return rows


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    """What came of some work, and the seconds of processor time it took."""
    started = time.process_time()
    made = work()
    return made, time.process_time() - started


if __name__ == "__main__":
    for label, figure in run():
        sys.stdout.write(f"{label:76} {figure}\n")
