import numpy as np
import pytest

from adapters.llama.library import low
from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import ModelNotLoaded, RunnerFailed
from bot.ports.runner import Stretch
from bot.sampling import SamplingSettings
from tests.models import DEMO_MODEL

GREEDY = SamplingSettings(temperature=0.0)
ONE_THREAD = RunnerSettings(slots=1, context=128, batch=64, threads=1)


def a_runner(slots: int = 1, context: int = 128, batch: int = 64) -> LlamaRunner:
    return LlamaRunner(load(DEMO_MODEL, gpu_layers=0), RunnerSettings(slots, context, batch, threads=1))


@pytest.mark.parametrize(("slots", "context", "batch"), [(1, 100, 64), (3, 300, 64), (4, 256, 512), (2, 10, 8)])
def test_it_grants_what_was_asked_although_llama_cpp_rounds(slots: int, context: int, batch: int) -> None:
    runner = a_runner(slots, context, batch)
    assert (runner.shape.slots, runner.shape.context) == (slots, context)
    assert 0 < runner.shape.batch <= batch
    assert low.llama_n_ctx_seq(runner._context) * slots == low.llama_n_ctx(runner._context)  # each slot has its own
    filled = 0
    while filled < context:
        size = min(runner.shape.batch, context - filled)
        runner.step([Stretch(slot, (65,) * size, filled, draws=False) for slot in range(slots)][:1])
        filled += size
    runner.close()


@pytest.mark.parametrize("slots", [0, -1, 257])
def test_an_impossible_number_of_slots_is_refused(slots: int) -> None:
    model = load(DEMO_MODEL, gpu_layers=0)
    with pytest.raises(ModelNotLoaded, match="between 1 and 256"):
        LlamaRunner(model, RunnerSettings(slots, 128, 64, 1))
    model.free()


def test_a_context_that_cannot_be_made_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(DEMO_MODEL, gpu_layers=0)
    monkeypatch.setattr(low, "llama_init_from_model", lambda _model, _params: None)
    with pytest.raises(ModelNotLoaded, match="shorter context or fewer slots"):
        LlamaRunner(model, ONE_THREAD)
    model.free()


def test_what_one_slot_computes_does_not_depend_on_the_others() -> None:
    runner = a_runner(slots=2)
    prompt = runner.tokenize("Mira looked up.", special=False, first=True)
    rows = []
    for beside in (False, True):
        for slot in (0, 1):
            runner.keep(slot, 0)
            runner.begin(slot, GREEDY, 1, prompt)
        stretches = [Stretch(0, prompt, 0, draws=True)]
        if beside:
            stretches.append(Stretch(1, prompt[::-1], 0, draws=True))
        runner.step(stretches)
        rows.append(runner._row(len(prompt) - 1).copy())
    assert (rows[0] == rows[1]).all()
    runner.close()


def test_the_logits_are_those_of_the_last_token_of_each_stretch() -> None:
    runner = a_runner(slots=2)
    one, other = (runner.tokenize(text, special=False, first=True) for text in ("Rain.", "Mira looked"))
    alone = []
    for prompt in (one, other):
        runner.keep(0, 0)
        runner.begin(0, GREEDY, 1, prompt)
        alone.append(runner.step((Stretch(0, prompt, 0, draws=True),))[0])
    runner.keep(0, 0)
    runner.begin(1, GREEDY, 1, other)
    assert runner.step((Stretch(0, one, 0, draws=False), Stretch(1, other, 0, draws=True))) == (None, alone[1])
    runner.close()


def test_numbers_that_are_none_fail_the_step_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_runner()
    runner.begin(0, GREEDY, 1, ())
    with monkeypatch.context() as patch:
        patch.setattr(runner.__class__, "_row", lambda _self, _index: np.full(4, np.nan, dtype=np.float32))
        with pytest.raises(RunnerFailed, match="no usable numbers"):
            runner.step((Stretch(0, (65,), 0, draws=True),))
    assert runner.keep(0, 0)
    assert runner.step((Stretch(0, (65,), 0, draws=True),))[0] is not None
    runner.close()


def test_a_decode_that_fails_says_so_and_the_slot_can_be_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_runner()
    runner.step((Stretch(0, (65, 66), 0, draws=False),))
    for answer, reason in ((1, "no room"), (-3, "answered -3")):
        with monkeypatch.context() as patch:
            patch.setattr(low, "llama_decode", lambda _context, _batch, answer=answer: answer)
            with pytest.raises(RunnerFailed, match=reason):
                runner.step((Stretch(0, (67,), 2, draws=False),))
    assert runner.keep(0, 2)
    assert runner.step((Stretch(0, (67,), 2, draws=False),)) == (None,)
    runner.close()


def test_a_cache_that_cannot_be_cut_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_runner()
    runner.step((Stretch(0, (65, 66, 67), 0, draws=False),))
    cut = low.llama_memory_seq_rm
    with monkeypatch.context() as patch:
        patch.setattr(low, "llama_memory_seq_rm", lambda m, s, start, end: cut(m, s, start, end) if start <= 0 else False)
        assert not runner.keep(0, 2)
    assert runner.step((Stretch(0, (65,), 0, draws=False),)) == (None,)
    runner.close()


def test_a_history_of_foreign_tokens_is_refused() -> None:
    runner = a_runner()
    with pytest.raises(RunnerFailed, match="none of this model's"):
        runner.begin(0, GREEDY, 1, (10**6,))
    with pytest.raises(RunnerFailed, match="not a token"):
        runner.piece(10**6)
    runner.close()


def test_closing_twice_does_nothing_and_a_closed_runner_never_reaches_the_library() -> None:
    runner = a_runner()
    runner.close()
    runner.close()
    for call in (lambda: runner.keep(0, 0), lambda: runner.begin(0, GREEDY, 1, ())):
        with pytest.raises(RunnerFailed, match="closed"):
            call()
