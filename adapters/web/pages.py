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
from markupsafe import Markup, escape

from adapters.markdown import plain, render
from adapters.web.addresses import page_of
from adapters.web.offers import LENGTHS, titles
from bot import texts
from bot.ids import MessageId, Place
from bot.ports.store import StoryPage
from bot.posts import Draft, InboundPost, OutboundPost
from bot.story.dice import DiceRoll
from bot.story.session import Session
from bot.story.table import Link, LinkKind
from bot.story.turn import Role, Turn, VariantState

TEMPLATES = Path(__file__).parent / "templates"
HUES = 8

STATES = {VariantState.STOPPED: "stopped here", VariantState.BROKEN: "broken off"}
CUT = "cut short"


@dataclass(frozen=True, slots=True)
class Face:
    """A name and the coloured circle that stands for it."""

    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class Way:
    """Where a story came from or goes on: in words, and its address (empty: on another platform)."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn as it is shown. `draft` is None unless it is being written.

    `acts` says that it can be retried and swiped; `lacks_reply` that it is a player's, and a reply can be asked for;
    `can_go` that it can be taken out, and `can_branch` that the story can go on from it elsewhere. `ways` are where it has.
    """

    number: int
    face: Face
    is_player: bool
    is_aside: bool
    posts: tuple[Markup, ...]
    rolls: tuple[DiceRoll, ...]
    draft: Markup | None
    notices: tuple[Markup, ...]
    ways: tuple[Way, ...]
    state: str
    is_cut: bool
    shown: int
    variants: int
    acts: bool
    lacks_reply: bool
    can_go: bool
    can_branch: bool
    edit_text: str | None


@dataclass(frozen=True, slots=True)
class ThreadView:
    """The thread as it is shown: turns in order, then posts that wait for their turn.

    `came` is where the story came from, `parts` are where it goes on as a whole.
    """

    turns: tuple[TurnView, ...]
    notices: tuple[Markup, ...]
    waiting: tuple[tuple[str, Face, Markup], ...]
    earlier: int | None
    is_newest: bool
    writing: str
    can_undo: bool
    length: str
    paused: bool
    locked: bool
    came: Way | None
    parts: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """All that a view of the thread is made of. `recent` are messages that the store may not know of yet.

    `main` is the place whose story stands at the page's root; None: this one.
    """

    session: Session
    page: StoryPage
    recent: Mapping[MessageId, OutboundPost | None]
    waiting: Sequence[InboundPost] = ()
    draft: Draft | None = None
    is_newest: bool = True
    main: Place | None = None


def view(told: Told) -> ThreadView:
    """The thread as people read it."""
    session, page = told.session, told.page
    numbers = [turn.number for turn in page.turns]
    links = _linked_sentences(told)
    notices = [(_home(post.turn, numbers), links.get(post.text) or render(post.text)) for post in _notices(told)]
    writing = session.writing
    can_change = told.is_newest and writing is None and not session.locked
    return ThreadView(
        turns=tuple(_turn_view(told, turn, notices) for turn in page.turns),
        notices=tuple(html for home, html in notices if home is None and not page.has_older),
        waiting=tuple((_anchor(each), face(each.author_name), render(each.text)) for each in told.waiting if told.is_newest),
        earlier=numbers[0] if numbers and page.has_older else None,
        is_newest=told.is_newest,
        writing=plain(writing.name) if writing else "",
        can_undo=can_change and any(turn.role is Role.PLAYER for turn in session.turns),
        length="auto" if session.settings.matches_length else session.settings.length or "none",
        paused=session.table.paused,
        locked=session.locked,
        came=_way(told, session.came_from) if session.came_from and not page.has_older else None,
        parts=tuple(_way(told, link) for link in session.goes_on_in if link.kind is LinkKind.PART),
    )


def bare_notices(recent: Mapping[MessageId, OutboundPost | None]) -> tuple[Markup, ...]:
    """The sentences of the program in a place that has no story."""
    return tuple(render(post.text) for post in recent.values() if post is not None and post.position is None)


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
    can_change = session.writing is None and not session.locked
    draft = told.draft if told.draft and told.draft.turn == turn.number else None
    is_last = session.last is not None and session.last.number == turn.number
    return TurnView(
        number=turn.number,
        face=face(turn.name),
        is_player=is_player,
        is_aside=turn.role is Role.ASIDE,
        posts=tuple(_prose(text) for text in _texts(turn, draft)),
        rolls=turn.rolls,
        draft=draft_html(draft) if turn.is_writing else None,
        notices=tuple(html for home, html in notices if home == turn.number),
        ways=_ways(told, turn.number),
        state=CUT if turn.variant.is_cut else STATES.get(turn.variant.state, ""),
        is_cut=turn.variant.is_cut,
        shown=turn.selected + 1,
        variants=len(turn.variants),
        acts=is_last and not is_player and can_change,
        lacks_reply=is_last and is_player and can_change and not told.waiting,
        can_go=in_window and can_change,
        can_branch=turn.role is not Role.ASIDE and can_change,
        edit_text=turn.text if in_window and can_change else None,
    )


def _texts(turn: Turn, draft: Draft | None) -> tuple[str, ...]:
    """The posts of a turn as the story holds them; of a character's that is being written, only those that are finished.

    What stands by receipt may be a moment older than the story; the screen and the model shall read the same. The turns of
    a branch stand in no posts of its place: they are shown as one.
    """
    if turn.role is not Role.CHARACTER or not (turn.posts or turn.is_writing):
        return (turn.text,) if turn.text.strip() else ()
    count = draft.position if draft is not None else None
    return turn.posts if count is None else turn.posts[:count]


def _ways(told: Told, number: int) -> tuple[Way, ...]:
    """The branches that part from a turn. Further parts begin at the end and stand there."""
    links = told.session.goes_on_in
    return tuple(_way(told, link) for link in links if link.turn == number and link.kind is LinkKind.BRANCH)


def _way(told: Told, link: Link) -> Way:
    here = told.session.place
    same = link.place.platform == here.platform
    if link is told.session.came_from:
        words = "another one" if link.kind is LinkKind.BRANCH else "the part before it"
    else:
        words = "another way on from here" if link.kind is LinkKind.BRANCH else "the next part"
    return Way(words, page_of(link.place, told.main or here) if same else "")


def _linked_sentences(told: Told) -> dict[str, Markup]:
    """The sentences that name another place of this platform, with a link in the place of the name."""
    came, goes = told.session.came_from, told.session.goes_on_in
    said = [(texts.CAME_FROM, came)] if came else []
    said += [(texts.BRANCHED if link.kind is LinkKind.BRANCH else texts.GOES_ON, link) for link in goes]
    return {
        sentence.format(place=link.place.channel): _linked(sentence, _way(told, link).address)
        for sentence, link in said
        if link.place.platform == told.session.place.platform
    }


def _linked(sentence: str, address: str) -> Markup:
    link = Markup('<a href="{}">another thread</a>').format(address)
    return Markup("<p>{}</p>").format(Markup(escape(sentence)).format(place=link))  # noqa: S704  escaped, and our own


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
    return _environment().get_template(name).render(lengths=LENGTHS, titles=titles(), **facts)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
