"""Signs on the players' own messages of what became of them: reactions. Nobody waits for one, and none fails a walk."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

from adapters.discord.errors import Attempt, translated
from adapters.discord.posting.own_posts import OwnPosts
from bot.errors import CourierError
from bot.posts import Fate

log = logging.getLogger(__name__)

EMOJIS = {Fate.QUEUED: "⏳", Fate.IGNORED: "🙈", Fate.BROKEN: "⚠️"}
REMEMBERED = 1024

_PLAIN = {emoji.rstrip("\ufe0f"): fate for fate, emoji in EMOJIS.items()}


@dataclass(slots=True)
class Fates:
    """Shows one sign at a time on a message, in the order that they were told in its channel."""

    own: OwnPosts
    _shown: OrderedDict[tuple[int, int], frozenset[Fate]] = field(default_factory=OrderedDict)
    _last: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def tell(self, channel: int, message: int, fate: Fate | None) -> None:
        """What became of a message; None takes the sign away."""
        before = self._last.get(channel)
        task = asyncio.create_task(self._follow(before, channel, message, fate), name=f"fates in {channel}")
        self._last[channel] = task
        task.add_done_callback(lambda done: self._last.pop(channel) if self._last.get(channel) is done else None)

    async def settled(self, channel: int) -> None:
        """Return when all that was told of a channel's messages is shown, or could not be."""
        while (task := self._last.get(channel)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Show nothing more."""
        tasks = list(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, before: asyncio.Task[None] | None, channel: int, message: int, fate: Fate | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._show(channel, message, fate)
        except CourierError as error:
            log.debug("a sign could not be shown: %s", error, extra={"action": "show_no_sign", "channel": channel})

    async def _show(self, channel: int, message: int, fate: Fate | None) -> None:
        shown = self._shown.get((channel, message))
        if shown is None:
            # A new sign needs no look at what an earlier run left; taking one away does.
            shown = frozenset() if fate else await self._look(channel, message)
        wanted = frozenset({fate} if fate else ())
        self._shown[channel, message] = wanted
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        http = self.own.line.client.http
        for each in shown - wanted:
            async with translated(Attempt(act="take a sign away")):
                await http.remove_own_reaction(channel, message, EMOJIS[each])
        for each in wanted - shown:
            async with translated(Attempt(act="react to messages", needs=("add_reactions", "read_message_history"))):
                await http.add_reaction(channel, message, EMOJIS[each])

    async def _look(self, channel: int, message: int) -> frozenset[Fate]:
        """The signs of ours on a message."""
        reactions = (await self.own.message(channel, message)).get("reactions") or ()
        names = [str(each["emoji"]["name"]).rstrip("\ufe0f") for each in reactions if each.get("me")]
        return frozenset(_PLAIN[name] for name in names if name in _PLAIN)
