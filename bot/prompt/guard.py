"""Nothing a player writes can forge a header, and nothing the model writes speaks for a player. It knows no engine or store."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from bot.errors import Refused
from bot.prompt.format import PromptFormat
from bot.sentences import last_whole_sentence
from bot.story.session import Session
from bot.story.turn import Role

NAME_LIMIT = 40
SPEAKER = "speaker"
"""The group of `foreign_lines` that has found somebody else who speaks, and not a header."""

# What Python, browsers or tokenisers may take for the end of a line.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Letters by category that show nothing: Hangul fillers and the empty Braille cell.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Me", "Mn", "Zl", "Zp", "Zs"})
_LOOK_ALIKES = str.maketrans({"\u266f": "#", "\u22d5": "#", "\u2317": "#", "\ua789": ":", "\u2236": ":"})
# A mark after a space opens what comes next, and that is cut away.
_OPENED = re.compile(r"\s+[\"\u201c\u2018\u00ab(\[*_]+\Z")
_ESCAPE = "\\"
_SPEAKING = ("\n{}:", "\n*{}:", "\n**{}:", "\n**{}**:", "\n*{}*:", "\n{}\uff1a")


def neutralise(text: str, fmt: PromptFormat, *, mid_line: bool = False) -> str:
    """The text with no line that begins like a header of the format, and no control token in text form.

    A line that would begin so, look-alikes and invisible characters seen through, gets a backslash in front, and a
    control text one after its first character; all kinds of line ends become newlines. The rest stays as it is, and so
    does a text that went through here before. `mid_line` says that its first line does not begin one in the prompt.
    """
    broken = _control_pattern(fmt).sub(lambda found: found.group() + _ESCAPE, _LINE_ENDS.sub("\n", text))
    first, *rest = broken.split("\n")
    return "\n".join([first if mid_line else _not_header(first, fmt), *(_not_header(line, fmt) for line in rest)])


def one_line(name: str) -> str:
    """A name without line ends and doubled spaces, as it stands before a colon."""
    return " ".join(name.split())


def stop_texts(session: Session, fmt: PromptFormat) -> tuple[str, ...]:
    """What ends a reply: the next header of the format, or a line in which somebody else speaks; never its own speaker."""
    headers = (f"\n{start}" for start in fmt.header_starts)
    return tuple(dict.fromkeys((*headers, *fmt.stop_texts, *_speaking(_others(session)))))


def is_impersonation(stop: str, session: Session) -> bool:
    """Whether a stop text that was met means that the model spoke for a player."""
    return stop in _speaking(_players(session))


def foreign_lines(session: Session, fmt: PromptFormat) -> re.Pattern[str]:
    """Finds the beginning of a line that is not the speaker's: somebody else who speaks, in any spelling, or a header.

    It sees what stop texts cannot: other cases, marks and spaces around a name, and the first line of a reply, which
    follows the prompt without a line end.
    """
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in _others(session))
    headers = "|".join(re.escape(start) for start in fmt.header_starts)
    speaking = rf"(?P<{SPEAKER}>[ \t>*_~]*(?:{names})[ \t*_~]*[:\uff1a])" if names else ""
    header = rf"[ \t]*(?:{headers})" if headers else ""
    pattern = "|".join(f"^{line}" for line in (speaking, header) if line) or "(?!)"
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def clean(text: str, *, cut: bool) -> str:
    """A finished reply without outer white space; one that was cut short ends with its last whole sentence, if it has one."""
    whole = text.strip()
    end = last_whole_sentence(whole) if cut else 0
    return _OPENED.sub("", whole[:end]).rstrip() if end else whole


def kept_ids(trail: Sequence[tuple[str, Sequence[int]]], text: str) -> tuple[int, ...]:
    """The model's own ids that spell exactly a space and `text`; empty when no border of the trail falls there.

    `trail` is the reply from its beginning: stretches of text, and the ids that came with each; what a continued reply had
    already is the first stretch. A stretch with ids ends at a token's border; one without may end inside a token,
    and when the first has none, its ids were never kept, and nothing can be.
    """
    if not trail or not trail[0][1]:
        return ()
    wanted, spelled = f" {text}", ""
    ids: list[int] = []
    for stretch, brought in trail:
        spelled += stretch
        ids.extend(brought)
        if spelled == wanted and brought:
            return tuple(ids)
        if len(spelled) > len(wanted):
            return ()
    return ()


def clean_input(text: str, limit: int) -> str:
    """A post as it is stored: newlines of one kind, no control characters but tab, no lone surrogates, no outer white space.

    Bidirectional embeddings, overrides and isolates (U+202A-202E, U+2066-2069) are all removed: right-to-left text is
    ordered by its letters without them, and unbalanced ones turn around what follows the post. Marks (U+200E, U+200F,
    U+061C) and joiners stay. Raises Refused when nothing to see is left, or more than `limit` code points are.
    """
    cleaned = _without_traps(text).strip()
    if not _shows_something(cleaned):
        raise Refused("There is nothing to read in this post, so it was not stored; write some text.")
    if len(cleaned) > limit:
        raise Refused(
            f"This post has {len(cleaned):,} characters and at most {limit:,} are taken;"
            " nothing of it was stored. Post it in parts."
        )
    return cleaned


def clean_name(name: str) -> str:
    """A name as it is stored: one line of at most 40 code points. Raises Refused when it cannot stand before a colon."""
    cleaned = one_line(_without_traps(name))
    if not _shows_something(cleaned):
        raise Refused("A name needs at least one visible character.")
    if len(cleaned) > NAME_LIMIT:
        raise Refused(f"A name can have at most {NAME_LIMIT} characters; this one has {len(cleaned)}. Choose a shorter one.")
    folded = _folded(cleaned)
    if ":" in folded or folded.startswith("#"):
        raise Refused('A name cannot contain ":" or begin with "#": they mark who speaks in the story. Choose another one.')
    return cleaned


@cache
def _control_pattern(fmt: PromptFormat) -> re.Pattern[str]:
    """Finds the first character of every control text, overlapping ones too, and of everything that looks like `<|word|>`."""
    texts = "|".join(re.escape(text) for text in fmt.control_texts if len(text) > 1)
    ahead = r"<[|\uff5c][^<>|\uff5c\n]{1,64}[|\uff5c]>" + (f"|{texts}" if texts else "")
    return re.compile(rf"(?=(?:{ahead})).", re.DOTALL)


@cache
def _folded_starts(fmt: PromptFormat) -> tuple[tuple[str, ...], int]:
    """How headers begin, folded, and the length of the longest."""
    starts = tuple(folded for start in fmt.header_starts if (folded := _folded(start)))
    return starts, max(map(len, starts), default=0)


def _not_header(line: str, fmt: PromptFormat) -> str:
    starts, size = _folded_starts(fmt)
    return f"{_ESCAPE}{line}" if size and _folded(line, size).startswith(starts) else line


def _folded(text: str, size: int | None = None) -> str:
    """How the eye may take a text: no spaces, nothing invisible, compatible forms and look-alikes as one, lower case.

    Reads no further than the first `size` characters of the result need.
    """
    folded = ""
    for character in text:
        if size is not None and len(folded) >= size:
            break
        compatible = unicodedata.normalize("NFKC", character)
        folded += "".join(each for each in compatible if _is_seen(each)).translate(_LOOK_ALIKES).casefold()
    return folded


def _is_seen(character: str) -> bool:
    return character not in _BLANK_LETTERS and unicodedata.category(character) not in _UNSEEN


def _shows_something(text: str) -> bool:
    return any(_is_seen(character) for character in text)


def _without_traps(text: str) -> str:
    cleaned = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    return _BIDI_CONTROLS.sub("", _SURROGATES.sub("\ufffd", cleaned))


def _speaking(names: Sequence[str]) -> tuple[str, ...]:
    """How a line begins in which one of them speaks."""
    return tuple(pattern.format(name) for name in names for pattern in _SPEAKING)


def _others(session: Session) -> tuple[str, ...]:
    """Every name in the prompt but that of the character who is writing."""
    speaker = one_line(session.writing.name if session.writing else session.character.name).casefold()
    cast = (one_line(name) for card in session.cast for name in (card.name, card.nickname))
    own = {speaker, *(one_line(card.nickname).casefold() for card in session.cast if card.name.casefold() == speaker)}
    names = dict.fromkeys((*_players(session), *cast))
    return tuple(name for name in names if name and name.casefold() not in own)


def _players(session: Session) -> tuple[str, ...]:
    """Every name that the prompt shows for a player, but those of the cast."""
    played = (turn.name for turn in session.turns if turn.role is Role.PLAYER)
    names = dict.fromkeys(one_line(name) for name in (*(persona.name for persona in session.personas), *played))
    cast = {one_line(card.name).casefold() for card in session.cast}
    return tuple(name for name in names if name and name.casefold() not in cast)
