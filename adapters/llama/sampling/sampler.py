"""What one reply remembers between two tokens: its dice, what was said, and what of it the next logits feel."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adapters.llama.sampling.chain import chain_of, is_on
from adapters.llama.sampling.reach import Row
from adapters.llama.sampling.repeats import NOTHING, Repeats, Words
from adapters.llama.sampling.window import Floats, PenaltyWindow, Tokens
from bot.sampling import SamplingSettings

SEEDS = 0xFFFF_FFFF_FFFF_FFFF


class Move(NamedTuple):
    """What a stage does to logits: to those of these tokens, each by its amount (a count, for the penalties)."""

    stage: str
    tokens: Tokens
    amounts: Floats


class Sampler:
    """The state of one reply. `history` is what its penalties count as said already; `draw_rows` draws with it.

    Raises ValueError when the settings name a token that is none of the vocabulary's.
    """

    def __init__(self, settings: SamplingSettings, seed: int, history: Sequence[int], *, words: Words) -> None:
        self._settings = settings
        self.chain = chain_of(settings)
        self._dice = np.random.Generator(np.random.PCG64(seed & SEEDS))
        self._rolls: dict[str, float] = {}
        spared = None if settings.penalize_newline else words.newline
        size = settings.penalty_range if is_on("penalties", settings) else 0
        self._window = PenaltyWindow(size, history, spared)
        self._repeats = Repeats(settings, history, words) if is_on("dry", settings) else None
        self._bias = _bias(settings, words.size)

    def add(self, token: int) -> None:
        """The token that was drawn: it counts as said from now on."""
        self._window.add(token)
        if self._repeats:
            self._repeats.add(token)
        self._rolls.clear()

    def roll(self, stage: str) -> float:
        """A number from 0 to below 1: the same one whenever the same stage asks before the next `add`."""
        rolled = self._rolls.get(stage)
        if rolled is None:
            rolled = self._rolls[stage] = self._dice.random()
        return rolled

    def touched(self, row: Row) -> tuple[Tokens, Floats]:
        """The tokens whose logits are moved before anything is cut, each once, and their logits then."""
        moves = [self._move("bias"), *map(self._move, self.chain.early)]
        parts = [move.tokens for move in moves if len(move.tokens)]
        if not parts:
            return NOTHING
        tokens = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
        logits = row[tokens].astype(np.float64)
        for move in moves:
            logits = self._after(move, tokens, logits)
        return tokens, logits

    def moved(self, stage: str, tokens: Tokens, logits: Floats) -> Floats:
        """The logits of these tokens, which rise, after a stage that moves logits."""
        return self._after(self._move(stage), tokens, logits)

    def _move(self, stage: str) -> Move:
        if stage == "bias":
            return self._bias
        if stage == "penalties":
            return Move(stage, self._window.tokens, self._window.counts)
        return Move(stage, *(self._repeats.penalties if stage == "dry" and self._repeats else NOTHING))

    def _after(self, move: Move, tokens: Tokens, logits: Floats) -> Floats:
        if move.stage == "temperature":
            return logits / self.chain.scale
        if move.tokens is tokens:
            return self._shifted(move.stage, logits, move.amounts)
        if len(move.tokens):
            places = np.minimum(np.searchsorted(tokens, move.tokens), len(tokens) - 1)
            found = tokens[places] == move.tokens
            places = places[found]
            logits[places] = self._shifted(move.stage, logits[places], move.amounts[found])
        return logits

    def _shifted(self, stage: str, logits: Floats, amounts: Floats) -> Floats:
        """A token that was said is penalized once for having been said, and by frequency once for each time."""
        if stage != "penalties":
            return logits + amounts if stage == "bias" else logits - amounts
        settings = self._settings
        penalty = settings.repetition_penalty
        after = logits
        if penalty != 1:  # multiplied where they are not above 0, divided where they are: the lower of both, or the higher
            after = (np.minimum if penalty > 1 else np.maximum)(logits * penalty, logits / penalty)
        if settings.presence_penalty or settings.frequency_penalty:
            after = after - (amounts * settings.frequency_penalty + settings.presence_penalty)
        return after


def _bias(settings: SamplingSettings, size: int) -> Move:
    pairs = settings.logit_bias
    unknown = [token for token, _ in pairs if token >= size]
    if unknown:
        raise ValueError(f"logit_bias names the token {unknown[0]}; this model's are 0 to {size - 1}")
    return Move("bias", np.array([token for token, _ in pairs], dtype=np.intp), np.array([amount for _, amount in pairs]))
