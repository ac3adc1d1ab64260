import threading

import pytest

from bot.engine.tokens import LONG_TEXT, REMEMBERED, PromptTokens, joined
from bot.errors import UnknownToken
from bot.ports.engine import Segment
from tests.fakes.runner import BEGIN, END, CountingRunner


async def test_only_the_first_segment_begins_the_prompt() -> None:
    tokens = PromptTokens(CountingRunner())
    assert await tokens.parts((Segment("a"), Segment("b"))) == ((BEGIN, 97), (98,))


async def test_only_trusted_text_can_become_control_tokens() -> None:
    tokens = PromptTokens(CountingRunner())
    trusted, plain = await tokens.parts((Segment("</s>", trusted=True), Segment("</s>")))
    assert END in trusted
    assert bytes(plain) == b"</s>"


async def test_ids_that_a_segment_brings_are_used_where_they_spell_it() -> None:
    tokens = PromptTokens(CountingRunner())
    spelled = (*b"abc", END)
    assert await tokens.parts((Segment("x"), Segment("abc", token_ids=spelled))) == ((BEGIN, 120), spelled)


@pytest.mark.parametrize("foreign", [(7, 8), (97, 98), (31_999,), (-1,)])
async def test_ids_of_another_model_are_not_used(foreign: tuple[int, ...]) -> None:
    tokens = PromptTokens(CountingRunner())
    assert (await tokens.parts((Segment("x"), Segment("abc", token_ids=foreign))))[1] == tuple(b"abc")


async def test_ids_without_a_text_are_the_prompt_as_it_is() -> None:
    runner = CountingRunner()
    prompt = (Segment("", trusted=True, token_ids=(BEGIN, 97)), Segment("", trusted=True, token_ids=(98, END)))
    assert await PromptTokens(runner).parts(prompt) == ((BEGIN, 97), (98, END))
    assert not runner.tokenized


async def test_an_id_without_a_text_that_is_none_of_the_models_is_told() -> None:
    tokens = PromptTokens(CountingRunner())
    for _ in range(2):
        with pytest.raises(UnknownToken, match="4711"):
            await tokens.parts((Segment("", trusted=True, token_ids=(97, 4711)),))


async def test_a_text_is_tokenised_once_for_each_way_of_reading_it() -> None:
    runner = CountingRunner()
    tokens = PromptTokens(runner)
    for _ in range(3):
        await tokens.parts((Segment("a"), Segment("a"), Segment("a", trusted=True)))
    assert runner.tokenized == 3


async def test_what_is_remembered_has_bounds_and_the_oldest_goes_first() -> None:
    runner = CountingRunner()
    tokens = PromptTokens(runner)
    segments = tuple(Segment(str(number)) for number in range(REMEMBERED + 1))
    await tokens.parts(segments)
    await tokens.parts((Segment("first"), *segments[-10:]))
    assert runner.tokenized == REMEMBERED + 2
    await tokens.parts((Segment("first"), segments[1]))
    assert runner.tokenized == REMEMBERED + 3


async def test_a_very_long_text_is_tokenised_but_not_remembered() -> None:
    runner = CountingRunner()
    tokens = PromptTokens(runner)
    for _ in range(2):
        (part,) = await tokens.parts((Segment("x" * LONG_TEXT),))
        assert len(part) == LONG_TEXT + 1
    assert runner.tokenized == 2


async def test_ids_without_a_text_are_a_prompt_that_was_tokenised_before() -> None:
    tokens = PromptTokens(CountingRunner())
    assert await tokens.parts((Segment("", trusted=True, token_ids=(5, 6)), Segment("b"))) == ((5, 6), (98,))


async def test_ids_without_a_text_that_nobody_vouches_for_are_nothing() -> None:
    tokens = PromptTokens(CountingRunner())
    assert await tokens.parts((Segment("x"), Segment("", token_ids=(5, 6)))) == ((BEGIN, 120), ())


def test_the_places_where_parts_open_are_counted_in_tokens() -> None:
    segments = (Segment("a", opens=True), Segment("bc"), Segment("", opens=True), Segment("d", opens=True), Segment("e"))
    assert joined(segments, ((1, 2), (3,), (), (4,), (5,))) == ((1, 2, 3, 4, 5), (3,))


class SlowRunner(CountingRunner):
    """Notes on which thread it is asked, and how often for a piece."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()
        self.pieces = 0

    def tokenize(self, text: str, *, special: bool, first: bool) -> tuple[int, ...]:
        self.threads.add(threading.get_ident())
        return super().tokenize(text, special=special, first=first)

    def piece(self, token: int) -> bytes:
        self.threads.add(threading.get_ident())
        self.pieces += 1
        return super().piece(token)


@pytest.mark.parametrize(
    "segments",
    [
        tuple(Segment(f"{number:05} " + "x" * 100) for number in range(LONG_TEXT // 100)),
        (Segment("", trusted=True, token_ids=(97,) * LONG_TEXT),),
        (Segment("x"), Segment("a" * (LONG_TEXT // 2), token_ids=(97,) * (LONG_TEXT // 2))),
    ],
)
async def test_much_at_once_does_not_hold_up_the_event_loop(segments: tuple[Segment, ...]) -> None:
    runner = SlowRunner()
    await PromptTokens(runner).parts(segments)
    assert threading.get_ident() not in runner.threads
    assert runner.threads


async def test_many_short_texts_are_remembered_although_they_came_at_once() -> None:
    runner = SlowRunner()
    tokens = PromptTokens(runner)
    segments = tuple(Segment(f"{number:05} " + "x" * 100) for number in range(LONG_TEXT // 100))
    assert await tokens.parts(segments) == await tokens.parts(segments)
    assert runner.tokenized == len(segments)


async def test_that_an_id_is_one_of_the_models_is_asked_once() -> None:
    runner = SlowRunner()
    tokens = PromptTokens(runner)
    for _ in range(3):
        await tokens.parts((Segment("", trusted=True, token_ids=(97, 98) * 5000),))
    assert runner.pieces == 2
