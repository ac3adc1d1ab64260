"""Trains the network for a given time: stories first, then labelled samples in longer and longer rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import shards
from .network import Network, Shape
from .samples import REPLY_WEIGHT, Sample

STEP_TOKENS = 8192
RATE = 3e-3


@dataclass(frozen=True)
class Stage:
    """Rows of one length until a share of the time is used; `stories` takes the headless text only."""

    until: float
    length: int
    stories: bool = False


STAGES = (Stage(0.30, 512, stories=True), Stage(0.72, 1024), Stage(1.0, 2048))


def rate_at(share: float) -> float:
    """The learning rate after this share of the time: short warm-up, plateau, straight down."""
    warm = min(1.0, (share + 1e-4) / 0.015)
    return RATE * warm * min(1.0, max(0.01, (1.0 - share) / 0.75))


class Feed:
    """Gives batches of packed rows, one shard of samples after the other, without end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._rng = np.random.default_rng(seed)
        self._turn = seed

    def rows(self, stage: Stage) -> Iterator[shards.Row]:
        """Packed rows of one stage."""
        while True:
            paths = sorted(self._folder.glob("pass-*.npz"))
            self._turn += 1
            samples = shards.load(paths[self._turn % len(paths)])
            wanted = [s for s in samples if (s.label == "prose") is stage.stories]
            yield from shards.pack(wanted, stage.length, self._rng)

    def batches(self, stage: Stage) -> Iterator[tuple[Tensor, Tensor]]:
        """Tokens and weights of one step."""
        rows = self.rows(stage)
        while True:
            group = [next(rows) for _ in range(STEP_TOKENS // stage.length)]
            yield torch.from_numpy(np.stack([t for t, _ in group])), torch.from_numpy(np.stack([w for _, w in group]))


def token_losses(network: Network, tokens: Tensor) -> Tensor:
    """Negative log likelihood of every token but the first of each row."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(tokens[:, :-1])
    logits = logits.float()
    right = logits.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return torch.logsumexp(logits, -1) - right


def weighted_loss(network: Network, tokens: Tensor, weights: Tensor) -> Tensor:
    """The loss that is trained."""
    return (token_losses(network, tokens) * weights[:, 1:]).sum() / weights[:, 1:].sum().clamp(min=1.0)


@torch.no_grad()
def validate(network: Network, samples: list[Sample], length: int = 2048, most: int = 10**9) -> dict[str, float]:
    """Mean loss over reply text (its end included) and over all tokens of held-out samples, one sample at a time."""
    sums = np.zeros(4)
    for sample in [s for s in samples if len(s.tokens) <= length][:most]:
        losses = token_losses(network, torch.tensor(np.array(sample.tokens, np.int64))[None])[0].numpy()
        reply = np.asarray(sample.weights)[1:] >= REPLY_WEIGHT
        sums += (losses[reply].sum(), reply.sum(), losses.sum(), len(losses))
    return {"reply": float(sums[0] / sums[1]), "all": float(sums[2] / sums[3])}


def optimisers(network: Network) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms."""
    inner = [p for p in network.blk.parameters() if p.dim() == 2]
    norms = [p for p in network.parameters() if p.dim() == 1]
    outer: list[dict[str, Any]] = [{"params": [network.token_embd.weight]}, {"params": norms, "weight_decay": 0.0}]
    return [
        torch.optim.Muon(inner, lr=RATE, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=RATE, betas=(0.9, 0.95), weight_decay=0.05),
    ]


class Training:
    """One training run, which can be stopped and taken up again from its checkpoint."""

    def __init__(self, work: Path, minutes: float, shape: Shape) -> None:
        torch.manual_seed(0)
        self.network = Network(shape)
        self._optimisers = optimisers(self.network)
        self._work, self._seconds = work, minutes * 60
        self._used, self._steps, self._tokens = 0.0, 0, 0
        self._loss = torch.compile(weighted_loss, dynamic=False)
        self._checkpoint = work / "checkpoint.pt"
        if self._checkpoint.exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self._checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimiser, kept in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self._used, self._steps, self._tokens = state["used"], state["steps"], state["tokens"]

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimisers": [o.state_dict() for o in self._optimisers],
            "shape": asdict(self.network.shape),
            "used": self._used,
            "steps": self._steps,
            "tokens": self._tokens,
        }
        torch.save(state, self._checkpoint.with_suffix(".new"))
        self._checkpoint.with_suffix(".new").replace(self._checkpoint)

    def run(self) -> None:
        """Train through all stages until the time is used up."""
        held_out = [s for s in shards.load(self._work / "held-out.npz") if s.label != "prose"]
        feed = Feed(self._work, self._steps)
        for stage in STAGES:
            batches = feed.batches(stage)
            while self._used < stage.until * self._seconds:
                self._step(*next(batches))
                if self._steps % 250 == 0:
                    print("held out", validate(self.network, held_out, 1024, 40), flush=True)
        self._save()
        print("held out", validate(self.network, held_out), "minutes", self._used / 60, flush=True)

    def _step(self, tokens: Tensor, weights: Tensor) -> None:
        """One update; counts its time, prints and saves now and then."""
        began = time.monotonic()
        rate = rate_at(self._used / self._seconds)
        loss = self._loss(self.network, tokens, weights)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self._used += time.monotonic() - began
        self._steps, self._tokens = self._steps + 1, self._tokens + tokens[:, 1:].numel()
        if self._steps % 20 == 0:
            pace = self._tokens / self._used
            print(f"{self._used / 60:.1f} min, step {self._steps}, loss {loss.item():.3f}, {pace:.0f} tokens/s", flush=True)
        if self._steps % 100 == 0:
            self._save()
