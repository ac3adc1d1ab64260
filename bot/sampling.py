"""Sampler settings: values, bounds, presets. How a token is drawn is the runner's; this module knows no numbers of a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Bounds:
    """The closed interval that a setting may lie in, and whether it is a whole number."""

    low: float
    high: float
    whole: bool = False


BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {
        "temperature": Bounds(0.0, 5.0),
        "tail_free_z": Bounds(0.0, 1.0),
        "top_k": Bounds(0, 1_000_000, whole=True),
        "top_p": Bounds(0.0, 1.0),
        "min_p": Bounds(0.0, 1.0),
        "typical_p": Bounds(0.0, 1.0),
        "repetition_penalty": Bounds(0.5, 2.0),
        "presence_penalty": Bounds(-2.0, 2.0),
        "frequency_penalty": Bounds(-2.0, 2.0),
        "penalty_range": Bounds(0, 65_536, whole=True),
        "dry_multiplier": Bounds(0.0, 10.0),
        "dry_base": Bounds(1.0, 10.0),
        "dry_allowed_length": Bounds(1, 100, whole=True),
        "dry_range": Bounds(0, 65_536, whole=True),
        "xtc_probability": Bounds(0.0, 1.0),
        "xtc_threshold": Bounds(0.0, 1.0),
    }
)

BIAS = Bounds(-100.0, 100.0)
"""How far a logit may be moved."""

MOST_BIASES = 1024
MOST_BREAKERS = 32
LONGEST_BREAKER = 40

ORDER = ("penalties", "dry", "top_k", "tail_free", "typical", "top_p", "min_p", "xtc", "temperature")
"""The stages in the order that llama.cpp has today, with tail-free where it stood until October 2024."""


WARM_FIRST = ("penalties", "dry", "temperature", "top_k", "tail_free", "typical", "top_p", "min_p", "xtc")
"""The order of programs that apply the temperature before they cut."""


OFF: Mapping[str, float] = MappingProxyType(
    {
        "tail_free_z": 1,
        "top_k": 0,
        "top_p": 1,
        "min_p": 0,
        "typical_p": 1,
        "repetition_penalty": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "dry_multiplier": 0,
        "xtc_probability": 0,
    }
)
"""The value that switches a stage off."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How the next token is drawn: the bias first, then the stages of `order`, then the draw. docs/sampling.md explains each.

    `temperature` 0 takes the likeliest token after bias, penalties and DRY. Off are: 1 for `tail_free_z`, `top_p`,
    `typical_p` and `repetition_penalty`; 0 for `top_k`, `min_p`, `presence_penalty`, `frequency_penalty`,
    `dry_multiplier` and `xtc_probability`. The ranges count tokens back from the newest, prompt included.
    `penalize_newline` False spares the newline token from the penalties. `logit_bias` are pairs of a token's id and what
    is added to its logit. Raises ValueError naming every field that is wrong.
    """

    temperature: float = 1.0
    tail_free_z: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    penalty_range: int = 2048
    penalize_newline: bool = True
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_range: int = 4096
    dry_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    order: tuple[str, ...] = ORDER

    def __post_init__(self) -> None:
        found = [(field.name, mistake(field.name, getattr(self, field.name))) for field in fields(self)]
        wrong = [f"{name} {what}" for name, what in found if what]
        if wrong:
            raise ValueError("; ".join(wrong))


def matters(settings: SamplingSettings, name: str) -> bool:
    """Whether the draw would be another one if this setting were not followed: it is on, and so is what it belongs to."""
    value = getattr(settings, name)
    if name in OFF:
        return bool(value != OFF[name])
    if name == "penalty_range":
        return _penalises(settings)
    if name == "penalize_newline":
        return not value and _penalises(settings)
    if name.startswith("dry_"):
        return settings.dry_multiplier > 0
    if name == "xtc_threshold":
        return settings.xtc_probability > 0
    return bool(value != getattr(SamplingSettings(), name))


def _penalises(settings: SamplingSettings) -> bool:
    return any(matters(settings, name) for name in ("repetition_penalty", "presence_penalty", "frequency_penalty"))


def mistake(name: str, value: object) -> str:
    """What is wrong with the value of a setting, as the rest of a sentence that its name begins; empty when nothing is."""
    if name in BOUNDS:
        return _beyond(value, BOUNDS[name])
    return SPECIAL[name](value)


def _beyond(value: object, bounds: Bounds) -> str:
    kinds = int if bounds.whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not bounds.low <= value <= bounds.high:
        kind = "be a whole number" if bounds.whole else "lie"
        return f"is {value}; it must {kind} between {bounds.low:g} and {bounds.high:g}"
    return ""


def _no_flag(value: object) -> str:
    return "" if isinstance(value, bool) else f"is {value}; it must be true or false"


def _no_order(value: object) -> str:
    if not isinstance(value, tuple) or sorted(map(str, value)) != sorted(ORDER):
        return f"is {_listed(value)}; it must name each of these stages once: {', '.join(ORDER)}"
    return ""


def _no_breakers(value: object) -> str:
    if not isinstance(value, tuple) or len(value) > MOST_BREAKERS:
        return f"must be a list of at most {MOST_BREAKERS} texts"
    wrong = [each for each in value if not isinstance(each, str) or not 0 < len(each) <= LONGEST_BREAKER]
    if wrong:
        return f"holds {wrong[0]!r}; each text must have between 1 and {LONGEST_BREAKER} characters"
    broken = [each for each in value if any("\ud800" <= letter <= "\udfff" for letter in each)]
    return f"holds {broken[0]!r}; each text must be Unicode, without halves of letters" if broken else ""


def _no_biases(value: object) -> str:
    if not isinstance(value, tuple) or len(value) > MOST_BIASES:
        return f"must be a list of at most {MOST_BIASES} pairs of a token's id and a number"
    for pair in value:
        if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004 - a pair
            return f"holds {pair!r}; it must hold pairs of a token's id and a number"
        if what := _beyond(pair[0], Bounds(0, 2**31 - 1, whole=True)):
            return f"holds a token's id that {what}"
        if what := _beyond(pair[1], BIAS):
            return f"of token {pair[0]} {what}"
    if len({token for token, _ in value}) < len(value):
        return "names a token twice"
    return ""


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


SPECIAL: Mapping[str, Callable[[object], str]] = MappingProxyType(
    {"penalize_newline": _no_flag, "order": _no_order, "dry_breakers": _no_breakers, "logit_bias": _no_biases}
)
"""Who judges the settings that are no numbers."""


LIMARP = SamplingSettings(temperature=0.70, tail_free_z=0.90, repetition_penalty=1.11, penalty_range=2048)
"""The settings on the model card of AshhLimaRP-Mistral-7B, in the sampler order of its time."""

PRESETS: Mapping[str, SamplingSettings] = MappingProxyType(
    {
        "limarp": LIMARP,
        "plain": SamplingSettings(temperature=0.8, min_p=0.05),
        "universal_light": SamplingSettings(temperature=1.25, min_p=0.1, order=WARM_FIRST),
        "dry_xtc": SamplingSettings(temperature=1.0, min_p=0.02, dry_multiplier=0.8, xtc_probability=0.5),
        "deterministic": SamplingSettings(temperature=0.0, repetition_penalty=1.1, penalty_range=1024),
    }
)
"""Settings by name: the model card's first. docs/sampling.md says what each is good for."""
