"""Whether a card or text is plainly made for adults, so that it stays out of general-audience sessions.

It is a gate for cards, and no content filter: it knows the words with which authors label such cards, and a few clinical
ones, in their base forms.
"""

import re
from collections.abc import Iterator

from bot.safety.concern import Concern, Reason, first_beyond
from bot.safety.fold import Folded, fold_letters

LABELS = (
    "nsfw",
    "nsfl",
    "r-18",
    "r18",
    "18+",
    "adults only",
    "adult only",
    "adult content",
    "mature content",
    "explicit content",
    "sexual content",
    "sexually explicit",
    "erotic roleplay",
    "erotic",
    "erotica",
    "erp",
    "smut",
    "smutty",
    "porn",
    "pornographic",
    "pornography",
    "hentai",
    "lewd",
    "kink",
    "kinks",
    "kinky",
    "fetish",
    "fetishes",
    "bdsm",
    "sex slave",
    "dominatrix",
)
"""Words with which a card says whom it is for."""

CLINICAL = (
    "sexual intercourse",
    "has sex",
    "have sex",
    "having sex",
    "oral sex",
    "anal sex",
    "genitals",
    "genitalia",
    "penis",
    "vagina",
    "clitoris",
    "erection",
    "orgasm",
    "orgasms",
    "masturbate",
    "masturbates",
    "masturbating",
    "masturbation",
    "ejaculate",
    "ejaculation",
)
"""Words that a card for a general audience has no use for."""

_NOT = r"(?:\b(?:no|not|non|never|without|avoid|avoids)[ -](?:[a-z]{1,12}[ ,]{1,2}(?:(?:and|or|nor)[ ])?){0,3})"
_WORDS = "|".join(re.escape(word).replace(r"\ ", r"[ \n-]") for word in sorted((*LABELS, *CLINICAL), key=len, reverse=True))
_ADULT = re.compile(rf"(?P<denied>{_NOT})?(?<![\w+])(?P<word>{_WORDS})(?![\w+])")


def find_adult(text: str) -> Concern | None:
    """The first word in the text that says that it is for adults; None where there is none, or where all are denied."""
    return first_beyond(adult_in(fold_letters(text), is_whole=True), 0)


def adult_in(folded: Folded, *, is_whole: bool) -> Iterator[Concern]:
    """Every such word of a folded text, by offsets of the source. Of a text that still grows, those that are complete."""
    for found in _ADULT.finditer(folded.text):
        if not found["denied"] and (is_whole or found.end() < len(folded.text)):
            yield Concern(Reason.ADULT, *folded.source(*found.span("word")))
