"""A path for a socket: what is there already stays, unless it is what a dead server left behind."""

import socket
from pathlib import Path

import pytest

from adapters.remote.server import EngineServer, serve
from adapters.remote.settings import EngineServerSettings
from bot.errors import ConfigMistakes, NotNow
from tests.adapters.remote.stage import ServedScript


def a_server(path: Path) -> EngineServer:
    return EngineServer(ServedScript(["x"]), EngineServerSettings(socket=path))


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
async def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    path, story = tmp_path / "engine", tmp_path / "story"
    story.write_text("kept")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(story)
    else:
        path.write_text("kept")
    with pytest.raises(ConfigMistakes, match="is no socket, so it stays as it is; name another path"):
        async with serve(ServedScript(["x"]), EngineServerSettings(socket=path)):
            pass
    assert path.is_dir() if kind == "folder" else path.read_text() == "kept"


async def test_an_engine_that_is_being_served_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    first, second = a_server(path), a_server(path)
    await first.start()
    with pytest.raises(NotNow, match="Another engine is being served at"):
        await second.start()
    await second.close()
    assert path.is_socket()
    await first.close()
    assert not path.exists()


async def test_what_a_dead_server_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    left_behind(path)
    server = a_server(path)
    await server.start()
    await server.close()
    assert not path.exists()


async def test_a_socket_that_another_made_meanwhile_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "engine"
    server = a_server(path)
    await server.start()
    path.unlink()
    left_behind(path)
    await server.close()
    assert path.is_socket()


def left_behind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
