"""The doctor sees what is well and what is not, says what to do, and changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.config import Config, defaults
from adapters.doctor import SKEW, examine
from adapters.findings import Finding, Grade
from storage.store import open_store, sqlite_url


@pytest.fixture
def config(tmp_path: Path) -> Config:
    known = defaults({})
    (tmp_path / "data").mkdir(mode=0o700)
    return replace(known, storage=replace(known.storage, directory=str(tmp_path / "data")))


def contents(config: Config) -> list[Path]:
    return list(Path(config.storage.directory).iterdir())


def open_to_all(config: Config) -> None:
    Path(config.storage.directory).chmod(0o755)


async def of(config: Config, about: str) -> Finding:
    (found,) = [each for each in await examine(config) if each.about == about]
    return found


async def test_a_fresh_folder_lacks_nothing_but_a_model_and_is_left_as_it_is(config: Config) -> None:
    found = await examine(config)
    assert [each.about for each in found if each.grade is Grade.WRONG] == []
    assert [each.about for each in found] == ["configuration", "data folder", "disk", "database", "model", "discord", "matrix"]
    assert contents(config) == []


async def test_a_platform_that_it_does_not_know_to_be_played_on_is_told_all_the_same(config: Config) -> None:
    """Whoever asks in a shell does not have the token that the service is given, and is not to believe that it was tried."""
    assert "not seen from a shell" in (await of(config, "discord")).sentence
    assert str(config.matrix_folder) in (await of(config, "matrix")).sentence


async def test_a_database_is_looked_into(config: Config) -> None:
    await (await open_store(sqlite_url(config.storage.file))).close()
    assert (await of(config, "database")).grade is Grade.OK
    config.storage.file.write_bytes(b"no database " * 500)
    assert (await of(config, "database")).grade is Grade.WRONG


async def test_a_folder_that_all_may_look_into_is_told(config: Config) -> None:
    open_to_all(config)
    found = await of(config, "data folder")
    assert found.grade is Grade.WARNING
    assert "chmod o=" in found.sentence


@pytest.mark.parametrize(("free", "grade"), [(10**7, Grade.WRONG), (10**9, Grade.WARNING), (10**12, Grade.OK)])
async def test_a_disk_that_fills_up_is_told_in_time(
    config: Config, monkeypatch: pytest.MonkeyPatch, free: int, grade: Grade
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    assert (await of(config, "disk")).grade is grade


async def test_a_model_that_is_none_is_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF and no more")
    found = await of(replace(config, model=replace(config.model, path=str(tmp_path / "x.gguf"))), "model")
    assert found.grade is Grade.WRONG


async def test_an_engine_that_does_not_answer_is_told(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.doctor.ENGINE_SECONDS", 1.0)
    found = await of(replace(config, engine=replace(config.engine, url="http://127.0.0.1:9")), "engine")
    assert found.grade is Grade.WRONG
    assert "nothing answers" in found.sentence


@pytest.mark.parametrize(("wrong", "grade"), [(0.0, Grade.OK), (SKEW + 60, Grade.WRONG), (-SKEW - 60, Grade.WRONG)])
async def test_a_clock_that_is_wrong_is_told(
    config: Config, monkeypatch: pytest.MonkeyPatch, wrong: float, grade: Grade
) -> None:
    async def there(*_: object) -> float:
        return 1_000_000.0

    async def nothing(*_: object) -> list[Finding]:
        return []

    monkeypatch.setattr("adapters.doctor.time_at", there)
    monkeypatch.setattr("adapters.doctor.examine_discord", nothing)
    monkeypatch.setattr("time.time", lambda: 1_000_000.0 + wrong)
    found = await of(replace(config, discord=replace(config.discord, token="a-token")), "clock")  # noqa: S106  a made-up one
    assert found.grade is grade


async def test_several_processes_with_an_engine_each_are_told(config: Config, empty_postgres: str) -> None:
    shared = replace(config, storage=replace(config.storage, url=empty_postgres))
    first = await open_store(empty_postgres)
    assert (await of(shared, "engine")).grade is Grade.OK
    assert "Before a second bot" in (await of(shared, "engine")).sentence
    await first.beat()
    second = await open_store(empty_postgres)
    await second.beat()
    found = await of(shared, "engine")
    assert found.grade is Grade.WARNING
    assert "[engine] url" in found.sentence
    await first.close()
    await second.close()


async def test_a_database_of_one_process_asks_for_no_engine_elsewhere(config: Config) -> None:
    alone = replace(config, storage=replace(config.storage, url=sqlite_url(config.storage.file)))
    await (await open_store(sqlite_url(config.storage.file))).close()
    assert "engine" not in [each.about for each in await examine(alone)]
