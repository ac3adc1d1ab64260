"""What every Runner promises, on the one without weights and on llama.cpp with the model that the program ships."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.llama.loading import load
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import RunnerFailed
from bot.ports.runner import Runner, Stretch
from bot.sampling import LIMARP, SamplingSettings
from tests.adapters.llama.weights import write_adapter
from tests.fakes.runner import CountingRunner
from tests.models import DEMO_MODEL

GREEDY = SamplingSettings(temperature=0.0)


Maker = Callable[[], Runner]


@pytest.fixture(params=["counting", "llama"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    """Makes runners of one kind that are alike; all are closed after the test."""
    made: list[Runner] = []

    def counting() -> Runner:
        return CountingRunner(slots=3, context=256, batch=40, chunk=32, adapters=("warm",))

    def llama() -> Runner:
        settings = RunnerSettings(slots=3, context=256, batch=40, chunk=32, threads=1, exact=True)
        path = tmp_path / "warm.gguf"
        if not path.exists():
            write_adapter(path)
        return LlamaRunner(load(DEMO_MODEL, gpu_layers=0), settings, (AdapterFile("warm", path),))

    def make() -> Runner:
        made.append(counting() if request.param == "counting" else llama())
        return made[-1]

    yield make
    for runner in made:
        runner.close()


@pytest.fixture
def runner(make: Maker) -> Runner:
    return make()


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
    assert (runner.shape.slots, runner.shape.context, runner.shape.batch, runner.shape.chunk) == (3, 256, 40, 32)


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


@pytest.mark.parametrize("other", [0, 1])
def test_two_slots_that_change_places_go_on_as_if_they_had_not(runner: Runner, other: int) -> None:
    """Slot 2 holds something, slot 1 does not; both are exchanged with slot 0 in the middle of its reply."""
    prompt, hot = tokens_of(runner), SamplingSettings(temperature=2.0)
    wanted = replies(runner, 0, prompt, hot, 7)
    runner.keep(0, 0)
    runner.begin(0, hot, 7, prompt)
    runner.step((Stretch(2, tokens_of(runner, "Rain fell."), 0, draws=False),))
    slot, unread, at = 0, prompt, 0
    drawn: list[int] = []
    for place in (0, 1, 2, other, 2, 0):
        if place != slot:
            runner.exchange(slot, place)
            slot = place
        (token,) = runner.step((Stretch(slot, unread, at, draws=True),))
        assert token is not None
        drawn.append(token)
        at += len(unread)
        unread = (token,)
    assert drawn == wanted


def test_a_slot_that_is_not_there_cannot_be_exchanged(runner: Runner) -> None:
    with pytest.raises(RunnerFailed):
        runner.exchange(0, 3)
    with pytest.raises(RunnerFailed):
        runner.exchange(-1, 0)


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
    runner.begin(0, GREEDY, 1, prompt)
    runner.step((Stretch(0, prompt[:-1], 0, draws=False),))
    wanted = runner.step((Stretch(0, prompt[-1:], len(prompt) - 1, draws=True),))
    runner.step((Stretch(0, prompt[:9], len(prompt), draws=False),))
    assert runner.keep(0, len(prompt) - 1)
    assert runner.step((Stretch(0, prompt[-1:], len(prompt) - 1, draws=True),)) == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        Stretch(3, (65,), 0, draws=False),
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


def test_a_step_takes_no_more_than_its_batch(runner: Runner) -> None:
    with pytest.raises(RunnerFailed):
        runner.step(tuple(Stretch(slot, (65,) * 20, 0, draws=False) for slot in (0, 1, 2)))


def test_several_stretches_of_a_slot_in_a_step_are_read_as_in_several_steps(runner: Runner) -> None:
    prompt = tokens_of(runner)
    parts = (
        Stretch(0, prompt[:4], 0, draws=False),
        Stretch(0, prompt[4:5], 4, draws=False),
        Stretch(0, prompt[5:], 5, draws=True),
    )
    runner.begin(0, GREEDY, 1, prompt)
    apart = [runner.step((part,))[0] for part in parts]
    runner.keep(0, 0)
    runner.begin(0, GREEDY, 1, prompt)
    beside = Stretch(1, prompt[:7], 0, draws=False)
    assert runner.step((parts[0], beside, *parts[1:])) == (apart[0], None, *apart[1:])


def test_only_the_last_stretch_of_a_slot_may_draw(runner: Runner) -> None:
    runner.begin(0, GREEDY, 1, ())
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 0, draws=True), Stretch(0, (65,), 1, draws=True)))


def test_stretches_of_a_slot_follow_each_other_without_a_gap(runner: Runner) -> None:
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 0, draws=False), Stretch(0, (65,), 2, draws=False)))


def test_a_reply_is_the_same_whatever_else_is_read_at_the_time(runner: Runner) -> None:
    assert runner.is_exact
    prompt = tokens_of(runner)
    alone = replies(runner, 0, prompt, LIMARP, 3)
    runner.keep(0, 0)
    runner.begin(0, LIMARP, 3, prompt)
    drawn: list[int | None] = []
    unread, at = prompt, 0
    for turn in range(6):
        beside = Stretch(2, (70 + turn,) * 7, turn * 7, draws=False), Stretch(1, (80 + turn,), turn, draws=False)
        drawn.append(runner.step((beside[0], Stretch(0, unread, at, draws=True), beside[1]))[1])
        at += len(unread)
        unread = (drawn[-1] or 0,)
    assert drawn == alone


def test_the_identity_is_one_word_and_the_same_for_runners_that_are_alike(make: Maker) -> None:
    identity = make().identity
    assert identity.isalnum()
    assert make().identity == identity


@pytest.mark.parametrize("slot", [0, 2], ids=["the same slot", "another slot"])
def test_a_saved_slot_goes_on_as_if_nothing_had_happened(make: Maker, slot: int) -> None:
    runner, other = make(), make()
    prompt = tokens_of(runner)
    runner.begin(0, GREEDY, 1, prompt)
    runner.step((Stretch(0, prompt[:-1], 0, draws=False),))
    state = runner.save(0)
    wanted = runner.step((Stretch(0, prompt[-1:], len(prompt) - 1, draws=True),))
    for each in (runner, other):
        each.keep(slot, 0)
        each.step((Stretch(slot, (90,) * 11, 0, draws=False),))
        assert each.restore(slot, state, len(prompt) - 1)
        each.begin(slot, GREEDY, 1, prompt)
        assert each.step((Stretch(slot, prompt[-1:], len(prompt) - 1, draws=True),)) == wanted


def test_a_saved_state_does_not_change_with_its_slot(runner: Runner) -> None:
    runner.step((Stretch(0, (65, 66), 0, draws=False),))
    state = runner.save(0)
    before = bytes(state)
    runner.keep(0, 0)
    runner.step((Stretch(0, (70,) * 9, 0, draws=False),))
    assert bytes(state) == before


def test_an_empty_slot_can_be_saved(runner: Runner) -> None:
    state = runner.save(1)
    assert runner.restore(0, state, 0)
    assert runner.step((Stretch(0, (65,), 0, draws=False),)) == (None,)


@pytest.mark.parametrize(("cut", "length"), [(None, 3), (20, 2), (0, 2)], ids=["another length", "cut short", "nothing"])
def test_a_state_that_does_not_fit_leaves_an_empty_slot(runner: Runner, cut: int | None, length: int) -> None:
    runner.step((Stretch(0, (65, 66), 0, draws=False),))
    assert not runner.restore(0, runner.save(0)[:cut], length)
    assert runner.step((Stretch(0, (65,), 0, draws=False),)) == (None,)


def test_there_is_nothing_to_save_where_there_is_no_slot(runner: Runner) -> None:
    state = runner.save(0)
    for slot in (-1, 3):
        with pytest.raises(RunnerFailed):
            runner.save(slot)
        with pytest.raises(RunnerFailed):
            runner.restore(slot, state, 0)


def test_an_adapter_is_asked_for_by_its_name(runner: Runner) -> None:
    assert runner.adapters == ("warm",)
    assert runner.step((Stretch(0, (65,), 0, draws=False),), "warm") == (None,)
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(1, (65,), 0, draws=False),), "cold")


def test_a_slot_is_read_with_one_adapter_until_it_is_empty(runner: Runner) -> None:
    runner.step((Stretch(0, (65, 66), 0, draws=False),), "warm")
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (67,), 2, draws=False),))
    runner.keep(0, 0)
    assert runner.step((Stretch(0, (67,), 0, draws=False),)) == (None,)


def test_a_slot_never_holds_more_than_the_context(runner: Runner) -> None:
    for start in range(0, 256, 32):
        runner.step((Stretch(0, (65,) * 32, start, draws=False),))
    with pytest.raises(RunnerFailed):
        runner.step((Stretch(0, (65,), 256, draws=False),))


def test_a_slot_cannot_keep_what_it_does_not_hold(runner: Runner) -> None:
    for slot, length in ((0, 1), (0, -1), (3, 0)):
        with pytest.raises(RunnerFailed):
            runner.keep(slot, length)


def test_a_closed_runner_refuses_to_work(runner: Runner) -> None:
    state = runner.save(0)
    runner.close()
    calls: tuple[Callable[[], object], ...] = (
        lambda: runner.step((Stretch(0, (65,), 0, draws=False),)),
        lambda: runner.save(0),
        lambda: runner.restore(0, state, 0),
    )
    for call in calls:
        with pytest.raises(RunnerFailed):
            call()
