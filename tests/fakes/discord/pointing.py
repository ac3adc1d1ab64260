"""How a client is pointed at a loopback Discord without a change to it: a connector under which every name leads there.

The client keeps Discord's own addresses, certificates are checked as ever, and only the certificate's authority is our own.
"""

import atexit
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

VARIABLE = "UNDERSTUDY_TEST_LOOPBACK_DISCORD"
"""The environment variable by which a child process finds the loopback Discord: its port, a blank, its certificate's path."""
NAMES = ("discord.com", "*.discord.com", "gateway.discord.gg", "*.discord.gg", "cdn.discordapp.com", "*.discordapp.net")
CONFIGURATION = f"""
[req]
distinguished_name = name
x509_extensions = ours
prompt = no
[name]
CN = loopback
[ours]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
subjectKeyIdentifier = hash
subjectAltName = {", ".join(f"DNS:{name}" for name in NAMES)}
"""


@cache
def certificate() -> tuple[Path, Path]:
    """A certificate for Discord's names and its key, made once in a process and gone with it. Raises RuntimeError."""
    tool = shutil.which("openssl")
    if tool is None:
        raise RuntimeError("the loopback Discord needs the command openssl for its certificate")
    folder = Path(tempfile.mkdtemp(prefix="loopback-discord-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings, key, made = folder / "req.cnf", folder / "key.pem", folder / "certificate.pem"
    settings.write_text(CONFIGURATION, encoding="utf-8")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-sha256"]
    where = ["-config", str(settings), "-keyout", str(key), "-out", str(made)]
    done = subprocess.run([tool, "req", "-x509", *kind, *where], capture_output=True, text=True, check=False)  # noqa: S603 our own
    if done.returncode:
        raise RuntimeError(f"openssl made no certificate: {done.stderr}")
    return made, key


@cache
def server_context() -> ssl.SSLContext:
    """What the loopback Discord serves with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate())
    return context


class Pointing(AbstractResolver):
    """A resolver for which every name is the loopback Discord: the connector takes the port, too, from what it answers."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 the port that was asked for is the one thing to ignore
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 loopback has this one
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def connector(port: int, authority: Path) -> aiohttp.TCPConnector:
    """A connector under which every https and wss address leads to this port of loopback. For a running event loop."""
    return aiohttp.TCPConnector(resolver=Pointing(port), ssl=ssl.create_default_context(cafile=str(authority)), limit=0)


def environment(port: int) -> dict[str, str]:
    """What a child process needs in its environment to find a loopback Discord of this process."""
    return {VARIABLE: f"{port} {certificate()[0]}"}


def connector_from_environment() -> aiohttp.TCPConnector | None:
    """The connector that the environment names; None where it names none."""
    port, _, authority = os.environ.get(VARIABLE, "").partition(" ")
    return connector(int(port), Path(authority)) if port else None
