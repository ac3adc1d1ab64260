"""Whose picture a character's posts bear: the one that the library has of the very card that plays."""

from dataclasses import dataclass

from bot.ids import Place
from bot.ports.store import Store
from bot.story.card import CharacterCard
from bot.story.library import LibraryCard


@dataclass(frozen=True, slots=True)
class Faces:
    """Finds the pictures of characters."""

    store: Store

    async def at(self, place: Place, name: str) -> bytes:
        """The picture of the character of this name in a place's story; empty where there is none."""
        session = await self.store.session_at(place)
        card = next((each for each in session.cast if name in {each.name, each.spoken_name}), None) if session else None
        kept = await self.of(card) if card else None
        return kept.face if kept else b""

    async def of(self, card: CharacterCard) -> LibraryCard | None:
        """The library's entry of a card: the very same, else one of its name; None where no picture is kept."""
        named: LibraryCard | None = None
        for title in await self.store.library():
            kept = await self.store.card(title.id) if title.name == card.name else None
            if kept and kept.face:
                if kept.card == card:
                    return kept
                named = named or kept
        return named
