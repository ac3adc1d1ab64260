"""Why nothing can be served at a host and port, and what to do. It serves nothing itself."""

import asyncio
import errno
from dataclasses import dataclass

from bot.errors import ConfigMistakes, NotNow, UnderstudyError


@dataclass(frozen=True, slots=True)
class Choices:
    """Where an operator chooses another port and another host, for the end of a sentence."""

    port: str
    host: str


def trouble(what: str, host: str, port: int, error: OSError, choices: Choices) -> UnderstudyError:
    """What to raise: NotNow where another program is there, which may end, and ConfigMistakes for what no waiting mends."""
    told = f"{what} at {host}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return NotNow(f"{told}, where another program is; end that, or choose another port: {choices.port}.")
    if error.errno == errno.EACCES:
        return ConfigMistakes([f"{told}, for which this user lacks the right; choose a port above 1023: {choices.port}."])
    reason = error.strerror or str(error)
    return ConfigMistakes([f"{told} ({reason}); choose a host of this machine, such as 127.0.0.1: {choices.host}."])


async def try_to_listen(host: str, port: int) -> None:
    """Find out whether a server could listen there, without taking any connection. Raises OSError."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
    server.close()
    await server.wait_closed()
