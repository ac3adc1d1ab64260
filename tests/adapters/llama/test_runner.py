import numpy as np
import pytest

from adapters.llama.context import Context
from adapters.llama.library import Handle, low
from adapters.llama.loading import load
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import ModelNotLoaded, RunnerFailed
from bot.ports.runner import RunnerShape, Stretch
from bot.sampling import SamplingSettings
from tests.adapters.llama.watched import WatchedRunner
from tests.models import DEMO_MODEL

GREEDY = SamplingSettings(temperature=0.0)
ONE_THREAD = RunnerSettings(slots=1, context=128, batch=64, threads=1)


def a_runner(slots: int = 1, context: int = 128, batch: int = 64, chunk: int = 64) -> LlamaRunner:
    return LlamaRunner(load(DEMO_MODEL, gpu_layers=0), RunnerSettings(slots, context, batch, threads=1, chunk=chunk))


@pytest.mark.parametrize(("slots", "context", "batch"), [(1, 100, 64), (3, 300, 64), (4, 256, 512), (2, 10, 8), (1, 256, 600)])
def test_it_grants_what_was_asked_although_llama_cpp_rounds(slots: int, context: int, batch: int) -> None:
    runner = a_runner(slots, context, batch, chunk=8)
    assert runner.shape == RunnerShape(slots, context, max(batch, slots + 7), 8, neighbours=True)
    assert low.llama_n_ctx_seq(runner._context._handle) * slots == low.llama_n_ctx(runner._context._handle)  # type: ignore[union-attr]  # open
    filled = 0
    while filled < context:
        size = min(8, context - filled)
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
        patch.setattr(Context, "rows", lambda _self, count: np.full((count, 4), np.nan, dtype=np.float32))
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


def test_a_step_that_fails_half_way_leaves_the_lengths_that_the_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_runner(slots=2)
    decode = low.llama_decode
    answers = iter((None, 1))

    def failing(context: Handle, batch: low.llama_batch) -> int:
        answer = next(answers)
        return int(decode(context, batch)) if answer is None else answer

    with monkeypatch.context() as patch:
        patch.setattr(low, "llama_decode", failing)
        with pytest.raises(RunnerFailed, match="no room"):
            runner.step((Stretch(0, (65, 66), 0, draws=False), Stretch(1, (65, 66), 0, draws=False)))
    assert runner.step((Stretch(0, (67,), 2, draws=False), Stretch(1, (67,), 0, draws=False))) == (None, None)
    runner.close()


def test_a_first_step_that_fails_is_a_model_that_was_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(DEMO_MODEL, gpu_layers=0)
    with monkeypatch.context() as patch:
        patch.setattr(low, "llama_decode", lambda _context, _batch: -2)
        with pytest.raises(ModelNotLoaded, match="its first step failed"):
            LlamaRunner(model, RunnerSettings(2, 128, 64, threads=1))
    model.free()


def test_a_saved_state_cannot_be_written_into() -> None:
    runner = a_runner()
    runner.step((Stretch(0, (65, 66), 0, draws=False),))
    assert runner.save(0).readonly
    runner.close()


def test_a_state_of_a_longer_context_is_not_taken() -> None:
    longer, shorter = a_runner(context=512), a_runner(context=128)
    for start in range(0, 192, 64):
        longer.step((Stretch(0, (65,) * 64, start, draws=False),))
    assert not shorter.restore(0, longer.save(0), 192)
    assert shorter.step((Stretch(0, (65,), 0, draws=False),)) == (None,)
    for runner in (longer, shorter):
        runner.close()


def sizes_of_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every call of the library by the number of tokens that it reads."""
    calls: list[int] = []
    decode = low.llama_decode

    def noting(context: Handle, batch: low.llama_batch) -> int:
        calls.append(batch.n_tokens)
        return int(decode(context, batch))

    monkeypatch.setattr(low, "llama_decode", noting)
    return calls


def test_on_a_cpu_no_stretch_is_cut_by_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = a_runner(slots=4)
    calls = sizes_of_calls(monkeypatch)
    runner.step([Stretch(slot, (65,) * size, 0, draws=False) for slot, size in enumerate((9, 1, 20, 1))])
    assert calls == [2, 9, 20]
    runner.close()


def test_where_layers_are_on_a_gpu_all_is_read_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they were: the calls are divided for a GPU, and read by this machine."""
    model = load(DEMO_MODEL, gpu_layers=0)
    model.on_gpu = True
    runner = WatchedRunner(model, RunnerSettings(4, 256, 128, threads=1, chunk=32))
    assert not runner.is_exact
    asked = {3: tuple(range(300, 320)), 0: (400,), 1: tuple(range(500, 530))}
    for slot, tokens in asked.items():
        runner.begin(slot, GREEDY, 1, ())
        runner.step((Stretch(slot, tokens, 0, draws=True),))
    alone = {seen.slot: seen.row for seen in runner.seen}
    for slot in range(4):
        runner.keep(slot, 0)
    runner.seen.clear()
    calls = sizes_of_calls(monkeypatch)
    stretches = (
        *(Stretch(slot, tokens, 0, draws=slot != 1) for slot, tokens in asked.items()),
        Stretch(1, (7,), 30, draws=True),
    )
    drawn = runner.step(stretches)
    assert calls == [52]
    assert [token is None for token in drawn] == [False, False, True, False]
    together = {seen.slot: seen.row for seen in runner.seen}
    for slot in (0, 3):
        assert np.abs(together[slot] - alone[slot]).max() < 0.5 < np.abs(together[slot] - alone[3 - slot]).max()
    runner.close()


def test_without_layers_on_a_gpu_nothing_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[low.llama_context_params] = []
    make = low.llama_init_from_model

    def noting(model: Handle, params: low.llama_context_params) -> Handle:
        asked.append(params)
        return make(model, params)

    monkeypatch.setattr(low, "llama_init_from_model", noting)
    for on_gpu in (False, True):
        model = load(DEMO_MODEL, gpu_layers=0)
        model.on_gpu = on_gpu
        LlamaRunner(model, ONE_THREAD).close()
    assert [(params.offload_kqv, params.op_offload) for params in asked] == [(False, False), (True, True)]


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
    for call in (lambda: runner.keep(0, 0), lambda: runner.begin(0, GREEDY, 1, ()), lambda: runner.piece(65)):
        with pytest.raises(RunnerFailed, match="closed"):
            call()
