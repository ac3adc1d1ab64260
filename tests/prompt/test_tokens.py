"""The borders between segments change no token: joined, they are what the model would read of the whole text."""

from collections.abc import Iterator

import pytest

from adapters.llama.loading import load
from adapters.llama.tokens import Vocabulary
from bot.prompt.build import build
from bot.prompt.format import FORMATS, PromptFormat
from tests.models import DEMO_MODEL
from tests.prompt.cases import CASES


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[Vocabulary]:
    model = load(DEMO_MODEL, gpu_layers=0)
    yield Vocabulary(model.handle)
    model.free()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_segments_are_read_like_the_whole(vocabulary: Vocabulary, fmt: PromptFormat, case: str) -> None:
    segments = build(CASES[case][0], fmt).segments
    parts = [vocabulary.tokenize(each.text, special=each.trusted, first=not at) for at, each in enumerate(segments)]

    assert sum(parts, ()) == vocabulary.tokenize("".join(each.text for each in segments), special=True, first=True)
