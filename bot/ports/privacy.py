"""The wall to the store, fifth part: what is remembered of one player, and forgetting it."""

from dataclasses import dataclass
from typing import Protocol

from bot.ids import AuthorId, EventId, Place, SessionId
from bot.ports.reports import Report
from bot.story.library import LibraryCard
from bot.story.persona import Persona
from bot.story.turn import Turn


@dataclass(frozen=True, slots=True)
class PlayerStory:
    """What one session, in its place or in the bin, holds of a player: their part and their turns with all variants."""

    session: SessionId
    place: Place
    persona: Persona | None
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class PlayerData:
    """All that is stored of a player, but for what is counted of them for a day (`bot.ports.ledger`).

    Replies of the model that quote them are not theirs and not in here.
    """

    persona: Persona | None
    cards: tuple[LibraryCard, ...]
    stories: tuple[PlayerStory, ...]
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class ForgottenStory:
    """A session that was changed by forgetting a player.

    `turns` are the numbers of the turns whose shown text changed. Their `posts` are as many as before and empty: what
    still stands on the platform must be edited or taken away. `sources` are the player's own messages there.
    """

    session: SessionId
    place: Place
    turns: tuple[int, ...]
    sources: tuple[EventId, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a player has changed.

    `leftovers` is empty when the files were cleared as well; else it says why words may still be in them, for the operator.
    """

    stories: tuple[ForgottenStory, ...]
    leftovers: str = ""

    @property
    def sessions(self) -> tuple[SessionId, ...]:
        """The sessions whose texts changed: what an engine remembers of them must go too."""
        return tuple(story.session for story in self.stories)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where these are, or were when they ended."""
        return tuple(dict.fromkeys(story.place for story in self.stories))


@dataclass(frozen=True, slots=True)
class Unforgotten:
    """A session that lost words, or is gone altogether, and that an engine must still be made to forget.

    `number` grows: a session that loses words again meanwhile is to be forgotten again. `place` is where it is, or was.
    """

    number: int
    session: SessionId
    place: Place


class Privacy(Protocol):
    """Shows and forgets one player; and remembers what engines must still forget."""

    async def unforgotten(self) -> tuple[Unforgotten, ...]:
        """What engines must still forget, the oldest first.

        A session is noted in the transaction in which it is deleted for good, changed by `forget`, or saved with a change
        that says so: so it is known after a crash, and while no engine can be reached.
        """
        ...

    async def engine_forgot(self, which: Unforgotten) -> None:
        """An engine has forgotten this session since it was noted."""
        ...

    async def words_of(self, author: AuthorId) -> PlayerData:
        """All that is stored of a player, in one state of the store."""
        ...

    async def forget(self, author: AuthorId, answers: EventId | None = None) -> Forgotten:
        """Take a player's words out of everything, in one transaction, for good.

        Gone are their default persona, library cards and reports, what was counted of them, what waits of them (but for the
        event that `answers` names: it is to be dismissed), and in every session, in the bin too, their part and the texts of
        their turns, as `bot.story.forgetting` says; so are quotes of them in what others wrote or reported there and in posts
        that stand or wait. Other players keep their stories, with a placeholder in the gaps. That a table removed the player
        stays known.

        What is promised of the bytes: on SQLite, no file of the database holds the words any more when this returns (free
        pages and the write-ahead log included). PostgreSQL writes the tables and its statistics anew, so that none of their
        files does; its own write-ahead log is overwritten in its course, and archives of that log, replicas that lag and
        backups are the operator's: they need an age limit. Changes to these sessions that are under way are stale.
        """
        ...
