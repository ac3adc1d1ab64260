"""Turns novels into LimaRP samples: label first, then a reply cut at a sentence border inside the label's range."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from .corpus import CLOSE, MARK, OPEN, Text
from .personas import Pair, draw_head, draw_pair
from .vocabulary import EOS, Vocabulary

Encode = Callable[[str], Iterable[int]]
RANGES: dict[str, tuple[int, int]] = {
    "micro": (5, 14),
    "tiny": (18, 30),
    "short": (40, 62),
    "medium": (85, 120),
    "long": (155, 205),
    "massive": (255, 320),
    "huge": (400, 480),
    "enormous": (580, 680),
    "humongous": (780, 900),
    "unlimited": (1000, 1200),
}
SHARES = (1.1, 1.1, 1.2, 1.2, 1.2, 1.1, 1.0, 0.7, 0.5, 0.4)
PLAIN = 0.12  # share of last headers without a modifier
SECOND_FIRST = 0.3  # share of passages in which the less named of the two is the character
MOST_CROWD = 0.34  # passages that speak more than this of others than the two are left out
SKIP_SILENT = 0.5  # share of passages without speech that are left out
END_BY_MARK = 0.75  # share of last replies that end with EOS, the others with the next header
LONGEST = 2047
HISTORY = 1900  # tokens that a history and the longest last reply may fill together
STORY = 256  # tokens of one headless story
MANY_TURNS = 0.05  # share of samples with a history that fills the context
HEAD_WEIGHT, INPUT_WEIGHT, REPLY_WEIGHT, END_WEIGHT, NAME_WEIGHT = 1, 6, 10, 30, 50  # tenths

_SENTENCE = re.compile(r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bM\.)\s+|(?<=[.!?]\")\s+(?=[\"A-Z\u27e6])")
SAYS = "said|cried|asked|replied|answered|exclaimed|returned|observed|continued|inquired|remarked|added|whispered|murmured"
_THIRD = {
    "f": ("the woman", "the lady", "the girl", "the stranger"),
    "m": ("the man", "the gentleman", "the stranger", "the fellow"),
}
_CALLED = {"f": ("madam", "my dear", "my lady"), "m": ("sir", "my friend", "old fellow")}
_MARK = f"{OPEN}(\\d+){CLOSE}"
_VOCATIVE = re.compile(
    rf"(?<=[,\"] |.[\"]){_MARK}(?=[,.!?;])|(?<=[.!?;:] ){_MARK}(?=, (?:I|you|your|my|if|do|don't|what|how|why|let|it)\b)"
)


@dataclass(frozen=True)
class Sample:
    """One training text as tokens, with the weight of each token's loss in tenths."""

    tokens: list[int] | NDArray[np.uint16]
    weights: list[int] | NDArray[np.uint8]
    label: str


@dataclass(frozen=True)
class Paragraph:
    """The sentences of one paragraph, and whose speech it says it is ("char", "user" or "")."""

    sentences: list[str]
    speaker: str = ""


@dataclass(frozen=True)
class Passage:
    """A stretch of a novel with its people already renamed."""

    pair: Pair
    paragraphs: list[Paragraph]
    crowd: float  # share of the mentions of people that are of others than the two


def rename(text: Text, start: int, stop: int, rng: Random) -> Passage:
    """Give the two main people of a passage the persona names and turn everybody else into 'the man' and the like."""
    chunk = text.paragraphs[start:stop]
    seen = Counter(int(n) for p in chunk for n in MARK.findall(p))
    main = [n for n, _ in seen.most_common(2)]
    crowd = 1 - sum(seen[n] for n in main) / max(1, seen.total())
    if len(main) > 1 and rng.random() < SECOND_FIRST:
        main.reverse()
    words = Counter(w.lower() for p in chunk for w in re.findall(r"\b(?:he|his|she|her)\b", p, re.IGNORECASE))
    usual = "f" if words["she"] + words["her"] > words["he"] + words["his"] else "m"
    genders = [text.genders[n] for n in main] + [usual, rng.choice("fm")]
    pair = draw_pair(rng, genders[0], genders[1])
    names = dict(zip(main, (pair.char, pair.user), strict=False))
    others = {n: (rng.choice(_THIRD[g]), rng.choice(_CALLED[g])) for n, g in enumerate(text.genders)}
    others |= {n: (name, name) for n, name in names.items()}
    renamed = [_put_names(p, others) for p in chunk]
    return Passage(pair, [Paragraph(_SENTENCE.split(p), _speaker(p, pair)) for p in renamed], crowd)


def _speaker(paragraph: str, pair: Pair) -> str:
    """Whose speech the paragraph is, as far as it says so."""
    for role, name in (("user", pair.user), ("char", pair.char)):
        if re.search(rf"\b(?:{SAYS}) {name}\b|\b{name} (?:{SAYS})\b", paragraph):
            return role
    return ""


def _put_names(paragraph: str, names: dict[int, tuple[str, str]]) -> str:
    """Replace every mark of one paragraph by what its person is called in narration or when spoken to."""
    text = _VOCATIVE.sub(lambda m: names[int(m[1] or m[2])][1], paragraph)
    text = MARK.sub(lambda m: names[int(m[1])][0], text)
    return re.sub(r"(^\"?|[.!?] \"?)((?:the|my|old) |sir|madam)", lambda m: m[1] + m[2].capitalize(), text)


class Writer:
    """Builds samples from one novel, walking through it from a random start."""

    def __init__(self, vocabulary: Vocabulary, rng: Random) -> None:
        self._encode = vocabulary.encode
        self._start = vocabulary.start
        self._rng = rng

    def walk(self, text: Text) -> list[Sample]:
        """All samples of one pass over a novel."""
        place, found = self._rng.randint(0, 8), list[Sample]()
        while place < len(text.paragraphs) - 4:
            sample, used = self._sample(text, place)
            place += used
            if sample:
                found.append(sample)
        return found

    def prose(self, text: Text) -> list[Sample]:
        """The whole novel as stories without a head, for the first stage of training."""
        found = list[Sample]()
        for place in range(self._rng.randint(0, 20), len(text.paragraphs), 25):
            passage = rename(text, place, place + 25, self._rng)
            story = "\n\n".join(" ".join(p.sentences) for p in passage.paragraphs)
            tokens = self._start(story)
            for at in range(0, len(tokens), STORY):
                part = tokens[at : at + STORY]
                found.append(Sample(part, [REPLY_WEIGHT] * len(part), "prose"))
        return found

    def _sample(self, text: Text, place: int) -> tuple[Sample | None, int]:
        """One sample from this place on, and how many paragraphs it used."""
        rng = self._rng
        label = rng.choices(list(RANGES), SHARES)[0]
        low, high = RANGES[label]
        many = rng.random() < MANY_TURNS
        target = rng.randint(low, high)
        reach = 12 + (70 if many else 0) + high // 12
        passage = rename(text, place, place + reach, rng)
        if not any('"' in s for p in passage.paragraphs[:6] for s in p.sentences) and rng.random() < SKIP_SILENT:
            return None, 4
        if passage.crowd > MOST_CROWD:
            return None, 3
        turns = rng.randint(6, 24) if many else rng.choices((0, 1, 2), (5, 3, 2))[0]
        draft = _Draft(self._encode, passage)
        draft.put(self._start(draw_head(rng, passage.pair)), HEAD_WEIGHT)
        for _ in range(turns):
            if not draft.input_turn(rng) or not draft.old_reply(rng) or len(draft.tokens) + high > HISTORY:
                break
        shown = "" if rng.random() < PLAIN else f" (length = {label})"
        done = draft.input_turn(rng) and draft.last_reply(shown, low, target, high, rng)
        if not done or len(draft.tokens) > LONGEST:
            return None, 3
        return Sample(draft.tokens, draft.weights, label if shown else "none"), max(2, draft.at)


class _Draft:
    """A sample while it is written; `at` is the next unused paragraph of the passage."""

    def __init__(self, encode: Encode, passage: Passage) -> None:
        self._encode = encode
        self._pair = passage.pair
        self._paragraphs = list(passage.paragraphs)
        self._names = [tuple(encode(f" {name}")) for name in (passage.pair.char, passage.pair.user)]
        self._opened = False  # the last reply already wrote the marks that open a header
        self.at = 0
        self.tokens: list[int] = []
        self.weights: list[int] = []

    def put(self, tokens: Iterable[int], weight: int) -> None:
        """Append tokens of one weight."""
        before = len(self.tokens)
        self.tokens.extend(tokens)
        self.weights.extend([weight] * (len(self.tokens) - before))

    def _put_body(self, body: list[int], weight: int) -> None:
        """Append the words of a turn; the two names in them weigh more, for they are to be copied."""
        start = len(self.weights)
        self.put(body, weight)
        for name in self._names:
            for at in range(len(body) - len(name) + 1):
                if tuple(body[at : at + len(name)]) == name:
                    self.weights[start + at : start + at + len(name)] = [NAME_WEIGHT] * len(name)

    def input_turn(self, rng: Random) -> bool:
        """The player's turn: at most one paragraph, short."""
        body = self._cut(8, rng.randint(12, 90), 90, "char")
        if body is None:
            return False
        marks = "" if self._opened else "###"
        self.put(self._encode(f"{marks} Input:\n{self._pair.user}:"), HEAD_WEIGHT)
        self._put_body(body, INPUT_WEIGHT)
        self.put(self._encode("\n\n"), HEAD_WEIGHT)
        self._opened = False
        return True

    def old_reply(self, rng: Random) -> bool:
        """An earlier reply: its header stays plain."""
        body = self._cut(8, rng.randint(15, 100), 110, "user")
        if body is None:
            return False
        self._reply("", body)
        self._open_header(END_WEIGHT // 3)
        return True

    def last_reply(self, shown: str, low: int, target: int, high: int, rng: Random) -> bool:
        """The reply that carries the length label, and its end."""
        body = self._cut(low, target, high, "user")
        if body is None:
            return False
        self._reply(shown, body)
        if rng.random() < END_BY_MARK:
            self.put([EOS], END_WEIGHT)
        else:
            self._open_header(END_WEIGHT)
            self.put(self._encode(f" Input:\n{self._pair.user}:"), HEAD_WEIGHT)
        return True

    def _reply(self, shown: str, body: list[int]) -> None:
        self.put(self._encode(f"### Response:{shown}\n{self._pair.char}:"), HEAD_WEIGHT)
        self._put_body(body, REPLY_WEIGHT)

    def _open_header(self, weight: int) -> None:
        self.put(self._encode("\n\n###"), weight)
        self._opened = True

    def _cut(self, low: int, target: int, high: int, other: str) -> list[int] | None:
        """Take sentences, but nothing the other one says, and end at a border between low and high tokens."""
        for _ in range(12):
            if self.at >= len(self._paragraphs):
                return None
            body = self._collect(low, target, high, other)
            if body is not None:
                return body
        return None

    def _collect(self, low: int, target: int, high: int, other: str) -> list[int] | None:
        """Collect from the next paragraph on; always moves forward, and leaves unused narration for the next turn."""
        body: list[int] = []
        best: list[int] | None = None
        first, after = self.at, (self.at + 1, 0)
        for at in range(first, len(self._paragraphs)):
            if self._paragraphs[at].speaker == other or (other == "char" and at > first):
                if other == "char" or not body:
                    break
                continue
            quotes = 0
            for i, sentence in enumerate(self._paragraphs[at].sentences):
                body = [*body, *self._encode((" " if i or not body else "\n\n") + sentence)]
                quotes += sentence.count('"')
                whole = [*body, *self._encode('"')] if quotes % 2 else body
                if low <= len(whole) <= high and (best is None or abs(len(whole) - target) < abs(len(best) - target)):
                    best, after = whole, (at, i + 1)
                if len(body) >= target:
                    self._move(*after)
                    return best
        self._move(*after)
        return best

    def _move(self, at: int, used: int) -> None:
        """Go on after the used sentences; the rest of a paragraph stays only if nobody speaks in it."""
        rest = self._paragraphs[at].sentences[used:] if at < len(self._paragraphs) else []
        if used and rest and not any('"' in sentence for sentence in self._paragraphs[at].sentences):
            self._paragraphs[at] = Paragraph(rest)
            self.at = at
        else:
            self.at = at + 1 if used else at
