"""Which entries of lorebooks the model is told, and where. It builds no prompt, and what it hands out is not neutralised.

Rule 1: what is always told stands in the head of the prompt, so that the head does not move.
Rule 2: what the story touches stands right before the oldest post that touches it, of those that are looked through. There it
stays while the story goes on, and when it comes, only what is new anyway is read. At a fixed distance from the end it
would move with every turn, and everything behind it would be read again.
Rule 3: a post can only touch an entry. No word of it becomes part of what is told.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import takewhile

from bot.prompt.decorators import SURE, Decorators, read_decorators
from bot.prompt.keys import Allowance, Key, KeyReader, Names, Texts
from bot.story.lorebook import Lorebook, LoreEntry, LorePosition

SCAN_DEPTH = 4
"""How many of the newest posts are looked through, unless a book or an entry says otherwise."""
DEPTH = 4
"""How many turns stand behind an entry that is told near the end though no post touches it."""
BEFORE_ALL = 1_000_000
"""The depth of what stands between the head and the first turn."""
ROUNDS = 3
"""How often what is told is looked through for more, in books that want it."""
KEPT_BOOKS = 16

_NOBODY = Names()
_COMMENT = re.compile(r"\{\{(?://|comment:)[^{}]*\}\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry near the end of the prompt: before the newest `depth` turns, or before all where there are fewer."""

    entry: LoreEntry
    depth: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is told, each group in the order of the prompt, contents without decorators, macros as they were written.

    `head_before` and `head_after` stand before and after the description of the character. `left_out` is what would have
    been told had there been more room, the first to come in first.
    """

    head_before: tuple[LoreEntry, ...] = ()
    head_after: tuple[LoreEntry, ...] = ()
    near: tuple[Placed, ...] = ()
    left_out: tuple[LoreEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    """An entry ready to be decided on, its content without decorators. None for keys: none of these are asked for."""

    entry: LoreEntry
    asked: Decorators
    keys: tuple[Key, ...]
    secondary: tuple[Key, ...] | None
    additional: tuple[Key, ...] | None
    excluded: tuple[Key, ...]
    scan_depth: int | None
    is_recursive: bool

    @property
    def sought(self) -> tuple[Key, ...]:
        """All keys of which it needs any."""
        return (*self.keys, *(self.secondary or ()), *(self.additional or ()))

    @property
    def is_constant(self) -> bool:
        return self.entry.constant or self.asked.is_constant or self.asked.is_forced

    @property
    def is_in_head(self) -> bool:
        is_still = self.is_constant and self.asked.is_unconditional
        return is_still and (self.asked.depth is None or self.asked.position is not None)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A rule and where it comes from: the number of its book, and its own in there."""

    rule: _Rule
    book: int
    place: int

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int, int, int]:
        """Who is told first when room is short."""
        rule = self.rule
        where = (rule.entry.order, self.book, self.place)
        return (not rule.is_in_head, not rule.is_constant, rule.asked.yields, -rule.entry.priority, *where)

    @property
    def order(self) -> tuple[int, int, int]:
        """Who stands first in the prompt."""
        return self.rule.entry.order, self.book, self.place


def tell(  # noqa: PLR0913 - all that a turn's lore hangs on
    books: Sequence[Lorebook],
    posts: Sequence[str],
    *,
    turn_count: int,
    seed: int,
    size: Callable[[str], int],
    budget: int,
    names: Names = _NOBODY,
    greeting: int | None = None,
) -> Told:
    """What of the books is told beside these posts, which are the texts of the newest turns, oldest first.

    `turn_count` is how many turns the whole story has. The same `seed` gives the same luck; one for each session keeps the
    prompt still. `size` gives the tokens of a text, with what
    the prompt puts around it. All contents together take at most `budget` tokens, those of a book its own `token_budget`;
    constant entries come first, then those of higher priority, then of lower order, and what does not fit is left out whole.
    `greeting` is which of the character's greetings opened the story, from 0 (None: not known).

    A constant entry that hangs on the story by a decorator stands near the end, as the head must not move. There,
    `@@position` says nothing; `@@depth` holds exactly, and moves with every turn. An entry that the contents of another one
    touch stands with that one; where it is one of the head's, before all turns. `@@keep_activate_after_match` looks
    through all `posts`, which is what is left of earlier turns. Keys of an entry that says `use_regex` beside `constant` or
    secondary keys do not switch these off, as SillyTavern writes all three.
    """
    candidates = [each for each in _candidates(books, names) if _may_be_told(each.rule, turn_count, greeting, seed)]
    room = _Room(budget, tuple(book.token_budget for book in books), cache(size))
    allowance, reach = Allowance(), max((_scan_depth(each.rule, len(posts)) for each in candidates), default=0)
    nothing, story = Texts((), allowance), Texts(posts[::-1][:reach], allowance)
    active = {each: BEFORE_ALL for each in candidates if each.rule.is_in_head}
    # What the head touches is told whatever the story says, so it may not move to a post and back.
    still = [each for each in candidates if each.rule.asked.is_unconditional]
    _spread(active, still, room, _Look(nothing, len(posts), nothing))
    _add(active, candidates, _Look(story, len(posts), nothing))
    _spread(active, candidates, room, _Look(story, len(posts), nothing))
    return _placed(active, room)


def extra_tokens(  # noqa: PLR0913 - two prompts, and what their parts take
    before: Told, now: Told, turns: Sequence[int], new: int, size: Callable[[str], int], *, head: int = 0
) -> int:
    """How many tokens have to be read for a prompt beyond its newest `new` turns, because lore changed or moved.

    `turns` are the tokens of all turns of the prompt, oldest first; the prompt before had all but the `new` ones, and began
    with the same turn. The model reads a prompt anew from the first place on where it differs: so what counts is the lore
    and the older turns from there. `head` are the tokens of the head without lore, read again where its lore changed.
    """
    is_head_same = before.head_before == now.head_before and before.head_after == now.head_after
    earlier, later = list(_laid_out(before, len(turns) - new)), list(_laid_out(now, len(turns)))
    pairs = zip(earlier, later, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) if is_head_same else 0
    read = sum(turns[each] if isinstance(each, int) else size(each) for each in later[same:])
    again = 0 if is_head_same else head + sum(size(each.content) for each in (*now.head_before, *now.head_after))
    return again + read - sum(turns[len(turns) - new :])


class _Room:
    """Who fits into the budgets. One entry's size is asked for once."""

    def __init__(self, budget: int, limits: Sequence[int | None], size: Callable[[str], int]) -> None:
        self._budget = budget
        self._limits = [budget if limit is None else limit for limit in limits]
        self._size = size

    def share(self, active: Iterable[_Candidate]) -> tuple[list[_Candidate], list[_Candidate]]:
        """Those who fit and those who do not, by rank."""
        left, of_book = self._budget, list(self._limits)
        told, left_out = [], []
        for each in sorted(active, key=lambda candidate: candidate.rank):
            tokens = self._size(each.rule.entry.content)
            if tokens > min(left, of_book[each.book]):
                left_out.append(each)
                continue
            left -= tokens
            of_book[each.book] -= tokens
            told.append(each)
        return told, left_out


@dataclass(frozen=True, slots=True)
class _Look:
    """Where keys are looked for: in the story, which has so many posts, and in contents, the first of the smallest depth."""

    story: Texts
    posts: int
    contents: Texts
    depths: tuple[int, ...] = ()

    def depth_of(self, rule: _Rule) -> int | None:
        """How deep an entry stands; None when nothing asks for it."""
        if rule.asked.is_forced:
            return rule.asked.depth
        place = DEPTH if rule.is_constant else self._place(rule, rule.keys)
        for keys in (rule.secondary if not rule.is_constant else None, rule.additional):
            if keys is not None and self._place(rule, keys) is None:
                return None
        if place is None or self.story.oldest(rule.excluded, _scan_depth(rule, self.posts)) is not None:
            return None
        return place if rule.asked.depth is None else rule.asked.depth

    def _place(self, rule: _Rule, keys: tuple[Key, ...]) -> int | None:
        age = self.story.oldest(keys, _scan_depth(rule, self.posts))
        if age is not None:
            return age + 1
        told = self.contents.oldest(keys, len(self.contents)) if rule.is_recursive else None
        return None if told is None else self.depths[told]


def _candidates(books: Sequence[Lorebook], names: Names) -> Iterator[_Candidate]:
    for number, book in enumerate(books):
        yield from (_Candidate(rule, number, place) for place, rule in enumerate(_rules(book, names)))


@lru_cache(maxsize=KEPT_BOOKS)
def _rules(book: Lorebook, names: Names) -> tuple[_Rule, ...]:
    """The entries of a book that can be told at all. Kept, because reading decorators and keys takes longer than deciding."""
    reader = KeyReader(names)
    rules = (_rule(entry, book, reader) for entry in book.entries if entry.enabled)
    return tuple(rule for rule in rules if rule.entry.content and (rule.asked.is_forced or not rule.asked.is_never))


def _rule(entry: LoreEntry, book: Lorebook, reader: KeyReader) -> _Rule:
    asked, content = read_decorators(entry.content)

    def keys(texts: Sequence[str]) -> tuple[Key, ...]:
        return reader.read(texts, use_regex=entry.use_regex, is_cased=entry.case_sensitive)

    return _Rule(
        entry=replace(entry, content=content),
        asked=asked,
        keys=keys(entry.keys),
        secondary=keys(entry.secondary_keys) if entry.selective and any(map(str.strip, entry.secondary_keys)) else None,
        additional=keys(asked.additional_keys) if asked.additional_keys else None,
        excluded=keys(asked.exclude_keys),
        scan_depth=book.scan_depth if asked.scan_depth is None else asked.scan_depth,
        is_recursive=book.recursive,
    )


def _may_be_told(rule: _Rule, turn_count: int, greeting: int | None, seed: int) -> bool:
    """Whether nothing but its keys stands against an entry."""
    asked = rule.asked
    if asked.is_forced:
        return True
    if turn_count < asked.only_after or turn_count % asked.only_every:
        return False
    is_other_greeting = asked.greeting is not None and greeting is not None and asked.greeting != greeting
    return not is_other_greeting and (asked.probability >= SURE or _luck(rule.entry, seed) < asked.probability)


def _luck(entry: LoreEntry, seed: int) -> int:
    """A number from 0 to 99 that hangs on nothing but the entry and the seed."""
    drawn = hashlib.blake2b(f"{seed}\n{entry.name}\n{entry.content}".encode(errors="surrogatepass"), digest_size=8)
    return int.from_bytes(drawn.digest()) % 100


def _scan_depth(rule: _Rule, posts: int) -> int:
    if rule.asked.is_kept:
        return posts
    return SCAN_DEPTH if rule.scan_depth is None else max(0, rule.scan_depth)


def _add(active: dict[_Candidate, int], candidates: Iterable[_Candidate], look: _Look) -> bool:
    """Whether any of the candidates came to those who are told."""
    depths = {each: look.depth_of(each.rule) for each in candidates if each not in active}
    found = {each: depth for each, depth in depths.items() if depth is not None}
    active.update(found)
    return bool(found)


def _spread(active: dict[_Candidate, int], candidates: Iterable[_Candidate], room: _Room, look: _Look) -> None:
    """Adds what the contents of those who are told touch, and what the contents of these touch, for some rounds."""
    recursive = [each for each in candidates if each.rule.is_recursive]
    for _ in range(ROUNDS if recursive else 0):
        told = sorted(room.share(active)[0], key=active.__getitem__)
        contents = look.contents.beside([_COMMENT.sub("", each.rule.entry.content) for each in told])
        depths = tuple(active[each] for each in told)
        named = [each for each in recursive if contents.oldest(each.rule.sought, len(contents)) is not None]
        if not _add(active, named, replace(look, contents=contents, depths=depths)):
            break


def _placed(active: Mapping[_Candidate, int], room: _Room) -> Told:
    told, left_out = room.share(active)
    in_order = sorted(told, key=lambda candidate: candidate.order)
    head = [each.rule for each in in_order if each.rule.is_in_head]
    sides = [(rule.asked.position or rule.entry.position, rule.entry) for rule in head]
    return Told(
        head_before=tuple(entry for position, entry in sides if position is LorePosition.BEFORE_CHARACTER),
        head_after=tuple(entry for position, entry in sides if position is LorePosition.AFTER_CHARACTER),
        near=tuple(Placed(each.rule.entry, active[each]) for each in in_order if not each.rule.is_in_head),
        left_out=tuple(each.rule.entry for each in left_out),
    )


def _laid_out(told: Told, turns: int) -> Iterator[str | int]:
    """The end of a prompt: contents of lore, and turns by their number."""
    contents: dict[int, list[str]] = {}
    for placed in told.near:
        contents.setdefault(max(0, turns - placed.depth), []).append(placed.entry.content)
    for place in range(turns):
        yield from contents.get(place, ())
        yield place
    yield from contents.get(turns, ())
