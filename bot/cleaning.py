"""Texts and names from outside, as they are stored: nothing in them that could harm. It knows no format of prompts or files."""

import re
import unicodedata

from bot.errors import Refused

NAME_LIMIT = 40
_NAME_MARKS = ' "\u201c\u201d*_,'

# What Python, browsers or tokenisers may take for the end of a line.
LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Letters by category that show nothing: Hangul fillers and the empty Braille cell.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Me", "Mn", "Zl", "Zp", "Zs"})
_LOOK_ALIKES = str.maketrans({"\u266f": "#", "\u22d5": "#", "\u2317": "#", "\ua789": ":", "\u2236": ":"})


def clean_input(text: str, limit: int) -> str:
    """A post as it is stored: newlines of one kind, no control characters but tab, no lone surrogates, no outer white space.

    Bidirectional embeddings, overrides and isolates (U+202A-202E, U+2066-2069) are all removed: right-to-left text is
    ordered by its letters without them, and unbalanced ones turn around what follows the post. Marks (U+200E, U+200F,
    U+061C) and joiners stay. Raises Refused when nothing to see is left, or more than `limit` code points are.
    """
    cleaned = without_traps(text).strip()
    if not shows_something(cleaned):
        raise Refused("There is nothing to read in this post, so it was not stored; write some text.")
    if len(cleaned) > limit:
        raise Refused(
            f"This post has {len(cleaned):,} characters and at most {limit:,} are taken;"
            " nothing of it was stored. Post it in parts."
        )
    return cleaned


def clean_name(name: str) -> str:
    """A name as it is stored: one line of at most 40 code points. Raises Refused when it cannot stand before a colon."""
    cleaned = one_line(without_traps(name))
    if not shows_something(cleaned):
        raise Refused("A name needs at least one visible character.")
    if len(cleaned) > NAME_LIMIT:
        raise Refused(f"A name can have at most {NAME_LIMIT} characters; this one has {len(cleaned)}. Choose a shorter one.")
    seen = folded(cleaned)
    if ":" in seen or seen.startswith("#"):
        raise Refused('A name cannot contain ":" or begin with "#": they mark who speaks in the story. Choose another one.')
    return cleaned


def mended_name(name: str) -> str:
    """A name as `clean_name` takes it, mended where it could not stand before a colon; empty when nothing of it can be seen."""
    mended = one_line("".join("," if ":" in folded(each) else each for each in without_traps(name)))
    while mended and folded(mended, 1).startswith("#"):
        mended = mended[1:].strip(_NAME_MARKS)
    if len(mended) > NAME_LIMIT:
        # As many whole words as a name may have letters; of a single long word, its beginning.
        head, _, _ = mended[: NAME_LIMIT + 1].rpartition(" ")
        mended = (head or mended[:NAME_LIMIT]).rstrip(_NAME_MARKS) or mended[:NAME_LIMIT]
    return mended if shows_something(mended) else ""


def one_line(name: str) -> str:
    """A name without line ends and doubled spaces, as it stands before a colon."""
    return " ".join(name.split())


def without_traps(text: str) -> str:
    """The text with newlines of one kind, without control characters but tab, bidirectional controls and lone surrogates."""
    cleaned = _CONTROLS.sub("", LINE_ENDS.sub("\n", text))
    return _BIDI_CONTROLS.sub("", without_surrogates(cleaned))


def without_surrogates(text: str) -> str:
    """The text with every lone surrogate, which no encoding can hold, as U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def folded(text: str, size: int | None = None) -> str:
    """How the eye may take a text: no spaces, nothing invisible, compatible forms and look-alikes as one, lower case.

    Reads no further than the first `size` characters of the result need.
    """
    taken = ""
    for character in text:
        if size is not None and len(taken) >= size:
            break
        compatible = unicodedata.normalize("NFKC", character)
        taken += "".join(each for each in compatible if _is_seen(each)).translate(_LOOK_ALIKES).casefold()
    return taken


def shows_something(text: str) -> bool:
    """Whether any character of it can be seen."""
    return any(_is_seen(character) for character in text)


def _is_seen(character: str) -> bool:
    return character not in _BLANK_LETTERS and unicodedata.category(character) not in _UNSEEN
