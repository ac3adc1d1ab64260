"""Looking for keys and choosing entries the slow and plain way, to compare with. It knows no index and no pattern."""

from collections.abc import Sequence

from bot.story.lorebook import LoreEntry

UNSPACED = "\u9f8d\u9b54\u305f"
"""The characters of the tests' alphabets that are not parted by spaces."""


def holds(key: str, texts: Sequence[str], *, is_cased: bool) -> bool:
    """Whether a plain key stands in one of the texts, by the rule that `bot.prompt.keys` gives."""
    wanted = _spelled(key, is_cased=is_cased)
    return bool(wanted) and any(_holds(wanted, _spelled(text, is_cased=is_cased)) for text in texts)


def is_touched(entry: LoreEntry, texts: Sequence[str]) -> bool:
    """Whether these texts touch an entry without decorators, whose keys are plain."""

    def any_of(keys: tuple[str, ...]) -> bool:
        return any(holds(key, texts, is_cased=entry.case_sensitive) for key in keys)

    wants_second = entry.selective and any(key.strip() for key in entry.secondary_keys)
    return entry.constant or (any_of(entry.keys) and (not wants_second or any_of(entry.secondary_keys)))


def _holds(wanted: str, text: str) -> bool:
    if not all(map(_is_letter, wanted)):
        return wanted in text
    for start in range(len(text)):
        end = start + len(wanted)
        if text[start:end] == wanted and not any(map(_is_letter, text[max(0, start - 1) : start] + text[end : end + 1])):
            return True
    return False


def _spelled(text: str, *, is_cased: bool) -> str:
    return " ".join((text if is_cased else text.casefold()).split())


def _is_letter(character: str) -> bool:
    return character.isalnum() and character not in UNSPACED
