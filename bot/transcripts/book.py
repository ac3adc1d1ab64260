"""A story as a book: title, chapters, and the posts in them, whoever prints it. It knows no markup language and no file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.story.dice import DiceRoll
from bot.story.session import Session
from bot.story.turn import Role, Turn
from bot.transcripts.prose import begins_with_break, ends_with_break

LANGUAGE = "en"

LONG_CHAPTER = 3_000
"""Words after which a chapter ends with the post that they fell in."""

SHORT_CHAPTER = 1_500
"""Words from which on a chapter ends early, where the players themselves set a break."""


@dataclass(frozen=True, slots=True)
class Post:
    """What one speaker said at one time. `rolls` are the dice that were rolled with it, each as a sentence."""

    speaker: str
    text: str
    is_aside: bool = False
    rolls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the story that is read in one go. `part` is the title of the part that begins with it; empty: none does."""

    title: str
    posts: tuple[Post, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """A whole story to be read. `author_line` says who wrote it; `language` is a tag of BCP 47 ("en", "pt-BR")."""

    title: str
    author_line: str
    scenario: str
    chapters: tuple[Chapter, ...]
    created: datetime
    language: str = LANGUAGE


def book_of(session: Session, turns: Sequence[Turn], created: datetime, *, title: str = "", with_asides: bool = False) -> Book:
    """A session with all of its turns (those that have left the window too) as a book.

    It has the shown variant of each turn; what is being written, and what is empty, is left out. Without a title, it is
    called after those who play in it.
    """
    wanted = (turn for turn in turns if with_asides or turn.role is not Role.ASIDE)
    posts = [_post(turn) for turn in wanted if not turn.is_writing and (turn.text.strip() or turn.rolls)]
    cast = tuple(card.spoken_name for card in session.cast)
    players = tuple(dict.fromkeys(persona.name for persona in session.personas))
    return Book(
        title=title.strip() or _listed((*cast, *(name for name in players if name not in cast))),
        author_line=", with ".join(each for each in (_listed(players), f"Understudy as {_listed(cast)}") if each),
        scenario=session.scenario.strip(),
        chapters=tuple(_chapters(posts)),
        created=created,
    )


def in_parts(books: Sequence[Book], title: str = "") -> Book:
    """Several sessions of one story, in order, as one book of parts: the first gives what the others repeat.

    Raises ValueError without any book.
    """
    if not books:
        raise ValueError("a book has at least one part")
    chapters = [chapter for number, book in enumerate(books, 1) for chapter in _as_part(book, f"Part {number}")]
    numbered = (replace(chapter, title=f"Chapter {number}") for number, chapter in enumerate(chapters, 1))
    return replace(books[0], title=title.strip() or books[0].title, chapters=tuple(numbered))


def _as_part(book: Book, part: str) -> Iterator[Chapter]:
    for place, chapter in enumerate(book.chapters):
        yield replace(chapter, part="" if place else part)


def _post(turn: Turn) -> Post:
    rolls = tuple(_roll(roll) for roll in turn.rolls)
    return Post(turn.name, turn.text.strip(), turn.role is Role.ASIDE, rolls)


def _roll(roll: DiceRoll) -> str:
    reason = f" ({roll.reason})" if roll.reason else ""
    return f"{roll.name} rolled {roll.detail or roll.expression} = {roll.total}{reason}"


def _chapters(posts: Sequence[Post]) -> Iterator[Chapter]:
    """Chapters of a length that people like, ended where the players set a break, if they did."""
    number, start, words = 1, 0, 0
    for place, post in enumerate(posts):
        if place > start and _ends_before(words, posts[place - 1], post):
            yield Chapter(f"Chapter {number}", tuple(posts[start:place]))
            number, start, words = number + 1, place, 0
        words += len(post.text.split())
    if posts[start:]:
        yield Chapter(f"Chapter {number}", tuple(posts[start:]))


def _ends_before(words: int, last: Post, following: Post) -> bool:
    has_break = ends_with_break(last.text) or begins_with_break(following.text)
    return words >= (SHORT_CHAPTER if has_break else LONG_CHAPTER)


def _listed(names: Sequence[str]) -> str:
    *others, last = names or ("",)
    return f"{', '.join(others)} and {last}" if others else last
