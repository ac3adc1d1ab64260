"""What the courier asks of the stories: faces, and the posts that stand. It is made before there is a store."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.flow.faces import Faces
from bot.ids import Place
from bot.ports.store import Shown, Store


@dataclass(slots=True)
class Stories:
    """Reads the store once it is there; until then nothing is known."""

    _store: Store | None = None

    def open(self, store: Store) -> None:
        """There is a store now."""
        self._store = store

    async def face(self, place: Place, name: str) -> bytes:
        """The picture of a character in a place's story; empty where there is none. Raises StoreUnavailable."""
        return await Faces(self._store).at(place, name) if self._store else b""

    async def shown(self, place: Place, turn: int) -> Sequence[Shown]:
        """The posts that stand for a turn. Raises StoreUnavailable."""
        if self._store is None:
            return ()
        page = await self._store.page(place, before=turn + 1, limit=1)
        return [each for each in page.shown if each.post.turn == turn]
