import ctypes
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from adapters.llama import library
from adapters.llama.header import Value, read_header
from adapters.llama.library import Handle, low
from adapters.llama.loading import load
from adapters.llama.sizes import F16, PROGRAM, Q8_0, STEP, CacheType, Shape, doubts, fit, parsed_size, shape_of, shown_size
from tests.models import DEMO_MODEL

MIB, GIB = 1024**2, 1024**3
MISTRAL = Shape(key_heads=(8,) * 32, key_length=128, value_length=128, width=4096, hidden=14336, vocabulary=32000)
GGML_TYPES = {"f16": low.GGML_TYPE_F16, "q8_0": low.GGML_TYPE_Q8_0}


def demo_shape() -> Shape:
    header = read_header(DEMO_MODEL)
    shape = shape_of(header.keys, header.lengths["tokenizer.ggml.tokens"])
    assert shape is not None
    return shape


@contextmanager
def context(model: Handle, kind: CacheType, tokens: int, sessions: int = 1) -> Iterator[Handle]:
    params = low.llama_context_default_params()
    params.n_ctx, params.n_seq_max, params.n_batch, params.n_ubatch = tokens * sessions, sessions, STEP, STEP
    params.kv_unified = False
    params.n_threads = params.n_threads_batch = 1
    params.type_k = params.type_v = GGML_TYPES[kind.name]
    made = low.llama_init_from_model(model, params)
    assert made
    yield made
    low.llama_free(made)


@pytest.mark.parametrize("kind", [F16, Q8_0], ids=lambda kind: kind.name)
def test_what_is_reckoned_per_token_is_what_the_library_saves_per_token(kind: CacheType) -> None:
    model = load(DEMO_MODEL, gpu_layers=0)
    tokens = (low.llama_token * 256)(*([5] * 256))
    with context(model.handle, kind, 512) as made:
        empty = low.llama_state_seq_get_size(made, 0)
        assert low.llama_decode(made, low.llama_batch_get_one(ctypes.cast(tokens, ctypes.POINTER(low.llama_token)), 256)) == 0
        measured = (low.llama_state_seq_get_size(made, 0) - empty) / 256
    model.free()
    reckoned = demo_shape().cache_bytes(kind)
    assert reckoned is not None
    assert reckoned <= measured <= reckoned * 1.03


@pytest.mark.parametrize("kind", [F16, Q8_0], ids=lambda kind: kind.name)
def test_the_allowance_for_buffers_is_enough_and_the_cache_is_exact(kind: CacheType, caplog: pytest.LogCaptureFixture) -> None:
    library.start()
    with caplog.at_level(logging.DEBUG, "adapters.llama.library"):
        model = load(DEMO_MODEL, gpu_layers=0)
        with context(model.handle, kind, 2048, sessions=4):
            pass
        model.free()

    def said(what: str) -> float:
        return sum(float(found[1]) for found in re.finditer(rf"{what} buffer size = +([\d.]+) MiB", caplog.text)) * MIB

    shape = demo_shape()
    found = fit(shape, kind, weights=0, memory=GIB, context=2048)
    assert found is not None
    assert said("KV") == pytest.approx(4 * found.per_session, abs=MIB / 100)
    assert 0 < said("compute") + said("output") <= shape.buffer_bytes(2048) - PROGRAM


def test_a_7b_model_takes_what_was_measured() -> None:
    assert (MISTRAL.cache_bytes(F16), MISTRAL.cache_bytes(Q8_0)) == (128 * 1024, 68 * 1024)
    found = fit(MISTRAL, F16, weights=4_368_000_000, memory=12 * GIB, context=4096)
    assert found is not None
    assert found.per_session == 512 * MIB
    assert found.sessions == (12 * GIB - 4_368_000_000 - MISTRAL.buffer_bytes(4096)) // (512 * MIB)
    assert 10 <= found.sessions <= 15


def test_a_memory_smaller_than_the_weights_holds_no_session() -> None:
    found = fit(MISTRAL, F16, weights=4_368_000_000, memory=4 * GIB, context=4096)
    assert found is not None
    assert found.sessions == 0


def test_no_more_sessions_are_promised_than_the_library_keeps_apart() -> None:
    found = fit(MISTRAL, Q8_0, weights=0, memory=4096 * GIB, context=512)
    assert found is not None
    assert found.sessions == 256


def test_a_session_is_rounded_up_to_the_cells_of_the_cache() -> None:
    [small, large] = [fit(MISTRAL, F16, weights=0, memory=GIB, context=tokens) for tokens in (513, 768)]
    assert small is not None
    assert large is not None
    assert small.per_session == large.per_session == 768 * 128 * 1024


def test_heads_that_are_no_multiple_of_a_block_have_no_such_cache() -> None:
    odd = replace(MISTRAL, key_length=80)
    assert odd.cache_bytes(Q8_0) is None
    assert odd.cache_bytes(F16) == 32 * 8 * (80 + 128) * 2
    assert fit(odd, Q8_0, weights=0, memory=GIB, context=512) is None


KEYS: Mapping[str, Value] = {
    "general.architecture": "x",
    "x.block_count": 3,
    "x.embedding_length": 64,
    "x.attention.head_count": 4,
}


def test_a_shape_is_told_by_the_keys_with_their_usual_defaults() -> None:
    assert shape_of(KEYS, 100) == Shape((4, 4, 4), 16, 16, 64, 0, 100)


def test_heads_of_their_own_length_and_of_each_layer_are_taken_from_the_keys() -> None:
    keys = {**KEYS, "x.attention.head_count_kv": (2, 0, 1), "x.attention.key_length": 32, "x.attention.value_length": 8}
    shape = shape_of(keys, 100)
    assert shape is not None
    assert shape.cache_bytes(F16) == 3 * (32 + 8) * 2


@pytest.mark.parametrize("name", ["x.block_count", "x.embedding_length", "x.attention.head_count"])
def test_keys_that_are_missing_leave_the_shape_unknown(name: str) -> None:
    assert shape_of({key: value for key, value in KEYS.items() if key != name}, 100) is None


def test_what_makes_the_numbers_doubtful_is_said() -> None:
    assert doubts(KEYS, window=0, is_recurrent=False) == ()
    [window] = doubts(KEYS, window=1024, is_recurrent=False)
    assert "1024 tokens only" in window
    assert len(doubts({**KEYS, "x.attention.kv_lora_rank": 512}, window=0, is_recurrent=True)) == 2
    assert len(doubts({**KEYS, "x.attention.shared_kv_layers": 4}, window=0, is_recurrent=False)) == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("800", 800),
        ("800B", 800),
        ("12GiB", 12 * GIB),
        ("12G", 12 * GIB),
        ("12GB", 12 * 10**9),
        ("800M", 800 * MIB),
        (" 1.5GiB ", 3 * GIB // 2),
        ("64K", 64 * 1024),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parsed_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "G", "12 GiB", "12gib", "-1G", "1e9", "1.5", "12X", "0", "0G", "12iB", "1_000", "nan", "9" * 16]
)
def test_what_is_no_size_is_none(text: str) -> None:
    assert parsed_size(text) is None


@pytest.mark.parametrize(
    ("size", "shown"),
    [(816, "816 bytes"), (1536, "1.5 KiB"), (512 * MIB, "512 MiB"), (12 * GIB, "12 GiB"), (1023 * MIB, "1023 MiB")],
)
def test_a_size_is_shown_short(size: int, shown: str) -> None:
    assert shown_size(size) == shown
