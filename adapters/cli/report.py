"""What was found in a model file, as a table for a reader or as plain facts for a program. It opens no file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.llama.engine import USUAL_CONTEXT
from adapters.llama.examining import AdapterReport, ModelReport
from adapters.llama.sizes import CacheType, Fit, fit, shown_size
from adapters.terminal.courier import tame
from bot.story.policy import Rating

RATED = {
    Rating.GENERAL: "general",
    Rating.ADULT: "adult",
    Rating.UNRATED: 'none in the file: state it with --rating or under [model], as "general" or "adult"',
}
LEAST_SHARE = 0.005
"""Of the bytes; types with less are not worth a word."""

FORMATS = {"limarp": "LimaRP (the file brings no chat template)", "gguf": "its own chat template"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A model, and what is asked of its memory. `memory` None: unknown here and not named."""

    model: ModelReport
    memory: int | None
    asked: int | None
    kinds: Sequence[CacheType]

    @property
    def context(self) -> int:
        """Tokens per session: as many as the engine would give."""
        trained = self.model.facts.trained_context or USUAL_CONTEXT
        return min(self.asked or USUAL_CONTEXT, trained)

    def fit(self, kind: CacheType) -> Fit | None:
        """How many sessions fit; None where this cannot be said."""
        shape = self.model.shape
        if shape is None:
            return None
        return fit(shape, kind, weights=self.model.weight_bytes, memory=self.memory or 0, context=self.context)

    @property
    def needed(self) -> int:
        """What one session of the smallest cache needs in all; 0 where this cannot be said."""
        shape = self.model.shape
        least = min((found.per_session for kind in self.kinds if (found := self.fit(kind))), default=0)
        return self.model.weight_bytes + shape.buffer_bytes(self.context) + least if shape and least else 0


def show_model(plan: Plan, console: Console) -> None:
    """Print what a model is and what it takes."""
    found = plan.model
    rows = [
        ("file", str(found.path)),
        ("what", "a model"),
        ("name", found.facts.name),
        ("architecture", found.facts.architecture),
        ("parameters", f"{found.parameters:,}"),
        ("quantisation", f"{found.quantisation} ({_shares(found.shares)})"),
        ("trained context", f"{found.facts.trained_context:,} tokens" if found.facts.trained_context else "not stated"),
        ("vocabulary", f"{found.vocabulary_kind}, {found.vocabulary_size:,} tokens"),
        ("prompt format", found.format_trouble or FORMATS[found.prompt_format]),
        ("rating", RATED[found.facts.rating]),
        ("weights", shown_size(found.weight_bytes)),
        *_cache_rows(plan),
    ]
    _print_rows(rows, console)
    for sentence in (*found.doubts, advice(plan)):
        console.print(tame(sentence), markup=False, highlight=False)


def show_adapter(found: AdapterReport, console: Console) -> None:
    """Print what an adapter is."""
    rows = [
        ("file", str(found.path)),
        ("what", f"a LoRA adapter for a model of the architecture {found.architecture}"),
        ("name", found.name),
        ("rank", str(found.rank)),
        ("alpha", f"{found.alpha:g}"),
        ("parameters", f"{found.parameters:,}"),
        ("weights", shown_size(found.weight_bytes)),
    ]
    _print_rows(rows, console)
    console.print("It changes a model and cannot be played on alone: load it beside the model it was made from.")


def advice(plan: Plan) -> str:
    """What to do with this model in this memory, in a sentence."""
    if plan.model.shape is None or not plan.needed:
        return "How many sessions fit cannot be told from this file; begin with slots = 1 under [model]."
    if plan.memory is None:
        return "How much memory is free here is not known; name it with --memory, such as --memory 12GiB."
    fits = [found for kind in plan.kinds if (found := plan.fit(kind))]
    chosen = next((found for found in fits if found.sessions), None)
    if chosen is None:
        return (
            f"One session needs {shown_size(plan.needed)} and {shown_size(plan.memory)} are there:"
            " choose a file of a smaller quantisation, a shorter --context, or more memory."
        )
    settings = f"context = {plan.context} and slots = {chosen.sessions}"
    more = max(fits, key=lambda found: found.sessions)
    rest = (
        f" With {more.kind.name} {more.sessions} would fit, each step a little slower."
        if more.sessions > chosen.sessions
        else ""
    )
    return f"With a cache in {chosen.kind.name}, at most {settings} under [model] fit; leave some room to other programs.{rest}"


def model_facts(plan: Plan) -> dict[str, Any]:
    """The same for a program."""
    found = plan.model
    return {
        "kind": "model",
        "file": str(found.path),
        "name": found.facts.name,
        "architecture": found.facts.architecture,
        "parameters": found.parameters,
        "quantisation": found.quantisation,
        "tensor_types": {name: round(share, 4) for name, share in found.shares.items()},
        "trained_context": found.facts.trained_context,
        "vocabulary": {"kind": found.vocabulary_kind, "size": found.vocabulary_size},
        "prompt_format": found.prompt_format or None,
        "format_trouble": found.format_trouble or None,
        "rating": found.facts.rating.value,
        "weight_bytes": found.weight_bytes,
        "buffer_bytes": found.shape.buffer_bytes(plan.context) if found.shape else None,
        "memory_bytes": plan.memory,
        "context": plan.context,
        "caches": {kind.name: _fit_facts(plan, kind) for kind in plan.kinds},
        "doubts": list(found.doubts),
        "advice": advice(plan),
    }


def adapter_facts(found: AdapterReport) -> dict[str, Any]:
    """The same for a program."""
    return {
        "kind": "adapter",
        "file": str(found.path),
        "name": found.name,
        "architecture": found.architecture,
        "adapter": found.kind,
        "rank": found.rank,
        "alpha": found.alpha,
        "parameters": found.parameters,
        "weight_bytes": found.weight_bytes,
    }


def _fit_facts(plan: Plan, kind: CacheType) -> dict[str, int | None] | None:
    if not (found := plan.fit(kind)):
        return None
    sessions = None if plan.memory is None else found.sessions
    return {"bytes_per_token": found.per_token, "bytes_per_session": found.per_session, "sessions": sessions}


def _cache_rows(plan: Plan) -> list[tuple[str, str]]:
    rows = []
    for kind in plan.kinds:
        found = plan.fit(kind)
        said = "not told by this file" if plan.model.shape is None else "not possible with heads of this size"
        if found:
            said = f"{shown_size(found.per_token)} per token, {shown_size(found.per_session)} per session"
        rows.append((f"cache in {kind.name}", said))
    if plan.model.shape and plan.memory is not None:
        rows.append(("buffers", f"{shown_size(plan.model.shape.buffer_bytes(plan.context))} (an allowance)"))
        fits = ", ".join(f"{kind.name}: {found.sessions}" for kind in plan.kinds if (found := plan.fit(kind)))
        rows.append(("sessions", f"{fits or 'unknown'} of {plan.context:,} tokens in {shown_size(plan.memory)}"))
    return rows


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= LEAST_SHARE) or "no tensors"


def _print_rows(rows: Sequence[tuple[str, str]], console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        # Names stand in files that anybody may have written: nothing in them may act on the terminal.
        table.add_row(name, escape(tame(value)))
    console.print(table, highlight=False)
