"""The proxies take their configurations, and a story stays with its engine host for as long as that is there."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.config import defaults
from tests.house.project import ROOT

FOLDER = ROOT / "deploy" / "proxies"
HOSTS = ("engine-1", "engine-2", "engine-3")
SESSIONS = tuple(f"session-{number}" for number in range(30))
HEADER = defaults({}).engine.session_header


def at_hand(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"no {program} here: install it to have its configuration looked at")
    return found


@pytest.fixture
def haproxy() -> str:
    return at_hand("haproxy")


@pytest.fixture
def caddy() -> str:
    return at_hand("caddy")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(  # noqa: S603  of this system
        command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False, timeout=60
    )


def test_haproxy_takes_its_configuration(haproxy: str, tmp_path: Path) -> None:
    done = run([haproxy, "-c", "-f", str(FOLDER / "haproxy.cfg")], tmp_path)
    assert done.returncode == 0, done.stderr


def test_caddy_takes_its_configuration(caddy: str, tmp_path: Path) -> None:
    done = run([caddy, "validate", "--adapter", "caddyfile", "--config", str(FOLDER / "Caddyfile")], tmp_path)
    assert done.returncode == 0, done.stderr
    formatted = run([caddy, "fmt", str(FOLDER / "Caddyfile")], tmp_path)
    assert formatted.stdout == (FOLDER / "Caddyfile").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def host(name: str, port: int) -> AsyncIterator[None]:
    """An engine host that is well, and says its name to whatever it is asked."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=name)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def configuration(port: int, hosts: Mapping[str, int]) -> str:
    """The one that is shipped, with these hosts, looked at more often than usual."""
    text = (FOLDER / "haproxy.cfg").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.strip().startswith("server ")]
    lines = [*kept, *(f"    server {name} 127.0.0.1:{at} check" for name, at in hosts.items())]
    return "\n".join(lines).replace("bind :8004", f"bind 127.0.0.1:{port}").replace("inter 2s", "inter 100ms") + "\n"


@asynccontextmanager
async def balancer(haproxy: str, folder: Path, hosts: Mapping[str, int]) -> AsyncIterator[str]:
    """HAProxy before hosts; its address, once it listens."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(configuration(port, hosts), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        haproxy, "-db", "-f", str(folder / "haproxy.cfg"), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while not await listens(port):
            assert process.returncode is None, "it did not start"
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}/v1/completions"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def homes(address: str, sessions: Iterable[str] = SESSIONS) -> dict[str, str]:
    """Which host answers each session. Each is asked by a connection of its own, as other bots would."""
    found = {}
    for session in sessions:
        async with aiohttp.ClientSession() as client, client.post(address, headers={HEADER: session}, data=b"{}") as answer:
            assert answer.status == 200
            found[session] = await answer.text()
    return found


async def test_a_story_stays_with_its_host_and_moves_only_when_that_is_away(haproxy: str, tmp_path: Path) -> None:
    ports = {name: free_port() for name in HOSTS}
    async with AsyncExitStack() as others, balancer(haproxy, tmp_path, ports) as address:
        for name in HOSTS[1:]:
            await others.enter_async_context(host(name, ports[name]))
        async with host(HOSTS[0], ports[HOSTS[0]]):
            before = await homes(address)
            while set(before.values()) != set(HOSTS) or await homes(address) != before:
                await asyncio.sleep(0.05)  # each was away until it was looked at again
                before = await homes(address)
            assert await homes(address) == before

        away = await homes(address)
        assert HOSTS[0] not in away.values(), "whoever asks now is answered by another"
        stayed = {session: home for session, home in before.items() if home != HOSTS[0]}
        assert {session: away[session] for session in stayed} == stayed
        assert await homes(address) == away

        async with host(HOSTS[0], ports[HOSTS[0]]):
            while await homes(address) != before:
                await asyncio.sleep(0.05)  # it is trusted again once it was well twice
