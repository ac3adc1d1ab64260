"""How the next tokens are drawn from the logits of a step, exactly. It knows numbers and a vocabulary, no stories."""

from adapters.llama.sampling.draw import candidates, draw_rows
from adapters.llama.sampling.repeats import Words
from adapters.llama.sampling.sampler import Sampler

__all__ = ["Sampler", "Words", "candidates", "draw_rows"]
