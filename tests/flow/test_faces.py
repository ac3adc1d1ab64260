"""A character's posts bear the picture of the card that plays, not of another of the same name."""

from dataclasses import replace

from bot.flow.faces import Faces
from bot.ids import AuthorId, CardId
from bot.ports.store import Change
from bot.story.library import LibraryCard
from tests.builders import HERE, MIRA, a_session
from tests.fakes.store import MemoryStore


async def a_library(*cards: LibraryCard) -> Faces:
    store = MemoryStore()
    for card in cards:
        await store.keep_card(card)
    await store.save(Change(None, a_session(character=replace(MIRA, nickname="Mi"))))
    return Faces(store)


def kept(number: int, face: bytes, description: str = MIRA.description) -> LibraryCard:
    card = replace(MIRA, nickname="Mi", description=description)
    return LibraryCard(CardId(str(number)), AuthorId("author-1"), card, face, "image/png")


async def test_of_two_cards_of_one_name_the_one_that_plays_lends_its_face() -> None:
    faces = await a_library(kept(1, b"another", "Somebody else."), kept(2, b"hers"))
    assert await faces.at(HERE, "Mira") == await faces.at(HERE, "Mi") == b"hers"


async def test_a_card_that_was_changed_since_still_lends_its_face_by_name() -> None:
    faces = await a_library(kept(1, b"older", "As she was."), kept(2, b""))
    assert await faces.at(HERE, "Mira") == b"older"


async def test_who_is_nobody_in_the_story_has_no_face() -> None:
    faces = await a_library(kept(1, b"hers"))
    assert await faces.at(HERE, "Joren") == b""
