"""What several commands of `understudy` take alike, and the configuration that comes of it. It starts nothing."""

from dataclasses import replace
from pathlib import Path

import click

from adapters import logs
from adapters.config import Config, StatedRating, defaults, read
from bot.errors import Refused

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

with_config = click.option("--config", "path", type=FILE, metavar="FILE", help="A configuration file (see `understudy init`).")
with_data = click.option("--data", type=FOLDER, metavar="FOLDER", help="Where stories are kept.")


def configured(
    path: Path | None, *, model: Path | None = None, rating: StatedRating | None = None, data: Path | None = None
) -> Config:
    """The configuration of a file, or of none, with what the command line says over it. Raises ConfigMistakes, Refused.

    From here on the log looks as it says.
    """
    config = read(path) if path else defaults()
    logs.hide(config.secrets)
    logs.take_shape(config.logs.format)
    if data and data.exists() and not data.is_dir():
        raise Refused(f"{data} is not a folder; name one with --data.")
    if model:
        # Whoever names a file wants it here, whatever the configuration says of an engine elsewhere.
        engine = replace(config.engine, url=None)
        config = replace(config, model=replace(config.model, path=str(model), rating=None), engine=engine)
    if rating:
        config = replace(config, model=replace(config.model, rating=rating))
    if data:
        config = replace(config, storage=replace(config.storage, directory=str(data)))
    return config
