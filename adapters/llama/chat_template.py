"""A prompt format out of a model's own chat template. It knows no Jinja: the rendering is done by another process.

The template is rendered once, at start, with marks in the places of the messages, and cut apart at the marks. So no word
of a player ever enters Jinja, and prompts are built from it as from any other format.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from adapters.llama.loading import ModelFacts
from bot.errors import ModelNotLoaded
from bot.prompt.format import FORMATS, PromptFormat

RENDERER = Path(__file__).with_name("template_render.py")
SECONDS = 10.0
LONGEST_TEMPLATE = 200_000
LONGEST_TEXT = 20_000
"""Characters. Real templates have a few thousand, and what they add around five messages is a few hundred."""

HEAD, POST, REPLY, NEXT_POST = (f"Mark{word}Q7x" for word in ("Head", "Post", "Reply", "Next"))
"""Words that no template contains and none would change: no spaces to trim, no markup to escape."""

_Talk = tuple[tuple[str, str], ...]
_View = tuple[_Talk, bool]
_Answer = dict[str, str]

WITH_SYSTEM_ROLE: _Talk = (("system", HEAD), ("user", POST), ("assistant", REPLY), ("user", NEXT_POST))
WITHOUT_SYSTEM_ROLE: _Talk = (("user", HEAD), ("assistant", REPLY), ("user", NEXT_POST))

MARKER = re.compile(r"<[^<>\s]{1,40}>|\[/?[A-Z_]{2,40}\]")


class _Unusable(Exception):
    """Why the template cannot be cut apart, as the rest of a sentence about it."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    system_before: str
    system_after: str
    player_before: str
    player_after: str
    character_before: str
    character_after: str


def template_format(facts: ModelFacts) -> PromptFormat:
    """The format that the model's chat template describes. Raises ModelNotLoaded, naming the setting `format`."""
    try:
        pieces = _pieces(facts)
    except _Unusable as reason:
        raise ModelNotLoaded(
            f"The chat template of {facts.name} cannot be used as the prompt format: {reason}."
            f" Set `format` to one of: {', '.join(FORMATS)}."
        ) from reason
    headers = (pieces.system_before, pieces.player_before, pieces.character_before)
    endings = (pieces.system_after, pieces.player_after, pieces.character_after)
    found = [marker for piece in (*headers, *endings) for marker in MARKER.findall(piece)]
    return PromptFormat(
        name="template",
        **asdict(pieces),
        header_starts=_distinct(header.strip().partition("\n")[0].rstrip() for header in headers),
        control_texts=_distinct((facts.begin_text, facts.end_text, *found)),
        stop_texts=_distinct((pieces.character_after.strip(), pieces.player_before.strip(), facts.end_text)),
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _pieces(facts: ModelFacts) -> _Pieces:
    if not facts.chat_template.strip():
        raise _Unusable("the model file brings none")
    if len(facts.chat_template) > LONGEST_TEMPLATE:
        raise _Unusable(f"it has {len(facts.chat_template)} characters, more than {LONGEST_TEMPLATE}")
    rendered = _render(facts, [*_views(WITH_SYSTEM_ROLE), *_views(WITHOUT_SYSTEM_ROLE)])
    try:
        return _with_system_role(rendered[:3], facts.begin_text)
    except _Unusable:
        # Many templates know no system role, or mix it into the first post: there the head is told as a post.
        return _without_system_role(rendered[3:], facts.begin_text)


def _with_system_role(rendered: Sequence[_Answer], begin: str) -> _Pieces:
    system_before, to_post, to_reply, to_next, *ends = _cut(rendered, WITH_SYSTEM_ROLE)
    pieces = _turns(to_reply, to_next, ends)
    if not to_post.endswith(pieces.player_before):
        raise _Unusable("it begins the first post otherwise than the later ones")
    system_after = to_post.removesuffix(pieces.player_before)
    return replace(pieces, system_before=system_before.removeprefix(begin), system_after=system_after)


def _without_system_role(rendered: Sequence[_Answer], begin: str) -> _Pieces:
    system_before, to_reply, to_next, *ends = _cut(rendered, WITHOUT_SYSTEM_ROLE)
    pieces = _turns(to_reply, to_next, ends)
    return replace(pieces, system_before=system_before.removeprefix(begin), system_after=pieces.player_after)


def _turns(to_reply: str, to_next: str, ends: Sequence[str]) -> _Pieces:
    """The pieces around posts and replies, from what stands between them and at the three ends (see `_cut`)."""
    opened, after_post, after_reply = ends
    if not (opened.startswith(after_post) and to_reply.startswith(after_post) and to_next.startswith(after_reply)):
        raise _Unusable("it ends a message otherwise in the middle of a conversation than at its end")
    character_before = to_reply[len(after_post) :]
    if opened[len(after_post) :].strip() != character_before.strip():
        raise _Unusable("it opens a new reply otherwise than it shows an old one")
    player_before = to_next[len(after_reply) :]
    # Line breaks belong to the end of what stands before them, so that no piece of a prompt begins with one.
    return _Pieces(
        system_before="",
        system_after="",
        player_before=player_before.lstrip("\n"),
        player_after=after_post + _leading_breaks(character_before),
        character_before=character_before.lstrip("\n").rstrip(" "),
        character_after=after_reply + _leading_breaks(player_before),
    )


def _leading_breaks(text: str) -> str:
    return text[: len(text) - len(text.lstrip("\n"))]


def _views(talk: _Talk) -> tuple[_View, ...]:
    """The conversation with a reply opened, the same without, and up to its last reply: three ends to compare."""
    return ((talk, True), (talk, False), (talk[:-1], False))


def _cut(rendered: Sequence[_Answer], talk: _Talk) -> tuple[str, ...]:
    """What the template puts before each mark of the conversation, and then the ends of its three views."""
    for answer in rendered:
        if "error" in answer:
            raise _Unusable(f"rendering it fails ({answer['error']})")
    opened, closed, replied = (answer["text"] for answer in rendered)
    marks = [mark for _, mark in talk]
    return (*_between(opened, marks), _between(closed, marks)[-1], _between(replied, marks[:-1])[-1])


def _between(text: str, marks: Sequence[str]) -> list[str]:
    parts: list[str] = []
    for mark in marks:
        if text.count(mark) != 1:
            raise _Unusable("it leaves out, repeats or reorders messages")
        before, _, text = text.partition(mark)
        parts.append(before)
    return [*parts, text]


def _render(facts: ModelFacts, views: Sequence[_View]) -> list[_Answer]:
    asked = {
        "template": facts.chat_template,
        "begin": facts.begin_text,
        "end": facts.end_text,
        "longest": LONGEST_TEXT,
        "conversations": [
            {"messages": [{"role": role, "content": mark} for role, mark in talk], "add_generation_prompt": opens}
            for talk, opens in views
        ],
    }
    command = [sys.executable, "-I", str(RENDERER)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and file; the template goes in as data
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except subprocess.TimeoutExpired as failure:
        raise _Unusable(f"it is not rendered within {SECONDS:g} seconds") from failure
    except subprocess.CalledProcessError as failure:
        raise _Unusable("rendering it takes too much time or memory") from failure
    answers: list[_Answer] = json.loads(done.stdout)
    return answers
