"""What choosing the lore of a turn costs with large books, and what it costs the prompt that lore comes, goes and moves."""

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from bot.prompt.lore import Told, extra_tokens, tell
from bot.story.lorebook import Lorebook, LoreEntry
from tests.bench.bench_chunker import milliseconds
from tests.bench.prose import WORDS, prose

ENTRIES, POSTS, POST_CHARACTERS, BUDGET = 1_000, 40, 900, 1_500
"""Three keys for each entry, and 9,000 tokens of about four characters."""
BOUND = 20
CHARACTERS_PER_TOKEN = 4
WORLD, STORY, POST_TOKENS, RARITY = 60, 400, 225, 3
"""Entries of a small world, turns of a story, tokens of each, and how many turns lie between two mentions of any of them."""
_SYLLABLES = "ar bel cor dun el fen gar hal is kor lun mor nar or pel ren sar tor ul ven wyn yr zan".split()  # noqa: SIM905  as words
_HAN = [chr(code) for code in range(0x4E00, 0x5600)]
HOSTILE = "/(\\w+\\s?)+$/"


def run() -> list[tuple[str, str]]:
    """Labels and figures."""
    story = _story(POSTS, ENTRIES // 20, prose)
    han = _story(POSTS, ENTRIES // 20, _han)
    rows = [
        _row("words, phrases and names with marks", story, _entry),
        _row("the same where what is told is looked through", story, _entry, recursive=True),
        _row("three phrases of Han characters each, no spaces", han, _han_entry),
        _row("three patterns each", story, _pattern_entry),
        _row("the same, four newest posts looked through", story, _pattern_entry, scan_depth=4),
        _row("three patterns each that never end", story, lambda number: replace(_entry(number), keys=(HOSTILE,) * 3)),
    ]
    return [*rows, *_rereading()]


def _row(what: str, posts: Sequence[str], entry: Callable[[int], LoreEntry], **changes: object) -> tuple[str, str]:
    """The first call, which reads the book, and later ones, with the book as it comes from a store: equal, not the same."""

    def book() -> Lorebook:
        return replace(Lorebook(tuple(map(entry, range(ENTRIES))), name=what, scan_depth=POSTS), **changes)  # type: ignore[arg-type]  # fields by name

    copies = [book() for _ in range(21)]
    first, _ = milliseconds(lambda: _ask([copies[0]], posts), 1)
    median, worst = milliseconds(lambda: _ask([copies.pop()], posts))
    told = len(_ask([copies[0]], posts).near)
    bound = f" (at most {BOUND} ms)" if entry is _entry and not changes else ""
    return f"lore: {what}{bound}", f"{median:.1f} ms, worst {worst:.1f} ms, the first {first:.0f} ms; {told} told"


def _ask(books: Sequence[Lorebook], posts: Sequence[str], turn_count: int = POSTS) -> Told:
    return tell(books, posts, turn_count=turn_count, seed=1, size=_size, budget=BUDGET)


def _size(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN


def _name(number: int) -> str:
    parts = [_SYLLABLES[number // len(_SYLLABLES) ** place % len(_SYLLABLES)] for place in range(3)]
    return "".join(parts).capitalize()


def _entry(number: int) -> LoreEntry:
    name, dice = _name(number), random.Random(number)  # noqa: S311  no secret hangs on it
    phrase = " ".join(dice.choices(WORDS, k=3))
    return LoreEntry(f"{name} lies by the river. {prose(name, 40)}", (name, phrase, f"{name}-folk"))


def _pattern_entry(number: int) -> LoreEntry:
    name = _name(number)
    return replace(_entry(number), keys=(f"/\\b{name}s?\\b/i", f"/(old|new) {name}/", f"{name}(er|ish)"), use_regex=True)


def _han(seed: str, length: int) -> str:
    return "".join(random.Random(seed).choices([*_HAN, "\u3002"], k=length * CHARACTERS_PER_TOKEN))  # noqa: S311  no secret hangs on it


def _han_entry(number: int) -> LoreEntry:
    return replace(_entry(number), keys=(_han(f"a{number}", 1)[:2], _han(f"b{number}", 1)[:3], _name(number)))


def _story(posts: int, mentions: int, words: Callable[[str, int], str]) -> list[str]:
    texts = [words(f"post {number}", POST_TOKENS)[: POST_CHARACTERS - 10] for number in range(posts)]
    for number in range(mentions):
        texts[number % posts] += f" {_name(number * 20)}"
    return texts


def _rereading() -> list[tuple[str, str]]:
    """Extra tokens of an exchange (a post and a reply): lore as it is placed, and at a fixed distance from the end."""
    entries = [_entry(number * 16) for number in range(WORLD)]
    exact = [replace(each, content=f"@@depth 4\n{each.content}") for each in entries]
    dice = random.Random(1)  # noqa: S311  no secret hangs on it
    posts = [entries[dice.randrange(WORLD)].keys[0] if dice.randrange(RARITY) == 0 else "-" for _ in range(STORY)]
    rows = []
    for what, chosen in (("before the post that touches it", entries), ("four turns from the end", exact)):
        told = [_ask([Lorebook(tuple(chosen))], posts[:count], count) for count in range(2, STORY, 2)]
        turns = [POST_TOKENS] * POSTS
        extra = [extra_tokens(before, now, turns, 2, _size) for before, now in pairwise(told)]
        near = sum(_size(placed.entry.content) for each in told for placed in each.near) / len(told)
        figure = f"{sum(extra) / len(extra):.0f} tokens beside {2 * POST_TOKENS} new ones; {near:.0f} tokens of lore"
        rows.append((f"lore: read again in each exchange, {what}", figure))
    return rows


if __name__ == "__main__":
    for label, figure in run():
        sys.stdout.write(f"{label:70} {figure}\n")
