"""The engine as the configuration names it: in a child that may die, at an address, and what each keeps and refuses."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import engines
from adapters.config import CacheConfig, Config, EngineConfig, Errand, ModelConfig, defaults, taken
from adapters.engines import SLOTS_BYTES, engine_here, engine_in_child, engine_of, served
from adapters.remote import EngineServerSettings, RemoteEngine
from adapters.remote.server import serve
from adapters.shelf import DiskShelf
from bot.engine.threaded import ThreadedEngine
from bot.errors import ConfigMistakes, EngineUnavailable, ModelNotLoaded
from bot.ids import SessionId
from bot.ports.engine import Engine, Finished, GenerationRequest, Segment, TextDelta
from bot.sampling import LIMARP
from bot.story.policy import Rating
from tests.fakes.runner import CountingRunner
from tests.models import DEMO_MODEL

TOKEN = "a-made-up-token"  # noqa: S105  it opens nothing


def configured(folder: Path, **model: object) -> Config:
    config = defaults({})
    chosen = ModelConfig(**({"slots": 1, "context": 1024} | model))  # type: ignore[arg-type]  # whatever a test sets
    return replace(config, model=chosen, storage=replace(config.storage, directory=str(folder)))


def a_request(session: str = "one", words: int = 300, **changes: object) -> GenerationRequest:
    prompt = Segment(" ".join(f"the {number}th word" for number in range(words // 4)))
    return replace(GenerationRequest(SessionId(session), (prompt,), 16, LIMARP, seed=5), **changes)  # type: ignore[arg-type]  # likewise


async def written(engine: Engine, request: GenerationRequest) -> tuple[str, Finished]:
    *items, finished = [each async for each in engine.generate(request)]
    assert isinstance(finished, Finished)
    return "".join(each.text for each in items if isinstance(each, TextDelta)), finished


async def test_a_child_that_is_killed_is_replaced_and_the_next_reply_is_the_same(tmp_path: Path) -> None:
    async with engine_in_child(configured(tmp_path)) as (engine, supervisor):
        first, _ = await written(engine, a_request())
        assert supervisor.pid
        os.kill(supervisor.pid, signal.SIGKILL)
        again, _ = await written(engine, a_request())
    assert again == first
    assert supervisor.restarts == 1


async def test_what_was_read_is_still_known_after_a_restart_of_the_program(tmp_path: Path) -> None:
    texts = []
    for cached in (False, True):
        async with engine_in_child(configured(tmp_path)) as (engine, _):
            text, finished = await written(engine, a_request())
            texts.append(text)
            assert (finished.usage.cached_tokens > 250) is cached
            assert finished.usage.cached_tokens + finished.usage.prefilled_tokens == finished.usage.prompt_tokens
    assert texts[0] == texts[1]


async def test_a_state_that_was_changed_on_disk_is_read_anew_and_the_reply_is_the_same(tmp_path: Path) -> None:
    async with engine_in_child(configured(tmp_path)) as (engine, _):
        wanted, _ = await written(engine, a_request())
    [file] = (tmp_path / "kv").glob("*.state")
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    async with engine_in_child(configured(tmp_path)) as (engine, _):
        text, finished = await written(engine, a_request())
    assert (text, finished.usage.cached_tokens) == (wanted, 0)


async def test_nothing_is_left_on_disk_where_no_room_is_given(tmp_path: Path) -> None:
    config = configured(tmp_path)
    cache = replace(config.engine.cache, disk_gib=0.0)
    async with engine_in_child(replace(config, engine=replace(config.engine, cache=cache))) as (engine, _):
        await written(engine, a_request())
    assert not (tmp_path / "kv").exists()


async def test_a_model_that_cannot_be_loaded_is_the_childs_own_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(DEMO_MODEL.read_bytes()[:200_000])
    with pytest.raises(ModelNotLoaded, match=r"^\S+broken.gguf cannot be loaded: it is cut short"):
        async with engine_in_child(configured(tmp_path, path=str(tmp_path / "broken.gguf"), rating="general")):
            pass


def left_in(folder: Path) -> list[Path]:
    return list(folder.glob("understudy-*"))


async def test_the_socket_and_the_child_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with engine_in_child(configured(tmp_path / "data")) as (_, supervisor):
        pid = supervisor.pid
        assert pid
        [folder] = left_in(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert left_in(tmp_path) == []


async def test_the_child_is_gone_even_when_closing_its_client_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close = RemoteEngine.close

    async def fails(self: RemoteEngine) -> None:
        await close(self)
        raise OSError("a defect")

    monkeypatch.setattr(RemoteEngine, "close", fails)
    pids: list[int | None] = []
    with pytest.raises(OSError, match="a defect"):
        async with engine_in_child(configured(tmp_path)) as (_, supervisor):
            pids.append(supervisor.pid)
    assert pids[0]
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.parametrize(("disk", "backlog"), [(100.0, 5 * 1024**3 + SLOTS_BYTES), (3.0, 3 * 1024**3)])
def test_all_that_memory_holds_may_wait_to_be_written_but_no_more_than_the_disk_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: float, backlog: int
) -> None:
    shelves: list[DiskShelf] = []
    monkeypatch.setattr(engines, "open_engine", lambda *_, shelf, **__: shelves.append(shelf))
    config = configured(tmp_path)
    engine_here(replace(config, engine=replace(config.engine, cache=CacheConfig(ram_gib=5.0, disk_gib=disk))))
    [shelf] = shelves
    shelf.close()
    assert shelf._backlog == backlog


async def test_a_temporary_folder_with_a_long_name_does_not_make_the_socket_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    async with engine_in_child(configured(tmp_path)) as (engine, _):
        assert (await engine.capabilities()).context == 1024


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    engine = ThreadedEngine(CountingRunner(says="It is."), model="counting", rating=Rating.GENERAL)
    async with serve(engine, EngineServerSettings(port=0, token=TOKEN)) as address:
        yield address


async def test_an_engine_elsewhere_is_used_with_the_token_and_tells_its_own_rating(tmp_path: Path) -> None:
    async with elsewhere() as address:
        config = replace(configured(tmp_path), engine=EngineConfig(url=address, token=TOKEN))
        async with engine_of(config) as engine:
            assert (await engine.capabilities()).rating is Rating.GENERAL
            assert (await written(engine, a_request(words=8)))[0] == "It is."


async def test_without_the_token_an_engine_elsewhere_is_of_no_use(tmp_path: Path) -> None:
    async with elsewhere() as address, engine_of(replace(configured(tmp_path), engine=EngineConfig(url=address))) as engine:
        with pytest.raises(EngineUnavailable, match="token"):
            await engine.capabilities()


def test_what_the_host_section_says_is_how_the_engine_is_served(tmp_path: Path) -> None:
    config = configured(tmp_path)
    host = replace(config.engine.host, host="::1", port=0, max_tokens=10, concurrent=3, body_mib=2)
    settings = served(replace(config, engine=replace(config.engine, host=host, token=TOKEN)), None)
    assert (settings.host, settings.port, settings.token) == ("::1", 0, TOKEN)
    assert (settings.max_tokens, settings.concurrent, settings.body_bytes) == (10, 3, 2 * 1024**2)


def test_a_child_is_handed_the_configuration_without_its_secrets(tmp_path: Path) -> None:
    config = configured(tmp_path, path=str(DEMO_MODEL), adapters=())
    storage = replace(config.storage, url="postgresql://me:hunter2@host/db")
    config = replace(config, storage=storage, engine=replace(config.engine, token=TOKEN))
    line = Errand(config=config, log_level=20).line
    assert b"hunter2" not in line
    assert TOKEN.encode() not in line
    assert line.count(b"\n") == 1
    errand = taken(line)
    assert (errand.config.model, errand.log_level) == (config.model, 20)
    assert errand.config.cache_folder == config.cache_folder


@pytest.mark.parametrize("line", [b"", b"\n", b"{}", b'{"log_level": 20}', b"\xff"])
def test_what_is_no_configuration_is_refused_in_one_sentence(line: bytes) -> None:
    with pytest.raises(ConfigMistakes, match="own use"):
        taken(line)


async def test_a_child_does_not_inherit_the_secrets_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_TOKEN", TOKEN)
    monkeypatch.setenv("UNDERSTUDY_STORAGE_URL", "postgresql://me:hunter2@host/db")
    async with engine_in_child(configured(tmp_path)) as (_, supervisor):
        inherited = await asyncio.to_thread(Path(f"/proc/{supervisor.pid}/environ").read_bytes)
    assert b"PATH=" in inherited
    assert b"UNDERSTUDY_" not in inherited
