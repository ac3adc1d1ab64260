"""Trains the network for a given time: stories first, then labelled samples in longer and longer rows.

Every worker is a process of one thread that takes its part of each step; they meet once a step to add up their
gradients. On a busy machine this is far faster than threads, which would meet at every multiplication.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as together
from torch import Tensor, multiprocessing, nn

from . import shards
from .console import report
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


STAGES = (Stage(0.20, 512, stories=True), Stage(0.90, 1024), Stage(1.0, 2048))


def rate_at(share: float) -> float:
    """The learning rate after this share of the time: short warm-up, plateau, straight down."""
    warm = min(1.0, (share + 1e-4) / 0.015)
    return RATE * warm * min(1.0, max(0.01, (1.0 - share) / 0.75))


class Feed:
    """Gives batches of packed rows, one shard of samples after the other, without end."""

    def __init__(self, folder: Path, seed: int, part: int) -> None:
        self._folder, self._part = folder, part
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
            group = [next(rows) for _ in range(max(1, self._part // stage.length))]
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
    inner = [p for p in network.blk.parameters() if p.dim() > 1]
    norms = [p for p in network.parameters() if p.dim() == 1]
    outer: list[dict[str, Any]] = [{"params": [network.token_embd.weight]}, {"params": norms, "weight_decay": 0.0}]
    return [
        torch.optim.Muon(inner, lr=RATE, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outer, lr=RATE, betas=(0.9, 0.95), weight_decay=0.05),
    ]


class Training:
    """One worker of a training run, which can be stopped and taken up again from its checkpoint."""

    def __init__(self, work: Path, minutes: float, shape: Shape, rank: int, workers: int) -> None:
        torch.manual_seed(0)
        self._rank, self._workers = rank, workers
        self.network = Network(shape)
        self._optimisers = optimisers(self.network)
        self._work, self._seconds = work, minutes * 60
        self._used, self._steps, self._tokens = 0.0, 0, 0
        self._last = time.monotonic()
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
        feed = Feed(self._work, self._steps + 1000 * self._rank, STEP_TOKENS // self._workers)
        for stage in STAGES:
            batches = feed.batches(stage)
            while self._used < stage.until * self._seconds:
                self._step(*next(batches))
                if self._steps % 250 == 0 and self._rank == 0:
                    report("held out", validate(self.network, held_out, 1024, 40))
        if self._rank == 0:
            self._finish(held_out)

    def _finish(self, held_out: list[Sample]) -> None:
        self._save()
        report("held out, all", validate(self.network, held_out), "after", self._steps, "steps,", self._tokens, "tokens")

    def _step(self, tokens: Tensor, weights: Tensor) -> None:
        """One update."""
        rate = rate_at(self._used / self._seconds)
        loss = self._loss(self.network, tokens, weights)
        loss.backward()
        seconds = self._share_gradients()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self._used += seconds
        self._steps, self._tokens = self._steps + 1, self._tokens + tokens[:, 1:].numel() * self._workers
        if self._rank == 0:
            self._tell(loss.item())

    def _share_gradients(self) -> float:
        """Make every worker's gradients the mean of all; return the seconds since the first worker's last step."""
        grads = [p.grad for p in self.network.parameters() if p.grad is not None]
        now = time.monotonic()
        mine = now - self._last if self._rank == 0 else 0.0
        self._last = now
        flat = torch.cat([*(g.flatten() for g in grads), torch.tensor([mine])])
        if self._workers > 1:
            together.all_reduce(flat)
        for grad, mean in zip(grads, flat[:-1].split([g.numel() for g in grads]), strict=True):
            grad.copy_(mean.view_as(grad) / self._workers)
        return float(flat[-1])

    def _tell(self, loss: float) -> None:
        """Print and save now and then."""
        if self._steps % 20 == 0:
            pace = self._tokens / self._used
            report(f"{self._used / 60:.1f} min, step {self._steps}, loss {loss:.3f}, {pace:.0f} tokens/s")
        if self._steps % 100 == 0:
            self._save()


def _work(rank: int, work: Path, minutes: float, workers: int) -> None:
    """What one worker process does."""
    torch.set_num_threads(1)
    if workers > 1:
        together.init_process_group("gloo", init_method=f"file://{work}/meeting", rank=rank, world_size=workers)
    Training(work, minutes, Shape(), rank, workers).run()
    if workers > 1:
        together.destroy_process_group()


def train(work: Path, minutes: float, workers: int) -> None:
    """Train, or go on training, for this many minutes in all."""
    (work / "meeting").unlink(missing_ok=True)
    if workers == 1:
        _work(0, work, minutes, 1)
    else:
        multiprocessing.spawn(_work, (work.resolve(), minutes, workers), nprocs=workers)
