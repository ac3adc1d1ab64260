"""A story to be bound into books, with the marks that posts use and what people may try to slip in."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.ids import AuthorId
from bot.story.dice import DiceRoll
from bot.story.persona import Persona
from bot.story.session import Session
from bot.story.turn import Role, Turn, Variant, VariantState
from bot.transcripts.book import Book, Chapter, Post
from tests.builders import TOBIAS, a_session

CREATED = datetime(2026, 11, 24, 20, 15, 42, tzinfo=UTC)
ELIN = Persona(AuthorId("author-2"), "Elin")
HOSTILE = (
    '<script>alert(1)</script> & <img src=x onerror="alert(1)"> "quoted" \'so\'\n'
    "</p></body> ![pixel](http://tracker.example/a.png) [link](javascript:alert(1)) ]]> &amp; <!-- a -->\n"
    "# A heading\n- an item\n1. one\n\u202eoverride\0\ufffe\ud800"
)


def told() -> tuple[Turn, ...]:
    """A greeting with two variants, posts, an aside, dice, and a reply that is being written."""
    return (
        Turn(0, Role.CHARACTER, "Mira", (Variant("Not shown."), Variant('"We close at *ten*," she said.')), 1),
        Turn(1, Role.PLAYER, "Tobias", (Variant("He sat down.\n\n***\n\n> Closed\n\n`key`"),), author=TOBIAS.author),
        Turn(
            2, Role.PLAYER, "Tobias", (Variant("Then he slept."),), rolls=(DiceRoll("Tobias", "1d20", "1d20 (7)", 7, "sleep"),)
        ),
        Turn(3, Role.ASIDE, "Elin", (Variant("Back soon."),), author=ELIN.author),
        Turn(4, Role.CHARACTER, "Mira", (Variant("   "),)),
        Turn(5, Role.CHARACTER, "Mira", (Variant("Half a", VariantState.WRITING),)),
    )


def a_story(**changes: Any) -> Session:
    """The session of what is told."""
    return replace(a_session(personas=(TOBIAS, ELIN), turns=told()), **changes)


def a_book(*posts: Post, **changes: Any) -> Book:
    """A book of one chapter."""
    book = Book("Ten & <One>", "Tobias", "A wet night.", (Chapter("Chapter 1", posts),), CREATED)
    return replace(book, **changes)
