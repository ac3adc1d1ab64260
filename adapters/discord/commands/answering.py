"""The door of the commands: each interaction becomes a command of the catalogue, is carried out, and is answered.

Rule 1: Discord waits three seconds: what may take longer is acknowledged first; what opens a modal reads the store only.
Rule 2: nothing is raised from here. A sentence goes to whoever asked, all else to the log.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord

from adapters.discord.commands import editing, forms
from adapters.discord.commands.asking import Asker, Given, Interaction, asker_of, given, raw, typed
from adapters.discord.commands.controls import PRESSES, Controls
from adapters.discord.commands.menus import Menus, message_of
from adapters.discord.commands.offering import Offers
from adapters.discord.commands.replying import Reply
from adapters.discord.commands.starting import Starting
from adapters.discord.commands.texting import Texting
from adapters.discord.commands.tree import MESSAGE_MENU, TEXT_FILE, long_option, spec_of
from adapters.discord.commands.uploads import fetch, fetch_text
from bot import texts
from bot.commands.catalogue import find
from bot.commands.parse import check
from bot.commands.spec import CommandSpec, OptionKind
from bot.errors import Refused, StoreUnavailable
from bot.flow.commanding import ONE_AT_A_TIME, Commanding
from bot.flow.desk import Desk
from bot.flow.receive import Receiver
from bot.ids import Place
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.posts import Command

log = logging.getLogger(__name__)

Values = Mapping[str, str | int]

QUIET = frozenset({"start", "stop"})
"""Commands that are answered at once and concern the table, but show it by what they do."""

OPENS_PLACES = frozenset({"branch", "part"})

TAKEN = "Taken."
WRITING = "Writing…"
OLD_BUTTONS = "Those buttons were below an older reply, and are gone now; the ones below the newest reply work."
NOWHERE = "Discord does not say where this was asked; try it in another channel."
OUT_OF_DATE = "This was asked with an earlier version of the bot; ask again."
STILL_WRITING = "A reply is being written already; wait for its end, or use /stop."
STORE_AWAY = "The stories cannot be reached now; try again in a moment. Nothing was changed."


@dataclass(slots=True)
class Interactions:
    """Answers interactions. Give it to the client's `on_interaction`; `close` it."""

    store: Store
    desk: Desk
    receiver: Receiver
    clock: Clock
    starting: Starting
    controls: Controls
    texting: Texting
    _offers: Offers = field(init=False)
    _menus: Menus = field(init=False)
    _stories: editing.Stories = field(init=False)
    _commanding: Commanding = field(init=False)
    _left: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._offers = Offers(self.store)
        self._stories = editing.Stories(self.store)
        self._commanding = Commanding(self.receiver)
        self._menus = Menus(self._stories, self.texting, self.starting.hears, self._plainly)

    async def handle(self, interaction: Interaction) -> None:
        """Answer an interaction. Never raises."""
        reply = Reply(interaction, self.clock, self._later)
        try:
            await self._handle(reply, _somebody(interaction))
        except (Refused, StoreUnavailable) as error:
            sentence = str(error) if isinstance(error, Refused) else STORE_AWAY
            if interaction.type is not discord.InteractionType.autocomplete:
                await reply.refuse(sentence)
        except Exception:
            # A defect in one answer must not end the connection, and whoever asked is told something.
            log.exception("an interaction failed", extra={"action": "fail_interaction", "interaction": interaction.id})
            if interaction.type is not discord.InteractionType.autocomplete:
                await reply.refuse(texts.INTERNAL.format(event=interaction.id))

    async def close(self) -> None:
        """Leave what is left to do: words that would be taken away, and places that would be looked after."""
        await self._commanding.close()
        for task in self._left:
            task.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)

    async def _handle(self, reply: Reply, asker: Asker) -> None:
        interaction = reply.interaction
        self.controls.seen(asker.place)
        match interaction.type:
            case discord.InteractionType.autocomplete:
                await reply.offer(await self._offers.choices(asker, given(interaction)))
            case discord.InteractionType.component:
                await self._pressed(reply, asker)
            case discord.InteractionType.modal_submit:
                await self._submitted(reply, asker)
            case discord.InteractionType.application_command if raw(interaction).get("type") == MESSAGE_MENU:
                await self._menus.chosen(reply, asker)
            case discord.InteractionType.application_command:
                await self._asked(reply, asker, given(interaction))

    async def _asked(self, reply: Reply, asker: Asker, asked: Given) -> None:
        spec = spec_of(asked.path)
        if spec is None:
            raise Refused(texts.NO_COMMAND.format(name=asked.path))
        option = forms.asks_for(spec)
        if option and option.name not in asked.values and TEXT_FILE not in asked.files:
            await self.texting.ask(reply, asker, spec, asked.values)
            return
        if not await reply.think(private=self._is_private(spec)):
            return
        if spec.is_story:
            # Undo, a moment after a post, means that post. Buttons and menus mean what they stand at.
            await self.starting.hears.hand_in(asker.place, asker.author)
        await self._carry_out(reply, asker, spec, asked)

    async def _submitted(self, reply: Reply, asker: Asker) -> None:
        custom_id, fields = str(raw(reply.interaction)["custom_id"]), typed(reply.interaction)
        if not await reply.think(private=True):
            return
        if post := forms.post_of(custom_id):
            values, answer = await self.texting.post_edited(asker.place, post, fields.get("text", ""))
            name = "edit"
        elif filled := forms.filled(custom_id, fields):
            values, answer = await self.texting.checked(asker, filled)
            name = filled.spec.name
        else:
            raise Refused(OUT_OF_DATE)
        if answer is not None:
            await reply.say(answer)
            return
        await self._carry_out(reply, asker, _named(name), Given("", values))

    async def _pressed(self, reply: Reply, asker: Asker) -> None:
        data, message = raw(reply.interaction), reply.interaction.message
        press = PRESSES.get(str(data.get("custom_id")))
        if press is None or message is None:
            raise Refused(OUT_OF_DATE)
        shown = message_of({"id": message.id, "webhook_id": message.webhook_id})
        if not await self._stories.is_newest_reply(asker.place, shown):
            await reply.undress()
            raise Refused(OLD_BUTTONS)
        if not await reply.accept():
            return
        command = asker.command(press[0], dict(press[1]))
        if self._commanding.is_busy(command):
            raise Refused(STILL_WRITING)
        await self._receive(command)

    async def _plainly(self, reply: Reply, asker: Asker, name: str) -> None:
        if await reply.think(private=True):
            await self._carry_out(reply, asker, _named(name), Given("", {}))

    async def _carry_out(self, reply: Reply, asker: Asker, spec: CommandSpec, asked: Given) -> None:
        """Carry a command out that was acknowledged, and answer it. Raises Refused and StoreUnavailable."""
        given_values, upload = await self._fetched(spec, asked)
        values = check(spec, await self.texting.completed(asker.place, spec, given_values))
        if self.starting.carries_out(spec.name):
            answer = await self.starting.carry_out(asker, spec.name, values, next(iter(asked.rooms.values()), None), upload)
        elif self.desk.answers(spec.name):
            answer = await self.desk.answer(asker.command(spec.name, values), upload)
        else:
            await self._receive(asker.command(spec.name, values))
            await reply.mention(WRITING if spec.name in ONE_AT_A_TIME else TAKEN)
            return
        await (reply.mention(answer.text) if spec.name == "stop" else reply.say(answer))
        self.controls.settled_soon(asker.place)

    async def _fetched(self, spec: CommandSpec, asked: Given) -> tuple[dict[str, str | int], bytes]:
        """The values, with the text out of a file that came for it, and the bytes of the file that the command is about."""
        values, upload = dict(asked.values), b""
        wanted = next((option for option in spec.options if option.kind is OptionKind.FILE), None)
        if wanted and wanted.name in asked.files:
            values[wanted.name] = asked.files[wanted.name].filename
            upload = await fetch(asked.files[wanted.name])
        elif TEXT_FILE in asked.files and (text := long_option(spec)):
            values[text.name] = await fetch_text(asked.files[TEXT_FILE])
        return values, upload

    async def _receive(self, command: Command) -> None:
        await self._commanding.hand_in(command)
        self.controls.settled_soon(command.place)
        if command.name in OPENS_PLACES:
            self._later(self._look_after(command.place))

    async def _look_after(self, place: Place) -> None:
        """Have the ears listen in the place that a command opens, once it is there."""
        await self.receiver.settled(place)
        try:
            await self.starting.refresh_watched()
        except StoreUnavailable as error:
            log.warning("the places of new stories are not known: %s", error, extra={"action": "look_later", "place": place})

    def _is_private(self, spec: CommandSpec) -> bool:
        """Whether the answer is for whoever asked alone: to a change of the story it is a word in passing."""
        return spec.private or spec.name in QUIET or not self.desk.answers(spec.name)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._left.add(task)
        task.add_done_callback(self._left.discard)


def _somebody(interaction: Interaction) -> Asker:
    asker = asker_of(interaction)
    if asker is None:
        raise Refused(NOWHERE)
    return asker


def _named(name: str) -> CommandSpec:
    spec = find(name)
    if spec is None:
        raise Refused(texts.NO_COMMAND.format(name=name))
    return spec
