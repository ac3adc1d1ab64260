"""What an address serves: the kind of server, the model, its context. It asks, once; it remembers nothing."""

from dataclasses import dataclass, replace

from adapters.remote import wire
from adapters.remote.connection import Answer, Line
from adapters.remote.counting import RemoteTokens
from adapters.remote.parsing import whole
from adapters.remote.sending import unhonoured
from adapters.remote.servers import AUTO, KINDS, Fact, ServerKind, found_at, kind_of_owner
from bot.errors import EngineUnavailable
from bot.ports.engine import EngineCapabilities
from bot.story.policy import Rating


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: `model` is the name to ask for, `tokens` its tokenizer."""

    kind: ServerKind
    model: str
    capabilities: EngineCapabilities
    tokens: RemoteTokens


async def ask_served(line: Line, kind_name: str, model: str, context: int | None, rating: Rating | None) -> Served:
    """What is served there. Raises Passing and EngineUnavailable."""
    kind = await _kind(line, kind_name)
    if kind.is_ours:
        return _ours(line, kind, await line.get(wire.MODELS), context, rating)
    name = model or await _fact(line, kind.model)
    if not isinstance(name, str) or not name:
        raise EngineUnavailable("The engine does not tell its model: set its name in the configuration.")
    told = whole(await _fact(line, kind.context)) if kind.context else None
    room = min(filter(None, (told, context)), default=None)
    if room is None:
        raise EngineUnavailable("The engine does not tell its context: set it in the configuration.")
    adapters = await _other_models(line, name) if kind.lists_adapters else ()
    capabilities = EngineCapabilities(name, room, rating or Rating.UNRATED, adapters, unhonoured(kind), forgets=False)
    return Served(kind, name, capabilities, RemoteTokens(line, kind, name))


async def _kind(line: Line, name: str) -> ServerKind:
    if name != AUTO:
        return KINDS[name]
    return kind_of_owner(found_at((await line.get(wire.MODELS)).content, ("data", 0, "owned_by")))


async def _fact(line: Line, fact: Fact) -> object:
    return found_at((await line.get(fact.route)).content, fact.at)


async def _other_models(line: Line, name: str) -> tuple[str, ...]:
    models = found_at((await line.get(wire.MODELS)).content, ("data",))
    names = [found_at(each, ("id",)) for each in models] if isinstance(models, list) else []
    return tuple(each for each in names if isinstance(each, str) and each != name)


def _ours(line: Line, kind: ServerKind, answer: Answer, context: int | None, rating: Rating | None) -> Served:
    told = found_at(answer.content, ("data", 0))
    name, room = found_at(told, ("id",)), whole(found_at(told, ("understudy", "context")))
    if not isinstance(name, str) or room is None:
        raise EngineUnavailable("The engine is not Understudy's own: set its kind in the configuration.")
    adapters = found_at(told, ("understudy", "adapters"))
    named = tuple(each for each in adapters if isinstance(each, str)) if isinstance(adapters, list) else ()
    rated = rating or _rating(found_at(told, ("understudy", "rating")))
    mark = found_at(told, ("understudy", "fingerprint"))
    capabilities = EngineCapabilities(
        name,
        min(room, context or room),
        rated,
        named,
        fingerprint=mark if isinstance(mark, str) else "",
        forgets=found_at(told, ("understudy", "forgets")) is True,
    )
    stops, length = (whole(found_at(told, ("understudy", each))) for each in ("stops", "stop_length"))
    kind = replace(kind, stops=stops or kind.stops, stop_length=length or kind.stop_length)
    return Served(kind, name, capabilities, RemoteTokens(line, kind, name, answer.tag))


def _rating(told: object) -> Rating:
    return Rating(told) if isinstance(told, str) and told in set(Rating) else Rating.UNRATED
