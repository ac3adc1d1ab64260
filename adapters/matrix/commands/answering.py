"""The door of the commands: a line or a sign becomes a command of the catalogue, is carried out, and is answered.

Rule 1: a command may come again after a crash. What goes through the receiver is known by its event, and answers by their keys.
At the desk, what only reads or takes away may be done twice; what makes a story is known again (see `starting`); a character
or a lorebook that is imported twice is there once. Only a report may reach the operator twice, and `privacy forget`, come
again, also forgets what was written in between. `stop`, come again, stops what the crash had begun anew. And a command that
answered the post which it took away, or changed one post of several, may say that there is no such post now.
Rule 2: nothing is raised from here but StoreUnavailable. A sentence goes to whoever asked, all else to the log.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from adapters.matrix.commands.adults import Adults
from adapters.matrix.commands.asking import Asker, asker, is_direct
from adapters.matrix.commands.line import (
    ADULTS,
    Line,
    line_of,
    overview,
    own_help,
    read,
    refuse_unknown,
    spec_of,
    takes_file,
    takes_text_file,
    with_text,
)
from adapters.matrix.commands.patience import PATIENCE, asked, patiently
from adapters.matrix.commands.played import Played
from adapters.matrix.commands.pointing import At, Pointing
from adapters.matrix.commands.replying import Replies
from adapters.matrix.commands.seldom import Seldom
from adapters.matrix.commands.signs import asked_by
from adapters.matrix.commands.starting import Starting
from adapters.matrix.commands.walls import Homeserver, Opens
from adapters.matrix.heard import FileThere, Reacted, Said
from adapters.matrix.rooms import Room
from adapters.matrix.words import link_to, place_of
from bot import texts
from bot.commands.help import Written
from bot.commands.parse import Asked
from bot.commands.spec import CommandSpec
from bot.errors import CourierError, Refused, StoreUnavailable
from bot.flow.commanding import Commanding
from bot.flow.desk import Answer, Desk
from bot.flow.receive import Receiver
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Command

log = logging.getLogger(__name__)

SHOWS_ITSELF = frozenset({"retry", "continue", "shorter", "longer", "swipe"})
"""Commands of which the place sees what comes of them at once."""

SIGNS_REST = 60.0
"""Seconds between two answers to signs of the same person in a room: a sign is put and taken back at a touch."""

NO_STORY = f"{texts.NO_SESSION} {{start}} and a character begins one."
STILL_WRITING = "A reply is being written already; wait for its end, or stop it with ⏹️."
IN_A_CHAT = "The answer is in our direct chat; accept my invitation to read it."
NO_CHAT = "The answer is for you alone, and I could not bring it to a direct chat. {why} Ask again in a direct chat with me."
LOST = "The homeserver did not take it; try again later."
ASKED_THERE = "`{command}` in {place}:\n\n{text}"


@dataclass(slots=True)
class Answering:
    """Answers lines and signs; `close` it. `written` is how a command is written here, `prefix` what it begins with."""

    store: Store
    desk: Desk
    receiver: Receiver
    courier: Opens
    clock: Clock
    replies: Replies
    played: Played
    starting: Starting
    adults: Adults
    homeserver: Homeserver
    prefix: str
    written: Written
    _pointing: Pointing = field(init=False)
    _commanding: Commanding = field(init=False)
    _told_of_signs: Seldom = field(init=False)

    def __post_init__(self) -> None:
        self._pointing = Pointing(self.store)
        self._told_of_signs = Seldom(self.clock, SIGNS_REST)
        self._commanding = Commanding(self.receiver, NO_STORY.format(start=self.written("start")))

    async def line(self, asking: Asker, said: Said, text: str) -> None:
        """Carry out a command that was written, and answer it. Raises StoreUnavailable."""
        await self._guarded(asking, said.event, lambda: self._obey(asking, said, text))

    async def sign(self, room: Room, heard: Reacted) -> None:
        """Do what a sign asks for, if it stands where it can. Raises StoreUnavailable."""
        meant = asked_by(heard.sign)
        if meant is None:
            return
        for place in await self.played.in_room(room.id):
            at = await self._pointing.at(place, heard.of)
            if at is At.NEWEST_REPLY or (at is At.NEWEST_POST and meant[0] == "stop"):
                asking = asker(room, place, heard)
                await self._guarded(asking, heard.of, partial(self._press_at, asking, asking.command(*meant)))
                return

    async def close(self) -> None:
        """Leave what is left to do."""
        await self._commanding.close()

    async def _guarded(self, asking: Asker, about: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Refused as refused:
            await self.replies.say(asking.place, str(refused), asking.event, about, "refused")
        except StoreUnavailable:
            raise
        except Exception:
            # A defect in one answer must not end the room, and whoever asked is told something.
            log.exception("a command failed", extra={"action": "fail", "event": asking.event})
            await self.replies.say(asking.place, texts.INTERNAL.format(event=asking.event), asking.event, about, "failed")

    async def _press_at(self, asking: Asker, command: Command) -> None:
        """Do what a sign asks for. What is refused is told, but not each time: the whole room would read it."""
        try:
            await self._press(command)
        except Refused:
            if self._told_of_signs.is_due(asking.room.id, asking.user):
                raise

    async def _press(self, command: Command) -> None:
        if self._commanding.is_busy(command):
            raise Refused(STILL_WRITING)
        if self.desk.answers(command.name):
            await self.desk.answer(command)
        else:
            await self._receive(command)

    async def _obey(self, asking: Asker, said: Said, text: str) -> None:
        line = line_of(text)
        if line.word in {"", "help"}:
            await self._help(asking, said, line.rest)
        elif line.word == ADULTS:
            told = await self.adults.carry_out(asking, line.rest)
            await self.replies.say(asking.place, told, asking.event, said.event)
        else:
            refuse_unknown(line.word)
            file = await self._file(asking, said, spec_of(line.text))
            wanted = await self._read(asking, said, line, file)
            await self._carry_out(asking, said, wanted, line, file)

    async def _help(self, asking: Asker, said: Said, rest: str) -> None:
        """Help is told where it is asked for: it holds no secret, and an invitation to read it would be one more riddle."""
        topic = rest.removeprefix(self.prefix).strip()
        told = own_help(topic, self.prefix)
        if told is None:
            answer = await self.desk.answer(asking.command("help", {"command": topic} if topic else {}))
            told = answer.text if topic else overview(answer.text, self.prefix)
        await self.replies.say(asking.place, told, asking.event, said.event)

    async def _file(self, asking: Asker, said: Said, spec: CommandSpec | None) -> FileThere | None:
        """The file that a command comes with, or replies to."""
        if said.file is not None or spec is None or not takes_file(spec) or not said.answers:
            return said.file
        found = await asked(self.clock, lambda: self.homeserver.past.message(asking.room.id, said.answers))
        return found.file if isinstance(found, Said) else None

    async def _read(self, asking: Asker, said: Said, line: Line, file: FileThere | None) -> Asked:
        spec = spec_of(line.text)
        if file is not None and spec is not None and takes_text_file(spec):
            line = with_text(line, await asked(self.clock, partial(self.homeserver.files.fetch_text, file)))
        replied = await self._pointing.turn(asking.place, said.answers) if said.answers else None
        newest = None if said.answers else await self._pointing.newest(asking.place)
        wanted = read(line.text, replied, newest, (file.name or "file") if file else "")
        if wanted.spec.name != "edit" or replied is None:
            return wanted
        limits = await asked(self.clock, lambda: self.courier.limits(asking.place))
        return Asked(wanted.spec, await self._pointing.edited(asking.place, said.answers, wanted.values, limits))

    async def _carry_out(self, asking: Asker, said: Said, wanted: Asked, line: Line, file: FileThere | None) -> None:
        name = wanted.spec.name
        upload = partial(self._upload, wanted.spec, file)
        if self.starting.carries_out(name):
            answer = await self.starting.carry_out(asking, name, wanted.values, line.where, upload)
        elif self.desk.answers(name):
            answer = await self.desk.answer(asking.command(name, wanted.values), await upload())
        else:
            await self._receive(asking.command(name, wanted.values))
            if name not in SHOWS_ITSELF:
                await self.replies.nod(asking.place, asking.event)
            return
        await self._give(asking, said, wanted.spec, answer)

    async def _upload(self, spec: CommandSpec, file: FileThere | None) -> bytes:
        if file is None or not takes_file(spec):
            return b""
        return await asked(self.clock, lambda: self.homeserver.files.fetch(file))

    async def _give(self, asking: Asker, said: Said, spec: CommandSpec, answer: Answer) -> None:
        if not answer.text and not answer.file:
            await self.replies.nod(asking.place, asking.event)
        elif spec.private and not (is_direct(asking.room) and asking.room.is_closed):
            await self._give_alone(asking, said, spec, answer)
        else:
            await self.replies.give(asking.place, answer, asking.event, said.event)

    async def _give_alone(self, asking: Asker, said: Said, spec: CommandSpec, answer: Answer) -> None:
        """The answer in a direct chat, with a sign in the place where it was asked for."""
        try:
            chat = await patiently(self.clock, lambda: self.homeserver.chats.chat_with(asking.user), PATIENCE)
        except CourierError as error:
            raise Refused(NO_CHAT.format(why=error)) from error
        told = ASKED_THERE.format(command=self.written(spec.name), place=link_to(asking.place), text=answer.text)
        whole = Answer(told, answer.file, answer.file_name, answer.file_type)
        if not await self.replies.give(place_of(chat.room), whole, asking.event):
            raise Refused(NO_CHAT.format(why=LOST))
        await self.replies.nod(asking.place, asking.event)
        if not chat.is_joined:
            await self.replies.say(asking.place, IN_A_CHAT, asking.event, said.event, "hint")

    async def _receive(self, command: Command) -> None:
        await self._commanding.hand_in(command)
        self.played.received(command)
