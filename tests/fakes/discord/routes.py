"""The table of REST routes and what a handler gets. It knows no route by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import refusals
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.posting import Files
from tests.fakes.discord.records import Channel, Json, Message
from tests.fakes.discord.world import World

Answer = tuple[int, Any]
NOTHING: Answer = (204, None)


@dataclass(slots=True)
class Call:
    """One request on its way: the world, what was asked, the parameters of its path, and the files that came along."""

    world: World
    exchange: Exchange
    parameters: dict[str, str]
    files: Files

    @property
    def body(self) -> Json:
        """The parsed body. Raises Refusal where it is no object."""
        if not isinstance(self.exchange.body, dict):
            raise refusals.Refusal(400, 50109, "The request body contains invalid JSON.")
        return self.exchange.body

    def id(self, name: str) -> int:
        """A parameter of the path that is a snowflake. Raises Refusal where it is none."""
        return snowflake(name, self.parameters[name])

    @property
    def channel(self) -> Channel:
        """The channel that the path names. Raises Refusal."""
        return self.world.channel(self.id("channel"))

    @property
    def message(self) -> Message:
        """The message that the path names. Raises Refusal."""
        return self.world.message(self.channel, self.id("message"))

    def number(self, name: str, usual: int) -> int:
        """A whole number of the query. Raises Refusal for any other text."""
        return snowflake(name, self.exchange.query.get(name, str(usual)))


def snowflake(name: str, text: str) -> int:
    """The number that this text spells. Raises Refusal for any other text."""
    if not text.isascii() or not text.isdecimal() or len(text) > 20:
        raise refusals.invalid(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    return int(text)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str]
    needs_token: bool


@dataclass(slots=True)
class Routes:
    """A table of routes; tables are added up with `|`."""

    all: list[Route] = field(default_factory=list)

    def on(self, method: str, template: str, *, needs_token: bool = True) -> Callable[[Handler], Handler]:
        """Enter a handler for `/channels/{channel}` and the like. `needs_token` says whether the bot's token must be there."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))

        def enter(handler: Handler) -> Handler:
            self.all.append(Route(method, template, handler, pattern, needs_token))
            return handler

        return enter

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a path whose parts are still quoted, and its parameters; the first that was entered wins."""
        for route in self.all:
            if route.method == method and (found := route.pattern.fullmatch(path)):
                return route, found.groupdict()
        return None

    def __or__(self, other: "Routes") -> "Routes":
        return Routes([*self.all, *other.all])
