"""SillyTavern's preset files, as the configuration names them. What is in them is read by `bot.prompt.presets`."""

import logging
from pathlib import Path

from bot.errors import Refused
from bot.prompt.format import PromptFormat
from bot.prompt.presets import MOST_BYTES, Preset, read_preset
from bot.sampling import SamplingSettings

log = logging.getLogger(__name__)


def format_with(files: tuple[str, ...], onto: PromptFormat) -> PromptFormat:
    """The format with what the files say of it, one after the other; what they say otherwise is logged. Raises Refused."""
    for file in files:
        preset = _read(file, onto)
        if preset.format is None:
            says = "which says nothing of a prompt format; sampler files go to [sampling] preset_file"
            raise Refused(f"[model] presets names {file}, {says}.")
        onto = preset.format
    return onto


def sampling_of(file: str) -> SamplingSettings:
    """The sampler settings of a file. Raises Refused."""
    preset = _read(file, None)
    if preset.sampling is None:
        raise Refused(f"[sampling] preset_file names {file}, which holds no sampler settings; templates go to [model] presets.")
    return preset.sampling


def _read(file: str, onto: PromptFormat | None) -> Preset:
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
        preset = read_preset(data, onto) if onto else read_preset(data)
    except OSError as error:
        raise Refused(f"The preset {file} cannot be read ({error.strerror}).") from error
    except Refused as refused:
        raise Refused(f"The preset {file} cannot be used. {refused}") from refused
    for note in preset.notes:
        log.info("the preset %s: %s", file, note, extra={"action": "preset_note"})
    return preset
