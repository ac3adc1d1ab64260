"""Text to tokens and back, by a model's own vocabulary. It knows no prompts and no templates."""

import ctypes
import re
from dataclasses import dataclass

from adapters.llama.library import low

SENTENCEPIECE = 1
"""LLAMA_VOCAB_TYPE_SPM: the kind of vocabulary that begins every text with a space of its own."""

USER_DEFINED = 1 << 4
"""LLAMA_TOKEN_ATTR_USER_DEFINED: such a token is found in any text, allowed to be special or not."""

LEADERS = ("\n", "\x01")
"""Texts to stand before a stretch that is not the first, most usual first. See `Vocabulary.tokenize`."""

PIECE_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Leader:
    text: str
    tokens: tuple[int, ...]


class Vocabulary:
    """The words of one loaded model. Good for any thread as long as the model is not freed."""

    def __init__(self, model: object) -> None:
        self._vocab = low.llama_model_get_vocab(model)
        self.size = int(low.llama_vocab_n_tokens(self._vocab))
        newline = int(low.llama_vocab_nl(self._vocab))
        self.newline = newline if 0 <= newline < self.size else None
        self._pieces: dict[int, bytes] = {}
        self._markers = self._find_markers()
        self._leaders = self._find_leaders()

    def tokenize(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        """The tokens of a stretch of text, as the Runner port says. Lone surrogates become U+FFFD.

        A SentencePiece vocabulary puts a space before any text (`add_space_prefix`), which must not happen in the middle
        of a prompt: there a line break is set before the stretch and its tokens are taken off again.
        """
        clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        if special:
            return self._stretch(clean, special=True, first=first)
        tokens: list[int] = []
        for part in self._without_markers(clean):
            tokens += self._stretch(part, special=False, first=first and not tokens)
        return tuple(tokens)

    def piece(self, token: int) -> bytes:
        """The bytes that a token spells; empty for control tokens. Raises ValueError for a token that is none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token)
        return known

    def is_end(self, token: int) -> bool:
        """Whether this token ends a reply."""
        return self.holds(token) and bool(low.llama_vocab_is_eog(self._vocab, token))

    def holds(self, token: int) -> bool:
        """Whether there is such a token."""
        return 0 <= token < self.size

    def _stretch(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        if first:
            return self._tokens(text, special=special, first=True)
        if not text:
            return ()
        for leader in self._leaders:
            tokens = self._tokens(leader.text + text, special=special, first=False)
            if tokens[: len(leader.tokens)] == leader.tokens:
                return tokens[len(leader.tokens) :]
        return self._tokens(text, special=special, first=False)

    def _tokens(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        raw = text.encode()
        room = len(raw) + 8
        found = (low.llama_token * room)()
        count = low.llama_tokenize(self._vocab, raw, len(raw), found, room, first, special)
        if count < 0:
            room = -count
            found = (low.llama_token * room)()
            count = low.llama_tokenize(self._vocab, raw, len(raw), found, room, first, special)
        return tuple(found[:count])

    def _without_markers(self, text: str) -> list[str]:
        """The text in parts, cut inside every word that the vocabulary would take for a marker whoever wrote it."""
        if self._markers is None:
            return [text]
        cuts = [match.start() + 1 for match in self._markers.finditer(text)]
        return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    def _find_markers(self) -> re.Pattern[str] | None:
        """Markup among the user-defined tokens (`<|im_start|>` in some files), which llama.cpp finds in any text."""
        defined = [token for token in range(self.size) if low.llama_vocab_get_attr(self._vocab, token) & USER_DEFINED]
        texts = [(low.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace") for token in defined]
        markup = sorted((text for text in texts if re.fullmatch(r"[<\[].+[>\]]", text, re.DOTALL)), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, markup))) if markup else None

    def _find_leaders(self) -> tuple[_Leader, ...]:
        if low.llama_vocab_type(self._vocab) != SENTENCEPIECE:
            return ()
        return tuple(_Leader(text, self._tokens(text, special=False, first=False)) for text in LEADERS)

    def _read_piece(self, token: int) -> bytes:
        if not self.holds(token):
            raise ValueError(f"{token} is no token of this vocabulary, which has {self.size}")
        room = PIECE_BYTES
        buffer = ctypes.create_string_buffer(room)
        size = low.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
        if size < 0:
            room = -size
            buffer = ctypes.create_string_buffer(room)
            size = low.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
        return buffer.raw[: max(size, 0)]
