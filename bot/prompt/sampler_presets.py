"""SillyTavern's sampler presets (names of KoboldAI, Text Generation, llama.cpp) as settings of our own. It knows no prompt."""

import json
from collections.abc import Mapping, Sequence

from bot.sampling import BOUNDS, LONGEST_BREAKER, MOST_BREAKERS, OFF, ORDER, SamplingSettings, mistake

_NAMES: Mapping[str, str] = {
    "temp": "temperature",
    "temperature": "temperature",
    "tfs": "tail_free_z",
    "tfs_z": "tail_free_z",
    "tail_free_sampling": "tail_free_z",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typical": "typical_p",
    "typical_p": "typical_p",
    "typ_p": "typical_p",
    "rep_pen": "repetition_penalty",
    "repetition_penalty": "repetition_penalty",
    "repeat_penalty": "repetition_penalty",
    "rep_pen_range": "penalty_range",
    "repetition_penalty_range": "penalty_range",
    "freq_pen": "frequency_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_pen": "presence_penalty",
    "presence_penalty": "presence_penalty",
    "dry_multiplier": "dry_multiplier",
    "dry_base": "dry_base",
    "dry_allowed_length": "dry_allowed_length",
    "dry_penalty_last_n": "dry_range",
    "xtc_probability": "xtc_probability",
    "xtc_threshold": "xtc_threshold",
}
_SIGNS_OF_ONE = ("temp", "temperature", "top_p", "top_k", "rep_pen", "repetition_penalty")

_KOBOLD: Mapping[object, str] = {0: "top_k", 2: "top_p", 3: "tail_free", 4: "typical", 5: "temperature", 6: "penalties"}
"""KoboldAI's numbers of the stages; 1 is top-a, which is not offered, and min-p goes with top-p."""

_STAGES: Mapping[object, str] = {
    **{stage: stage for stage in ORDER},
    "tfs": "tail_free",
    "tfs_z": "tail_free",
    "typ_p": "typical",
    "typical_p": "typical",
    "repetition_penalty": "penalties",
}
# What switches the stages off that are not offered: at these values, they are not missed.
_OFF_THERE: Mapping[str, object] = {
    "top_a": 0,
    "epsilon_cutoff": 0,
    "eta_cutoff": 0,
    "rep_pen_slope": (0, 1),
    "rep_pen_decay": 0,
    "no_repeat_ngram_size": 0,
    "penalty_alpha": 0,
    "num_beams": 1,
    "length_penalty": 1,
    "min_length": 0,
    "encoder_rep_pen": 1,
    "skew": 0,
    "mirostat": 0,
    "mirostat_mode": 0,
    "smoothing_factor": 0,
    "guidance_scale": 1,
    "nsigma": 0,
    "top_n_sigma": 0,
    "min_keep": (0, 1),
    "adaptive_target": (0, -0.01),
}
# What says nothing, belongs to a stage that is off, or is set elsewhere (the length of replies and the context, say).
_OF_NO_MATTER = frozenset(
    {
        "name",
        "preset",
        "temperature_last",
        "sampler_order",
        "sampler_priority",
        "samplers",
        "samplers_priorities",
        "dry_sequence_breakers",
        "do_sample",
        "early_stopping",
        "dynatemp",
        "min_temp",
        "max_temp",
        "dynatemp_exponent",
        "smoothing_curve",
        "mirostat_tau",
        "mirostat_eta",
        "rep_pen_size",
        "seed",
        "add_bos_token",
        "ban_eos_token",
        "skip_special_tokens",
        "ignore_eos_token",
        "spaces_between_special_tokens",
        "speculative_ngram",
        "include_reasoning",
        "streaming",
        "streaming_url",
        "stopping_strings",
        "truncation_length",
        "genamt",
        "max_length",
        "max_tokens",
        "max_context_length",
        "max_new_tokens",
        "use_default_badwordsids",
        "json_schema_allow_empty",
        "type",
        "adaptive_decay",
        "n_aphrodite",
        "best_of_aphrodite",
    }
)
_UNTAKEN = "`{key}` is not understood and was left out."


def is_sampler(preset: Mapping[str, object]) -> bool:
    """Whether a preset sets how tokens are drawn."""
    return any(key in preset for key in _SIGNS_OF_ONE)


def read_sampler(preset: Mapping[str, object]) -> tuple[SamplingSettings, tuple[str, ...]]:
    """The settings that a preset means, and what of it is not followed. What it does not name is off."""
    notes = [_UNTAKEN.format(key=key[:60]) for key, value in preset.items() if _is_missed(key, value)]
    found: dict[str, object] = {}
    for key, name in _NAMES.items():
        if key in preset:
            found |= _number(key, name, preset[key], notes)
    if found.get("penalty_range") == 0:
        del found["penalty_range"]
        _say_range(found, notes)
    if not found.get("dry_range"):
        found.pop("dry_range", None)
    if preset.get("do_sample") is False:
        found["temperature"] = 0.0
    if preset.get("dynatemp") is True:
        notes.append("`dynatemp` is not offered: the temperature stays the same throughout.")
    if breakers := _breakers(preset.get("dry_sequence_breakers")):
        found["dry_breakers"] = breakers
    return SamplingSettings(order=_order(preset, notes), **found), tuple(notes)  # type: ignore[arg-type]  # each was judged


def _number(key: str, name: str, value: object, notes: list[str]) -> dict[str, object]:
    if BOUNDS[name].whole and isinstance(value, float) and value.is_integer():
        value = int(value)
    if name == "top_k" and value == -1:
        value = 0  # some programs switch it off so
    if name == "dry_range" and value == -1:
        return {}
    if what := mistake(name, value):
        notes.append(f"`{key}` {what}; it was left out."[:300])
        return {}
    return {name: value}


def _say_range(found: Mapping[str, object], notes: list[str]) -> None:
    """A range of 0 means the whole context there, and none here."""
    penalties = ("repetition_penalty", "frequency_penalty", "presence_penalty")
    if any(found.get(name, OFF[name]) != OFF[name] for name in penalties):
        size = SamplingSettings().penalty_range
        notes.append(f"A penalty range of 0 means the whole context there; the last {size:,} tokens are looked at here.")


def _is_missed(key: str, value: object) -> bool:
    """Whether the draw may be another one without this field."""
    if key in _NAMES or key in _OF_NO_MATTER or value in ("", None, False, [], {}):
        return False
    off = _OFF_THERE.get(key)
    return value not in off if isinstance(off, tuple) else off is None or value != off


def _breakers(value: object) -> tuple[str, ...]:
    """What parts passages for DRY: a list, or the text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    texts = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
    taken = tuple(each for each in texts if 0 < len(each) <= LONGEST_BREAKER)[:MOST_BREAKERS]
    return taken if not mistake("dry_breakers", taken) else ()


def _order(preset: Mapping[str, object], notes: list[str]) -> tuple[str, ...]:
    """The order of the stages. A file may hold one for each program: that of Text Generation goes first, then llama.cpp's."""
    for key, names in (("sampler_priority", _STAGES), ("samplers", _STAGES), ("sampler_order", _KOBOLD)):
        listed = preset.get(key)
        if isinstance(listed, list) and (stages := _stages(listed, names)):
            order = _completed(stages)
            if key == "sampler_priority" and preset.get("temperature_last") is True:
                order = (*(stage for stage in order if stage != "temperature"), "temperature")
            return order
        if listed is not None:
            notes.append(f"`{key}` names no stage that is offered, so the usual order is kept.")
    return ORDER


def _stages(listed: Sequence[object], names: Mapping[object, str]) -> tuple[str, ...]:
    known = [names[each] for each in listed if isinstance(each, str | int) and each in names]
    return tuple(dict.fromkeys(known))


def _completed(stages: Sequence[str]) -> tuple[str, ...]:
    """All stages: one that is not named stands behind the one that it usually follows."""
    order = list(stages)
    for place, stage in enumerate(ORDER):
        if stage not in order:
            order.insert(order.index(ORDER[place - 1]) + 1 if place else 0, stage)
    return tuple(order)
