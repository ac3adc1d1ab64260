"""From what the engine's port asks for to the body that one kind of server takes. It sends nothing itself."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields

from adapters.remote.counting import clean
from adapters.remote.servers import ServerKind
from bot.ports.engine import GenerationRequest, Segment
from bot.sampling import SamplingSettings

SEEDS = 2**31 - 2
"""Other servers take fewer seeds than we do, and have a meaning of their own for 0, -1 and the largest."""

Parts = tuple[tuple[int, ...], ...]


def unhonoured(kind: ServerKind) -> tuple[str, ...]:
    """The settings that this kind of server has no name for."""
    if kind.is_ours:
        return ()
    return tuple(each.name for each in fields(SamplingSettings) if each.name not in kind.fields)


def completion_body(
    kind: ServerKind, request: GenerationRequest, parts: Parts, model: str, deadline: float | None
) -> dict[str, object]:
    """What to send for a reply. `parts` are the tokens of the request's segments; `deadline` is what is left of its own."""
    body: dict[str, object] = {
        "model": request.adapter if request.adapter and kind.lists_adapters else model,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": request.seed if kind.is_ours else 1 + request.seed % SEEDS,
        **prompt_fields(kind, request.segments, parts),
        **sampler_fields(kind, request.sampling),
        **kind.always,
    }
    if stops := kind.taken(request.stop):
        body["stop"] = list(stops)
    if kind.is_ours:
        body |= {
            "session_id": request.session,
            "community": request.community,
            "adapter": request.adapter,
            "deadline": deadline,
            "return_token_ids": True,
            "queue_updates": True,
        }
    return {name: value for name, value in body.items() if value not in (None, "")}


def warm_body(kind: ServerKind, session: str, segments: Sequence[Segment], parts: Parts, adapter: str) -> dict[str, object]:
    """What to send to have a prompt read ahead."""
    prompt = prompt_fields(kind, segments, parts)
    if kind.is_ours:
        return {"session_id": session, "adapter": adapter, **prompt}
    return {"n_predict": 0, "cache_prompt": True, **prompt}


def prompt_fields(kind: ServerKind, segments: Sequence[Segment], parts: Parts) -> dict[str, object]:
    """The prompt: ids where they are taken, else the joined text, which was neutralised when it was built."""
    if not kind.takes_ids:
        return {"prompt": clean("".join(segment.text for segment in segments))}
    ids = list(itertools.chain.from_iterable(parts))
    if not kind.is_ours:
        return {"prompt": ids}
    starts = itertools.accumulate(map(len, parts), initial=0)
    borders = {start for segment, start in zip(segments, starts, strict=False) if segment.opens and start < len(ids)}
    return {"prompt": ids, "borders": sorted(borders)}


def sampler_fields(kind: ServerKind, sampling: SamplingSettings) -> dict[str, object]:
    """The sampler settings by the server's own names; the neutral ones too, as servers have other defaults."""
    names: Mapping[str, str] = {each.name: each.name for each in fields(SamplingSettings)} if kind.is_ours else kind.fields
    values = {name: _plain(getattr(sampling, ours), pairs=ours == "logit_bias") for ours, name in names.items()}
    return {name: value for name, value in values.items() if kind.is_ours or value not in ([], {})}


def _plain(value: object, *, pairs: bool) -> object:
    """Tuples as JSON has them: pairs as an object, the rest as a list."""
    if not isinstance(value, tuple):
        return value
    return {str(key): number for key, number in value} if pairs else list(value)
