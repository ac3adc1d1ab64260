"""What the page shows of a story: a pure view of session, stored page and draft, and the templates that print it.

It knows no HTTP. Every text is escaped by the templates; only `markdown.render` makes HTML out of what people wrote.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from adapters.web.markdown import plain, render
from bot.ids import MessageId
from bot.ports.store import StoryPage
from bot.posts import Draft, InboundPost, OutboundPost
from bot.story.session import Session
from bot.story.settings import Length
from bot.story.turn import Role, Turn, VariantState

TEMPLATES = Path(__file__).parent / "templates"
HUES = 8

STATES = {VariantState.STOPPED: "stopped here", VariantState.BROKEN: "broken off"}


@dataclass(frozen=True, slots=True)
class Face:
    """A name and the coloured circle that stands for it."""

    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn as it is shown. `draft` is None unless it is being written.

    `acts` says that it can be retried and swiped; `lacks_reply` that it is a player's, and a reply can be asked for.
    """

    number: int
    face: Face
    is_player: bool
    posts: tuple[Markup, ...]
    draft: Markup | None
    notices: tuple[Markup, ...]
    state: str
    shown: int
    variants: int
    acts: bool
    lacks_reply: bool
    edit_text: str | None


@dataclass(frozen=True, slots=True)
class ThreadView:
    """The thread as it is shown: turns in order, then posts that wait for their turn."""

    turns: tuple[TurnView, ...]
    notices: tuple[Markup, ...]
    waiting: tuple[tuple[str, Face, Markup], ...]
    earlier: int | None
    is_newest: bool
    writing: str
    can_undo: bool
    length: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that a view of the thread is made of. `recent` are messages that the store may not know of yet."""

    session: Session
    page: StoryPage
    recent: Mapping[MessageId, OutboundPost | None]
    waiting: Sequence[InboundPost] = ()
    draft: Draft | None = None
    is_newest: bool = True


def view(told: Told) -> ThreadView:
    """The thread as people read it."""
    session, page = told.session, told.page
    numbers = [turn.number for turn in page.turns]
    notices = [(_home(post.turn, numbers), render(post.text)) for post in _notices(told)]
    writing = session.writing
    return ThreadView(
        turns=tuple(_turn_view(told, turn, notices) for turn in page.turns),
        notices=tuple(html for home, html in notices if home is None and not page.has_older),
        waiting=tuple((_anchor(each), face(each.author_name), render(each.text)) for each in told.waiting if told.is_newest),
        earlier=numbers[0] if numbers and page.has_older else None,
        is_newest=told.is_newest,
        writing=plain(writing.name) if writing else "",
        can_undo=told.is_newest and writing is None and any(turn.role is Role.PLAYER for turn in session.turns),
        length=session.settings.length or "",
    )


def draft_html(draft: Draft | None) -> Markup:
    """The text that is being written, as far as it has come."""
    if draft and draft.waiting and not draft.text:
        return Markup('<p class="waiting">{}</p>').format(draft.waiting)
    return render(draft.text) if draft else Markup()


def face(name: str) -> Face:
    """The circle of a name: the same for the same name, everywhere and always."""
    shown = plain(name)
    initials = "".join(word[0] for word in shown.split()[:2] if word)
    return Face(shown, initials.upper() or "?", hashlib.sha256(name.encode()).digest()[0] % HUES)


@lru_cache(maxsize=256)
def _prose(text: str) -> Markup:
    """A post as HTML. Posts are printed anew with every change around them; a draft, which grows, would crowd them out."""
    return render(text)


def _turn_view(told: Told, turn: Turn, notices: Iterable[tuple[int | None, Markup]]) -> TurnView:
    session = told.session
    is_player = turn.role is Role.PLAYER
    in_window = any(each.number == turn.number for each in session.turns)
    draft = told.draft if told.draft and told.draft.turn == turn.number else None
    texts = (turn.text,) if is_player else _texts(turn, draft)
    is_last = session.last is not None and session.last.number == turn.number
    return TurnView(
        number=turn.number,
        face=face(turn.name),
        is_player=is_player,
        posts=tuple(_prose(text) for text in texts),
        draft=draft_html(draft) if turn.is_writing else None,
        notices=tuple(html for home, html in notices if home == turn.number),
        state=STATES.get(turn.variant.state, ""),
        shown=turn.selected + 1,
        variants=len(turn.variants),
        acts=is_last and not is_player and not turn.is_writing,
        lacks_reply=is_last and is_player and not told.waiting,
        edit_text=turn.text if in_window and session.writing is None else None,
    )


def _texts(turn: Turn, draft: Draft | None) -> tuple[str, ...]:
    """The posts of a character's turn as the story holds them; while it is written, only those that are finished.

    What stands by receipt may be a moment older than the story; the screen and the model shall read the same.
    """
    count = draft.position if draft is not None else None
    return turn.posts if count is None else turn.posts[:count]


def _notices(told: Told) -> tuple[OutboundPost, ...]:
    """The sentences of the program itself: those the store knows of, corrected by what was brought since."""
    standing: dict[MessageId, OutboundPost | None] = {each.message: each.post for each in told.page.shown}
    if told.is_newest:
        standing.update(told.recent)
    return tuple(post for post in standing.values() if post is not None and post.position is None)


def _home(turn: int, numbers: Sequence[int]) -> int | None:
    """The turn on this page below which a notice stands: its own, or the last one before it."""
    return max((number for number in numbers if number <= turn), default=None)


def _anchor(post: InboundPost) -> str:
    return hashlib.sha256(post.event.encode()).hexdigest()[:16]


def print_page(name: str, /, **facts: Any) -> str:  # noqa: ANN401  a template takes what it names
    """The template `name` with these facts, everything escaped. A fact that it needs and does not get is an error."""
    return _environment().get_template(name).render(lengths=tuple(Length), **facts)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
