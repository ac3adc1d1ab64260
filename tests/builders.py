"""Small makers of story values, so that a test names only what it is about."""

from dataclasses import replace
from typing import Any

from bot.ids import AuthorId, CardId, ChannelKey, EventId, Place, Platform, SessionId
from bot.ports.shelf import KeptState
from bot.posts import Command, InboundPost
from bot.story.card import CharacterCard
from bot.story.library import LibraryCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session

HERE = Place(Platform("test"), ChannelKey("thread-1"))
TOBIAS = Persona(AuthorId("author-1"), "Tobias", "Tobias is a weary, loyal soldier.")
MIRA = CharacterCard(
    "Mira",
    "Mira is a clever, secretive innkeeper.",
    'Mira looked up from the ledger. "We close at ten," she said.',
    Rating.GENERAL,
)


def a_session(**changes: Any) -> Session:
    """A session of Mira and Tobias with no turns yet."""
    session = Session(
        id=SessionId("session-1"),
        place=HERE,
        character=MIRA,
        scenario="A stranger asks for shelter in a rain-soaked inn.",
        personas=(TOBIAS,),
        rating=Rating.GENERAL,
    )
    return replace(session, **changes)


def a_post(text: str = '"Is there a room left?" Tobias asked.', event: str = "event-1", **changes: Any) -> InboundPost:
    """Tobias's post in the thread."""
    return replace(InboundPost(EventId(event), HERE, TOBIAS.author, TOBIAS.name, text), **changes)


def a_command(name: str, event: str = "event-1", /, **values: str | int) -> Command:
    """Tobias asks for something in the thread."""
    return Command(EventId(event), HERE, TOBIAS.author, name, values)


def in_library(card: CharacterCard, keeper: AuthorId) -> LibraryCard:
    """A character as somebody keeps it, under a name that follows from its own."""
    return LibraryCard(CardId(card.name.lower()), keeper, card)


def a_kept_state(tokens: int = 3, *, data: bytes = b"what the model holds", **changes: Any) -> KeptState:
    """A state of so many tokens, read in stretches of a hundred."""
    ends = (*range(100, tokens, 100), tokens) if tokens else ()
    return replace(KeptState("model-1", "", tuple(range(tokens)), ends, memoryview(data)), **changes)
