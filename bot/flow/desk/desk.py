"""The desk itself: who may ask, and who answers. Each answer stands with its topic."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot import texts
from bot.commands.catalogue import find
from bot.commands.help import Written, after, help_about
from bot.commands.spec import Who
from bot.errors import CourierError, EngineError, Refused
from bot.flow.decide import circle
from bot.flow.desk.answer import Answer, Question
from bot.flow.desk.library import LibraryDesk
from bot.flow.desk.people import PeopleDesk
from bot.flow.desk.stories import StoryDesk
from bot.ids import AuthorId, Platform
from bot.ports.store import Store
from bot.posts import Command, OldPost

Clerk = Callable[[Question], Awaitable[Answer]]


@dataclass(slots=True)
class Desk:
    """Answers commands that are not carried out in a lane. `written`: how platforms write one that need more than "/"."""

    store: Store
    operators: Collection[AuthorId]
    stories: StoryDesk
    people: PeopleDesk
    library: LibraryDesk
    written: Mapping[Platform, Written] = field(default_factory=dict)
    _clerks: dict[str, Clerk] = field(init=False)

    def __post_init__(self) -> None:
        self._clerks = {**self.stories.clerks, **self.people.clerks, **self.library.clerks, "help": self._help}

    def answers(self, name: str) -> bool:
        """Whether a command is answered here, and not in its place's lane."""
        return name in self._clerks

    async def answer(self, command: Command, upload: bytes = b"") -> Answer:
        """The answer to a command. Raises Refused, with a sentence for whoever asks, and StoreUnavailable."""
        spec, clerk = find(command.name), self._clerks.get(command.name)
        if spec is None or clerk is None:
            raise Refused(texts.NO_COMMAND.format(name=command.name))
        if not (await self._circle(command)).may(spec.who):
            raise Refused(texts.NOT_YOURS[spec.who])
        return await self._asked(clerk(Question(command, upload)))

    async def adopt(self, command: Command, posts: Sequence[OldPost]) -> Answer:
        """Begin a story in a place with the posts that stand there already. Raises Refused and StoreUnavailable."""
        return await self._asked(self.stories.adopt(Question(command), posts))

    @staticmethod
    async def _asked(work: Awaitable[Answer]) -> Answer:
        try:
            return await work
        except (EngineError, CourierError) as error:
            raise Refused(str(error)) from error

    async def _circle(self, command: Command) -> Who:
        session = await self.store.session_at(command.place)
        if session is not None:
            return circle(session, command, self.operators)
        if command.author in self.operators:
            return Who.OPERATOR
        return Who.TABLE if command.is_moderator else Who.ANYONE

    async def _help(self, question: Question) -> Answer:
        command = question.command
        written = self.written.get(command.place.platform, after("/"))
        return Answer(help_about(question.text("command"), written, await self._circle(command)))
