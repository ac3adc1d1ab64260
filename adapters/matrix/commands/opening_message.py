"""The words that a thread of a story opens with: its title and its first message. Pure."""

import re

TITLE = 100
SCENARIO = 600

HOW_TO_PLAY = (
    "Write here, in this thread, what you do and say; {name} answers. What begins with // is talk beside the story, which"
    " {name} never reads.\n"
    "Reactions on a reply have it written anew (🔄) or on (⏩); {prefix} help lists all that can be done."
)

_MARKS = re.compile(r"([\\*_`~|<\[\]])")


def title(character: str, player: str, scenario: str) -> str:
    """What the thread is called: the character, and the scenario in a few words, or else who plays."""
    told = " ".join(scenario.split())
    whole = f"{character}: {told}" if told else f"{character} and {player}"
    return whole if len(whole) <= TITLE else f"{whole[: TITLE - 1].rstrip()}…"


def first_message(character: str, player: str, scenario: str, prefix: str) -> str:
    """What stands above the story: who is in it, the scenario in short, and how to play in two lines."""
    name, told = _plain(character), " ".join(scenario.split())
    short = told if len(told) <= SCENARIO else f"{told[: SCENARIO - 1].rstrip()}…"
    lines = [f"{name} and {_plain(player)}"]
    lines += [f"> {_plain(short)}\n"] if short else []
    return "\n".join([*lines, HOW_TO_PLAY.format(name=name, prefix=prefix)])


def _plain(text: str) -> str:
    """A text in one line, with nothing in it that Markdown would take for more than itself."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
