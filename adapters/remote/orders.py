"""From the body of a request to what the engine is asked for. It knows the wire's fields, and no HTTP."""

import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import get_type_hints

from adapters.remote import wire
from adapters.remote.body import LARGEST, Body, as_number, is_ids, refuse
from adapters.remote.refusals import Refusal, too_long
from adapters.remote.settings import EngineServerSettings
from bot.errors import UnderstudyError
from bot.ids import CommunityId, SessionId
from bot.ports.engine import EngineCapabilities, GenerationRequest, Segment
from bot.sampling import SamplingSettings

USUAL_TOKENS = 16
"""How long a reply may be when a client does not say, as OpenAI has it."""

NAME_LENGTH = 256
"""Characters of a session's, a community's, a model's or an adapter's name."""

MOST_WORDS = 64
"""Words of a setting that is a list; how many make sense, the settings themselves say."""

CHARACTERS_PER_TOKEN = 64
"""More than the tokens of any text have on average: what is longer is refused unread."""

SMALL_CONTEXT = 4096
"""For smaller contexts as many characters are taken as for this one: that does not take long."""

LONGEST_DEADLINE = 86_400.0

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tail_free_z": ("tfs_z", "tfs"),
        "typical_p": ("typical",),
        "repetition_penalty": ("repeat_penalty", "rep_pen"),
        "penalty_range": ("repeat_last_n", "rep_pen_range"),
        "dry_range": ("dry_penalty_last_n",),
        "dry_breakers": ("dry_sequence_breakers",),
    }
)
"""What others call our sampler fields; our own name wins where both are given."""

_anonymous = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Order:
    """One reply as it was ordered, and how it is to be served."""

    request: GenerationRequest
    model: str
    streams: bool
    wants_usage: bool
    wants_ids: bool
    wants_queue: bool


def read_order(body: Body, served: EngineCapabilities, limits: EngineServerSettings, session: str = "") -> Order:
    """What this body orders. `session` is what a header says, for bodies that do not. Raises Refusal."""
    _refuse_unsupported(body)
    model, adapter = read_model(body, served)
    streams = body.flag("stream")
    options = body.get("stream_options")
    named = body.text("session_id", session, NAME_LENGTH)
    max_tokens = _max_tokens(body, limits)
    request = GenerationRequest(
        session=SessionId(named or f"anonymous-{next(_anonymous)}"),
        segments=read_prompt(body, served.context, max_tokens),
        max_tokens=max_tokens,
        sampling=read_sampling(body, limits),
        seed=_seed(body),
        stop=tuple(stop for stop in body.texts("stop", limits.stops, limits.stop_length) if stop),
        community=CommunityId(body.text("community", longest=NAME_LENGTH)),
        adapter=adapter,
        deadline=_deadline(body),
        # Nobody can come back for what belongs to no session.
        keeps=bool(named),
    )
    return Order(
        request=request,
        model=model,
        streams=streams,
        wants_usage=options is not None and Body.of(options, '"stream_options"', "stream_options.").flag("include_usage"),
        wants_ids=body.flag("return_token_ids"),
        wants_queue=streams and body.flag("queue_updates"),
    )


def read_model(body: Body, served: EngineCapabilities) -> tuple[str, str]:
    """The model's name as it was asked for, and the adapter: by "model" (NAME, NAME:ADAPTER, ADAPTER) or by "adapter"."""
    asked = body.text("model", longest=2 * NAME_LENGTH)
    adapter = body.text("adapter", longest=NAME_LENGTH)
    names = {"": "", served.model: ""}
    for each in served.adapters:
        names |= {each: each, f"{served.model}:{each}": each}
    if asked not in names:
        raise Refusal(404, f'There is no model "{asked}" here: ask for "{served.model}".', wire.NOT_FOUND)
    if adapter and adapter not in served.adapters:
        raise Refusal(404, f'There is no adapter "{adapter}" here.', wire.NOT_FOUND)
    if adapter and names[asked] and adapter != names[asked]:
        refuse('"model" and "adapter" name different adapters.')
    return asked or served.model, adapter or names[asked]


def read_prompt(body: Body, context: int, wanted: int = 0) -> tuple[Segment, ...]:
    """The prompt as segments: a text as the template's own, ids as they are, divided at "borders".

    What cannot fit the context is refused before it is looked at: that would take long. `wanted` is what a reply takes of it.
    """
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str | list):
        prompt = prompt[0]
    if isinstance(prompt, list) and len(prompt) > context and type(prompt[0]) is int:
        raise too_long(len(prompt), max(context - wanted, 0))
    if isinstance(prompt, str) and prompt:
        _refuse_long(prompt, context, wanted)
        return (Segment(prompt, trusted=True, opens=True),)
    if prompt and is_ids(prompt):
        return _parts(tuple(prompt), body)
    if isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str | list):
        refuse('"prompt" holds several prompts; send one per request.')
    return refuse('"prompt" must be a text or a list of ids of tokens, and not empty.')


def read_segments(body: Body, most: int, context: int) -> tuple[Segment, ...]:
    """The segments of a prompt, as the bot knows them; each by itself can fit the context."""
    return tuple(_segment(each, context) for each in body.objects("segments", most))


def _segment(body: Body, context: int) -> Segment:
    text = body.text("text", any_letters=True)
    _refuse_long(text, context)
    given = body.get("token_ids")
    # A story may have been written by a model with more room: its text still counts, and such ids can be of no use.
    is_of_no_use = bool(text) and isinstance(given, list) and len(given) > context
    ids = () if is_of_no_use else body.ids("token_ids", context)
    return Segment(text, trusted=body.flag("trusted"), token_ids=ids, opens=body.flag("opens"))


def _refuse_long(text: str, context: int, wanted: int = 0) -> None:
    if len(text) > max(context, SMALL_CONTEXT) * CHARACTERS_PER_TOKEN:
        sentence = f"A text of {len(text)} characters does not fit the {context} tokens of the context; shorten it."
        raise Refusal(
            400, sentence, wire.TOO_LONG, facts={"tokens": len(text) // CHARACTERS_PER_TOKEN, "limit": max(context - wanted, 0)}
        )


def read_sampling(body: Body, limits: EngineServerSettings) -> SamplingSettings:
    """How to draw, by the names of `SamplingSettings` and their aliases."""
    hints = get_type_hints(SamplingSettings)
    given: dict[str, object] = {}
    for each in fields(SamplingSettings):
        if name := body.first(each.name, *ALIASES.get(each.name, ())):
            given[each.name] = _reader(each.name, hints[each.name], limits)(body, name)
    try:
        return SamplingSettings(**given)  # type: ignore[arg-type] # each was read by the type of its field
    except (ValueError, UnderstudyError) as mistake:
        refuse(f"The sampler settings cannot be used: {mistake}.")


def _reader(name: str, kind: object, limits: EngineServerSettings) -> Callable[[Body, str], object]:
    if name == "logit_bias":
        return lambda body, field: _biases(body, field, limits.biases)
    if kind is bool:
        return lambda body, field: body.flag(field)
    if kind is int:
        return lambda body, field: body.whole(field, 0)
    if kind is float:
        return lambda body, field: body.number(field, 0.0)
    return lambda body, field: body.texts(field, MOST_WORDS, NAME_LENGTH)


def _biases(body: Body, name: str, most: int) -> tuple[tuple[int, float], ...]:
    given = body.get(name)
    rule = f"an object of at most {most} ids with numbers from -100 to 100"
    if not isinstance(given, dict) or len(given) > most:
        body.wrong(name, rule)
    found = [(_id(key), as_number(value)) for key, value in given.items()]
    biases = tuple((token, bias) for token, bias in found if token is not None and bias is not None and abs(bias) <= 100)  # noqa: PLR2004 - OpenAI's bound
    if len(biases) < len(found):
        body.wrong(name, rule)
    return biases


def _id(key: str) -> int | None:
    return int(key) if key.isascii() and key.isdigit() and len(key) < 10 else None  # noqa: PLR2004 - no vocabulary is so large


def _parts(ids: tuple[int, ...], body: Body) -> tuple[Segment, ...]:
    borders = body.ids("borders", len(ids))
    if list(borders) != sorted(set(borders)) or (borders and borders[-1] >= len(ids)):
        body.wrong("borders", "rising offsets within the prompt")
    starts = sorted({0, *borders})
    ends = (*starts[1:], len(ids))
    opening = set(borders)
    return tuple(
        Segment("", trusted=True, token_ids=ids[start:end], opens=start in opening)
        for start, end in zip(starts, ends, strict=True)
    )


def _max_tokens(body: Body, limits: EngineServerSettings) -> int:
    name = body.first("max_tokens", "max_completion_tokens") or "max_tokens"
    return body.whole(name, USUAL_TOKENS, 1, limits.max_tokens)


def _seed(body: Body) -> int:
    """The seed; a new one for each reply where none is given, or -1, as users of other servers say it."""
    seed = body.whole("seed", -1, -1)
    return secrets.randbelow(LARGEST) if seed < 0 else seed


def _deadline(body: Body) -> float | None:
    if body.get("deadline") is None:
        return None
    return body.number("deadline", 0.0, 0.0, LONGEST_DEADLINE)


def _refuse_unsupported(body: Body) -> None:
    """Refuse what would change the answer and cannot be done; a value that changes nothing is no matter."""
    for name in ("n", "best_of"):
        if body.whole(name, 1, 0, LARGEST) != 1:
            refuse(f'"{name}" other than 1 is not offered; send a request for each reply.')
    if body.flag("echo"):
        refuse('"echo" is not offered; the prompt is known to whoever sent it.')
    if body.get("logprobs") is not None and body.get("logprobs") is not False:
        refuse('"logprobs" is not offered; leave it out.')
    if body.text("suffix"):
        refuse('"suffix" is not offered: a reply is written after the prompt, not into a gap.')
