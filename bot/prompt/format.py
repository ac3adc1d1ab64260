"""Prompt formats as data: the words a model was trained to see around a story. It knows no session and builds nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PERSONA = "{name}'s Persona: {text}"
SCENARIO = "Scenario: {text}"
EXAMPLES = "How {name} speaks:\n{text}"
FACTS = "Facts to remember:\n{text}"
SUMMARY = "What happened before: {text}"
LORE = "Background: {text}"
LINES = "These never happen in the story: {text}."
VEILS = "These happen only out of sight, between scenes: {text}."
RULE = (
    "Play the role of {character}. You must engage in a roleplaying chat with {players} below this line."
    " Do not write dialogues and narration for {players}."
)


@dataclass(frozen=True, slots=True)
class PromptFormat:
    r"""How a session is spelled for one family of models.

    A prompt is `system_before`, the blocks of the head joined by `between_blocks`, `system_after`, then every turn as
    `player_before` or `character_before`, its words, and `player_after` or `character_after`. The six strings stand in the
    prompt as they are, may hold control tokens in text form, and end in their own newlines; the begin-of-sequence
    token is the engine's and stands in none of them. An open reply ends after `Name:` (or after `character_before`).

    `character_before_with_length` is the header of a reply with a length modifier, with `{length}` in it; None: the
    format knows no modifiers. It opens the newest reply, and older ones too where `keeps_old_modifiers` is set.
    `persona` and `examples` take `{name}` and `{text}`, `rule` `{character}` and `{players}`, the other blocks `{text}`; one
    left empty is left out. With `names`, a turn's words are `Name: text`, without it `text`. What is told in the middle of
    a story (the author's note, lore) stands between `note_before` and `note_after`.

    `header_starts` may not begin a line of what people or the model wrote, and end a reply when they do.
    `control_texts` are control tokens in text form and may stand nowhere in it. `stop_texts` end a reply anywhere.
    """

    name: str
    system_before: str
    system_after: str
    player_before: str
    player_after: str
    character_before: str
    character_after: str
    character_before_with_length: str | None = None
    keeps_old_modifiers: bool = False
    persona: str = PERSONA
    scenario: str = SCENARIO
    examples: str = EXAMPLES
    facts: str = FACTS
    summary: str = SUMMARY
    lore: str = LORE
    lines: str = LINES
    veils: str = VEILS
    rule: str = RULE
    note_before: str = "### Instruction:\n"
    note_after: str = "\n\n"
    between_blocks: str = "\n\n"
    names: bool = True
    header_starts: tuple[str, ...] = ()
    control_texts: tuple[str, ...] = ()
    stop_texts: tuple[str, ...] = ()


LIMARP = PromptFormat(
    name="limarp",
    system_before="### Instruction:\n",
    system_after="\n\n",
    player_before="### Input:\n",
    player_after="\n\n",
    character_before="### Response:\n",
    character_after="\n\n",
    character_before_with_length="### Response: (length = {length})\n",
    header_starts=("###",),
    control_texts=("<s>", "</s>", "<unk>"),
    stop_texts=("</s>",),
)
"""The extended Alpaca format of the LimaRP models (v3), as their model cards give it."""

ALPACA = PromptFormat(
    name="alpaca",
    system_before=(
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    ),
    system_after="\n\n",
    player_before="### Instruction:\n",
    player_after="\n\n",
    character_before="### Response:\n",
    character_after="\n\n",
    header_starts=("###",),
    control_texts=("<s>", "</s>", "<unk>"),
    stop_texts=("</s>",),
)
"""Plain Alpaca: the preamble that Stanford's model was tuned with, a player's post as an instruction."""

CHATML = PromptFormat(
    name="chatml",
    system_before="<|im_start|>system\n",
    system_after="<|im_end|>\n",
    player_before="<|im_start|>user\n",
    player_after="<|im_end|>\n",
    character_before="<|im_start|>assistant\n",
    character_after="<|im_end|>\n",
    note_before="<|im_start|>system\n",
    note_after="<|im_end|>\n",
    control_texts=("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    stop_texts=("<|im_end|>", "<|im_start|>"),
)
"""OpenAI's chat markup: the head is the system turn, every post its own user turn."""

FORMATS: Mapping[str, PromptFormat] = MappingProxyType({each.name: each for each in (LIMARP, ALPACA, CHATML)})
"""The formats that can be named in the configuration."""
