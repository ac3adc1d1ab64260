"""The configuration: one TOML file, a few environment variables, and every mistake in them at once."""

from adapters.config.kinds import StatedRating
from adapters.config.reading import ENVIRONMENT, EXAMPLE, defaults, read, read_scene
from adapters.config.scene import Scene
from adapters.config.settings import Config, ModelConfig, SamplingConfig, StorageConfig, StoryConfig, WebConfig

__all__ = [
    "ENVIRONMENT",
    "EXAMPLE",
    "Config",
    "ModelConfig",
    "SamplingConfig",
    "Scene",
    "StatedRating",
    "StorageConfig",
    "StoryConfig",
    "WebConfig",
    "defaults",
    "read",
    "read_scene",
]
