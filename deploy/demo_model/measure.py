"""Measures a finished model file: tokens per reply for each length label, how it stops, for whom it speaks."""

from __future__ import annotations

import json
import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as low
from llama_cpp import Llama

from . import shards
from .console import report
from .samples import RANGES, SAYS
from .vocabulary import EOS, Vocabulary

SAMPLER: dict[str, Any] = {"temperature": 0.7, "top_k": 0, "top_p": 1.0, "min_p": 0.05, "repeat_penalty": 1.11}
PENALTY_WINDOW = 2048
CONTEXT = 2048
MOST_TOKENS = 1400
MOST_TOKENS_BEFORE = 500
_HEADER = re.compile(r"### Response:[^\n]*\n")


@dataclass(frozen=True)
class Prompt:
    """The start of a held-out sample, cut after the header of its last reply."""

    before: str
    char: str
    user: str

    def text(self, label: str) -> str:
        """The prompt that asks for a reply of this length."""
        modifier = "" if label == "none" else f" (length = {label})"
        return f"{self.before}### Response:{modifier}\n{self.char}:"


@dataclass(frozen=True)
class Reply:
    """What the model wrote for one prompt."""

    text: str
    tokens: int
    stopped: bool
    seconds: float


def read_prompts(work: Path, count: int) -> list[Prompt]:
    """The first `count` held-out samples as prompts."""
    vocabulary = Vocabulary(work / "vocabulary.model")
    samples = [s for s in shards.load(work / "held-out.npz") if s.label != "prose" and len(s.tokens) < 3 * MOST_TOKENS_BEFORE]
    found: list[Prompt] = []
    for sample in samples[:: max(1, len(samples) // (2 * count))]:
        text = vocabulary.pieces.decode([int(t) for t in sample.tokens if t > EOS])
        last = list(_HEADER.finditer(text))[-1]
        prompt = Prompt(text[: last.start()], _name(text[last.end() :]), _name(text.rsplit("### Input:\n", 2)[1]))
        if len(vocabulary.encode(prompt.before)) < MOST_TOKENS_BEFORE:
            found.append(prompt)
    return found[:count]


def _name(turn: str) -> str:
    return turn.split(":", 1)[0]


def ask(model: Llama, prompt: str, seed: int) -> Reply:
    """One reply; a stop is the end mark or the next header."""
    began = time.monotonic()
    answer: Any = model.create_completion(prompt, max_tokens=MOST_TOKENS, seed=seed, stop=["###"], **SAMPLER)
    choice = answer["choices"][0]
    tokens = len(model.tokenize(choice["text"].strip().encode(), add_bos=False))
    return Reply(choice["text"], tokens, choice["finish_reason"] == "stop", time.monotonic() - began)


def speaks_for_player(reply: str, user: str) -> bool:
    """Whether the reply opens a turn of the player or gives the player speech by name."""
    return bool(re.search(rf"^{user}:|\b(?:{SAYS}) {user}\b|\b{user} (?:{SAYS})\b", reply, re.MULTILINE))


def row(replies: list[Reply], prompts: list[Prompt]) -> dict[str, Any]:
    """The figures of one label."""
    lengths = sorted(r.tokens for r in replies)
    pairs = list(zip(replies, prompts, strict=True))
    count = len(replies)
    return {
        "replies": count,
        "median": statistics.median(lengths),
        "tenth": lengths[count // 10],
        "ninetieth": lengths[count * 9 // 10],
        "stopped": sum(r.stopped for r in replies) / count,
        "player_turn": sum(bool(re.search(rf"^{p.user}:", r.text, re.MULTILINE)) for r, p in pairs) / count,
        "player_speech": sum(speaks_for_player(r.text, p.user) for r, p in pairs) / count,
        "names_char": sum(p.char in r.text for r, p in pairs) / count,
        "tokens_per_second": sum(r.tokens for r in replies) / sum(r.seconds for r in replies),
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| label | trained on | median tokens | 10 % to 90 % | stops by itself | opens the player's turn | player speaks |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for label, r in rows.items():
        cells = (
            label,
            " to ".join(map(str, RANGES.get(label, ("any",)))),
            f"{r['median']:.0f}",
            f"{r['tenth']} to {r['ninetieth']}",
        )
        shares = (f"{r[key]:.0%}" for key in ("stopped", "player_turn", "player_speech"))
        lines.append("| " + " | ".join((*cells, *shares)) + " |")
    return "\n".join(lines)


def open_model(file: Path, threads: int) -> Llama:
    """Open the model without llama.cpp's repacked kernels: built by gcc 12, the AMX ones crash on `ldtilecfg`."""
    defaults = low.llama_model_default_params

    def plain() -> low.llama_model_params:
        params = defaults()
        params.use_extra_bufts = False
        return params

    low.llama_model_default_params = plain  # Llama() has no argument for it
    sizes: dict[str, Any] = {"n_ctx": CONTEXT, "n_threads": threads, "n_threads_batch": threads}
    return Llama(str(file), last_n_tokens_size=PENALTY_WINDOW, verbose=False, **sizes)


def measure(work: Path, file: Path, count: int, threads: int) -> None:
    """Ask for every length on every prompt, print the table and write the figures and replies as JSON."""
    prompts = read_prompts(work, count)
    model = open_model(file, threads)
    rows: dict[str, dict[str, Any]] = {}
    texts: dict[str, list[str]] = {}
    for label in (*RANGES, "none"):
        replies = [ask(model, prompt.text(label), seed) for seed, prompt in enumerate(prompts)]
        rows[label] = row(replies, prompts)
        texts[label] = [r.text for r in replies]
        report(label, json.dumps(rows[label]))
    report(table(rows))
    result = {"prompts": len(prompts), "sampler": SAMPLER, "labels": rows, "replies": texts}
    (work / "measured.json").write_text(json.dumps(result, indent=1) + "\n")
