"""The buttons below the newest reply: which message wears them, and what they ask for. It carries nothing out.

Rule: buttons come after posts. They are put on when a reply has settled, with no request where nothing has changed, and
whatever goes wrong with them is logged and left: every button has a command that does the same.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import discord

from adapters.discord.commands.walls import Dresses
from bot.errors import CourierError, PostRefused, StoreUnavailable
from bot.flow.receive import Receiver
from bot.ids import MessageId, Place
from bot.lately import Lately
from bot.ports.store import Store, StoryPage
from bot.story.turn import Role, Turn

log = logging.getLogger(__name__)

RECENT = 8
"""Turns that are looked through for the newest reply and the one before it."""

REMEMBERED = 4_096
"""Of how many places it is known what wears the buttons; where it is not, the story tells."""

SHOWN = "us:shown"
PRESSES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "us:swipe:left": ("swipe", {"side": "left"}),
        "us:swipe:right": ("swipe", {"side": "right"}),
        "us:retry": ("retry", {}),
        "us:continue": ("continue", {}),
        "us:shorter": ("shorter", {}),
        "us:longer": ("longer", {}),
    }
)
"""What each button asks for, by its id: fixed, so that buttons work whichever run of the program put them there."""


@dataclass(frozen=True, slots=True)
class Worn:
    """Buttons as a message wears them: which version of how many they tell of."""

    message: MessageId
    selected: int
    count: int


def worn_by(page: StoryPage) -> Worn | None:
    """What should be worn by which message, after this end of a story; None where there is nothing to press a button for."""
    turn = _last(page)
    return _worn(page, turn) if turn is not None and turn.role is Role.CHARACTER else None


def buttons(worn: Worn) -> discord.ui.View:
    """The buttons of a message."""
    view = discord.ui.View(timeout=None)
    _add(view, "◀", "us:swipe:left", disabled=worn.selected == 0)
    _add(view, f"{worn.selected + 1}/{worn.count}", SHOWN, disabled=True)
    _add(view, "▶", "us:swipe:right", disabled=worn.selected + 1 >= worn.count)
    _add(view, "🔄 Retry", "us:retry")
    _add(view, "⏩ Continue", "us:continue")
    _add(view, "Shorter", "us:shorter", row=1)
    _add(view, "Longer", "us:longer", row=1)
    view.stop()  # so that discord.py keeps nothing of it: presses are told apart by their ids alone
    return view


@dataclass(slots=True)
class Controls:
    """Has the buttons follow the story in every place. `close` it."""

    store: Store
    receiver: Receiver
    dresses: Dresses
    _worn: Lately[Place, Worn | None] = field(default_factory=lambda: Lately(REMEMBERED))
    _asked: set[Place] = field(default_factory=set)
    _chases: dict[Place, asyncio.Task[None]] = field(default_factory=dict)
    _is_closed: bool = False

    def settled_soon(self, place: Place) -> None:
        """Have the buttons follow once nothing is waiting or being written in a place any more."""
        if self._is_closed:
            return  # the walk ends after us, and tells of the replies that it breaks off: the store closes next
        self._asked.add(place)
        if place not in self._chases:
            self._chases[place] = asyncio.create_task(self._chase(place), name=f"buttons {place.channel}")

    def seen(self, place: Place) -> None:
        """Something happens in a place: after a start, its buttons are looked after from then on."""
        if place not in self._worn:
            self.settled_soon(place)

    async def follow(self, place: Place) -> None:
        """Have the last post of the newest reply wear the buttons, and no other post. Never raises."""
        try:
            page = await self.store.page(place, limit=RECENT)
            last = _last(page)
            if last is not None and last.is_writing:
                return
            await self._change(place, page)
        except (CourierError, StoreUnavailable) as error:
            log.info("the buttons did not follow the story: %s", error, extra={"action": "leave_buttons", "place": place})

    async def close(self) -> None:
        """Follow nothing any more, whatever is still told."""
        self._is_closed = True
        for chase in list(self._chases.values()):
            chase.cancel()
        await asyncio.gather(*self._chases.values(), return_exceptions=True)

    async def _change(self, place: Place, page: StoryPage) -> None:
        wanted, is_known = worn_by(page), place in self._worn
        before = self._worn[place] if is_known else _before(page)
        if wanted is not None and (not is_known or wanted != before):
            await self.dresses.dress(place, wanted.message, buttons(wanted))
        self._worn[place] = wanted
        if before is not None and (wanted is None or before.message != wanted.message):
            await self._undress(place, before.message)

    async def _undress(self, place: Place, message: MessageId) -> None:
        try:
            await self.dresses.dress(place, message, None)
        except PostRefused as refused:
            log.debug("a message with buttons is gone: %s", refused, extra={"action": "forget_buttons", "place": place})

    async def _chase(self, place: Place) -> None:
        try:
            while place in self._asked:
                self._asked.discard(place)
                await self.receiver.settled(place)
                await self.follow(place)
        finally:
            del self._chases[place]


def _last(page: StoryPage) -> Turn | None:
    return next((turn for turn in reversed(page.turns) if turn.role is not Role.ASIDE), None)


def _worn(page: StoryPage, turn: Turn) -> Worn | None:
    posts = [(each.post.position, each.message) for each in page.shown if each.post.turn == turn.number]
    placed = [(position, message) for position, message in posts if position is not None]
    return Worn(max(placed)[1], turn.selected, len(turn.variants)) if placed else None


def _before(page: StoryPage) -> Worn | None:
    """What wore the buttons before the newest turn, as far as the story tells: a run before this one put them there."""
    last = _last(page)
    replies = [turn for turn in page.turns if turn.role is Role.CHARACTER and turn is not last]
    return _worn(page, replies[-1]) if replies else None


def _add(view: discord.ui.View, label: str, custom_id: str, *, disabled: bool = False, row: int = 0) -> None:
    style = discord.ButtonStyle.secondary
    view.add_item(discord.ui.Button(style=style, label=label, custom_id=custom_id, disabled=disabled, row=row))
