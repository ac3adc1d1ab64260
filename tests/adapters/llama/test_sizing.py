from dataclasses import replace

import pytest

from adapters.llama.sizing import RunnerSettings, plan, usual_chunk
from bot.errors import ModelNotLoaded

SETTINGS = RunnerSettings(slots=4, context=4096, batch=512, threads=2)
SMALL = 10**8


@pytest.mark.parametrize(
    ("parameters", "chunk"), [(8_000_000, 256), (500_000_000, 40), (1_100_000_000, 16), (7_200_000_000, 16), (10**12, 16)]
)
def test_the_larger_the_model_the_shorter_its_stretches_on_a_cpu(parameters: int, chunk: int) -> None:
    assert plan(SETTINGS, parameters=parameters, on_gpu=False).sizes.chunk == chunk


def test_on_a_gpu_stretches_are_long() -> None:
    assert usual_chunk(7_200_000_000, on_gpu=True) == 512


def test_a_chunk_that_is_asked_for_is_taken_as_far_as_a_slot_holds_it() -> None:
    assert plan(replace(SETTINGS, chunk=100), parameters=SMALL, on_gpu=False).sizes.chunk == 100
    assert plan(replace(SETTINGS, chunk=100, context=50), parameters=SMALL, on_gpu=False).sizes.chunk == 50


def test_a_step_has_room_for_a_stretch_beside_a_token_of_every_other_slot() -> None:
    assert plan(replace(SETTINGS, batch=10, chunk=64), parameters=SMALL, on_gpu=False).step == 67
    assert plan(replace(SETTINGS, batch=512, chunk=64), parameters=SMALL, on_gpu=False).step == 512


@pytest.mark.parametrize(
    ("kv_type", "asked", "on_gpu", "flash"),
    [
        ("f16", None, False, False),
        ("q8_0", None, False, True),
        ("f16", True, False, True),
        ("f16", None, True, None),
        ("q8_0", None, True, None),
        ("f16", False, True, False),
    ],
)
def test_flash_attention_is_used_where_it_is_needed_or_asked_for(
    kv_type: str, *, asked: bool | None, on_gpu: bool, flash: bool | None
) -> None:
    settings = replace(SETTINGS, kv_type=kv_type, flash_attention=asked)
    assert plan(settings, parameters=SMALL, on_gpu=on_gpu).sizes.flash_attention is flash


def test_for_a_short_context_flash_attention_is_used_and_replies_stay_exact() -> None:
    planned = plan(replace(SETTINGS, context=256, exact=True), parameters=SMALL, on_gpu=False)
    assert (planned.sizes.flash_attention, planned.exact) == (True, True)
    assert plan(replace(SETTINGS, context=257), parameters=SMALL, on_gpu=False).sizes.flash_attention is False


@pytest.mark.parametrize(
    ("settings", "on_gpu", "exact"),
    [
        (SETTINGS, False, None),
        (replace(SETTINGS, exact=True), False, True),
        (replace(SETTINGS, exact=False), False, False),
        (replace(SETTINGS, kv_type="q8_0", exact=True), False, True),
        (SETTINGS, True, False),
        (replace(SETTINGS, flash_attention=True), False, False),
    ],
)
def test_exactness_is_wanted_only_where_it_can_be_had(settings: RunnerSettings, *, on_gpu: bool, exact: bool | None) -> None:
    assert plan(settings, parameters=SMALL, on_gpu=on_gpu).exact is exact


@pytest.mark.parametrize(
    ("settings", "on_gpu", "sentence"),
    [
        (replace(SETTINGS, slots=0), False, "between 1 and 256"),
        (replace(SETTINGS, slots=257), False, "between 1 and 256"),
        (replace(SETTINGS, chunk=0), False, "at least 1"),
        (replace(SETTINGS, context=0), False, "at least 1"),
        (replace(SETTINGS, threads=0), False, "at least 1"),
        (replace(SETTINGS, kv_type="q3"), False, "one of f16, q8_0"),
        (replace(SETTINGS, kv_type="q8_0", flash_attention=False), False, "needs flash attention"),
        (replace(SETTINGS, exact=True), True, "put none there"),
        (replace(SETTINGS, exact=True, flash_attention=True), False, "leave it off"),
    ],
)
def test_what_cannot_be_had_together_is_refused_with_what_to_do(
    settings: RunnerSettings, *, on_gpu: bool, sentence: str
) -> None:
    with pytest.raises(ModelNotLoaded, match=sentence):
        plan(settings, parameters=SMALL, on_gpu=on_gpu)
