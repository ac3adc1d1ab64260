"""Places to back up and to restore to, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.config import Config, defaults
from storage.store import sqlite_url
from tests.postgres import Postgres


def configured(folder: Path, url: str | None = None) -> Config:
    config = defaults({})
    return replace(config, storage=replace(config.storage, directory=str(folder), url=url))


def make(config: Config) -> None:
    """Make the data folder, as a start does."""
    Path(config.storage.directory).mkdir()


def left_in(config: Config) -> set[str]:
    """The names of whatever is in a data folder, but for the lock that any command leaves there."""
    return {path.name for path in Path(config.storage.directory).rglob("*")} - {"understudy.lock"}


def url_of(config: Config) -> str:
    return config.storage.url or sqlite_url(config.storage.file)


@dataclass(slots=True)
class Noting:
    """Hears how far something is."""

    stages: list[tuple[str, int]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def stage(self, name: str, total: int) -> None:
        self.stages.append((name, total))
        self.done.append(0)

    def advance(self, count: int) -> None:
        self.done[-1] += count


@dataclass(slots=True)
class Places:
    """Makes data folders, with a database on the kind of server that is named."""

    folder: Path
    postgres: Postgres | None = None
    _made: int = 0
    _databases: list[str] = field(default_factory=list)

    def new(self, kind: str = "sqlite") -> Config:
        self._made += 1
        folder = self.folder / f"data-{self._made}"
        if kind == "sqlite" or self.postgres is None:
            return configured(folder)
        name = self.postgres.create()
        self._databases.append(name)
        return configured(folder, self.postgres.url(name))

    @contextmanager
    def opened(self) -> Iterator["Places"]:
        try:
            yield self
        finally:
            for name in self._databases:
                if self.postgres:
                    self.postgres.drop(name)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Places on SQLite."""
    return Places(tmp_path)


@pytest.fixture
def all_places(tmp_path: Path, postgres: Postgres) -> Iterator[Places]:
    """Places on SQLite and PostgreSQL."""
    with Places(tmp_path, postgres).opened() as found:
        yield found
