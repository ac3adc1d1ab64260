"""The wall to the store, third part: characters and players' parts that are kept apart from sessions."""

from typing import Protocol

from bot.ids import AuthorId, CardId
from bot.story.library import CardTitle, LibraryCard
from bot.story.persona import Persona


class Library(Protocol):
    """Characters to begin sessions with, and each player's part in those that they join. Every method is one transaction."""

    async def keep_card(self, entry: LibraryCard) -> None:
        """Keep a character, in the place of the one with the same id if there is one."""
        ...

    async def library(self) -> tuple[CardTitle, ...]:
        """What the library has, by name and then by id."""
        ...

    async def card(self, card: CardId) -> LibraryCard | None:
        """One character with its face; None when the library does not have it."""
        ...

    async def drop_card(self, card: CardId) -> None:
        """Take a character out; sessions that play it keep it. Nothing happens when it is not there."""
        ...

    async def keep_default_persona(self, persona: Persona) -> None:
        """Keep the part that a player has in every session that they join without another one."""
        ...

    async def default_persona(self, author: AuthorId) -> Persona | None:
        """A player's part by default; None when they keep none."""
        ...

    async def drop_default_persona(self, author: AuthorId) -> None:
        """A player keeps no part by default any more. Nothing happens when they kept none."""
        ...
