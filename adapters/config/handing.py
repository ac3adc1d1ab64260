"""Hands a configuration to a child process as one line of JSON. It passes on no secret."""

from dataclasses import replace

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from adapters.config.discord import DiscordConfig
from adapters.config.kinds import CLOSED
from adapters.config.matrix import MatrixConfig
from adapters.config.settings import Config, StorageConfig, WebConfig
from bot.errors import ConfigMistakes


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Errand:
    """What a child process is to do its work with: the configuration, and from which level on it logs."""

    config: Config
    log_level: int

    @property
    def line(self) -> bytes:
        """The errand as it is handed over."""
        config = self.config
        config = replace(
            config,
            storage=StorageConfig(directory=config.storage.directory),
            engine=replace(config.engine, token="", token_file=None),
            discord=DiscordConfig(),
            matrix=MatrixConfig(),
            web=WebConfig(),
        )
        return _ERRAND.dump_json(replace(self, config=config)) + b"\n"


def taken(line: bytes) -> Errand:
    """The errand that was handed over. Raises ConfigMistakes for anything else."""
    try:
        return _ERRAND.validate_json(line)
    except ValidationError as wrong:
        raise ConfigMistakes(["This is for Understudy's own use: it found no configuration in its input."]) from wrong


_ERRAND = TypeAdapter(Errand)
