"""What an act on a story has to go by, and the ways in which it answers. It knows no act."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bot.chunking.chunker import cut
from bot.commands.catalogue import find
from bot.commands.spec import Who
from bot.errors import Refused
from bot.flow.joining import Joining
from bot.flow.wishes import notice, removals_for, wishes_for
from bot.ids import AuthorId
from bot.ports.store import Change, Wish
from bot.posts import ChannelLimits, Command
from bot.story.persona import Persona
from bot.story.session import Session, with_turn
from bot.story.turn import Role, Turn


@dataclass(frozen=True, slots=True)
class Scene:
    """A player's command in the session of its place, what the place accepts, and how replies are opened."""

    session: Session
    command: Command
    limits: ChannelLimits
    joining: Joining
    who: Who = Who.PLAYER

    def roll(self) -> int:
        """A seed for what is drawn next."""
        return self.joining.roll()

    @property
    def persona(self) -> Persona:
        """The part of the player who asks."""
        author = self.command.author
        return self.session.persona_of(author) or Persona(author, self.command.author_name or "Somebody")

    def text(self, option: str, default: str = "") -> str:
        """The text that was given for an option."""
        return str(self.command.values.get(option, default))

    def number(self, option: str, default: int | None = None) -> int:
        """The number that was given for an option. Raises Refused when none was, or none that is one."""
        value = self.command.values.get(option, default)
        try:
            return int(value)  # type: ignore[arg-type]  # None is refused like any other thing that is no number
        except (TypeError, ValueError):
            raise Refused(f'The option "{option}" needs a number.') from None

    def changeable(self, number: int) -> int:
        """The number of a turn that whoever asks may change: their own post, a reply, or any for the table. Raises Refused."""
        turn = self.session.turn(number)
        if turn.author not in {None, self.command.author} and not self.who.may(Who.TABLE):
            raise Refused(f"That post is {turn.name}'s; only they, or who began this story, can change it.")
        return number

    def player(self, option: str = "player") -> AuthorId:
        """The player who was named: by their part's name, or as the platform calls them. Raises Refused."""
        wanted = self.text(option)
        for persona in self.session.personas:
            if wanted.casefold() == persona.name.casefold() or wanted == persona.author:
                return persona.author
        known = ", ".join(persona.name for persona in self.session.personas) or "nobody"
        raise Refused(f"There is no player {wanted} in this story; there is {known}.")

    def change(self, after: Session, said: str = "", wishes: Iterable[Wish] = ()) -> Change:
        """The change to `after`, with a sentence for the place; what was asked for in private is not told there."""
        spec = find(self.command.name)
        is_private = spec is not None and spec.private
        told = (notice(after, said, self.command.event),) if said and not is_private else ()
        return Change(self.session, after, (*wishes, *told), self.command.event)

    def without(self, after: Session, gone: Iterable[Turn], said: str = "") -> Change:
        """The change to `after`, which lacks these turns: their posts are taken away."""
        removals = (removal for turn in gone for removal in removals_for(self.session, turn))
        return self.change(after, said, removals)

    def shown_anew(self, after: Session, turn: Turn) -> Change:
        """The change to `after`, in which this turn reads otherwise."""
        # A player's own post on the platform is theirs; what was copied from elsewhere never stood here.
        if turn.role is not Role.CHARACTER or not turn.posts:
            return self.change(after)
        posts = tuple(chunk.text for chunk in cut(turn.text, self.limits))
        return self.change(with_turn(after, replace(turn, posts=posts)), wishes=wishes_for(self.session, turn, posts))


Act = Callable[[Scene], Change]
