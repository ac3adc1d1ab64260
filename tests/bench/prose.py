"""Made prose of about so many tokens, the same for everyone who asks with the same seed. It knows no tokenizer."""

import random

WORDS = (  # noqa: SIM905  two hundred quotation marks help nobody
    "the and of to a in that he was his it with as had you not be her on at by which from or she this but all are were"
    " said there one when they we out no so what up if about who into them then only some time could like now my over"
    " man me even most made after also did many off before must well back through years where much your way down should"
    " because long each just state those people too mr how little good world make very year still see own work men day"
    " get here old life both between being under three never know same last another while us might great go come since"
    " against right came take used himself few house use place during high without again home around small however found"
    " part thought went say left once general upon school every does got united number hand course water until always"
    " away public something fact less though put think almost head look light door night voice fire road rain room window"
).split()
"""Common English words, nearly all of them a single token of Llama's vocabulary."""

SENTENCE = 12


def prose(seed: str, tokens: int) -> str:
    """Sentences of common words, about `tokens` tokens long (a full stop counts as one, and so does a word)."""
    dice = random.Random(seed)  # noqa: S311  no secret hangs on it
    sentences, left = [], tokens
    while left > 0:
        length = min(SENTENCE, max(left - 1, 1))
        sentences.append(" ".join(dice.choices(WORDS, k=length)).capitalize() + ".")
        left -= length + 1
    return " ".join(sentences)
