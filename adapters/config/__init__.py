"""The configuration: one TOML file, a few environment variables, and every mistake in them at once."""

from adapters.config.discord import DiscordConfig
from adapters.config.engine import CacheConfig, EngineConfig, HostConfig
from adapters.config.handing import Errand, taken
from adapters.config.kinds import StatedRating, is_host
from adapters.config.matrix import MatrixConfig
from adapters.config.model import CHOSEN, DEMO_MODEL, AdapterConfig, ModelConfig
from adapters.config.reading import ENVIRONMENT, EXAMPLE, defaults, holds_secret, read, read_scene
from adapters.config.scene import Scene
from adapters.config.secrets import files_given, given, without_secrets
from adapters.config.settings import Config, SamplingConfig, StorageConfig, StoryConfig, WebConfig

__all__ = [
    "CHOSEN",
    "DEMO_MODEL",
    "ENVIRONMENT",
    "EXAMPLE",
    "AdapterConfig",
    "CacheConfig",
    "Config",
    "DiscordConfig",
    "EngineConfig",
    "Errand",
    "HostConfig",
    "MatrixConfig",
    "ModelConfig",
    "SamplingConfig",
    "Scene",
    "StatedRating",
    "StorageConfig",
    "StoryConfig",
    "WebConfig",
    "defaults",
    "files_given",
    "given",
    "holds_secret",
    "is_host",
    "read",
    "read_scene",
    "taken",
    "without_secrets",
]
