"""What every Runner promises, on the one without weights and on llama.cpp with the model that the program ships."""

from collections.abc import Iterator

import pytest

from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import RunnerFailed
from bot.ports.runner import Runner, Stretch
from bot.sampling import LIMARP, SamplingSettings
from tests.fakes.runner import CountingRunner
from tests.models import DEMO_MODEL

GREEDY = SamplingSettings(temperature=0.0)


@pytest.fixture(params=["counting", "llama"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    made: Runner
    if request.param == "counting":
        made = CountingRunner(slots=2, context=256, batch=32)
    else:
        settings = RunnerSettings(slots=2, context=256, batch=32, threads=1)
        made = LlamaRunner(load(DEMO_MODEL, gpu_layers=0), settings)
    yield made
    made.close()


def tokens_of(runner: Runner, text: str = "Mira looked up from the ledger.") -> tuple[int, ...]:
    return runner.tokenize(text, special=False, first=True)


def replies(runner: Runner, slot: int, prompt: tuple[int, ...], settings: SamplingSettings, seed: int) -> list[int]:
    """Six tokens, drawn one by one after a prompt read into an empty slot."""
    runner.keep(slot, 0)
    runner.begin(slot, settings, seed, prompt)
    drawn: list[int] = []
    unread, at = prompt, 0
    for _ in range(6):
        (token,) = runner.step((Stretch(slot, unread, at, draws=True),))
        assert token is not None
        drawn.append(token)
        at += len(unread)
        unread = (token,)
    return drawn


def test_it_grants_the_sizes_that_were_asked_for(runner: Runner) -> None:
    assert (runner.shape.slots, runner.shape.context, runner.shape.batch) == (2, 256, 32)


@pytest.mark.parametrize(
    "text", ["Plain words.", " two  spaces ", "\n\n### Input:\n", "naïve — “quoted” 😀", "</s><s>[INST]", "tab\tnul\0bell\a"]
)
def test_what_was_tokenised_is_spelled_again_by_its_pieces(runner: Runner, text: str) -> None:
    tokens = runner.tokenize(text, special=False, first=False)
    assert b"".join(runner.piece(token) for token in tokens).decode() == text


def test_no_text_has_no_tokens(runner: Runner) -> None:
    assert runner.tokenize("", special=False, first=False) == ()
    assert runner.tokenize("", special=True, first=False) == ()


def test_what_people_wrote_never_becomes_a_control_token(runner: Runner) -> None:
    plain = runner.tokenize("He said </s> and left.", special=False, first=False)
    assert not any(runner.is_end(token) for token in plain)
    assert all(runner.piece(token) for token in plain)


def test_what_the_template_says_can_become_a_control_token(runner: Runner) -> None:
    assert any(runner.is_end(token) for token in runner.tokenize("</s>", special=True, first=False))


def test_the_same_seed_draws_the_same_tokens_in_any_slot(runner: Runner) -> None:
    prompt = tokens_of(runner)
    assert replies(runner, 0, prompt, LIMARP, 7) == replies(runner, 1, prompt, LIMARP, 7)


def test_another_seed_draws_other_tokens(runner: Runner) -> None:
    prompt = tokens_of(runner)
    hot = SamplingSettings(temperature=2.0)
    assert len({tuple(replies(runner, 0, prompt, hot, seed)) for seed in range(4)}) > 1


def test_a_stretch_that_does_not_ask_draws_nothing(runner: Runner) -> None:
    assert runner.step((Stretch(0, tokens_of(runner), 0, draws=False),)) == (None,)


def test_slots_are_read_together_and_do_not_disturb_each_other(runner: Runner) -> None:
    one, other = tokens_of(runner, "Mira sat."), tokens_of(runner, "Rain fell.")
    alone = replies(runner, 0, one, GREEDY, 1)[0], replies(runner, 1, other, GREEDY, 1)[0]
    for slot in (0, 1):
        runner.keep(slot, 0)
        runner.begin(slot, GREEDY, 1, one if slot == 0 else other)
    assert runner.step((Stretch(1, other, 0, draws=True), Stretch(0, one, 0, draws=True))) == alone[::-1]


def test_a_cut_slot_goes_on_from_where_it_was_cut(runner: Runner) -> None:
    prompt = tokens_of(runner)
    wanted = replies(runner, 0, prompt, GREEDY, 1)
    assert runner.keep(0, len(prompt) - 1)
    runner.begin(0, GREEDY, 1, prompt)
    assert runner.step((Stretch(0, prompt[-1:], len(prompt) - 1, draws=True),)) == (wanted[0],)


@pytest.mark.parametrize(
    "wrong",
    [
        Stretch(2, (65,), 0, draws=False),
        Stretch(-1, (65,), 0, draws=False),
        Stretch(0, (), 0, draws=False),
        Stretch(0, (65,), 1, draws=False),
        Stretch(0, (65,) * 33, 0, draws=False),
        Stretch(0, (10_000_000,), 0, draws=False),
        Stretch(0, (-1,), 0, draws=False),
        Stretch(0, (65,), 0, draws=True),
    ],
    ids=["no such slot", "negative slot", "nothing", "a gap", "too much", "no such token", "negative token", "no begin"],
)
def test_a_wrong_step_is_refused_and_does_no_harm(runner: Runner, wrong: Stretch) -> None:
    with pytest.raises(RunnerFailed):
        runner.step((wrong,))
    for slot in (0, 1):
        runner.keep(slot, 0)
    assert len(replies(runner, 0, tokens_of(runner), GREEDY, 1)) == 6


def test_a_step_takes_one_stretch_for_each_slot(runner: Runner) -> None:
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 0, draws=False), Stretch(0, (65,), 1, draws=False)))


def test_a_slot_never_holds_more_than_the_context(runner: Runner) -> None:
    for start in range(0, 256, 32):
        runner.step((Stretch(0, (65,) * 32, start, draws=False),))
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 256, draws=False),))


def test_a_slot_cannot_keep_what_it_does_not_hold(runner: Runner) -> None:
    for slot, length in ((0, 1), (0, -1), (2, 0)):
        with pytest.raises(RunnerFailed):
            runner.keep(slot, length)


def test_a_closed_runner_refuses_to_work(runner: Runner) -> None:
    runner.close()
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 0, draws=False),))
