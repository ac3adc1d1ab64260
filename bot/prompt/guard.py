"""Nothing a player writes can forge a header, and nothing the model writes speaks for a player. It knows no engine or store."""

import re
from collections.abc import Sequence
from functools import cache

from bot.cleaning import LINE_ENDS, folded, one_line
from bot.prompt.format import PromptFormat
from bot.sentences import last_whole_sentence
from bot.story.session import Session
from bot.story.turn import Role

SPEAKER = "speaker"
"""The group of `foreign_lines` that has found somebody else who speaks, and not a header."""

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
    broken = _control_pattern(fmt).sub(lambda found: found.group() + _ESCAPE, LINE_ENDS.sub("\n", text))
    first, *rest = broken.split("\n")
    return "\n".join([first if mid_line else _not_header(first, fmt), *(_not_header(line, fmt) for line in rest)])


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


@cache
def _control_pattern(fmt: PromptFormat) -> re.Pattern[str]:
    """Finds the first character of every control text, overlapping ones too, and of everything that looks like `<|word|>`."""
    texts = "|".join(re.escape(text) for text in fmt.control_texts if len(text) > 1)
    ahead = r"<[|\uff5c][^<>|\uff5c\n]{1,64}[|\uff5c]>" + (f"|{texts}" if texts else "")
    return re.compile(rf"(?=(?:{ahead})).", re.DOTALL)


@cache
def _folded_starts(fmt: PromptFormat) -> tuple[tuple[str, ...], int]:
    """How headers begin, folded, and the length of the longest."""
    starts = tuple(seen for start in fmt.header_starts if (seen := folded(start)))
    return starts, max(map(len, starts), default=0)


def _not_header(line: str, fmt: PromptFormat) -> str:
    starts, size = _folded_starts(fmt)
    return f"{_ESCAPE}{line}" if size and folded(line, size).startswith(starts) else line


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
