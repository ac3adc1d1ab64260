"""The page's writing side: forms become events of a thread's place, or are answered at once. It decides nothing about stories.

Rule: a form is answered once its event is stored; what comes of it reaches the page by the stream of changes.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web
from markupsafe import Markup

from adapters.web import answers, forms
from adapters.web.addresses import page_of
from adapters.web.forms import Sent, Writer
from adapters.web.offers import is_command, line_of, takes_file
from adapters.web.safety import NotAllowed
from adapters.web.showing import Said, Shows
from bot.commands.catalogue import COMMANDS
from bot.commands.parse import check, parse
from bot.errors import Refused, StoreUnavailable
from bot.flow.desk import Answer, Desk
from bot.flow.receive import Receiver
from bot.ids import Place
from bot.posts import Inbound

log = logging.getLogger(__name__)

THREAD = "/t/{channel:[A-Za-z0-9_-]{1,64}}"
"""The address of a thread's page, and what the addresses of its forms begin with."""

GRACE = 0.7
"""Seconds a form without script waits for its outcome, so that the page that follows shows it."""

START = next(spec for spec in COMMANDS if spec.name == "start")
BRING_CARD = "character import"
ERRORS = (NotAllowed, Refused, StoreUnavailable)


@dataclass(slots=True)
class Takes:
    """Takes in the forms of all threads."""

    shows: Shows
    receiver: Receiver
    desk: Desk
    _followers: set[asyncio.Task[None]] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        """The addresses of the forms, those of the main story and those of each thread."""
        acts = {"post": self._post, "act": self._act, "stop": self._stop, "command": self._command, "upload": self._upload}
        own = [web.post(f"{prefix}/{name}", act) for prefix in ("", THREAD) for name, act in acts.items()]
        return [*own, web.post("/new", self._new), web.post("/new/card", self._bring_card)]

    async def close(self) -> None:
        """Follow nothing any more."""
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        place = self._place(request)
        try:
            await self._check(request, sent, place)
            answer = None
            if is_command(sent.text):
                answer = await self._ask(place, sent)
            else:
                await self._receive(sent.post(place, await self._writer(place)))
        except ERRORS as error:
            return await self._keep(request, place, error, Said(trouble=str(error), typed=sent.text), sent.text)
        return await self._done(request, place, answer)

    async def _command(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        place = self._place(request)
        try:
            await self._check(request, sent, place)
            answer = await self._ask(place, sent)
        except ERRORS as error:
            return await self._keep(request, place, error, Said(line_trouble=str(error), line=sent.text), sent.text)
        return await self._done(request, place, answer)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        place = self._place(request)
        try:
            sent = await forms.read_upload(request, lambda token: self.shows.guard.check_form(request, token))
            answer = await self._take_file(place, sent)
        except ERRORS as error:
            return await self._keep(request, place, error, Said(line_trouble=str(error)))
        return await self._done(request, place, answer)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        place = self._place(request)
        try:
            await self._check(request, sent, place)
            await self._receive(sent.button(place, await self._writer(place)))
        except ERRORS as error:
            return answers.trouble(request, answers.status_of(error), str(error), sent.text)
        return await self._done(request, place, None, f"#turn-{sent.turn}" if sent.turn else "#status")

    async def _stop(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        place = self._place(request)
        await self._check(request, sent, place)
        self.receiver.stop(place)
        return await self._done(request, place, None)

    async def _new(self, request: web.Request) -> web.StreamResponse:
        sent = await forms.read(request)
        try:
            self.shows.guard.check_form(request, sent.token)
            place = await self._begin(sent)
        except ERRORS as error:
            return await self._new_page(Said(trouble=str(error), typed=sent.text), answers.status_of(error), sent.character)
        return await self._done(request, place, None)

    async def _bring_card(self, request: web.Request) -> web.StreamResponse:
        try:
            sent = await forms.read_upload(request, lambda token: self.shows.guard.check_form(request, token))
            answer = await self._take_file(self.shows.threads.main, replace(sent, text=BRING_CARD))
        except ERRORS as error:
            return await self._new_page(Said(line_trouble=str(error)), answers.status_of(error))
        return await self._new_page(Said(note=self.shows.note(answer or Answer(""))))

    async def _begin(self, sent: Sent) -> Place:
        """Open a place and begin a story in it; the same form opens the same place. Raises Refused."""
        if not sent.character:
            raise Refused("Choose a character first; one can be brought in below.")
        values = check(START, {"character": sent.character, "scenario": sent.text})
        place = await self.shows.courier.open(self.shows.threads.main, "A new story", sent.key)
        # Sent twice, it began with the first sending.
        if await self.shows.store.session_at(place) is None:
            await self.desk.answer(sent.command(place, await self._writer(place), START.name, values, START.name))
            self._follow(place)
        return place

    async def _take_file(self, place: Place, sent: Sent) -> Answer | None:
        if not takes_file(sent.text):
            raise NotAllowed(422, forms.OUT_OF_DATE)
        if not sent.file_name:
            raise NotAllowed(422, "Choose a file first.")
        return await self._ask(place, sent)

    async def _ask(self, place: Place, sent: Sent) -> Answer | None:
        """Have a command carried out in its turn (None), or its answer at once. Raises Refused, StoreUnavailable."""
        asked = parse(line_of(sent.text), attached=sent.file_name)
        name = asked.spec.name
        command = sent.command(place, await self._writer(place), name, asked.values, f"command.{name}")
        if not self.desk.answers(name):
            await self._receive(command)
            return None
        answer = await self.desk.answer(command, sent.file)
        self._follow(place)
        return answer

    async def _receive(self, event: Inbound) -> None:
        await self.receiver.receive(event)
        self._follow(event.place)

    def _follow(self, place: Place) -> None:
        """Some acts change the story without a post of ours: the pages are told now, and once all is done."""
        self.shows.courier.changed(place)
        follower = asyncio.create_task(self._show_outcome(place))
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)

    async def _show_outcome(self, place: Place) -> None:
        await self.receiver.settled(place)
        self.shows.courier.changed(place)

    def _place(self, request: web.Request) -> Place:
        return self.shows.threads.place(request.match_info.get("channel"))

    async def _check(self, request: web.Request, sent: Sent, place: Place) -> None:
        self.shows.guard.check_form(request, sent.token)
        await self.shows.check_known(place)

    async def _writer(self, place: Place) -> Writer:
        return self.shows.writer(await self.shows.store.session_at(place))

    async def _done(
        self, request: web.Request, place: Place, answer: Answer | None, where: str = "#status"
    ) -> web.StreamResponse:
        note = self.shows.note(answer) if answer else Markup()
        if answers.wants_json(request):
            told: Mapping[str, str] = {"note": note} if note else {}
            return web.json_response(told)
        try:
            async with asyncio.timeout(GRACE):
                await self.receiver.settled(place)
        except TimeoutError:
            log.debug("a reply is being written", extra={"action": "page_ahead"})
        if note:
            return answers.html(self.shows.guard, await self.shows.page(place, said=Said(note=note)))
        return web.Response(status=303, headers={"Location": page_of(place, self.shows.threads.main) + where})

    async def _keep(
        self, request: web.Request, place: Place, error: Exception, said: Said, typed: str = ""
    ) -> web.StreamResponse:
        """Say what was wrong beside the box that was used, with the text still in it."""
        status = answers.status_of(error)
        if answers.wants_json(request) or isinstance(error, StoreUnavailable) or status == 404:  # noqa: PLR2004  no such page
            return answers.trouble(request, status, str(error), typed)
        return answers.html(self.shows.guard, await self.shows.page(place, said=said), status)

    async def _new_page(self, said: Said, status: int = 200, chosen: str = "") -> web.StreamResponse:
        return answers.html(self.shows.guard, await self.shows.new_page(said, chosen), status)
