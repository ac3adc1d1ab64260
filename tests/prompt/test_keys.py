"""Keys are found where people expect them, strangers' patterns included, and no pattern takes long."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.prompt.keys import ALL_PATTERNS_SECONDS, LONGEST_PATTERN, LONGEST_PATTERNS, Allowance, Key, KeyReader, Names, Texts
from tests.prompt.naive_lore import holds

ALL = 1_000
ALPHABET = "aAbB\u00e9\u00c91 -'_.\u9f8d\u9b54\u305f\n"


def found(key: str, text: str, *, use_regex: bool = False, is_cased: bool = False, names: Names | None = None) -> bool:
    keys = KeyReader(names or Names()).read([key], use_regex=use_regex, is_cased=is_cased)
    return Texts([text], Allowance()).oldest(keys, ALL) is not None


@pytest.mark.parametrize(
    ("key", "text", "is_found"),
    [
        ("inn", "The inn was full.", True),
        ("inn", "_INN_", True),
        ("inn", "He was at the inn\u2019s door.", True),
        ("inn", "the innkeeper", False),
        ("inn", "the skinny one", False),
        (" inn ", "inn", True),
        ("", "inn", False),
        ("  ", "a  b", False),
        ("Stra\u00dfe", "die STRASSE", True),
        ("caf\u00e9", "the cafe\u0301", True),
        ("caf\u00e9", "the cafe", False),
        ("salt road", "on the Salt\n  Road", True),
        ("salt road", "on the salt roads", True),
        ("salt road", "on the salted road", False),
        ("half-elf", "two half-elfs", True),
        ("A.I.", "the a.i.s", True),
        ("?", "Who?", True),
        ("\u9f8d", "\u9ed2\u9f8d\u304c\u6765\u305f", True),
        ("\u9ed2\u9f8d", "\u9ed2\u9f8d\u304c\u6765\u305f", True),
        ("\uc6a9", "\uc6a9\uc774 \uc654\ub2e4", True),
        ("Mira", "Mira\u306f\u7b11\u3063\u305f", True),
    ],
)
def test_plain_keys(key: str, text: str, *, is_found: bool) -> None:
    assert found(key, text) is is_found


def test_capitals_matter_only_where_the_entry_says_so() -> None:
    assert found("Rose", "a rose")
    assert not found("Rose", "a rose", is_cased=True)
    assert found("Rose", "dear Rose", is_cased=True)
    assert not found("Old Rose", "the old rose", is_cased=True)


@pytest.mark.parametrize(
    ("key", "text", "is_found"),
    [
        ("/drag(on|oness)/", "the dragoness", True),
        ("/dragon/", "the Dragon", False),
        ("/dragon/i", "the Dragon", True),
        ("/^the end$/m", "At last:\nthe end\nof it", True),
        ("/^the end$/", "At last:\nthe end\nof it", False),
        ("/a.b/s", "a\nb", True),
        ("/a.b/", "a\nb", False),
        ("/and\\/or/gu", "and/or", True),
        ("/dragon/x", "the dragon", False),
        ("/(/", "(", False),
        ("a|b", "a|b", True),
        ("a|b", "b", False),
    ],
)
def test_a_key_in_slashes_is_a_pattern(key: str, text: str, *, is_found: bool) -> None:
    assert found(key, text) is is_found


@pytest.mark.parametrize(
    ("key", "text", "is_found"),
    [
        ("drag(on|oness)", "the DRAGONESS", True),
        ("\\bwyrms?\\b", "two wyrms", True),
        ("inn", "the innkeeper", False),
        ("inn", "the inn", True),
        ("*inn", "*inn", False),
        ("/Inn/", "the inn", False),
    ],
)
def test_where_keys_are_patterns_those_without_signs_are_words_still(key: str, text: str, *, is_found: bool) -> None:
    assert found(key, text, use_regex=True) is is_found


def test_a_pattern_minds_capitals_where_the_entry_does() -> None:
    assert not found("drag(on|oness)", "the DRAGON", use_regex=True, is_cased=True)


@pytest.mark.parametrize(
    ("key", "text", "use_regex", "is_found"),
    [
        ("{{user}}", "Anna sat down.", False, True),
        ("{{User}}'s sword", "tobias's sword", False, True),
        ("{{char}} and {{user}}", "Mira and Tobias", False, True),
        ("{{char}} and {{user}}", "Tobias and Mira", False, False),
        ("/{{user}}!/", "An.a!", False, False),
        ("{{user}}!?", "Anna!", True, True),
        ("{{user}}", "Annabel sat down.", True, False),
    ],
)
def test_a_macro_stands_for_any_of_the_names(key: str, text: str, *, use_regex: bool, is_found: bool) -> None:
    names = Names(characters=("Mira",), players=("Tobias", "Anna"))
    assert found(key, text, use_regex=use_regex, names=names) is is_found


def test_a_name_is_no_pattern() -> None:
    assert not found("/^{{user}}$/", "Anna", names=Names(players=("A.*",)))
    assert found("/^{{user}}$/", "A.*", names=Names(players=("A.*",)))


def test_a_macro_for_nobody_is_found_nowhere() -> None:
    assert not found("{{user}}", "{{user}} sat down.")
    assert not found("{{user}}'s sword", "'s sword", names=Names(players=("",)))


@pytest.mark.parametrize(
    ("key", "age"),
    [
        ("mill", 0),
        ("the mill", 0),
        ("/m.ll/", 0),
        ("inn", 1),
        ("old inn", 1),
        ("/i.n/", 1),
        ("red", 2),
        ("a red", 2),
        ("/r.d/", 2),
    ],
)
def test_only_the_newest_texts_are_looked_through(key: str, age: int) -> None:
    texts = Texts(["the mill", "the old inn", "a red door"], Allowance())
    (wanted,) = KeyReader(Names()).read([key])
    assert [texts.oldest([wanted], depth) for depth in range(4)] == [None] * (age + 1) + [age] * (3 - age)


@settings(deadline=None)
@given(
    key=st.text(ALPHABET, max_size=6),
    texts=st.lists(st.text(ALPHABET, max_size=30), max_size=4),
    depth=st.integers(0, 5),
    is_cased=st.booleans(),
)
def test_quick_looking_finds_what_slow_looking_finds(key: str, texts: list[str], depth: int, *, is_cased: bool) -> None:
    keys = KeyReader(Names()).read([key], is_cased=is_cased)
    holding = [age for age, text in enumerate(texts[:depth]) if holds(key, [text], is_cased=is_cased)]
    assert Texts(texts, Allowance()).oldest(keys, depth) == max(holding, default=None)


@pytest.mark.parametrize("key", ["inn", "inn now", "/in+/", "/n n/"])
def test_the_oldest_text_that_holds_a_key_is_known(key: str) -> None:
    texts = Texts(["the inn now", "-", "inn now", "i.n.n", "an inn now"], Allowance())
    keys = KeyReader(Names()).read([key, "nobody"])
    assert [texts.oldest(keys, depth) for depth in range(6)] == [None, 0, 0, 2, 2, 4]


HOSTILE = [
    "/(a+)+$/",
    "/(a|a)*$/",
    "/(a|aa)+$/",
    "/(.*)*(.*)*(.*)*$b/",
    "/(a?){30}a{9}$/",
    "/((a*)*)*[^ab]/",
    "/(?:.*?,){11}P/",
    "/(\\w*)*\\1[^a]b/",
    "/(?:aaaa|b){e<=3}[^a!]/",
    "/(?R)?a(?R)?[^a]/",
    "/(?<=(a+)+[^a])./",
    "/\\X*\\X*\\X*[^a!]/",
    "/a*a*a*a*a*a*[^a!]/",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_no_pattern_takes_long(key: str) -> None:
    keys = KeyReader(Names()).read([key] * 5)
    texts = Texts(["a" * 9_000 + "!"] * 4, Allowance())
    started = time.process_time()
    for each in range(50):
        texts.oldest(keys, 1 + each % 4)
    assert time.process_time() - started < 3 * ALL_PATTERNS_SECONDS


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:" * 100 + "a" + "{9})" * 100,
        "(?:" * 30 + "a" + "){1,999}" * 30,
        "(a" * 60 + "+)" * 60,
        "((((((a+)+)+)+)+)+)+" * 20,
        "((((a{999}){999}){999}){999}){999}",
        "(((a{30,}){30,}){30,}){30,}",
        "a{4294967295}",
        "a{" + "9" * 400 + "}",
        "(" * 400,
        "(" * 200 + ")" * 200,
        "[" * 400,
        "|".join(f"[\\p{{L}}a-z{each}]" for each in range(38)),
        "(?i)[\U00010000-\U0010ffff\\p{Lu}\\p{Ll}]" * 10,
        "\\N{DIGIT ONE}\\L<words>",
        "(?P<a>a)(?P<a>b)(?(b)c)",
        "\\g<9>(?&name)",
        "(?x)(?V1)[[a]&&[b]]",
    ],
)
def test_no_pattern_is_read_slowly_or_fails(pattern: str) -> None:
    started = time.process_time()
    found(pattern, "aaa", use_regex=True)
    taken = time.process_time() - started
    tracemalloc.start()
    found(f"/{pattern}/", "aaa")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1
    assert peak < 20_000_000


def test_a_long_pattern_is_found_nowhere() -> None:
    assert found("/" + "a" * LONGEST_PATTERN + "/", "a" * 2 * LONGEST_PATTERN)
    assert not found("/" + "a" * (LONGEST_PATTERN + 1) + "/", "a" * 2 * LONGEST_PATTERN)


def test_counts_and_numbers_of_patterns_are_bounded() -> None:
    assert found("/^a{4}b{3}$/", "aaaabbb")
    assert not found("/^(a{30}){30}$/", "a" * 900)
    pattern = "/" + "a" * LONGEST_PATTERN + "/"
    most = LONGEST_PATTERNS // LONGEST_PATTERN
    reader = KeyReader(Names())
    assert [len(reader.read([pattern] * (most - 1))), len(reader.read([pattern] * 9, use_regex=True))] == [most - 1, 1]
    assert reader.read(["inn"])


def test_when_the_time_for_patterns_is_spent_the_rest_is_found_nowhere_and_words_still_are() -> None:
    clock = iter(range(100))
    texts = Texts(["the inn"], Allowance(2.0, ticks=lambda: float(next(clock))))
    keys = KeyReader(Names()).read(["/in./", "/i.n/", "/.nn/", "inn"])
    assert [texts.oldest([key], ALL) for key in keys] == [0, 0, None, 0]


def test_a_pattern_is_tried_once_at_each_depth() -> None:
    clock = iter(range(100))
    texts = Texts(["the inn", "the mill"], Allowance(2.0, ticks=lambda: float(next(clock))))
    (key,) = KeyReader(Names()).read(["/in./"])
    assert [texts.oldest([key], 5) for _ in range(9)] == [0] * 9


def test_keys_that_can_be_found_nowhere_are_left_out() -> None:
    keys = KeyReader(Names()).read(["", " ", "/(/", "{{char}}", "inn"])
    assert keys == (Key("inn", is_word=True),)
