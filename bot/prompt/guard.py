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

# What Python, browsers or tokenisers may take for the end of a line.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Letters by category that show nothing: Hangul fillers and the empty Braille cell.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Me", "Mn", "Zl", "Zp", "Zs"})
_LOOK_ALIKES = str.maketrans({"♯": "#", "⋕": "#", "⌗": "#", "꞉": ":", "∶": ":"})
_ESCAPE = "\\"
_SPEAKING = ("\n{}:", "\n*{}:", "\n**{}:", "\n**{}**:", "\n*{}*:", "\n{}：")


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
    """What ends a reply: the next header of the format, or a line in which a player speaks; never the character's own name."""
    headers = (f"\n{start}" for start in fmt.header_starts)
    return tuple(dict.fromkeys((*headers, *fmt.stop_texts, *_speaking(session))))


def is_impersonation(stop: str, session: Session) -> bool:
    """Whether a stop text that was met means that the model spoke for a player."""
    return stop in _speaking(session)


def clean(text: str, *, cut: bool) -> str:
    """A finished reply without outer white space; one that was cut short ends with its last whole sentence, if it has one."""
    whole = text.strip()
    end = last_whole_sentence(whole) if cut else 0
    return whole[:end].rstrip() if end else whole


def kept_ids(trail: Sequence[tuple[str, Sequence[int]]], text: str) -> tuple[int, ...]:
    """The model's own ids that spell exactly a space and `text`; empty when no border of the trail falls there.

    `trail` is a reply from its beginning, as it was streamed: text and the ids that came with it. Only a stretch that
    brought ids ends at a token's border; one without them may end inside a token. A reply that was continued begins
    with what it had, `(" " + text, token_ids)`: without ids there, nothing can be kept.
    """
    wanted = f" {text}"
    spelled, ids = "", list[int]()
    for stretch, brought in trail:
        if stretch and not brought and not ids and _is_continued(spelled, stretch, trail):
            return ()
        spelled += stretch
        ids.extend(brought)
        if len(spelled) >= len(wanted):
            return tuple(ids) if brought and spelled == wanted else ()
    return ()
