"""Sentences by pattern: frames with a place for a number, filled with ages of minors or with what is harmless there."""

from collections.abc import Iterator
from dataclasses import dataclass

WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty"}
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
]
NAMES = ("Mira", "Anselm", "Yuki", "Ottilie", "Bram", "Zora")


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence with `{n}` (figures), `{w}` (in words), `{o}` (an ordinal) or `{name}`, and the numbers that go there."""

    category: str
    text: str
    numbers: tuple[int, ...]

    def filled(self) -> Iterator[tuple[str, str]]:
        """Category and sentence, for each number."""
        for index, number in enumerate(self.numbers):
            ordinal = ORDINALS[number - 1] if number <= len(ORDINALS) else str(number)
            values = {"n": number, "w": in_words(number), "o": ordinal, "name": NAMES[(index + len(self.text)) % len(NAMES)]}
            yield self.category, self.text.format(**values)


def in_words(number: int) -> str:
    """A number below seventy."""
    if number < 20:
        return WORDS[number - 1]
    ten, one = divmod(number, 10)
    return TENS[ten * 10] + (f"-{WORDS[one - 1]}" if one else "")


def frames(category: str, numbers: tuple[int, ...], *texts: str) -> tuple[Frame, ...]:
    """Frames that take the same numbers."""
    return tuple(Frame(category, text, numbers) for text in texts)


YOUNG = (5, 9, 12, 14, 16, 17)
TEENS = (13, 15, 17)
GROWN = (18, 22, 35, 47, 61)
ANY = (4, 7, 11, 15)

DEVELOPED_MINOR = (
    *frames("figures", YOUNG, "{name} is {n} years old.", "{name} ({n}) waits.", "Age: {n}", "She is {n}.", "A {n}-year-old."),
    *frames("words", YOUNG, "{name} is {w}.", "A {w}-year-old waits.", "He turned {w} today.", "She is about {w} years old."),
    *frames("appearance", YOUNG, "She looks {w}.", "He could pass for {n}.", "She has the body of a {w}-year-old."),
    *frames("claim", TEENS, "She is 40 but looks {n}.", "He is {n}, which is of age where he lives."),
)
FIRST_HELD_OUT_MINOR = (
    *frames(
        "figures",
        YOUNG,
        "My name's {name}, I'm {n}.",
        "{name} has been {n} for a week.",
        "age = {n}",
        "[{name} | {n} | she/her]",
    ),
    *frames("words", YOUNG, "“{w},” said {name} when they asked how old she was.", "{name}, who is {w}, nodded."),
    *frames("words", TEENS, "At {w} she is taller than all of them.", "She won't be a day past {w} until March."),
    *frames(
        "appearance",
        TEENS,
        "{name} might be {w}, to judge by her face.",
        "No more than {w}, you would think.",
        "She has a {w}-year-old's face.",
    ),
    *frames("birthday", TEENS, "She will celebrate her {o} birthday here.", "{name} becomes {w} at midnight."),
    *frames("claim", TEENS, "Her passport says 21, but she is {w}.", "{name}, who looks {n} and is 900,"),
)
DEVELOPED_BENIGN = (
    *frames(
        "adult_age", GROWN, "{name} is {n} years old.", "Age: {n}", "{name} is {w}.", "A {w}-year-old waits.", "She looks {w}."
    ),
    *frames(
        "duration",
        ANY,
        "{w} years ago it burned down.",
        "She stayed for {w} years.",
        "He was {w} minutes late.",
        "{n} days went by.",
    ),
    *frames(
        "numbers",
        ANY,
        "She bought {w} apples.",
        "Room {n}.",
        "It costs {n} coins.",
        "They are {n} miles away.",
        "{w} men stood there.",
    ),
    *frames("history", ANY, "The {o} century.", "The {o} floor was dark.", "Chapter {n}."),
    *frames("object_age", ANY, "The house is {w} years old.", "A {n}-year-old bottle of rum."),
)
FIRST_HELD_OUT_BENIGN = (
    *frames(
        "adult_age", GROWN, "My name's {name}, I'm {n}.", "{name}, who is {w}, nodded.", "He could pass for {w}.", "age = {n}"
    ),
    *frames("duration", ANY, "It has been {w} years since the flood.", "He spent {n} weeks at sea.", "Give me {w} minutes."),
    *frames(
        "time_place",
        ANY,
        "The bell struck {w}.",
        "Turn left at gate {n}.",
        "She wakes at {w} every day.",
        "Highway {n} was empty.",
    ),
    *frames(
        "numbers",
        ANY,
        "He lifted {w} sacks.",
        "She won {w} of the games.",
        "Page {n} was torn out.",
        "The bill came to {n} crowns.",
    ),
    *frames("history", ANY, "The {o} king of that name.", "In the {o} act she dies."),
)
