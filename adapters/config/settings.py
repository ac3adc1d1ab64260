"""What can be configured: frozen values with their bounds. It reads no file and no environment."""

from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field
from pydantic.dataclasses import dataclass

from adapters.config.kinds import (
    CLOSED,
    Biases,
    DatabaseUrl,
    ExistingFile,
    Flag,
    Folder,
    LoopbackHost,
    Number,
    Port,
    Preset,
    StatedRating,
    Texts,
    Whole,
    judged,
    pairs,
)
from adapters.config.scene import Scene, sample_scene
from bot.posts import ChannelLimits
from bot.sampling import BOUNDS, PRESETS, SamplingSettings
from bot.story.policy import Rating
from bot.story.settings import Length, SessionSettings

DEMO_MODEL = Path(__file__).parents[1] / "llama" / "models" / "understudy-demo.gguf"
DATABASE = "understudy.db"


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class StorageConfig:
    """Where stories are kept. `url` may hold a password, so it shows up in no representation."""

    directory: Folder = field(default_factory=lambda: platformdirs.user_data_dir("understudy", appauthor=False))
    url: DatabaseUrl | None = field(default=None, repr=False)

    @property
    def file(self) -> Path:
        """The SQLite file in the data directory: the database where no address is configured."""
        return Path(self.directory).absolute() / DATABASE


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class ModelConfig:
    """Which model plays, and what it may use of this machine. None: the demo model; what the model or the machine offers."""

    path: ExistingFile | None = None
    rating: StatedRating | None = None
    format: Literal["auto", "limarp", "alpaca", "chatml", "gguf"] = "auto"
    keep_lengths: Flag = False
    context: Annotated[Whole, Field(ge=512, le=1_048_576)] | None = None
    slots: Annotated[Whole, Field(ge=1, le=256)] = 1
    threads: Annotated[Whole, Field(ge=1, le=1024)] | None = None
    batch: Annotated[Whole, Field(ge=16, le=16_384)] = 512
    gpu_layers: Annotated[Whole, Field(ge=0, le=10_000)] | None = None

    @property
    def file(self) -> Path:
        """The GGUF file."""
        return Path(self.path) if self.path else DEMO_MODEL

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


def _within(name: str) -> object:
    return Field(ge=BOUNDS[name].low, le=BOUNDS[name].high)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class SamplingConfig:
    """How tokens are drawn: a preset, and what is to differ from it (None: as in the preset)."""

    preset: Preset = "limarp"
    temperature: Annotated[Number, _within("temperature")] | None = None
    tail_free_z: Annotated[Number, _within("tail_free_z")] | None = None
    top_k: Annotated[Whole, _within("top_k")] | None = None
    top_p: Annotated[Number, _within("top_p")] | None = None
    min_p: Annotated[Number, _within("min_p")] | None = None
    typical_p: Annotated[Number, _within("typical_p")] | None = None
    repetition_penalty: Annotated[Number, _within("repetition_penalty")] | None = None
    presence_penalty: Annotated[Number, _within("presence_penalty")] | None = None
    frequency_penalty: Annotated[Number, _within("frequency_penalty")] | None = None
    penalty_range: Annotated[Whole, _within("penalty_range")] | None = None
    penalize_newline: Flag | None = None
    dry_multiplier: Annotated[Number, _within("dry_multiplier")] | None = None
    dry_base: Annotated[Number, _within("dry_base")] | None = None
    dry_allowed_length: Annotated[Whole, _within("dry_allowed_length")] | None = None
    dry_range: Annotated[Whole, _within("dry_range")] | None = None
    dry_breakers: Annotated[Texts, judged("dry_breakers")] | None = None
    xtc_probability: Annotated[Number, _within("xtc_probability")] | None = None
    xtc_threshold: Annotated[Number, _within("xtc_threshold")] | None = None
    logit_bias: Biases | None = None
    order: Annotated[Texts, judged("order")] | None = None

    @property
    def settings(self) -> SamplingSettings:
        """The preset with its differences."""
        differences = {name: value for name, value in asdict(self).items() if name != "preset" and value is not None}
        if self.logit_bias is not None:
            differences["logit_bias"] = pairs(self.logit_bias)
        return replace(PRESETS[self.preset], **differences)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class WebConfig:
    """Where the page is served, and how long a post on it may be (in characters). Port 0 takes any free one."""

    host: LoopbackHost = "127.0.0.1"
    port: Port = 8000
    post_length: Annotated[Whole, Field(ge=200, le=100_000)] = 2_000

    @property
    def limits(self) -> ChannelLimits:
        """What a place of the page accepts."""
        return ChannelLimits(self.post_length, streams=True)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class StoryConfig:
    """The longest post of a player (in characters), and the length modifier that a new session begins with."""

    post_limit: Annotated[Whole, Field(ge=100, le=1_000_000)] = 16_000
    length: Literal[
        "none", "micro", "tiny", "short", "medium", "long", "massive", "huge", "enormous", "humongous", "unlimited"
    ] = "medium"

    @property
    def session_settings(self) -> SessionSettings:
        """The settings of a new session."""
        return SessionSettings(None if self.length == "none" else Length(self.length))


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Config:
    """All that is configured."""

    storage: StorageConfig = field(default_factory=StorageConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    web: WebConfig = field(default_factory=WebConfig)
    story: StoryConfig = field(default_factory=StoryConfig)
    scene: Scene = field(default_factory=sample_scene)
