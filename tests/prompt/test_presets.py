"""SillyTavern's templates give the prompts that they gave there; what cannot be followed is said."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.prompt.build import build
from bot.prompt.format import ALPACA, CHATML, LIMARP, PromptFormat
from bot.prompt.presets import MOST_BYTES, Preset, read_preset
from bot.sampling import SamplingSettings
from tests.prompt.cases import CASES
from tests.transcripts.texts import values

LIMARP_ALPACA: dict[str, Any] = {
    "wrap": True,
    "macro": True,
    "names": True,
    "names_force_groups": False,
    "system_prompt": "",
    "system_sequence": "### Instruction:",
    "system_sequence_prefix": "### Instruction:",
    "system_sequence_suffix": "",
    "input_sequence": "\n### Input:",
    "output_sequence": "\n### Response:",
    "first_output_sequence": "",
    "last_output_sequence": "\n### Response: (length = medium)",
    "separator_sequence": "",
    "stop_sequence": "### Input:",
    "activation_regex": "",
    "name": "LimaRP-Alpaca",
}
ASHH_LIMARP = LIMARP_ALPACA | {
    "system_sequence": "<<SYSTEM>>",
    "system_sequence_prefix": "\n### Instruction:",
    "last_output_sequence": "\n### Response: (length = short)",
    "stop_sequence": "###",
    "name": "AshhLimaRP",
}
STORY = (
    "### Instruction:\n{{#if system}}{{system}}\n\n{{/if}}{{#if description}}{{char}}'s Persona: {{description}}\n\n{{/if}}"
    "{{#if persona}}{{user}}'s Persona: {{persona}}\n\n{{/if}}{{#if scenario}}Scenario: {{scenario}}\n\n{{/if}}"
    "Play the role of {{char}}. You must engage in a roleplaying chat with {{user}} below this line."
    " Do not write dialogues and narration for {{user}}.{{trim}}\n"
)
CONTEXT: dict[str, Any] = {"story_string": STORY, "example_separator": "", "chat_start": "", "name": "LimaRP"}
ALPACA_THERE: dict[str, Any] = {
    "input_sequence": "### Instruction:",
    "output_sequence": "### Response:",
    "last_output_sequence": "",
    "system_sequence": "### Input:",
    "stop_sequence": "",
    "wrap": True,
    "macro": True,
    "names_behavior": "force",
    "activation_regex": "",
    "output_suffix": "\n\n",
    "input_suffix": "\n\n",
    "system_suffix": "\n\n",
    "system_same_as_user": False,
    "name": "Alpaca",
}
PREAMBLE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "Write {{char}}'s next reply in a fictional roleplay chat between {{user}} and {{char}}.\n"
)
CHATML_THERE = ALPACA_THERE | {
    "input_sequence": "<|im_start|>user",
    "output_sequence": "<|im_start|>assistant",
    "system_sequence": "<|im_start|>system",
    "stop_sequence": "<|im_end|>",
    "output_suffix": "<|im_end|>\n",
    "input_suffix": "<|im_end|>\n",
    "system_suffix": "<|im_end|>\n",
    "name": "ChatML",
}
LLAMA3: dict[str, Any] = ALPACA_THERE | {
    "input_sequence": "<|start_header_id|>user<|end_header_id|>\n\n",
    "output_sequence": "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "system_sequence": "<|start_header_id|>system<|end_header_id|>\n\n",
    "stop_sequence": "<|eot_id|>",
    "wrap": False,
    "output_suffix": "<|eot_id|>",
    "input_suffix": "<|eot_id|>",
    "system_suffix": "<|eot_id|>",
}


def read(preset: object, onto: PromptFormat = LIMARP) -> Preset:
    return read_preset(json.dumps(preset).encode(), onto)


def fmt_of(preset: object, onto: PromptFormat = LIMARP) -> PromptFormat:
    found = read(preset, onto).format
    assert found is not None
    return found


def prompt(case: str, fmt: PromptFormat) -> str:
    return "".join(segment.text for segment in build(CASES[case][0], fmt).segments)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("preset", [LIMARP_ALPACA, ASHH_LIMARP])
def test_the_limarp_presets_give_the_limarp_prompt_to_the_byte(case: str, preset: dict[str, Any]) -> None:
    assert prompt(case, fmt_of(preset)) == prompt(case, LIMARP)


@pytest.mark.parametrize("case", CASES)
def test_the_limarp_templates_read_onto_another_format_give_the_limarp_prompt_too(case: str) -> None:
    other = replace(CHATML, persona="{name}: {text}", scenario="{text}", rule="", between_blocks="\n")

    assert prompt(case, fmt_of(CONTEXT, fmt_of(LIMARP_ALPACA, other))) == prompt(case, LIMARP)


@pytest.mark.parametrize("case", CASES)
def test_the_alpaca_preset_gives_the_alpaca_prompt_but_for_its_own_rule(case: str) -> None:
    master = {"instruct": ALPACA_THERE, "sysprompt": {"name": "Alpaca", "content": PREAMBLE}}
    found = fmt_of(master)

    assert found.rule == "Write {character}'s next reply in a fictional roleplay chat between {players} and {character}."
    assert prompt(case, replace(found, rule=ALPACA.rule)) == prompt(case, ALPACA)


def test_the_older_alpaca_preset_holds_its_system_prompt_itself() -> None:
    assert fmt_of(ALPACA_THERE | {"system_prompt": PREAMBLE}) == fmt_of(
        {"instruct": ALPACA_THERE, "sysprompt": {"name": "Alpaca", "content": PREAMBLE}}
    )


@pytest.mark.parametrize("case", CASES)
def test_the_chatml_preset_gives_the_chatml_prompt_to_the_byte(case: str) -> None:
    assert prompt(case, fmt_of(CHATML_THERE)) == prompt(case, CHATML)


def test_guards_come_from_the_headers_of_the_template() -> None:
    limarp, chatml = fmt_of(LIMARP_ALPACA, CHATML), fmt_of(CHATML_THERE)

    assert (limarp.header_starts, limarp.control_texts) == (LIMARP.header_starts, LIMARP.control_texts)
    assert limarp.stop_texts == LIMARP.stop_texts
    assert chatml.header_starts == ()
    assert chatml.stop_texts == CHATML.stop_texts
    assert set(chatml.control_texts) == {"<|im_start|>", "<|im_end|>"}
    assert fmt_of(ALPACA_THERE | {"input_sequence": "USER:", "stop_sequence": "THE END"}).header_starts == ("USER:", "###")


def test_a_template_without_wrap_has_no_line_ends_of_its_own() -> None:
    found = fmt_of(LLAMA3)

    assert found.system_before == "<|start_header_id|>system<|end_header_id|>\n\n"
    assert found.character_after == found.player_after == found.system_after == "<|eot_id|>"
    assert found.character_before == "<|start_header_id|>assistant<|end_header_id|>\n\n"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"names_behavior": "none"}, False),
        ({"names_behavior": "force"}, True),
        ({"names_behavior": "always"}, True),
        ({"names_behavior": None, "names": True, "names_force_groups": False}, True),
        ({"names_behavior": None, "names": False, "names_force_groups": True}, True),
        ({"names_behavior": None, "names": False, "names_force_groups": False}, False),
        (
            {"names_behavior": None, "names": False, "names_force_groups": False, "input_sequence": "### Input:\n{{name}}:"},
            True,
        ),
    ],
)
def test_names_stand_before_posts_unless_they_are_switched_off(changes: dict[str, object], names: bool) -> None:  # noqa: FBT001  a table
    assert fmt_of(ALPACA_THERE | changes).names is names


def test_a_last_header_without_a_length_is_not_used_and_that_is_said() -> None:
    found = read(LIMARP_ALPACA | {"last_output_sequence": "### Response (engaging, natural):"})

    assert found.format is not None
    assert found.format.character_before_with_length is None
    assert found.notes == ("`last_output_sequence` names no length, so it is not used: all replies have the same header.",)


def test_what_is_not_understood_is_named() -> None:
    found = read(
        LIMARP_ALPACA
        | {
            "user_alignment_message": "Go on.",
            "first_output_sequence": "### Start:",
            "input_sequence": "### {{persona}} Input:",
        }
    )

    assert set(found.notes) >= {
        "`user_alignment_message` is not understood and was left out.",
        "`first_output_sequence` is not understood and was left out.",
        "`{{persona}}` is not understood in a header and was left out.",
    }


def test_a_context_template_in_another_order_keeps_its_words_and_says_so() -> None:
    story = (
        "{{#if scenario}}Where: {{scenario}}\n{{/if}}{{#if description}}{{char}} is {so}: {{description}}\n{{/if}}{{persona}}"
    )
    found = read({"story_string": story, "name": "Other"})

    assert found.format is not None
    assert (found.format.scenario, found.format.persona) == ("Where: {text}", "{name} is {{so}}: {text}")
    assert found.format.persona.format(name="Mira", text="x") == "Mira is {so}: x"
    assert found.notes == (
        "The players are introduced with the same words as the characters, not with those of the template.",
        "The parts of the head stand in this order here: characters, players, scenario, rule.",
    )


def test_the_end_of_the_system_in_a_story_string_is_no_rule() -> None:
    story = "<|im_start|>system\n{{#if system}}{{system}}\n{{/if}}{{description}}\n{{persona}}\n{{scenario}}{{trim}}<|im_end|>"
    found = fmt_of({"story_string": story}, CHATML)

    assert (found.system_before, found.rule, found.between_blocks) == (CHATML.system_before, CHATML.rule, "\n")


def test_a_master_export_holds_formats_and_samplers_together() -> None:
    found = read({"instruct": LIMARP_ALPACA, "context": CONTEXT, "preset": {"name": "Warm", "temp": 1.1}}, CHATML)

    assert found.name == "LimaRP-Alpaca"
    assert found.sampling == SamplingSettings(temperature=1.1)
    assert found.format is not None
    assert prompt("with_modifier", found.format) == prompt("with_modifier", LIMARP)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"name": "x"}', b"\xff\xfe", b"[" * 100_000, b'{"instruct": {"a": 1}}'])
def test_a_file_that_is_no_preset_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="no preset of SillyTavern"):
        read_preset(data)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="larger than 256 KiB"):
        read_preset(b" " * (MOST_BYTES + 1))


def test_values_of_the_wrong_kind_are_left_out() -> None:
    odd = dict.fromkeys(LIMARP_ALPACA, 7)

    assert read(odd).format is not None
    assert read({"story_string": ["a"]}).format is not None
    assert read({"temp": True, "sampler_order": {}, "dry_sequence_breakers": 5, "logit_bias": [{"id": 1}]}).sampling is not None


KEYS = [
    *LIMARP_ALPACA,
    *CONTEXT,
    *ALPACA_THERE,
    "temp",
    "top_k",
    "rep_pen",
    "rep_pen_range",
    "sampler_order",
    "samplers",
    "tfs",
]
KEYS += ["dry_sequence_breakers", "sampler_priority", "do_sample", "instruct", "context", "sysprompt", "preset", "content"]


@given(st.dictionaries(st.sampled_from(KEYS), values | st.dictionaries(st.sampled_from(KEYS), values, max_size=8), max_size=12))
def test_any_object_is_read_or_refused(preset: dict[str, Any]) -> None:
    try:
        found = read(preset)
    except Refused:
        return
    if found.format is not None:
        prompt("with_modifier", found.format)


def test_braces_and_long_runs_of_macros_do_no_harm() -> None:
    story = "{{#if description}}" + "{{ " * 20_000 + "{{" + " " * 60_000 + "{{" * 20_000 + "}}" * 20_000 + "{a} {{description}}"
    found = fmt_of({"story_string": story})

    assert found.persona.format(name="Mira", text="x").endswith("{a} x")
