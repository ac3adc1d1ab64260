"""The doctor sees what is well and what is not, says what to do, and changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from yarl import URL

from adapters.config import Config, defaults, read
from adapters.doctor import SKEW, examine
from adapters.findings import Finding, Grade
from storage.store import open_store, sqlite_url
from tests.adapters.web.stage import a_stage


@pytest.fixture
def config(tmp_path: Path) -> Config:
    known = defaults({})
    (tmp_path / "data").mkdir(mode=0o700)
    storage = replace(known.storage, directory=str(tmp_path / "data"))
    return replace(known, storage=storage, web=replace(known.web, port=0))


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
    assert [each.about for each in found] == [
        *("configuration", "data folder", "disk", "database", "model", "page", "discord", "matrix")
    ]
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
    assert "http://127.0.0.1:9" in found.sentence


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


@pytest.fixture
async def other_program() -> AsyncIterator[int]:
    """The port of a program that takes connections and is no Understudy."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_port_of_the_page_that_another_program_has_is_told(config: Config, other_program: int) -> None:
    found = await of(replace(config, web=replace(config.web, port=other_program)), "page")
    assert found.grade is Grade.WRONG
    assert "choose another port" in found.sentence


async def test_a_page_that_is_open_is_well(config: Config) -> None:
    async with a_stage() as stage:
        port = URL(stage.address).port or 0
        assert (await of(replace(config, web=replace(config.web, port=port)), "page")).grade is Grade.OK


async def test_a_host_of_the_page_that_is_no_host_of_this_machine_is_told(config: Config) -> None:
    found = await of(replace(config, web=replace(config.web, host="192.0.2.1", port=8000)), "page")
    assert found.grade is Grade.WRONG
    assert "host under [web]" in found.sentence


@pytest.mark.parametrize(
    ("folder", "mode", "grade"),
    [(0o755, 0o644, Grade.WARNING), (0o755, 0o640, Grade.OK), (0o700, 0o644, Grade.OK)],
)
@pytest.mark.parametrize("named", [True, False])
async def test_a_file_with_a_secret_that_all_can_read_is_told(
    tmp_path: Path, folder: int, mode: int, grade: Grade, *, named: bool
) -> None:
    (tmp_path / "etc").mkdir()
    file, secret = tmp_path / "etc" / "understudy.toml", tmp_path / "etc" / "token"
    secret.write_text("x" * 20)
    by_file = 'operator_token_file = "token"'
    written = by_file if named else f'operator_token = "{"x" * 20}"'
    file.write_text(f'[storage]\ndirectory = "{tmp_path}/data"\n[web]\nport = 0\n{written}\n')
    secret.chmod(mode if named else 0o600)
    file.chmod(0o644 if named else mode)
    (tmp_path / "etc").chmod(folder)
    [found] = [each for each in await examine(read(file, {}), file) if each.about == "secrets"]
    assert found.grade is grade
    assert (str(secret if named else file) in found.sentence) is (grade is Grade.WARNING)


async def test_a_password_that_is_given_otherwise_is_not_looked_for_in_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "understudy.toml"
    file.write_text(f'[storage]\ndirectory = "{tmp_path}/data"\n[web]\nport = 0\n')
    given = {"UNDERSTUDY_STORAGE_URL": "postgresql://web:web@127.0.0.1:9/web"}
    assert "secrets" not in [each.about for each in await examine(read(file, given), file)]


async def test_a_configuration_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text(f'[storage]\ndirectory = "{tmp_path}/data"\n[web]\nport = 0\n')
    found = await examine(read(tmp_path / "understudy.toml", {}), tmp_path / "understudy.toml")
    assert "secrets" not in [each.about for each in found]
