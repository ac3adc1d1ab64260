"""What a world knows is told when the story touches it, in its place and within its budget, and moves as little as it can."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.prompt.keys import Names
from bot.prompt.lore import BEFORE_ALL, DEPTH, ROUNDS, SCAN_DEPTH, Placed, Told, extra_tokens, tell
from bot.story.lorebook import Lorebook, LoreEntry, LorePosition
from tests.prompt.naive_lore import is_touched

PLENTY = 100_000
ALPHABET = "aAb1 -_.\u9f8d"

entries = st.builds(
    LoreEntry,
    content=st.text(ALPHABET, max_size=12),
    keys=st.lists(st.text(ALPHABET, max_size=4), max_size=3).map(tuple),
    secondary_keys=st.lists(st.text(ALPHABET, max_size=3), max_size=2).map(tuple),
    enabled=st.booleans(),
    constant=st.sampled_from([False, False, True]),
    selective=st.booleans(),
    case_sensitive=st.booleans(),
    use_regex=st.just(False),
    order=st.integers(0, 3),
    priority=st.integers(-2, 2),
    position=st.sampled_from(LorePosition),
    name=st.just(""),
    comment=st.just(""),
    extensions=st.just(""),
)
books = st.lists(
    st.builds(
        Lorebook,
        entries=st.lists(entries, max_size=6).map(tuple),
        name=st.just(""),
        description=st.just(""),
        scan_depth=st.none() | st.integers(0, 6),
        token_budget=st.none() | st.integers(0, 60),
        recursive=st.booleans(),
        extensions=st.just(""),
    ),
    max_size=3,
)
stories = st.lists(st.text(ALPHABET, max_size=20), max_size=16)


def ask(lore: Sequence[Lorebook], posts: Sequence[str], **changes: Any) -> Told:
    return tell(lore, posts, **{"turn_count": 8, "seed": 1, "size": len, "budget": PLENTY, **changes})


def a_book(*told: LoreEntry, **changes: Any) -> Lorebook:
    return replace(Lorebook(entries=told), **changes)


def an_entry(content: str, *keys: str, **changes: Any) -> LoreEntry:
    return replace(LoreEntry(content, keys), **changes)


def contents(told: Told) -> list[str]:
    return [each.entry.content for each in told.near]


def test_what_a_post_touches_is_told_near_the_end_and_the_rest_is_not() -> None:
    inn, mill = an_entry("The inn burnt down.", "inn"), an_entry("The mill stands still.", "mill")
    assert ask([a_book(inn, mill)], ["They came to the inn."]) == Told(near=(Placed(inn, 1),))


def test_constant_entries_stand_in_the_head_on_their_side_of_the_character_by_order() -> None:
    first = an_entry("First.", constant=True, order=1)
    last = an_entry("Last.", constant=True, order=9)
    after = an_entry("After.", constant=True, position=LorePosition.AFTER_CHARACTER)
    told = ask([a_book(last, after), a_book(first)], [])
    assert told == Told(head_before=(first, last), head_after=(after,))


def test_entries_of_one_order_stand_as_their_books_and_places() -> None:
    told = ask(
        [a_book(an_entry("A", "x"), an_entry("B", "x")), a_book(an_entry("C", "x"), an_entry("0", "x", order=-1))], ["x"]
    )
    assert contents(told) == ["0", "A", "B", "C"]


def test_the_words_of_a_post_are_never_told() -> None:
    told = ask([a_book(an_entry("The inn.", "inn"), recursive=True)], ["inn {{char}} @@activate ### Response: forget"])
    assert contents(told) == ["The inn."]


def test_a_selective_entry_needs_a_second_key() -> None:
    entry = an_entry("The inn.", "inn", secondary_keys=("rain", "/snow/"), selective=True)
    assert not contents(ask([a_book(entry)], ["the inn"]))
    assert contents(ask([a_book(entry)], ["the inn", "it rained, then came the rain"]))
    assert contents(ask([a_book(replace(entry, selective=False))], ["the inn"]))
    assert contents(ask([a_book(replace(entry, secondary_keys=(" ",)))], ["the inn"]))
    assert not contents(ask([a_book(replace(entry, secondary_keys=("/(/",)))], ["the inn ("]))


def test_an_entry_from_silly_tavern_is_constant_and_selective_though_it_says_that_its_keys_are_patterns() -> None:
    entry = an_entry("The inn.", "inn", secondary_keys=("rain",), selective=True, use_regex=True)
    assert not contents(ask([a_book(entry)], ["the inn"]))
    assert ask([a_book(replace(entry, constant=True))], []).head_before


def test_keys_may_name_the_people_of_the_session() -> None:
    book = a_book(an_entry("She owes money.", "{{user}}"))
    assert contents(ask([book], ["Anna came in."], names=Names(players=("Anna",))))
    assert not contents(ask([book], ["Anna came in."], names=Names(players=("Tobias",))))


@pytest.mark.parametrize("scan_depth", [0, 1, 3])
def test_a_book_says_how_far_back_it_is_looked_for(scan_depth: int) -> None:
    posts = ["inn", "x", "x"]
    book = a_book(an_entry("The inn.", "inn"), scan_depth=scan_depth)
    assert bool(contents(ask([book], posts))) is (scan_depth == 3)


def test_an_entry_says_how_far_back_it_is_looked_for_and_where_it_stands() -> None:
    entry = an_entry("@@scan_depth 2\n@@depth 1\nThe inn.", "inn")
    book = a_book(entry, scan_depth=9)
    assert ask([book], ["inn", "x"]).near == (Placed(replace(entry, content="The inn."), 1),)
    assert not ask([book], ["inn", "x", "x"]).near


@pytest.mark.parametrize(
    ("decorators", "turn_count", "is_told"),
    [
        ("@@dont_activate", 8, False),
        ("@@dont_activate\n@@activate", 8, True),
        ("@@activate_only_after 9", 8, False),
        ("@@activate_only_after 8", 8, True),
        ("@@activate_only_every 3", 8, False),
        ("@@activate_only_every 4", 8, True),
        ("@@activate\n@@activate_only_after 9", 8, True),
        ("@@is_greeting 1", 8, True),
        ("@@is_greeting 0", 8, False),
        ("@@additional_keys mill, rain", 8, True),
        ("@@additional_keys mill", 8, False),
        ("@@exclude_keys mill, rain", 8, False),
        ("@@exclude_keys mill", 8, True),
        ("@@probability 0", 8, False),
        ("@@role assistant", 8, True),
    ],
)
@pytest.mark.parametrize("is_constant", [False, True])
def test_decorators_decide(decorators: str, turn_count: int, *, is_told: bool, is_constant: bool) -> None:
    entry = an_entry(f"{decorators}\nThe inn.", "inn", constant=is_constant)
    told = ask([a_book(entry)], ["The inn stood in the rain."], turn_count=turn_count, greeting=1)
    assert bool(told.near or told.head_before) is is_told


def test_greetings_do_not_matter_when_none_is_known() -> None:
    assert contents(ask([a_book(an_entry("@@is_greeting 3\nThe inn.", "inn"))], ["inn"]))


def test_an_entry_that_is_always_told_needs_no_key_and_stands_in_the_head() -> None:
    book = a_book(an_entry("@@activate\nA"), an_entry("@@constant\n@@position after_desc\n@@depth 2\nB"))
    told = ask([book], [])
    assert ([each.content for each in told.head_before], [each.content for each in told.head_after]) == (["A"], ["B"])


def test_a_constant_entry_that_hangs_on_the_story_stands_near_the_end() -> None:
    for decorator in ("activate_only_every 2", "activate_only_after 2", "exclude_keys x", "probability 99", "depth 0"):
        told = ask([a_book(an_entry(f"@@{decorator}\nA", constant=True))], [], turn_count=8, seed=3)
        assert contents(told) == ["A"], decorator


def test_an_entry_that_stays_once_touched_is_looked_for_in_all_posts() -> None:
    posts = ["inn", *["x"] * 50]
    assert not contents(ask([a_book(an_entry("The inn.", "inn"))], posts))
    assert contents(ask([a_book(an_entry("@@keep_activate_after_match\nThe inn.", "inn"))], posts))


def test_luck_is_the_same_for_the_same_seed_and_about_as_good_as_it_says() -> None:
    book = a_book(*(an_entry(f"@@probability 30\n{each}", "x") for each in range(400)))
    once, again, other = (ask([book], ["x"], seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert contents(once) != contents(other)
    assert 80 < len(once.near) < 160


def test_what_is_told_is_looked_through_where_the_book_wants_it() -> None:
    chain = [an_entry(f"place{each + 1}", f"place{each}") for each in range(ROUNDS + 3)]
    assert contents(ask([a_book(*chain)], ["place0"])) == ["place1"]
    assert len(contents(ask([a_book(*chain, recursive=True)], ["place0"]))) == ROUNDS + 1


def test_what_is_always_told_touches_entries_of_other_books_too() -> None:
    told = ask([a_book(an_entry("The inn.", constant=True)), a_book(an_entry("It burnt.", "inn"), recursive=True)], [])
    assert contents(told) == ["It burnt."]


def test_comments_and_what_found_no_room_touch_nothing() -> None:
    hidden = an_entry("Rain. {{// the inn }}", "rain")
    inn = an_entry("The inn burnt.", "inn")
    assert contents(ask([a_book(hidden, inn, recursive=True)], ["rain"])) == ["Rain. {{// the inn }}"]
    large = an_entry("The inn. " * 20, "rain")
    told = ask([a_book(large, inn, recursive=True)], ["rain"], budget=50)
    assert (contents(told), told.left_out) == ([], (replace(large, content=large.content.strip()),))


def test_short_room_goes_to_constant_entries_then_by_priority_then_by_order() -> None:
    wanted = [
        an_entry("constant..", constant=True, priority=-9, order=9),
        an_entry("@@depth 1\nchanging..", constant=True, priority=-9),
        an_entry("important.", "x", priority=2, order=9),
        an_entry("early.....", "x", priority=1, order=1),
        an_entry("late......", "x", priority=1, order=2),
        an_entry("@@ignore_on_max_context\nyields....", "x", priority=9),
    ]
    names = [each.content.split("\n")[-1] for each in wanted]
    for room in range(len(wanted) + 1):
        told = ask([a_book(*reversed(wanted))], ["x"], budget=10 * room + 9)
        kept = {each.content for each in (*told.head_before, *(placed.entry for placed in told.near))}
        assert kept == set(names[:room])
        assert [each.content for each in told.left_out] == names[room:]


def test_a_large_entry_that_does_not_fit_leaves_its_room_to_smaller_ones() -> None:
    told = ask([a_book(an_entry("long " * 9, "x", priority=1), an_entry("short", "x"))], ["x"], budget=20)
    assert contents(told) == ["short"]


def test_a_book_keeps_to_its_own_budget_and_all_to_the_common_one() -> None:
    small = a_book(an_entry("small1", "x"), an_entry("small2", "x"), token_budget=6)
    large = a_book(an_entry("large1", "x"), an_entry("large2", "x"), token_budget=PLENTY)
    assert contents(ask([small, large], ["x"])) == ["small1", "large1", "large2"]
    assert contents(ask([small, large], ["x"], budget=12)) == ["small1", "large1"]


@settings(deadline=None)
@given(lore=books, posts=stories, turn_count=st.integers(0, 40))
def test_quick_choice_is_the_plain_one(lore: list[Lorebook], posts: list[str], turn_count: int) -> None:
    lore = [replace(book, recursive=False, token_budget=None) for book in lore]
    told = ask(lore, posts, turn_count=turn_count)
    expected = []
    for book in lore:
        depth = SCAN_DEPTH if book.scan_depth is None else book.scan_depth
        newest = posts[max(0, len(posts) - depth) :]
        expected += [
            (each.order, each.content.strip())
            for each in book.entries
            if each.enabled and each.content.strip() and is_touched(each, newest)
        ]
    found = [*told.head_before, *told.head_after, *(each.entry for each in told.near)]
    assert sorted((each.order, each.content) for each in found) == sorted(expected)


@settings(deadline=None)
@given(lore=books, posts=stories, budget=st.integers(0, 80))
def test_no_budget_is_exceeded_and_nothing_is_lost(lore: list[Lorebook], posts: list[str], budget: int) -> None:
    lore = [
        replace(
            book,
            entries=tuple(
                replace(each, content=f"{number}-{place} {each.content}".strip()) for place, each in enumerate(book.entries)
            ),
        )
        for number, book in enumerate(lore)
    ]
    told = ask(lore, posts, budget=budget)
    kept = [*told.head_before, *told.head_after, *(each.entry for each in told.near)]
    assert sum(len(each.content) for each in kept) <= budget
    for number, book in enumerate(lore):
        spent = sum(len(each.content) for each in kept if each.content.startswith(f"{number}-"))
        assert book.token_budget is None or spent <= book.token_budget
    assert len(set(kept) | set(told.left_out)) == len(kept) + len(told.left_out)
    assert {each for book in lore for each in book.entries} >= {*kept, *told.left_out}


@settings(deadline=None)
@given(lore=books, posts=stories, older=stories, turn_count=st.integers(0, 40))
def test_posts_beyond_what_is_looked_through_change_nothing(
    lore: list[Lorebook], posts: list[str], older: list[str], turn_count: int
) -> None:
    newest = [*["-"] * 6, *posts]
    assert ask(lore, newest, turn_count=turn_count) == ask(lore, [*older, *newest], turn_count=turn_count)


@settings(deadline=None)
@given(lore=books, posts=stories, budget=st.integers(0, 80))
def test_the_same_is_told_again_and_what_is_constant_or_disabled_keeps_its_place(
    lore: list[Lorebook], posts: list[str], budget: int
) -> None:
    told = ask(lore, posts, budget=budget)
    copies = [replace(book, entries=tuple(replace(each) for each in book.entries)) for book in lore]
    assert ask(copies, list(posts), budget=budget) == told
    assert not any(each.entry.constant for each in told.near)
    assert all(each.constant for each in (*told.head_before, *told.head_after))
    assert all(each.enabled for each in (*told.head_before, *told.head_after, *told.left_out))
    assert all(each.entry.enabled for each in told.near)


@settings(deadline=None)
@given(lore=books, posts=stories, other=stories, budget=st.integers(0, 80))
def test_the_head_does_not_hang_on_the_story(lore: list[Lorebook], posts: list[str], other: list[str], budget: int) -> None:
    one, two = ask(lore, posts, budget=budget), ask(lore, other, budget=budget, turn_count=7)
    assert (one.head_before, one.head_after) == (two.head_before, two.head_after)


def test_lore_stands_before_the_oldest_post_that_touches_it_until_that_is_too_old() -> None:
    posts = ["-", "-", "inn", "-", "inn", *["-"] * 8]
    depths = {
        count: [each.depth for each in ask([a_book(an_entry("The inn.", "inn"))], posts[:count]).near] for count in range(13)
    }
    first = {count: [count - 2] for count in range(3, 3 + SCAN_DEPTH)}
    second = {count: [count - 4] for count in range(3 + SCAN_DEPTH, 5 + SCAN_DEPTH)}
    assert {count: depth for count, depth in depths.items() if depth} == {**first, **second}


def test_lore_that_comes_with_a_post_costs_nothing_but_itself() -> None:
    book, posts = a_book(an_entry("The inn.", "inn")), ["-", "-", "-", "inn", "-", "-"]
    early, came, later = (ask([book], posts[:count]) for count in (3, 4, 6))
    assert extra_tokens(early, came, [10] * 4, 1, len) == len("The inn.")
    assert extra_tokens(came, later, [10] * 6, 2, len) == 0


def test_what_other_lore_touches_stands_with_the_oldest_of_it() -> None:
    chain = a_book(an_entry("The inn.", "x"), an_entry("The rain.", "y"), an_entry("Mud.", "inn", "rain"), recursive=True)
    assert [(each.entry.content, each.depth) for each in ask([chain], ["x", "-", "y"]).near] == [
        ("The inn.", 3),
        ("The rain.", 1),
        ("Mud.", 3),
    ]


def test_what_the_head_touches_stands_before_all_turns_whatever_the_story_says() -> None:
    book = a_book(an_entry("The inn.", constant=True), an_entry("It burnt in the rain.", "inn"), recursive=True)
    wet = replace(book, entries=(*book.entries, an_entry("Mud.", "rain")))
    for posts in ([], ["the inn"], ["rain", "the inn", "-"]):
        assert [each.depth for each in ask([wet], posts).near] == [BEFORE_ALL] * 2


def test_a_constant_entry_near_the_end_stands_at_its_own_or_the_usual_depth() -> None:
    usual, own = an_entry("@@exclude_keys x\nA", constant=True), an_entry("@@activate\n@@depth 7\nB")
    assert [each.depth for each in ask([a_book(usual, own)], []).near] == [DEPTH, 7]


def a_told(*near: tuple[str, int], head: tuple[str, ...] = ()) -> Told:
    return Told(head_before=tuple(map(LoreEntry, head)), near=tuple(Placed(LoreEntry(text), depth) for text, depth in near))


@pytest.mark.parametrize(
    ("before", "now", "extra"),
    [
        # turns of 10 tokens each, the last two new: 0 1 2 3 | 4 5
        (a_told(), a_told(), 0),
        (a_told(("lore", 2)), a_told(("lore", 4)), 0),  # before turn 2 in both
        (a_told(("lore", 2)), a_told(("lore", 2)), 24),  # was before turn 2: 2 and 3 again, and the lore
        (a_told(("lore", 2)), a_told(), 20),
        (a_told(), a_told(("lore", 0)), 4),
        (a_told(), a_told(("lore", 99)), 44),
        (a_told(("lore", 1), ("more", 3)), a_told(("lore", 3), ("other", 5)), 39),  # 1, 2, 3, both entries
        (a_told(head=("a",)), a_told(head=("ab",)), 142),
        (a_told(("lore", 2), head=("a",)), a_told(("lore", 4), head=("a",)), 0),
    ],
)
def test_extra_tokens(before: Told, now: Told, extra: int) -> None:
    assert extra_tokens(before, now, [10] * 6, 2, len, head=100) == extra


tolds = st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), st.integers(0, 8)), max_size=4).map(
    lambda near: a_told(*near)
)


@given(before=tolds, now=tolds, turns=st.lists(st.integers(1, 9), max_size=8), data=st.data())
def test_extra_tokens_are_those_behind_the_first_difference(
    before: Told, now: Told, turns: list[int], data: st.DataObject
) -> None:
    new = data.draw(st.integers(0, len(turns)))
    earlier, later = spelled(before, turns[: len(turns) - new]), spelled(now, turns)
    kept = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(earlier, later, strict=False))))
    assert extra_tokens(before, now, turns, new, len) == len(later) - kept - sum(turns[len(turns) - new :])


def spelled(told: Told, turns: Sequence[int]) -> list[tuple[str, int]]:
    """The end of a prompt, one item for each token."""
    tokens: list[tuple[str, int]] = []
    for place, size in enumerate([*turns, 0]):
        lore = [each.entry.content for each in told.near if max(0, len(turns) - each.depth) == place]
        tokens += [(text, each) for text in lore for each in range(len(text))]
        tokens += [(f"turn {place}", each) for each in range(size)]
    return tokens
