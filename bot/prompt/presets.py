"""SillyTavern's preset files, read into what this program has: prompt formats and sampler settings. It builds no prompt.

Read are instruct templates, context templates, system prompts, sampler presets, and the "master" exports that hold several.
Their fields are those of SillyTavern's own files (`default/content/presets`) and of the versions before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.prompt.format import LIMARP, PromptFormat
from bot.prompt.sampler_presets import is_sampler, read_sampler
from bot.prompt.templates import with_context, with_instruct, with_system_prompt
from bot.sampling import SamplingSettings

MOST_BYTES = 256 * 1024
MOST_NOTES = 40
LONGEST_NAME = 60

NO_PRESET = (
    "This is no preset of SillyTavern: it is neither an instruct template, a context template, a system prompt nor a"
    " sampler preset. Use the .json file that its export button gives."
)
_INSIDE = ("instruct", "context", "sysprompt", "preset")


@dataclass(frozen=True, slots=True)
class Preset:
    """What a file holds: a format, sampler settings, or both; None is what it says nothing about.

    `notes` are whole sentences about what was not understood or is done otherwise here.
    """

    name: str
    format: PromptFormat | None = None
    sampling: SamplingSettings | None = None
    notes: tuple[str, ...] = ()


def read_preset(data: bytes, onto: PromptFormat = LIMARP) -> Preset:
    """The preset that a file holds. What a template does not say stays as it is in the format `onto`.

    A pair of templates is read one after the other, the second onto the format of the first. Raises Refused when the file
    is no preset or larger than is taken.
    """
    if len(data) > MOST_BYTES:
        raise Refused(f"This file is larger than {MOST_BYTES // 1024} KiB, which no preset is; nothing of it was read.")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused(NO_PRESET) from None
    if not isinstance(found, dict):
        raise Refused(NO_PRESET)
    parts = [part for key in _INSIDE if isinstance(part := found.get(key), dict)]
    preset = Preset(_named(found, parts))
    for part in parts or [found]:
        preset = _with(preset, part, onto)
    named = replace(preset.format, name=preset.name) if preset.format else None
    return replace(preset, format=named, notes=tuple(dict.fromkeys(preset.notes))[:MOST_NOTES])


def _with(preset: Preset, part: Mapping[str, object], onto: PromptFormat) -> Preset:
    """The preset with one more part of the file read onto it."""
    fmt = preset.format or onto
    notes: tuple[str, ...] = ()
    if "input_sequence" in part or "output_sequence" in part:
        fmt, notes = with_instruct(fmt, part)
    elif "story_string" in part:
        fmt, notes = with_context(fmt, part)
    elif is_sampler(part):
        settings, notes = read_sampler(part)
        return replace(preset, sampling=settings, notes=(*preset.notes, *notes))
    elif isinstance(part.get("content"), str):
        fmt = with_system_prompt(fmt, str(part["content"]))
    else:
        raise Refused(NO_PRESET)
    return replace(preset, format=fmt, notes=(*preset.notes, *notes))


def _named(found: Mapping[str, object], parts: list[dict[str, object]]) -> str:
    names = (each.get("name") for each in (found, *parts))
    return next((" ".join(name.split())[:LONGEST_NAME] for name in names if isinstance(name, str) and name.strip()), "imported")
