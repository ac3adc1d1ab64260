"""Characters and players' parts that are kept apart from sessions."""

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ids import AuthorId, CardId
from bot.story.library import CardTitle, LibraryCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from storage.tables import cards, default_personas


async def keep_card(connection: AsyncConnection, entry: LibraryCard) -> None:
    """Keep a character, in the place of the one with the same id."""
    await drop_card(connection, entry.id)
    title = {"id": entry.id, "owner": entry.owner, "name": entry.card.name, "rating": entry.card.rating}
    rest = {"card": entry.card, "face": entry.face, "face_type": entry.face_type}
    await connection.execute(insert(cards).values(title | rest))


async def titles(connection: AsyncConnection) -> tuple[CardTitle, ...]:
    """What there is, sorted as Python sorts: databases differ in how they compare letters."""
    rows = await connection.execute(select(cards.c.id, cards.c.owner, cards.c.name, cards.c.rating))
    found = (CardTitle(CardId(row.id), AuthorId(row.owner), row.name, Rating(row.rating)) for row in rows)
    return tuple(sorted(found, key=lambda title: (title.name, title.id)))


async def card(connection: AsyncConnection, wanted: CardId) -> LibraryCard | None:
    """One character with its face."""
    row = (await connection.execute(select(cards).where(cards.c.id == wanted))).first()
    return None if row is None else LibraryCard(wanted, AuthorId(row.owner), row.card, row.face, row.face_type)


async def cards_of(connection: AsyncConnection, owner: AuthorId) -> tuple[LibraryCard, ...]:
    """All characters of one player, with their faces."""
    rows = await connection.execute(select(cards).where(cards.c.owner == owner).order_by(cards.c.id))
    return tuple(LibraryCard(CardId(row.id), owner, row.card, row.face, row.face_type) for row in rows)


async def drop_card(connection: AsyncConnection, unwanted: CardId) -> None:
    """Take one character out."""
    await connection.execute(delete(cards).where(cards.c.id == unwanted))


async def drop_cards_of(connection: AsyncConnection, owner: AuthorId) -> None:
    """Take out all characters of one player."""
    await connection.execute(delete(cards).where(cards.c.owner == owner))


async def keep_persona(connection: AsyncConnection, persona: Persona) -> None:
    """Keep a player's part, in the place of the one they had."""
    await drop_persona(connection, persona.author)
    row = {"author": persona.author, "name": persona.name, "description": persona.description}
    await connection.execute(insert(default_personas).values(row))


async def persona_of(connection: AsyncConnection, author: AuthorId) -> Persona | None:
    """A player's part."""
    row = (await connection.execute(select(default_personas).where(default_personas.c.author == author))).first()
    return None if row is None else Persona(author, row.name, row.description)


async def drop_persona(connection: AsyncConnection, author: AuthorId) -> None:
    """Keep a player's part no longer."""
    await connection.execute(delete(default_personas).where(default_personas.c.author == author))
