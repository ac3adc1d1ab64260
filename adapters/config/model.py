"""Which model plays, with which adapters, and what it may use of this machine: values with their bounds. It loads nothing."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic.dataclasses import dataclass

from adapters.config.kinds import (
    CLOSED,
    AdapterName,
    ExistingFile,
    Flag,
    LengthsFile,
    Number,
    StatedRating,
    Whole,
    read_lengths,
)
from bot.errors import ConfigMistakes
from bot.prompt.length import LengthTable
from bot.story.policy import Rating

DEMO_MODEL = Path(__file__).parents[1] / "llama" / "models" / "understudy-demo.gguf"
DEMO_LENGTHS = DEMO_MODEL.with_suffix(".lengths.json")

Choice = Literal["auto", "on", "off"]
CHOSEN = {"auto": None, "on": True, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class AdapterConfig:
    """A LoRA adapter, the name that stories ask for it by, and how strongly it counts."""

    name: AdapterName
    path: ExistingFile
    scale: Annotated[Number, Field(ge=-10, le=10)] = 1.0


def _of_different_names(adapters: tuple[AdapterConfig, ...]) -> tuple[AdapterConfig, ...]:
    names = [each.name for each in adapters]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f'holds two called "{twice}"; give each a name of its own')
    return adapters


def _suits_the_cache(flash: Choice, info: ValidationInfo) -> Choice:
    if flash == "off" and info.data.get("kv_type") == "q8_0":
        raise ValueError('is "off", but kv_type "q8_0" needs it; write "auto", or kv_type = "f16"')
    return flash


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class ModelConfig:
    """Which model plays, and what it may use of this machine. None: the demo model; what the model or the machine offers."""

    path: ExistingFile | None = None
    rating: StatedRating | None = None
    format: Literal["auto", "limarp", "alpaca", "chatml", "gguf"] = "auto"
    presets: tuple[ExistingFile, ...] = ()
    keep_lengths: Flag = False
    lengths: LengthsFile | None = None
    context: Annotated[Whole, Field(ge=256, le=1_048_576)] | None = None
    slots: Annotated[Whole, Field(ge=1, le=256)] = 4
    threads: Annotated[Whole, Field(ge=1, le=1024)] | None = None
    batch: Annotated[Whole, Field(ge=16, le=16_384)] = 512
    chunk: Annotated[Whole, Field(ge=1, le=16_384)] | None = None
    gpu_layers: Annotated[Whole, Field(ge=0, le=10_000)] | None = None
    cache_on_gpu: Flag = True
    kv_type: Literal["f16", "q8_0"] = "f16"
    flash_attention: Annotated[Choice, AfterValidator(_suits_the_cache)] = "auto"
    exact: Choice = "auto"
    adapters: Annotated[tuple[AdapterConfig, ...], AfterValidator(_of_different_names)] = ()

    @property
    def file(self) -> Path:
        """The GGUF file."""
        return Path(self.path) if self.path else DEMO_MODEL

    @property
    def length_tables(self) -> dict[str, LengthTable]:
        """What is known of models' replies, by the models' fingerprints: ours of the demo model, and the configured ones."""
        return dict([read_lengths(DEMO_LENGTHS)]) | self.configured_lengths

    @property
    def configured_lengths(self) -> dict[str, LengthTable]:
        """The configured table, by the fingerprint of its model. Raises ConfigMistakes when its file was changed meanwhile."""
        try:
            return dict([read_lengths(Path(self.lengths))] if self.lengths else [])
        except ValueError as wrong:
            raise ConfigMistakes([f"[model] lengths names {self.lengths}, which is no table of lengths: {wrong}."]) from wrong

    @property
    def thread_count(self) -> int | None:
        """Threads, where the operator or the demo model has a wish: so small a model is fastest on one."""
        return self.threads or (1 if self.path is None else None)

    @property
    def stated_rating(self) -> Rating | None:
        """The rating that holds whatever the file says: the operator's word, or ours for the demo model."""
        if self.rating is None:
            return Rating.GENERAL if self.path is None else None
        return Rating(self.rating)
