"""What an option may be, for Discord to show while somebody types it. It reads stories and the library, and changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.discord.commands.asking import Asker, Given
from adapters.discord.commands.tree import SHORT, command_name, spec_of
from bot.commands.catalogue import COMMANDS
from bot.commands.spec import CommandSpec, OptionKind
from bot.ports.store import Store
from bot.story.turn import Turn

MOST = 25
"""Choices that Discord takes."""

RECENT = 100
"""So many of the newest turns are looked through for what is typed."""

OF_THE_CAST = frozenset({"speak", "character remove"})
"""Commands whose character is one of the story's cast; those of all others are the library's."""

Choice = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class Offers:
    """Knows what options may be, where it is looked up."""

    store: Store

    async def choices(self, asker: Asker, given: Given) -> Sequence[Choice]:
        """What the option that is being typed may be, what fits the typed first. Raises StoreUnavailable."""
        spec, typed = spec_of(given.path), str(given.values.get(given.focused, ""))
        option = next((each for each in spec.options if each.name == given.focused), None) if spec else None
        if spec is None or option is None:
            return ()
        if option.kind is OptionKind.TURN:
            page = await self.store.page(asker.place, limit=RECENT)
            return _turns(page.turns, typed)
        return _names(await self._known(spec, option.kind, asker), typed)

    async def _known(self, spec: CommandSpec, kind: OptionKind, asker: Asker) -> Iterable[str]:
        if spec.name == "help":
            return (command_name(each.name) for each in COMMANDS)
        if spec.name == "resume":
            return (each.name for each in await self.store.ended_of(asker.author))
        if kind is OptionKind.CHARACTER and spec.name not in OF_THE_CAST:
            return (title.name for title in await self.store.library())
        session = await self.store.session_at(asker.place)
        if session is None:
            return ()
        return (each.name for each in (session.cast if kind is OptionKind.CHARACTER else session.personas))


def _names(known: Iterable[str], typed: str) -> Sequence[Choice]:
    """Each name once: those that begin with what was typed, then those that hold it."""
    wanted = typed.casefold().strip()
    fitting = [name for name in dict.fromkeys(known) if wanted in name.casefold()]
    fitting.sort(key=lambda name: not name.casefold().startswith(wanted))
    return [(name[:SHORT], name[:SHORT]) for name in fitting[:MOST]]


def _turns(turns: Sequence[Turn], typed: str) -> Sequence[Choice]:
    """The newest turns first: those whose number begins with what was typed, or whose words hold it."""
    wanted = typed.casefold().strip().lstrip("#")
    fitting = (each for each in reversed(turns) if str(each.number).startswith(wanted) or wanted in each.text.casefold())
    return [(_shown(turn), turn.number) for turn, _ in zip(fitting, range(MOST), strict=False)]


def _shown(turn: Turn) -> str:
    line = f"{turn.number} · {turn.name}: {' '.join(turn.text[:SHORT].split())}"
    return line if len(line) <= SHORT and len(turn.text) <= SHORT else f"{line[: SHORT - 1]}…"
