"""What can be configured: frozen values with their bounds. It reads no file and no environment."""

from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field
from pydantic.dataclasses import dataclass

from adapters.config.discord import DiscordConfig
from adapters.config.engine import EngineConfig
from adapters.config.kinds import (
    CLOSED,
    AdapterName,
    Biases,
    CollectorUrl,
    DatabaseUrl,
    ExistingFile,
    Flag,
    Folder,
    Host,
    Number,
    OperatorToken,
    Port,
    Preset,
    Texts,
    Whole,
    judged,
    pairs,
)
from adapters.config.limits import LimitsConfig
from adapters.config.matrix import MatrixConfig
from adapters.config.model import ModelConfig
from adapters.config.presets import sampling_of
from adapters.config.safety import PrivacyConfig, SafetyConfig
from adapters.config.scene import Scene, sample_scene
from adapters.config.secrets import IN_A_FILE, SECRETS, parts_of
from bot.posts import ChannelLimits
from bot.sampling import BOUNDS, PRESETS, SamplingSettings
from bot.story.settings import Length, SessionSettings

DATABASE = "understudy.db"
ACCOUNT = "account.json"


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class StorageConfig:
    """Where stories are kept. `url` may hold a password, so it shows up in no representation."""

    directory: Folder = field(default_factory=lambda: platformdirs.user_data_dir("understudy", appauthor=False))
    url: DatabaseUrl | None = field(default=None, repr=False)
    url_file: ExistingFile | None = None

    @property
    def file(self) -> Path:
        """The SQLite file in the data directory: the database where no address is configured."""
        return Path(self.directory).absolute() / DATABASE


def _within(name: str) -> object:
    return Field(ge=BOUNDS[name].low, le=BOUNDS[name].high)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class SamplingConfig:
    """How tokens are drawn: a preset, and what is to differ from it (None: as in the preset)."""

    preset: Preset = "limarp"
    preset_file: ExistingFile | None = None
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
        """The preset, or that of the file, with its differences. Raises Refused when the file is none."""
        ours = {"preset", "preset_file"}
        differences = {name: value for name, value in asdict(self).items() if name not in ours and value is not None}
        if self.logit_bias is not None:
            differences["logit_bias"] = pairs(self.logit_bias)
        base = sampling_of(self.preset_file) if self.preset_file else PRESETS[self.preset]
        return replace(base, **differences)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class WebConfig:
    """Where the page is served, and how long a post on it may be (in characters). Port 0 takes any free one.

    `adults_only` is the operator's word that nobody but adults can open it. `operator_token` opens the operator's side of it,
    and all of it where it is served beyond this machine; it shows up in no representation.
    """

    host: Host = "127.0.0.1"
    port: Port = 8000
    post_length: Annotated[Whole, Field(ge=200, le=100_000)] = 2_000
    adults_only: Flag = False
    operator_token: OperatorToken = field(default="", repr=False)
    operator_token_file: ExistingFile | None = None

    @property
    def limits(self) -> ChannelLimits:
        """What a place of the page accepts."""
        return ChannelLimits(self.post_length, streams=True, adults_only=self.adults_only)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class StoryConfig:
    """The longest post of a player (in characters), and the length modifier and LoRA adapter that a new session begins with."""

    post_limit: Annotated[Whole, Field(ge=100, le=1_000_000)] = 16_000
    length: Literal[
        "none", "micro", "tiny", "short", "medium", "long", "massive", "huge", "enormous", "humongous", "unlimited"
    ] = "medium"
    adapter: AdapterName | None = None

    @property
    def session_settings(self) -> SessionSettings:
        """The settings of a new session."""
        return SessionSettings(None if self.length == "none" else Length(self.length), self.adapter or "")


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class LogsConfig:
    """What a line of the log looks like, and the collector of OpenTelemetry that gets a trace of each reply (None: nobody)."""

    format: Literal["text", "json"] = "text"
    traces: CollectorUrl | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Shared:
    """The sections that a configuration has just as its file has them."""

    storage: StorageConfig = field(default_factory=StorageConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    web: WebConfig = field(default_factory=WebConfig)
    discord: DiscordConfig = field(default_factory=DiscordConfig)
    matrix: MatrixConfig = field(default_factory=MatrixConfig)
    story: StoryConfig = field(default_factory=StoryConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    safety: SafetyConfig = field(default_factory=SafetyConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    logs: LogsConfig = field(default_factory=LogsConfig)


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Config(Shared):
    """All that is configured."""

    scene: Scene = field(default_factory=sample_scene)

    @property
    def matrix_folder(self) -> Path:
        """Where the account of the bot on Matrix and its keys are kept; with an account in it, the bot is on Matrix."""
        return Path(self.storage.directory).absolute() / "matrix"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts in it that must be shown nowhere."""
        urls = (self.storage.url, self.discord.http_proxy, self.matrix.http_proxy)
        return (
            self.discord.token,
            self.engine.token,
            self.web.operator_token,
            *(part for url in urls for part in parts_of(url)),
        )

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The files that it names as holding secrets."""
        named = (getattr(getattr(self, each.keys[0]), each.keys[1] + IN_A_FILE) for each in SECRETS if each.keys)
        return tuple(each for each in named if each)

    @property
    def is_on_matrix(self) -> bool:
        """Whether there is an account."""
        return (self.matrix_folder / ACCOUNT).is_file()

    @property
    def cache_folder(self) -> Path:
        """Where the model's memory of stories is kept on disk."""
        return Path(self.engine.cache.folder or Path(self.storage.directory) / "kv").absolute()
