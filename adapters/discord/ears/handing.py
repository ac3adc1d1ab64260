"""Hands in the posts of one place, in order, and keeps how far it was read. It does not know where they come from."""

from collections.abc import Sequence

from adapters.discord.ears.catching_up import Mark
from adapters.discord.ears.gathering import Gathered
from adapters.discord.ears.news import Surroundings
from adapters.discord.ears.past import Past
from bot.errors import Refused
from bot.ids import Place
from bot.lately import Lately
from bot.posts import Deleted, Edited, Inbound

REFUSED = 100
"""Messages of a place of which it is known that their newest text was refused."""


class Handing:
    """Hands in for one place. `mark` is how far it was read."""

    def __init__(self, place: Place, mark: Mark, around: Surroundings, past: Past) -> None:
        self.mark = mark
        self._place, self._around, self._past = place, around, past
        self._kept = mark
        self._refused: Lately[int, None] = Lately(REFUSED)
        # Whether what the last run handed in was received is not known before it is handed in again.
        self._is_unsettled = bool(mark.handing)

    async def posts(self, gathered: Sequence[Gathered]) -> None:
        """Posts that are whole. What is refused is answered."""
        for index, each in enumerate(gathered):
            left = [part.id for later in gathered[index:] for part in later.parts]
            await self._hand_in(each, min(left) - 1)
        if gathered:
            self.pass_over(max(part.id for each in gathered for part in each.parts))

    def pass_over(self, message: int) -> None:
        """All up to this message is taken in, or needed nothing. It is kept with the next post."""
        if not self._is_unsettled:
            self.mark = Mark(self.mark.since, max(self.mark.newest, message))

    async def read_up_to(self, message: int) -> None:
        """The same, kept at once."""
        self.pass_over(message)
        await self._keep()

    def settle(self) -> Mark:
        """What the last run handed in last is looked after from now on: here is the mark that names it."""
        self._is_unsettled = False
        return self.mark

    async def changes(self, events: Sequence[Edited | Deleted], about: int | None = None) -> None:
        """Changes of posts that were handed in; `about` is the message to answer where one is refused."""
        for event in events:
            is_taken = await self._received(event, about)
            if about is not None and not is_taken:
                self._refused[about] = None
            elif about is not None and about in self._refused:
                # Edited again, into something that is taken: the sign of the refusal is true no longer.
                del self._refused[about]
                self._around.telling.counted(self._place, about)

    async def taken(self, gathered: Gathered) -> None:
        """A post that somebody asked for: the mark does not move by it. Raises Refused and StoreUnavailable."""
        await self._around.receiver.receive(self._past.handed_in(gathered))

    async def _hand_in(self, gathered: Gathered, done: int) -> None:
        messages = tuple(part.id for part in gathered.parts)
        post = self._past.handed_in(gathered)
        self._is_unsettled = False
        self.mark = Mark(self.mark.since, max(self.mark.done, done), messages)
        await self._keep()
        await self._received(post, messages[-1])

    async def _received(self, event: Inbound, about: int | None) -> bool:
        """Whether an event was taken. What is refused is answered."""
        try:
            await self._around.patiently(lambda: self._around.receiver.receive(event))
        except Refused as refused:
            self._around.telling.say(self._place, str(refused), about)
            if about is not None:
                self._around.telling.ignored(self._place, about)
            return False
        return True

    async def _keep(self) -> None:
        if self._kept != self.mark:
            await self._around.patiently(lambda: self._around.store.bookmark(self._place, self.mark.text))
            self._kept = self.mark
