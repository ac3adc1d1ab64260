"""The page's reading side: a thread as it is now, as a whole page or as the part that changes. It reads and decides nothing."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from adapters.markdown import plain, render
from adapters.web.courier import PLACES, WebCourier
from adapters.web.downloads import Downloads
from adapters.web.forms import Writer
from adapters.web.offers import bringing, offers
from adapters.web.pages import Told, bare_notices, draft_html, face, print_page, view
from adapters.web.safety import Guard, NotAllowed
from adapters.web.threads import Threads
from bot.errors import StoreUnavailable
from bot.flow.desk import Answer
from bot.ids import AuthorId, Place, SessionId
from bot.lately import Lately
from bot.ports.store import Store
from bot.posts import InboundPost
from bot.story.session import Session


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says beside the story: what was wrong with what was typed, as a reply or a command, and an answer."""

    trouble: str = ""
    typed: str = ""
    line_trouble: str = ""
    line: str = ""
    note: Markup = field(default_factory=Markup)


@dataclass(slots=True)
class Shows:
    """Prints the threads for the one player of the page. `notice` is a line that every thread shows above its story.

    `last_word` is a line that every thread shows below it.
    """

    store: Store
    courier: WebCourier
    threads: Threads
    guard: Guard
    player: AuthorId
    player_name: str
    notice: str
    last_word: str = ""
    downloads: Downloads = field(default_factory=Downloads)
    _sessions: Lately[Place, SessionId] = field(default_factory=lambda: Lately(PLACES))

    def writer(self, session: Session | None) -> Writer:
        """The player as a story calls them."""
        persona = session.persona_of(self.player) if session else None
        return Writer(self.player, persona.name if persona else self.player_name)

    async def page(self, place: Place, *, before: int | None = None, said: Said | None = None) -> str:
        """A thread's page: its newest turns, or those before turn number `before`. Raises NotAllowed, StoreUnavailable."""
        await self.check_known(place)
        session = await self._session(place)
        facts = await self._facts(place, session, before=before, hidden=self.hidden(secrets.token_urlsafe(12)))
        return print_page(
            "page.html",
            **facts,
            notice=self.notice,
            player=face(self.writer(session).name),
            said=said or Said(),
            stories=await self.threads.titles(place),
            offers=offers(),
            bringing=bringing(),
        )

    async def check_known(self, place: Place) -> None:
        """Raises NotAllowed when a place holds no story, never held one, and is not about to; StoreUnavailable."""
        if not await self.threads.is_known(place):
            raise NotAllowed(404, "There is no such story here; the list of stories shows those that there are.")

    async def new_page(self, said: Said | None = None, chosen: str = "") -> str:
        """The page that begins another story. `chosen` is the character that was chosen before."""
        return print_page(
            "new.html",
            hidden=self.hidden(secrets.token_urlsafe(12)),
            cards=await self.store.library(),
            chosen=chosen,
            said=said or Said(),
            stories=await self.threads.titles(None),
        )

    async def thread(self, place: Place) -> str:
        """The part of a thread's page that changes; or the sentence that says why it cannot be shown."""
        try:
            return print_page(
                "thread.html", **await self._facts(place, await self._session(place), before=None, hidden=self.hidden(""))
            )
        except StoreUnavailable as error:
            return print_page("silence.html", sentence=str(error))

    def draft(self, place: Place) -> Markup:
        """The text that is being written in a thread."""
        return draft_html(self.courier.draft(place))

    def note(self, answer: Answer) -> Markup:
        """The answer to a command, and where its file can be fetched once."""
        link = self.downloads.offer(answer) if answer.file else ""
        name = plain(answer.file_name) or "the file"
        return Markup(print_page("note.html", text=render(answer.text), link=link, name=name))  # noqa: S704  a template's print

    def hidden(self, nonce: str) -> Markup:
        """The fields that every form hides."""
        one = Markup('<input type="hidden" name="{}" value="{}" autocomplete="off">')
        return one.format("token", self.guard.token) + one.format("nonce", nonce)

    async def _session(self, place: Place) -> Session | None:
        session = await self.store.session_at(place)
        if session is not None:
            # What another story said here, which ended since, is none of this one's.
            if self._sessions.get(place, session.id) != session.id:
                self.courier.forget(place)
            self._sessions[place] = session.id
        return session

    async def _facts(
        self, place: Place, session: Session | None, *, before: int | None, hidden: Markup
    ) -> Mapping[str, object]:
        """What the thread's template names: the story as it is now."""
        recent = self.courier.recent(place)
        told: Told | None = None
        if session is not None:
            page = await self.store.page(place, before=before)
            waiting = [each for each in await self.store.waiting() if isinstance(each, InboundPost) and each.place == place]
            told = Told(session, page, recent, waiting, self.courier.draft(place), before is None, self.threads.main)
        return {
            "scene": (_cast(session), plain(session.scenario)) if session else None,
            "view": view(told) if told else None,
            "bare_notices": () if session else bare_notices(recent),
            "here": self.threads.prefix(place),
            "token": self.guard.token,
            "hidden": hidden,
            "last_word": self.last_word,
        }


def _cast(session: Session) -> str:
    return plain(", ".join(card.name for card in session.cast))
