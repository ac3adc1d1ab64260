"""What a body may hold: every mistake is one sentence, and nothing at all is another error."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.remote.body import Body
from adapters.remote.orders import ALIASES, read_order
from adapters.remote.refusals import Refusal
from adapters.remote.settings import EngineServerSettings
from bot.ports.engine import EngineCapabilities
from bot.sampling import ORDER, SamplingSettings

SERVED = EngineCapabilities("ashh:7b", 512, adapters=("mira", "tobias"))
LIMITS = EngineServerSettings(max_tokens=100, stops=9, stop_length=8, biases=3)
DEEP = b"[" * 200_000


def order(**fields: object) -> object:
    return read_order(Body.parse(json.dumps({"prompt": "x", **fields}).encode()), SERVED, LIMITS)


def refusal(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as refused:
        read_order(Body.parse(raw), SERVED, LIMITS)
    return refused.value


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (DEEP, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"prompt": "x", "temperature": NaN}', "not JSON"),
        (b'{"prompt": "x", "temperature": 1e999}', '"temperature" must be a number'),
        (b'{"prompt": "x", "max_tokens": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"prompt": "x", "temperature": ' + b"9" * 400 + b"}", '"temperature" must be a number'),
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes, part: str) -> None:
    refused = refusal(raw)
    assert (refused.status, refused.code) == (400, "bad_request")
    assert part in refused.message


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"prompt": None}, '"prompt" must be a text or a list of ids'),
        ({"prompt": ""}, "not empty"),
        ({"prompt": []}, "not empty"),
        ({"prompt": [[]]}, "not empty"),
        ({"prompt": ["a", "b"]}, "several prompts"),
        ({"prompt": [[1], [2]]}, "several prompts"),
        ({"prompt": [1, "b"]}, '"prompt" must be'),
        ({"prompt": [-1]}, '"prompt" must be'),
        ({"prompt": [1.5]}, '"prompt" must be'),
        ({"prompt": [True]}, '"prompt" must be'),
        ({"prompt": [2**40]}, '"prompt" must be'),
        ({"prompt": {}}, '"prompt" must be'),
        ({"prompt": [1, 2], "borders": [2]}, '"borders" must be rising offsets'),
        ({"prompt": [1, 2, 3], "borders": [2, 1]}, '"borders" must be rising offsets'),
        ({"prompt": [1, 2, 3], "borders": [1, 1]}, '"borders" must be rising offsets'),
        ({"prompt": [1, 2], "borders": [-1]}, '"borders" must be a list'),
        ({"prompt": [1, 2], "borders": "0"}, '"borders" must be a list'),
        ({"max_tokens": 0}, '"max_tokens" must be a whole number from 1 to 100'),
        ({"max_tokens": -5}, '"max_tokens"'),
        ({"max_tokens": 101}, '"max_tokens"'),
        ({"max_tokens": "9"}, '"max_tokens"'),
        ({"max_tokens": True}, '"max_tokens"'),
        ({"max_tokens": 1.5}, '"max_tokens"'),
        ({"max_completion_tokens": 101}, '"max_completion_tokens"'),
        ({"stream": "yes"}, '"stream" must be true or false'),
        ({"stream": 1}, '"stream" must be true or false'),
        ({"stream_options": []}, '"stream_options" must be a JSON object'),
        ({"stream_options": {"include_usage": 1}}, '"stream_options.include_usage"'),
        ({"stop": ["x"] * 10_000}, '"stop" must be a string or a list of at most 9'),
        ({"stop": "x" * 9}, '"stop" must be made of strings of at most 8'),
        ({"stop": [1]}, '"stop" must be'),
        ({"seed": 1.5}, '"seed"'),
        ({"seed": -2}, '"seed"'),
        ({"temperature": "hot"}, '"temperature" must be a number'),
        ({"temperature": -1}, "temperature is -1.0; it must lie between 0 and 5"),
        ({"top_k": 1.5}, '"top_k" must be a whole number'),
        ({"top_p": [1]}, '"top_p" must be a number'),
        ({"repeat_penalty": 99}, "repetition_penalty is 99"),
        ({"penalize_newline": 0}, '"penalize_newline" must be true or false'),
        ({"logit_bias": [1]}, '"logit_bias" must be an object of at most 3 ids'),
        ({"logit_bias": {"fifty": 1}}, '"logit_bias" must be an object'),
        ({"logit_bias": {"50": 101}}, '"logit_bias" must be an object'),
        ({"logit_bias": {"50": None}}, '"logit_bias" must be an object'),
        ({"logit_bias": {"1": 1, "2": 1, "3": 1, "4": 1}}, '"logit_bias" must be an object'),
        ({"logit_bias": {"5": 1, "05": 2}}, "names a token twice"),
        ({"order": ["dry"]}, "order is dry; it must name each of these stages once"),
        ({"dry_breakers": [""]}, "dry_breakers holds"),
        ({"session_id": 5}, '"session_id" must be a string'),
        ({"session_id": "x" * 257}, '"session_id" must be at most 256'),
        ({"community": []}, '"community" must be a string'),
        ({"deadline": -1}, '"deadline" must be a number from 0'),
        ({"deadline": "soon"}, '"deadline" must be a number from 0'),
        ({"n": 2}, '"n" other than 1'),
        ({"best_of": 3}, '"best_of" other than 1'),
        ({"echo": True}, '"echo" is not offered'),
        ({"logprobs": 0}, '"logprobs" is not offered'),
        ({"suffix": "end"}, '"suffix" is not offered'),
        ({"model": "mira", "adapter": "tobias"}, "different adapters"),
    ],
)
def test_every_mistake_is_one_sentence_that_names_the_field(fields: dict[str, object], part: str) -> None:
    refused = refusal(json.dumps({"prompt": "x", **fields}).encode())
    assert refused.status == 400
    assert part in refused.message
    assert refused.message.endswith(".")


@pytest.mark.parametrize(
    ("fields", "adapter"),
    [
        ({}, ""),
        ({"model": None}, ""),
        ({"model": ""}, ""),
        ({"model": "ashh:7b"}, ""),
        ({"model": "ashh:7b:mira"}, "mira"),
        ({"model": "mira"}, "mira"),
        ({"model": "ashh:7b", "adapter": "tobias"}, "tobias"),
        ({"model": "mira", "adapter": "mira"}, "mira"),
    ],
)
def test_a_model_and_its_adapter_can_be_named_in_several_ways(fields: dict[str, object], adapter: str) -> None:
    assert read_order(Body({"prompt": "x", **fields}), SERVED, LIMITS).request.adapter == adapter


@pytest.mark.parametrize("fields", [{"model": "gpt"}, {"model": "ashh:7b:other"}, {"adapter": "other"}])
def test_an_unknown_model_or_adapter_is_not_found(fields: dict[str, object]) -> None:
    refused = refusal(json.dumps({"prompt": "x", **fields}).encode())
    assert (refused.status, refused.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1, "best_of": 1, "echo": False, "logprobs": None, "suffix": None, "user": "someone"},
        {"stop": None, "seed": None, "temperature": None, "stream_options": None, "deadline": None},
        {"mirostat": 2, "grammar": "root ::= x", "dynatemp_range": 1},
    ],
)
def test_what_changes_nothing_or_is_not_known_is_no_matter(fields: dict[str, object]) -> None:
    assert order(**fields)


def test_settings_of_every_kind_are_read() -> None:
    given = {
        "logit_bias": {"7": -100, "9": 2.5},
        "order": list(reversed(ORDER)),
        "dry_breakers": ["\n"],
        "penalize_newline": False,
    }
    sampling = read_order(Body({"prompt": "x", **given}), SERVED, LIMITS).request.sampling
    assert sampling == SamplingSettings(
        logit_bias=((7, -100.0), (9, 2.5)), order=tuple(reversed(ORDER)), dry_breakers=("\n",), penalize_newline=False
    )


def test_a_session_named_by_a_header_must_be_text_as_well() -> None:
    with pytest.raises(Refusal, match='"session_id" must be Unicode'):
        read_order(Body({"prompt": "x"}), SERVED, LIMITS, "a\udcff")


def test_without_a_seed_each_reply_gets_one_of_its_own() -> None:
    seeds = {read_order(Body({"prompt": "x", "seed": seed}), SERVED, LIMITS).request.seed for seed in (None, -1, -1, None)}
    assert len(seeds) == 4
    assert min(seeds) >= 0


NAMED_TWICE = [(ours, alias) for ours, aliases in ALIASES.items() for alias in aliases]


@pytest.mark.parametrize(("ours", "alias"), NAMED_TWICE)
def test_a_setting_is_known_by_what_others_call_it_and_our_own_name_wins(ours: str, alias: str) -> None:
    values = {"dry_breakers": (["x"], ["y"], ("x",))}.get(ours, (1, 2, 1))
    given, other, wanted = values
    sampling = read_order(Body({"prompt": "x", alias: given}), SERVED, LIMITS).request.sampling
    assert getattr(sampling, ours) == wanted
    both = read_order(Body({"prompt": "x", alias: other, ours: given}), SERVED, LIMITS).request.sampling
    assert getattr(both, ours) == wanted


TEXTS = st.text(st.sampled_from("ab0-\n\0é😀"), max_size=5)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *SamplingSettings.__dataclass_fields__,
        *("prompt", "borders", "max_tokens", "stop", "stream", "stream_options", "model", "adapter", "seed", "logit_bias"),
        *("session_id", "community", "deadline", "n", "logprobs", "return_token_ids", "queue_updates"),
    ]
)


def status_of(read: Callable[[], object]) -> int:
    try:
        read()
    except Refusal as refused:
        return refused.status
    return 200


@given(st.dictionaries(FIELDS, ANYTHING, max_size=4))
def test_whatever_a_body_holds_it_is_an_order_or_a_refusal(fields: dict[str, object]) -> None:
    assert status_of(lambda: read_order(Body({"prompt": "x", **fields}), SERVED, LIMITS)) in {200, 400, 404}


@given(st.binary(max_size=60))
def test_whatever_bytes_come_they_are_a_body_or_a_refusal(raw: bytes) -> None:
    assert status_of(lambda: Body.parse(raw)) in {200, 400}
