"""The promise of exactness on the real library: not the tokens are compared, but all logits, to the last bit."""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from adapters.llama.context import Context, Rows
from adapters.llama.library import low
from adapters.llama.loading import load
from adapters.llama.lora import AdapterFile
from adapters.llama.proving import widest_exact
from adapters.llama.runner import RunnerSettings
from bot.errors import RunnerFailed
from bot.ports.runner import Stretch
from bot.sampling import SamplingSettings
from tests.adapters.llama.watched import WatchedRunner
from tests.adapters.llama.weights import write_adapter, write_model
from tests.models import DEMO_MODEL

GREEDY = SamplingSettings(temperature=0.0)
CHUNK, SLOTS = 64, 8
WORDS = tuple(int(word) for word in np.random.default_rng(7).integers(3, 259, 2000))
PROMPT, REPLY = WORDS[:600], WORDS[600:624]
MIDDLE = 12
"""Tokens of the reply before that something happens to the slot."""

SIZES = (1, 1, 5, 1, CHUNK, 1, 17)
"""Of the stretches that a neighbour reads: mostly single tokens, as one that writes does, and some of a prompt."""


@dataclass(slots=True)
class Neighbour:
    """Another slot that reads on while the observed one does."""

    slot: int
    length: int = 0
    sizes: Iterator[int] = field(default_factory=lambda: cycle(SIZES))

    def next(self) -> Stretch:
        size = next(self.sizes)
        stretch = Stretch(self.slot, WORDS[self.length : self.length + size], self.length, draws=size == 1)
        self.length += size
        return stretch


Event = Callable[[WatchedRunner, int, int], int]
"""Something that happens to the observed slot (a runner, a slot, its length); the answer is the slot that goes on."""


def nothing(_runner: WatchedRunner, slot: int, _length: int) -> int:
    return slot


def saved_and_restored(runner: WatchedRunner, slot: int, length: int) -> int:
    state = runner.save(slot)
    runner.keep(slot, 0)
    runner.step((Stretch(slot, WORDS[:33], 0, draws=False),))
    assert runner.restore(slot, state, length)
    return slot


def moved(runner: WatchedRunner, slot: int, length: int) -> int:
    other = (slot + 1) % SLOTS
    runner.step((Stretch(other, WORDS[:50], 0, draws=False),))
    assert runner.restore(other, runner.save(slot), length)
    runner.keep(slot, 0)
    return other


def cut_and_read_again(runner: WatchedRunner, slot: int, length: int) -> int:
    border = len(PROMPT) // CHUNK * CHUNK
    assert runner.keep(slot, border)
    runner.step((Stretch(slot, PROMPT[border:], border, draws=False),))
    for at in range(len(PROMPT), length):
        runner.step((Stretch(slot, REPLY[at - len(PROMPT) :][:1], at, draws=False),))
    return slot


def grown_and_cut(runner: WatchedRunner, slot: int, length: int) -> int:
    for start in range(length, length + 300, 60):
        runner.step((Stretch(slot, WORDS[:60], start, draws=False),))
    assert runner.keep(slot, length)
    return slot


def rows_of(
    runner: WatchedRunner, slot: int = 0, beside: Sequence[int] = (), event: Event = nothing, adapter: str = ""
) -> list[Rows]:
    """The logits after each stretch of the prompt and each token of the reply, read beside the slots given."""
    for each in range(SLOTS):
        runner.keep(each, 0)
        runner.begin(each, GREEDY, 1, ())
    neighbours = [Neighbour(each) for each in beside]
    for neighbour in neighbours[::2]:  # longer than the observed slot will ever be
        while neighbour.length < 700:
            runner.step((Stretch(neighbour.slot, WORDS[neighbour.length :][:50], neighbour.length, draws=False),), adapter)
            neighbour.length += 50
    length, rows = 0, []
    for tokens in (*_chunks(PROMPT), *((token,) for token in REPLY)):
        if length == len(PROMPT) + MIDDLE:
            slot = event(runner, slot, length)
        runner.seen.clear()
        others = [neighbour.next() for neighbour in neighbours]
        runner.step((*others[::2], Stretch(slot, tokens, length, draws=True), *others[1::2]), adapter)
        rows += [seen.row for seen in runner.seen if seen.slot == slot]
        length += len(tokens)
    return rows


def _chunks(tokens: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [tokens[start : start + CHUNK] for start in range(0, len(tokens), CHUNK)]


def same(one: Sequence[Rows], other: Sequence[Rows]) -> bool:
    return len(one) == len(other) > 0 and all(np.array_equal(row, beside) for row, beside in zip(one, other, strict=True))


def a_runner(
    path: Path = DEMO_MODEL,
    *,
    threads: int = 1,
    kv_type: str = "f16",
    exact: bool | None = None,
    adapters: tuple[AdapterFile, ...] = (),
) -> WatchedRunner:
    settings = RunnerSettings(SLOTS, 1536, 640, threads, CHUNK, kv_type=kv_type, exact=exact)
    return WatchedRunner(load(path, gpu_layers=0), settings, adapters)


@pytest.fixture(params=["f16", pytest.param("q8_0", marks=pytest.mark.slow)])
def kv_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def runner(kv_type: str) -> Iterator[WatchedRunner]:
    runner = a_runner(kv_type=kv_type, exact=True)
    assert runner.is_exact
    yield runner
    runner.close()


@pytest.mark.parametrize(
    "beside",
    [
        (1,),
        pytest.param((1, 2, 3), marks=pytest.mark.slow),
        pytest.param((1, 2, 3, 4, 5, 6, 7), marks=pytest.mark.slow),
        (3, 6),
    ],
    ids=["1", "3", "7", "with gaps"],
)
def test_what_a_slot_computes_does_not_depend_on_its_neighbours(runner: WatchedRunner, beside: tuple[int, ...]) -> None:
    assert same(rows_of(runner), rows_of(runner, beside=beside))


def test_it_does_not_depend_on_the_slot(runner: WatchedRunner) -> None:
    assert same(rows_of(runner), rows_of(runner, slot=5, beside=(2, 7)))


@pytest.mark.parametrize("event", [saved_and_restored, moved, cut_and_read_again, grown_and_cut])
def test_it_does_not_depend_on_what_happened_to_the_slot(runner: WatchedRunner, event: Event) -> None:
    assert same(rows_of(runner), rows_of(runner, beside=(3, 4), event=event))


def test_it_goes_on_exactly_in_another_process_of_the_same_identity(runner: WatchedRunner, kv_type: str) -> None:
    """Another runner stands for the process: it shares nothing with the first but the file."""
    rows = rows_of(runner)
    runner.keep(0, len(PROMPT))
    state = runner.save(0)
    fresh = a_runner(kv_type=kv_type, exact=True)
    assert fresh.identity == runner.identity
    assert fresh.restore(3, state, len(PROMPT))
    fresh.begin(3, GREEDY, 1, ())
    for at, token in enumerate(REPLY):
        fresh.step((Stretch(3, (token,), len(PROMPT) + at, draws=True),))
    assert same(rows[-len(REPLY) :], [seen.row for seen in fresh.seen])
    fresh.close()


def test_it_does_not_depend_on_the_number_of_threads(kv_type: str) -> None:
    rows = []
    for threads in (1, 2):
        runner = a_runner(threads=threads, kv_type=kv_type, exact=True)
        rows.append(rows_of(runner, beside=(1,) if threads == 2 else ()))
        runner.close()
    assert same(*rows)


def test_idle_slots_that_are_read_to_fill_a_gap_change_nothing(runner: WatchedRunner) -> None:
    rows = rows_of(runner, beside=(2,))
    before = runner.save(1), runner.save(4)
    context = runner._context
    assert context
    context.gap = 8
    assert same(rows, rows_of(runner, beside=(3, 6)))
    assert (runner.save(1), runner.save(4)) == before


ALL_BUT_ONE = (1, 2, 3, 4, 6, 7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K_M", "Q6_K"])
def test_any_weights_are_exact_when_that_is_asked_for(tmp_path: Path, kind: str) -> None:
    runner = a_runner(write_model(tmp_path / "model.gguf", kind), exact=True)
    assert runner.is_exact
    assert same(rows_of(runner), rows_of(runner, slot=5, beside=ALL_BUT_ONE))
    runner.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K_M", "Q6_K"])
def test_without_being_asked_exactness_is_promised_only_where_it_is_true(tmp_path: Path, kind: str) -> None:
    runner = a_runner(write_model(tmp_path / "model.gguf", kind))
    assert same(rows_of(runner), rows_of(runner, slot=5, beside=ALL_BUT_ONE)) or not runner.is_exact
    runner.close()


@pytest.mark.slow
def test_a_reply_with_an_adapter_is_exact_when_that_is_asked_for(tmp_path: Path) -> None:
    adapter = AdapterFile("warm", write_adapter(tmp_path / "adapter.gguf"))
    runner = a_runner(exact=True, adapters=(adapter,))
    assert same(rows_of(runner, adapter="warm"), rows_of(runner, slot=5, beside=ALL_BUT_ONE, adapter="warm"))
    runner.close()


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0"])
def test_weights_of_simple_blocks_are_exact_at_no_cost(tmp_path: Path, kind: str) -> None:
    """On x86, that is; elsewhere the library may have other kernels, and says so by not being exact."""
    runner = a_runner(write_model(tmp_path / "model.gguf", kind))
    assert runner.is_exact or platform.machine() not in {"x86_64", "AMD64"}
    runner.close()


def test_exactness_is_not_promised_where_it_is_not_wanted() -> None:
    runner = a_runner(exact=False)
    assert not runner.is_exact
    runner.close()


@pytest.mark.parametrize(("lying", "widest"), [(2, 1), (4, 3), (8, 7), (9, 8)])
def test_the_width_from_which_on_rows_come_out_otherwise_is_found(
    runner: WatchedRunner, monkeypatch: pytest.MonkeyPatch, lying: int, widest: int
) -> None:
    """As if the library took another kernel for so many rows: the last digit of one number differs then."""
    true_rows = Context.rows

    def rows(context: Context, count: int) -> Rows:
        found = true_rows(context, count).copy()
        found[0, 0] = np.nextafter(found[0, 0], np.float32(np.inf)) if count >= lying else found[0, 0]
        return found

    monkeypatch.setattr(Context, "rows", rows)
    for slot in range(SLOTS):
        runner.keep(slot, 0)
    context = runner._context
    assert context
    assert widest_exact(context, SLOTS, 1000) == widest


def test_the_first_of_several_calls_of_a_step_is_drawn_from_before_the_second(runner: WatchedRunner) -> None:
    for slot in (0, 1):
        runner.begin(slot, GREEDY, 1, ())
    apart = [runner.step((Stretch(slot, WORDS[slot * 9 :][:9], 0, draws=True),))[0] for slot in (0, 1)]
    for slot in (0, 1):
        runner.keep(slot, 0)
        runner.begin(slot, GREEDY, 1, ())
    assert list(runner.step([Stretch(slot, WORDS[slot * 9 :][:9], 0, draws=True) for slot in (0, 1)])) == apart


def test_a_call_that_fails_takes_back_what_filled_its_gaps(runner: WatchedRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    context = runner._context
    assert context
    context.gap = 8
    for slot in (0, 1, 2):
        runner.step((Stretch(slot, WORDS[:5], 0, draws=False),))
    decode = low.llama_decode
    with monkeypatch.context() as patch:
        patch.setattr(low, "llama_decode", lambda handle, batch: decode(handle, batch) or -3)
        with pytest.raises(RunnerFailed):
            runner.step([Stretch(slot, WORDS[5:6], 5, draws=False) for slot in (0, 2)])
    assert [context.length(slot) for slot in (0, 1, 2)] == [6, 5, 6]
