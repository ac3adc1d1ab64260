"""Answers on characters and lorebooks as files, and on the library that they are kept in."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.cards.lorebooks import read_lorebook
from bot.cards.reading import read_card
from bot.errors import Refused
from bot.flow.desk.answer import Answer, Question
from bot.flow.gate import Gate
from bot.flow.lanes import Lanes
from bot.ids import CardId
from bot.ports.store import Change, Store
from bot.story import agreements
from bot.story.library import CardTitle, LibraryCard, meant, titled
from bot.story.policy import is_adult

SHOWN = 1_500
"""Characters of a description that are shown."""


@dataclass(slots=True)
class LibraryDesk:
    """Reads cards in, shows and drops them; adds lorebooks to stories."""

    store: Store
    gate: Gate
    lanes: Lanes

    @property
    def clerks(self) -> dict[str, Callable[[Question], Awaitable[Answer]]]:
        """What is answered here."""
        return {
            "character import": self._import,
            "character show": self._show,
            "character list": self._list,
            "character delete": self._delete,
            "lore import": self._import_lore,
        }

    async def titled(self, name: str) -> LibraryCard:
        """The library's character of just this name or id. Raises Refused."""
        return await self._kept(titled(await self.store.library(), name))

    async def find(self, name: str) -> LibraryCard:
        """The library's character that a name or a part of one means. Raises Refused."""
        kept, _ = await self.meant(name, "")
        return kept

    async def meant(self, name: str, rest: str) -> tuple[LibraryCard, str]:
        """The same where more text follows, into which the name may have run over; with what is left of it. Raises Refused."""
        title, left = meant(await self.store.library(), name, rest)
        return await self._kept(title), left

    async def _kept(self, title: CardTitle) -> LibraryCard:
        kept = await self.store.card(title.id)
        if kept is None:
            raise Refused(f"{title.name} was just taken out of the library.")
        return kept

    async def _import(self, question: Question) -> Answer:
        read = read_card(question.file())
        await self.gate.check_card(read.card)
        owner = question.command.author
        key = CardId(hashlib.sha256(owner.encode() + b"\0" + question.upload).hexdigest()[:16])
        await self.store.keep_card(LibraryCard(key, owner, read.card, read.face, read.face_type))
        said = [f"{read.card.name} is in the library; start {read.card.name} begins a story.", *read.notes]
        if is_adult(read.card.rating):
            said.append("The card says nothing of its audience, so that it counts as adult.")
        return Answer("\n".join(said))

    async def _show(self, question: Question) -> Answer:
        kept = await self.find(question.text("character"))
        card = kept.card
        parts = [f"**{card.name}** ({card.rating})", card.description[:SHOWN]]
        parts += [f"Scenario: {card.scenario[:SHOWN]}"] if card.scenario else []
        parts += [f"{1 + len(card.alternate_greetings)} greetings."] if card.alternate_greetings else []
        parts += [f"{len(card.book.entries)} entries of lore."] if card.book else []
        return Answer("\n\n".join(parts))

    async def _list(self, question: Question) -> Answer:
        del question
        titles = await self.store.library()
        lines = [f"- {title.name} ({title.rating})" for title in titles]
        return Answer("\n".join(lines) or "The library is empty; character import takes a card in.")

    async def _delete(self, question: Question) -> Answer:
        kept = await self.titled(question.text("character"))
        await self.store.drop_card(kept.id)
        return Answer(f"{kept.card.name} is no longer in the library; stories that play {kept.card.name} go on.")

    async def _import_lore(self, question: Question) -> Answer:
        book = read_lorebook(question.file())
        place = question.command.place

        async def add() -> Answer:
            session = await self.store.session_at(place)
            if session is None:
                raise Refused("There is no story in this place that lore could be added to.")
            if book in session.memory.lore:
                # The same command came again after a crash; the same book twice is never meant.
                return Answer(f"{len(book.entries)} entries of lore are in the story.")
            after = agreements.add_lore(session, book)
            await self.gate.check(after, session)
            await self.store.save(Change(session, after))
            return Answer(f"{len(book.entries)} entries of lore are in the story.")

        return await self.lanes.run(place, add)
