"""The kinds of completion server that an engine can be, as data: one record each. It sends nothing.

Where the facts are from: llama-server and llama_cpp.server, their own source of the version that this project uses; vLLM,
KoboldCpp and TabbyAPI, their public source. A setting that a kind has no name for is told as one that it cannot follow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from adapters.remote import wire

AUTO = "auto"
"""Find out by asking `/v1/models`, where every kind names itself as the models' owner."""

Path = tuple[str | int, ...]
"""Where a value stands in a JSON answer: keys and places, from the outside in."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How to have one text tokenised: the route, the field for the text, and where the ids stand in the answer.

    `first` is the field that asks for a begin-of-sequence token, `special` the one that lets control words become control
    tokens; empty where the server does both unasked.
    """

    route: str
    text: str
    ids: str
    first: str = ""
    special: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Where to learn something about what is served: a GET route and the place in its answer."""

    route: str
    at: Path


@dataclass(frozen=True, slots=True)
class ServerKind:
    """One kind of server.

    `is_ours` speaks the whole wire of `adapters.remote.server`. `takes_ids` accepts a prompt as ids. `fields` are the names
    for our sampler settings. `always` goes into every request. `stops` is how many stop texts it takes, each of up to
    `stop_length` characters; `stop_met` is where the last chunk names the one that was met. `warm_route` reads a prompt
    ahead. `lists_adapters` serves LoRA adapters as models of their own.
    """

    name: str
    owner: str
    fields: Mapping[str, str]
    is_ours: bool = False
    takes_ids: bool = False
    tokenizer: Tokenizer | None = None
    context: Fact | None = None
    model: Fact = Fact(wire.MODELS, ("data", 0, "id"))
    always: Mapping[str, object] = field(default_factory=dict)
    stops: int = 256
    stop_length: int = 256
    stop_met: Path = ("choices", 0, "stop_reason")
    warm_route: str = ""
    lists_adapters: bool = False

    def taken(self, stops: Sequence[str]) -> tuple[str, ...]:
        """The stop texts that can be sent; any others are for whoever reads the reply to look for."""
        return tuple(stop for stop in stops if 0 < len(stop) <= self.stop_length)[: self.stops]


_OPENAI_FIELDS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
}

_DRY_AND_XTC = {
    "dry_multiplier": "dry_multiplier",
    "dry_base": "dry_base",
    "dry_allowed_length": "dry_allowed_length",
    "dry_breakers": "dry_sequence_breakers",
    "xtc_probability": "xtc_probability",
    "xtc_threshold": "xtc_threshold",
}

UNDERSTUDY = ServerKind("understudy", wire.OWNER, {}, is_ours=True, takes_ids=True)
"""Ours. How many stop texts it takes, each host tells."""

LLAMA_SERVER = ServerKind(
    "llama-server",
    "llamacpp",
    {
        **_OPENAI_FIELDS,
        **_DRY_AND_XTC,
        "top_k": "top_k",
        "min_p": "min_p",
        "typical_p": "typical_p",
        "repetition_penalty": "repeat_penalty",
        "penalty_range": "repeat_last_n",
        "dry_range": "dry_penalty_last_n",
    },
    takes_ids=True,
    tokenizer=Tokenizer("/tokenize", "content", "tokens", first="add_special", special="parse_special"),
    context=Fact("/props", ("default_generation_settings", "n_ctx")),
    # Only its verbose answers name the stop text that was met.
    always={"cache_prompt": True, "verbose": True},
    stop_met=("__verbose", "stopping_word"),
    warm_route="/completion",
)

VLLM = ServerKind(
    "vllm",
    "vllm",
    {**_OPENAI_FIELDS, "top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repetition_penalty"},
    takes_ids=True,
    tokenizer=Tokenizer("/tokenize", "prompt", "tokens", first="add_special_tokens"),
    context=Fact(wire.MODELS, ("data", 0, "max_model_len")),
    lists_adapters=True,
)

KOBOLDCPP = ServerKind(
    "koboldcpp",
    "koboldcpp",
    {
        **_DRY_AND_XTC,
        "temperature": "temperature",
        "tail_free_z": "tfs",
        "top_k": "top_k",
        "top_p": "top_p",
        "min_p": "min_p",
        "typical_p": "typical",
        "repetition_penalty": "rep_pen",
        "penalty_range": "rep_pen_range",
        "presence_penalty": "presence_penalty",
        "dry_range": "dry_penalty_last_n",
        "logit_bias": "logit_bias",
    },
    tokenizer=Tokenizer("/api/extra/tokencount", "prompt", "ids", first="special"),
    context=Fact("/api/extra/true_max_context_length", ("value",)),
    # The stop text stays in its output, so that it can be told which one was met.
    always={"trim_stop": False},
)

TABBYAPI = ServerKind(
    "tabbyapi",
    "tabbyAPI",
    {
        **_OPENAI_FIELDS,
        **_DRY_AND_XTC,
        "tail_free_z": "tfs",
        "top_k": "top_k",
        "min_p": "min_p",
        "typical_p": "typical",
        "repetition_penalty": "repetition_penalty",
        "penalty_range": "penalty_range",
        "dry_range": "dry_range",
    },
    tokenizer=Tokenizer("/v1/token/encode", "text", "tokens", first="add_bos_token", special="encode_special_tokens"),
    context=Fact("/v1/model", ("parameters", "max_seq_len")),
    model=Fact("/v1/model", ("id",)),
    always={"temperature_last": True},
)

LLAMA_CPP_PYTHON = ServerKind(
    "llama_cpp.server",
    "me",
    {**_OPENAI_FIELDS, "top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repeat_penalty"},
    tokenizer=Tokenizer("/extras/tokenize", "input", "tokens"),
)

OPENAI = ServerKind("openai", "", _OPENAI_FIELDS, stops=4)
"""Any other. It tells neither its context nor its tokens: the context must be configured, and tokens are estimated."""

KINDS: Mapping[str, ServerKind] = MappingProxyType(
    {kind.name: kind for kind in (UNDERSTUDY, LLAMA_SERVER, VLLM, KOBOLDCPP, TABBYAPI, LLAMA_CPP_PYTHON, OPENAI)}
)


def kind_of_owner(owner: object) -> ServerKind:
    """The kind of server whose models belong to this owner."""
    return next((kind for kind in KINDS.values() if kind.owner and kind.owner == owner), OPENAI)


def found_at(answer: object, path: Path) -> object:
    """What stands at this place of an answer; None when there is no such place."""
    for step in path:
        if isinstance(answer, dict) and isinstance(step, str):
            answer = answer.get(step)
        elif isinstance(answer, list) and isinstance(step, int) and step < len(answer):
            answer = answer[step]
        else:
            return None
    return answer
