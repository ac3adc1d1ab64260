"""Trains the SentencePiece vocabulary and encodes text the way llama.cpp does."""

from __future__ import annotations

import io
from pathlib import Path

import sentencepiece

from .corpus import MARK, Text
from .personas import MEN, WOMEN

BOS, EOS, SIZE = 1, 2, 4096
_FORMAT = "### Instruction: ### Input: ### Response: (length = medium) Persona: Scenario: (length = huge)"


def train_vocabulary(texts: list[Text], target: Path) -> None:
    """Train a BPE vocabulary with byte fallback on the prose and the words of the format."""
    names = [f" {name}" for name in WOMEN + MEN]
    lines = [MARK.sub("Mira", p) for text in texts for p in text.paragraphs] + 200 * [_FORMAT] + 200 * names
    result = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=result, vocab_size=SIZE, model_type="bpe", byte_fallback=True,
        character_coverage=0.9995, normalization_rule_name="identity", remove_extra_whitespaces=False,
        split_digits=True, max_sentence_length=100_000, num_threads=2, minloglevel=2,
    )  # fmt: skip
    target.write_bytes(result.getvalue())


class Vocabulary:
    """Encodes pieces of a prompt; pieces may be joined wherever one ends in a line break or before a space."""

    def __init__(self, path: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(self, text: str) -> list[int]:
        """Encode text that follows other text: a line break in front takes up the space that SPM adds at a start."""
        return list(self.pieces.encode("\n" + text))[2:]

    def start(self, text: str) -> list[int]:
        """Encode the very beginning of a prompt: SPM puts a space in front, and BOS comes before it."""
        return [BOS, *self.pieces.encode(text)]
