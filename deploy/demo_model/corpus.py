"""Reads the novels and returns clean paragraphs in which every known person is a numbered mark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .novels import NOVELS, Novel

OPEN, CLOSE = "\u27e6", "\u27e7"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
NARRATOR = f"{OPEN}0{CLOSE}"
SHORTEST = 20  # letters of a paragraph worth reading

_TITLE = (
    r"(?:(?:Mr|Mrs|Dr|M|Mme|MM|Messrs)\.|Miss|Sir|Lord|Lady|Captain|Colonel|Monsieur|Madame|Mademoiselle|Master|"
    r"Mistress|Professor|Doctor|Count|Duke|King|Princess|Prince|Aunt|Uncle|Cousin|Sergeant|Inspector|Mynheer)"
)
_STRAIGHT = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2014": "--", "\u2013": "-", "\u2015": "--",
     "\u2026": "...", "\u00a0": " ", "\ufeff": "", "\u00e6": "ae", "\u0153": "oe", "\u00e9": "e", "\u00e8": "e",
     "\u00ea": "e", "\u00e0": "a", "\u00e2": "a", "\u00f4": "o", "\u00e7": "c", "\u00ef": "i", "\u00fc": "u"}
)  # fmt: skip
_HEADING = re.compile(r"(CHAPTER|Chapter|BOOK|VOLUME|PART|LETTER|Letter \d|Footnote|Illustration|Contents|THE END)\b")
_DIRT = re.compile(r"[\[\]{}|<>=@#\\~^+]|Gutenberg|[Ee]text|[Cc]opyright|Transcriber|\.(txt|zip|com)\b")
_UNWANTED = re.compile(
    r"\b(nigger|negro|negress|darky|darkies|kafir|kaffir|jew|jews|jewish|jewess|heathen|savages?|half-breed|squaw|"
    r"whore|harlot|strumpet|bastard|rape[ds]?|ravish\w*|naked\w*|lust\w*|bosoms?|nude|seduc\w+|entrails|mutilat\w*|"
    r"dismember\w*|behead\w*|severed|gore|disembowel\w*|brains|scalp\w*|suicide|hanged himself|cannibal\w*|opium|"
    r"gibbet\w*|tortur\w+|guillotin\w*|slaughter\w*)\b",
    re.IGNORECASE,
)
_VERBS = (
    "think|suppose|know|believe|confess|own|fear|hope|wish|say|see|feel|remember|want|need|like|love|hate|mean|doubt|imagine|"
    "wonder|fancy|assure|find|dare|tell|look|seem|trust|swear|beg|hear|understand"
)


@dataclass(frozen=True)
class Text:
    """The prose of one novel: paragraphs, and the gender of each numbered person."""

    key: str
    paragraphs: tuple[str, ...]
    genders: tuple[str, ...]


def read_novels(folder: Path) -> list[Text]:
    """Read every listed novel that the folder holds."""
    found = [(key, novel) for key, novel in sorted(NOVELS.items()) if (folder / f"{key}.txt").is_file()]
    if not found:
        raise SystemExit(f"no listed novel in {folder}; the titles are in novels.py")
    return [_read(key, novel, (folder / f"{key}.txt").read_text("utf-8")) for key, novel in found]


def _read(key: str, novel: Novel, raw: str) -> Text:
    """Clean one novel."""
    marker = _Marker(novel)
    clean = (tidy(block, single=novel.single) for block in re.split(r"\n\s*\n", raw.replace("\r", "")))
    kept = tuple(marker.mark(text) for text in clean if text)
    return Text(key, kept, tuple(person.gender for person in novel.people))


def tidy(block: str, *, single: bool = False) -> str:
    """One paragraph as plain prose with straight quotes, or nothing if it is not prose we want."""
    lines = block.split("\n")
    if sum(line.startswith("    ") for line in lines) > len(lines) / 2:
        return ""
    text = re.sub(r"\s+", " ", block.translate(_STRAIGHT)).strip()
    text = re.sub(r"\[\d+\]|\*", "", text).replace("_", "")
    text = re.sub(r"\s*-{2,}\s*", " - ", text)
    text = re.sub(r"\. ?\. ?\.( ?\.)*", "...", text).strip()
    text = speech_marks(text) if single else text
    letters = sum(c.isalpha() for c in text)
    shouted = sum(c.isupper() for c in text) > 0.3 * letters
    prose = re.search(r"[.!?\"':,;-]$", text) and re.search(r"[a-z]{2}", text) and not shouted
    if len(text) < SHORTEST or not prose or sum(c.isdigit() for c in text) > 0.03 * len(text):
        return ""
    return "" if _HEADING.match(text) or _DIRT.search(text) or _UNWANTED.search(text) else text


def speech_marks(text: str) -> str:
    """Turn single-quoted speech into double quotes and leave apostrophes alone."""
    text = text.replace('"', "'")
    elided = r"(?!(?:tis|twas|twere|twill|em|un|im|ud|s|t|ll|d)\b)"
    text = re.sub(rf"(?<![\w'])'{elided}(?=\w)", '"', text)
    return re.sub(r"(?<=[.,!?;:-])'(?!\w)", '"', text)


class _Marker:
    """Replaces the people of one novel by numbered marks and tells the narrator's tale in the third person."""

    def __init__(self, novel: Novel) -> None:
        self._number = {name: i for i, person in enumerate(novel.people) for name in person.names}
        longest = sorted(self._number, key=len, reverse=True)
        names = "|".join(re.escape(name) for name in longest)
        self._names = re.compile(rf"(?:\b{_TITLE} )?(?:\b[Tt]he )?(?<![\w'])({names})\b")
        self._told = novel.told
        self._she = novel.people[0].gender == "f"

    def mark(self, text: str) -> str:
        """Mark every name; where the book says "I" outside speech, say "he" or "she"."""
        text = self._names.sub(self._place, text)
        if not self._told:
            return text
        parts = text.split('"')
        spoken = [part if i % 2 else third_person(part, she=self._she) for i, part in enumerate(parts)]
        return '"'.join(spoken)

    def _place(self, match: re.Match[str]) -> str:
        return f"{OPEN}{self._number[match.group(1)]}{CLOSE}"


def third_person(text: str, *, she: bool) -> str:
    """Narration in the first person becomes narration about the narrator, named once and then by pronoun."""
    he, him, his = ("she", "her", "her") if she else ("he", "him", "his")
    text = re.sub(r"\bI (am|'m)\b|\bI'm\b", "I is", text)
    text = re.sub(r"\bI've\b|\bI have\b", "I has", text)
    text = re.sub(r"\bI'll\b", "I will", text)
    text = re.sub(r"\bI'd\b", "I had", text)
    text = re.sub(r"\bI do\b", "I does", text)
    text = re.sub(rf"\bI ({_VERBS})\b", r"I \1s", text)
    text = re.sub(r"\b(am|were) I\b", lambda m: ("is" if m[1] == "am" else "was") + " I", text)
    text = re.sub(r"\bI\b", NARRATOR, text, count=1)
    for old, new in (
        (r"\bI\b", he), (r"\bme\b", him), (r"\bmy\b", his), (r"\bMy\b", his.title()), (r"\bmine\b", his.rstrip("s") + "s"),
        (r"\bmyself\b", f"{him}self"), (r"\b[Ww]e\b", "they"), (r"\bus\b", "them"), (r"\bour\b", "their"),
        (r"\bOur\b", "Their"), (r"\bours\b", "theirs"), (r"\bourselves\b", "themselves"),
    ):  # fmt: skip
        text = re.sub(old, new, text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text) if text[:1].isupper() else text
