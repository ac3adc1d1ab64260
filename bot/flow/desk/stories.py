"""Answers on a place's story as a whole: begun, ended, brought back, taken home, brought in, looked at."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.cards.writing import write_png
from bot.cleaning import mended_name
from bot.errors import ChannelGone, EngineError, Refused, StaleSession
from bot.flow.acts.replies import length_named
from bot.flow.desk.adopting import WINDOW, adopted
from bot.flow.desk.answer import Answer, Question
from bot.flow.desk.library import LibraryDesk
from bot.flow.desk.status import Status
from bot.flow.faces import Faces
from bot.flow.gate import Gate
from bot.flow.lanes import Lanes
from bot.flow.opening import named_after, with_last_shown
from bot.flow.places import Places
from bot.ids import Place, SessionId
from bot.ports.clock import Clock
from bot.ports.store import Change, Store
from bot.posts import Command, OldPost
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating, is_adult
from bot.story.session import Session
from bot.story.settings import SessionSettings
from bot.story.table import LinkKind, Memory, Table
from bot.transcripts.book import Book, book_of, in_parts
from bot.transcripts.epub import to_epub
from bot.transcripts.html import to_html
from bot.transcripts.markdown import to_markdown
from bot.transcripts.sillytavern.chat import Extras, chat_of
from bot.transcripts.sillytavern.reading import read_chat
from bot.transcripts.sillytavern.writing import write_chat

MOST_PARTS = 50
"""So many parts of a story make one book at most."""


@dataclass(slots=True)
class StoryDesk:
    """Begins and ends stories; shows what is known of them.

    `begin` opens a session in its place; `stop` ends a reply, and `write_on` has one written on that was left open.
    """

    store: Store
    gate: Gate
    places: Places
    clock: Clock
    lanes: Lanes
    library: LibraryDesk
    faces: Faces
    status: Status
    begin: Callable[[Session], Awaitable[Session]]
    stop: Callable[[Place], bool]
    wake: Callable[[Place], None]
    write_on: Callable[[Place], None]
    usual: SessionSettings

    @property
    def clerks(self) -> dict[str, Callable[[Question], Awaitable[Answer]]]:
        """What is answered here."""
        return {
            "start": self._start,
            "end": self._end,
            "resume": self._resume,
            "import": self._import,
            "adopt": self.adopt,
            "export": self._export,
            "stop": self._stop,
            "status": self._status,
            "why": self._why,
            "summary show": self._show_summary,
        }

    async def _start(self, question: Question) -> Answer:
        kept, scenario = await self.library.meant(question.text("character"), question.text("scenario"))
        length = question.text("length")
        settings = replace(self.usual, matches_length=length == "auto")
        if length and length != "auto":
            settings = replace(settings, length=length_named(length))
        session = await self._new(question.command, kept.card, scenario)
        await self.begin(replace(session, settings=settings))
        return Answer(f"The story with {kept.card.name} begins.")

    async def _new(self, command: Command, card: CharacterCard, scenario: str) -> Session:
        author = command.author
        usual = await self.store.default_persona(author)
        return Session(
            id=named_after(command),
            place=command.place,
            character=card,
            scenario=scenario.strip(),
            personas=(usual or Persona(author, mended_name(command.author_name) or "Somebody"),),
            rating=Rating.ADULT if is_adult(card.rating) else Rating.GENERAL,
            table=Table(owner=author),
        )

    async def _end(self, question: Question) -> Answer:
        place = question.command.place
        self.stop(place)
        # Beside the lane: it may be waiting for an engine that is away, and whatever it holds finds no story any more.
        ended = await self.store.end(place, self.clock.now())
        if ended is None:
            raise Refused("There is no story in this place that could end.")
        return Answer("The story has ended. For a while, resume brings it back.")

    async def _resume(self, question: Question) -> Answer:
        place = question.command.place
        which = await self._ended(question)

        async def resume() -> tuple[Session, str | None]:
            back = await self.store.resume(which, place)
            try:
                if barred := await self.gate.barred(back):
                    # Back into the bin: a story for adults shall not stand where everybody comes in.
                    await self.store.end(place, self.clock.now())
                    raise Refused(barred)
                return back, await self.gate.closed(back)
            except (EngineError, ChannelGone):
                return back, None  # It is asked again before anything is written.

        session, closed = await self.lanes.run(place, resume)
        self.wake(place)
        self.write_on(place)
        name = session.character.name
        return Answer(f"The story with {name} is back. {closed}" if closed else f"The story with {name} goes on.")

    async def _ended(self, question: Question) -> SessionId:
        """The session in the bin that is meant: the one that left this place last, or one of whoever asks. Raises Refused."""
        name, command = question.text("story").casefold(), question.command
        here, own = await self.store.ended(command.place), await self.store.ended_of(command.author)
        found = [each for each in own if each.name.casefold() == name] if name else here
        if found:
            return found[0].id
        known = ", ".join(dict.fromkeys(each.name for each in own))
        hint = f"of yours there is {known}: name one" if known else "start begins a new one"
        raise Refused(f"No such story that ended is kept any more; {hint}.")

    async def adopt(self, question: Question, posts: Sequence[OldPost] = ()) -> Answer:
        """Begin a story with posts that stand in its place already. Raises Refused."""
        kept = await self.library.find(question.text("character"))
        session = adopted(await self._new(question.command, kept.card, ""), posts)
        await self.gate.check_story(session)
        try:
            await self.store.save(Change(None, session))
        except StaleSession:
            raise Refused("This place already has a story; adopt makes one only where there is none.") from None
        return Answer(f"{len(session.turns):,} posts are the story now; post, or use continue to have it answered.")

    async def _import(self, question: Question) -> Answer:
        read = read_chat(question.file(), question.command.author)
        chat = read.chat
        if not chat.turns:
            raise Refused("There are no posts in this chat.")
        try:
            card = (await self.library.titled(chat.character)).card
        except Refused as refused:
            raise Refused(f"{refused} Import the card of {chat.character} first, so that the story can go on.") from refused
        session = await self._new(question.command, card, chat.scenario)
        name = mended_name(chat.user) or mended_name(question.command.author_name) or "Somebody"
        turns = tuple(
            replace(
                turn,
                name=mended_name(turn.name) or (name if turn.author else card.name),
                extras=chat.extras.lines.get(turn.number, ""),
            )
            for turn in chat.turns
        )
        session = replace(
            session,
            personas=(replace(session.personas[0], name=name),),
            turns=turns,
            next_number=turns[-1].number + 1,
            window_start=max(0, turns[-1].number + 1 - WINDOW),
            memory=Memory(note=chat.note, note_depth=chat.note_depth, source=chat.extras.header),
        )
        await self.gate.check_story(session)
        try:
            await self.store.save(with_last_shown(session, await self.places.limits(session.place)))
        except StaleSession:
            raise Refused("This place already has a story; bring the chat in where there is none.") from None
        self.wake(session.place)
        return Answer("\n".join([f"The story has come in, {len(turns):,} posts of it; continue goes on with it.", *read.notes]))

    async def _export(self, question: Question) -> Answer:
        session = await self._session(question)
        kind = question.text("format", "markdown")
        name = "".join(letter if letter.isalnum() else "-" for letter in session.character.name.lower()).strip("-") or "story"
        if kind == "card":
            kept = await self.faces.of(session.character)
            face = kept.face if kept and kept.face_type == "image/png" else b""
            return Answer("The character, to take home.", write_png(session.character, face), f"{name}.png", "image/png")
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        if kind == "jsonl":
            turns = await self.store.turns(session.id)
            lines = {turn.number: turn.extras for turn in turns if turn.extras}
            chat = write_chat(chat_of(session, turns, Extras(session.memory.source, lines)), now)
            return Answer("The story, to take home.", chat, f"{name}.jsonl", "application/jsonl")
        return _printed(kind, name, await self._book(session, now), f"urn:understudy:{session.id}")

    async def _book(self, session: Session, now: datetime) -> Book:
        """The story as a book, with the parts that came before it, as far as their places still hold them."""
        parts = [session]
        while (link := parts[0].came_from) and link.kind is LinkKind.PART and len(parts) < MOST_PARTS:
            earlier = await self.store.session_at(link.place)
            if earlier is None or earlier.id != link.session:
                break
            parts.insert(0, earlier)
        # A part opens with the reply that the one before ended with.
        told = [(part, (await self.store.turns(part.id))[1 if number else 0 :]) for number, part in enumerate(parts)]
        books = [book_of(part, turns, now) for part, turns in told]
        return in_parts(books) if len(books) > 1 else books[0]

    async def _stop(self, question: Question) -> Answer:
        stopped = self.stop(question.command.place)
        return Answer("The reply is stopped." if stopped else "Nothing is being written.")

    async def _status(self, question: Question) -> Answer:
        return Answer(await self.status.of(await self._session(question)))

    async def _why(self, question: Question) -> Answer:
        return Answer(await self.status.why(question.command.place))

    async def _show_summary(self, question: Question) -> Answer:
        session = await self._session(question)
        return Answer(session.memory.summary or "There is no summary yet; summary make has one written.")

    async def _session(self, question: Question) -> Session:
        session = await self.store.session_at(question.command.place)
        if session is None:
            raise Refused("There is no story in this place; start begins one.")
        return session


def _printed(kind: str, name: str, book: Book, identifier: str) -> Answer:
    """A book as a file of this kind."""
    said = "The story, to take home."
    match kind:
        case "html":
            return Answer(said, to_html(book).encode(), f"{name}.html", "text/html")
        case "epub":
            return Answer(said, to_epub(book, identifier), f"{name}.epub", "application/epub+zip")
    return Answer(said, to_markdown(book).encode(), f"{name}.md", "text/markdown")
