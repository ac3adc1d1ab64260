"""How an interaction is answered: at once, later, with files, in passing. It knows Discord's rules for that and no command.

Rule 1: what cannot be answered is logged and never raised: there is nobody left to tell.
Rule 2: what was never acknowledged is not carried out: whoever asked was told that it failed, and asks again.
"""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord
from discord.webhook.async_ import async_context

from adapters.discord.commands.asking import Interaction
from adapters.discord.posting.single_try import SingleTry
from bot.chunking.chunker import cut
from bot.flow.desk import Answer
from bot.ports.clock import Clock
from bot.posts import ChannelLimits

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that one call to Discord may take."""

MESSAGE = ChannelLimits(2_000)
MOST_MESSAGES = 3
"""So many messages a long answer is at most; a longer one is a file."""

PASSING = 5.0
"""Seconds for which a word that says no more than that something was heard is shown."""

TRIES = 3
"""How often an acknowledgement is tried: at once, for Discord waits three seconds for it."""

ANSWERED_ALREADY = 40060
NOTHING_PINGS = discord.AllowedMentions.none()
FOREIGN = (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError)
"""What calls to Discord raise. A TimeoutError is an OSError; a RuntimeError is a session that was closed under the call."""

Later = Callable[[Coroutine[Any, Any, None]], None]
"""Has something done beside whatever goes on."""


@dataclass(slots=True)
class Reply:
    """The answer to one interaction. `later` keeps the tasks that it leaves behind."""

    interaction: Interaction
    clock: Clock
    later: Later
    _thinks: bool = False
    _private: bool = field(default=True)

    async def think(self, *, private: bool) -> bool:
        """Show that an answer comes. False when that could not be shown: nothing should be done then."""
        self._thinks, self._private = True, private
        return await self._acknowledged(lambda: self.interaction.response.defer(ephemeral=private, thinking=True))

    async def accept(self) -> bool:
        """Take a press of a button, showing nothing. False when that could not be told."""
        return await self._acknowledged(self.interaction.response.defer)

    async def ask(self, modal: discord.ui.Modal) -> None:
        """Answer with a modal. What it brings comes back as an interaction of its own, also after a restart."""
        modal.stop()  # so that discord.py keeps nothing of it
        await self._quietly(lambda: self.interaction.response.send_modal(modal))

    async def offer(self, choices: Sequence[tuple[str, str | int]]) -> None:
        """Answer with what an option may be given: how it is called, and what it is."""
        made = [discord.app_commands.Choice(name=name, value=value) for name, value in choices]
        await self._quietly(lambda: self.interaction.response.autocomplete(made))

    async def undress(self) -> None:
        """Answer a press of a button by taking all buttons from its message."""
        response = self.interaction.response
        await self._quietly(lambda: response.edit_message(view=None, allowed_mentions=NOTHING_PINGS))

    async def say(self, answer: Answer) -> None:
        """The answer, in as many messages as it needs, with its file if it has one."""
        text, files = self._fitted(answer)
        first, *rest = [chunk.text for chunk in cut(text, MESSAGE)] or ["…"]
        if len(rest) >= MOST_MESSAGES:
            first, rest = "The answer is long; here it is as a file.", []
            files = [("answer.md", text.encode()), *files]
        await self._first(first, files)
        for more in rest:
            await self._follow_up(more, private=self._private)

    async def refuse(self, sentence: str) -> None:
        """A sentence for whoever asked alone."""
        if self._thinks and not self._private:
            # What is announced to all cannot become a private word any more.
            await self._quietly(self.interaction.delete_original_response, TRIES)
            await self._follow_up(sentence[: MESSAGE.post_length], private=True)
        else:
            await self._first(sentence[: MESSAGE.post_length], [])

    async def mention(self, word: str) -> None:
        """A word that is gone soon."""
        if await self._first(word, []):
            self.later(self._forget())

    async def _forget(self) -> None:
        await self.clock.sleep(PASSING)
        await self._quietly(self.interaction.delete_original_response, TRIES)

    def _fitted(self, answer: Answer) -> tuple[str, list[tuple[str, bytes]]]:
        """The text and the files that Discord takes here."""
        if not answer.file:
            return answer.text, []
        most = self.interaction.filesize_limit
        if len(answer.file) <= most:
            return answer.text, [(answer.file_name or "file", answer.file)]
        return f"The file is too large for Discord: it has {_size(len(answer.file))}, and {_size(most)} are taken here.", []

    async def _first(self, text: str, files: Sequence[tuple[str, bytes]]) -> bool:
        def made() -> list[discord.File]:
            return [discord.File(io.BytesIO(data), filename=name) for name, data in files]

        interaction, pings = self.interaction, NOTHING_PINGS
        if self._thinks:
            edit = interaction.edit_original_response
            return await self._quietly(lambda: edit(content=text, attachments=made(), allowed_mentions=pings), TRIES)
        if interaction.response.is_done():
            return await self._follow_up(text, private=True)
        send = interaction.response.send_message
        return await self._quietly(lambda: send(text, files=made(), ephemeral=True, allowed_mentions=pings))

    async def _follow_up(self, text: str, *, private: bool) -> bool:
        send = self.interaction.followup.send
        return await self._quietly(lambda: send(text, ephemeral=private, allowed_mentions=NOTHING_PINGS, wait=True))

    async def _acknowledged(self, tell: Callable[[], Awaitable[object]]) -> bool:
        for attempt in range(TRIES):
            try:
                await _once(tell)
            except discord.DiscordServerError as error:
                self._unheard(error)
            except discord.HTTPException as error:
                # An earlier try of ours may have arrived. Else another process answers, or it is too late.
                if attempt and error.code == ANSWERED_ALREADY:
                    return True
                return self._unheard(error)
            except FOREIGN as error:
                self._unheard(error)
            else:
                return True
        # Every answer was lost: one of the tries may have arrived all the same, and then an answer stands there.
        return await self._quietly(self.interaction.original_response, TRIES)

    async def _quietly(self, tell: Callable[[], Awaitable[object]], tries: int = 1) -> bool:
        """Ask Discord. `tries` is for what may be done twice: the library itself repeats only where it was answered."""
        for _ in range(tries):
            try:
                async with asyncio.timeout(PATIENCE):
                    await tell()
            except discord.DiscordException as error:
                return self._unheard(error)
            except FOREIGN as error:
                self._unheard(error)
            else:
                return True
        return False

    def _unheard(self, error: Exception) -> bool:
        extra = {"action": "leave_unanswered", "interaction": self.interaction.id}
        log.warning("an interaction could not be answered: %s", error, extra=extra)
        return False


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MiB"


async def _once(tell: Callable[[], Awaitable[object]]) -> None:
    """Ask Discord once. Repeated by the library, an acknowledgement that had arrived would look like somebody else's."""
    before = async_context.set(SingleTry())
    try:
        async with asyncio.timeout(PATIENCE):
            await tell()
    finally:
        async_context.reset(before)
