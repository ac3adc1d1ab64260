"""Why nothing can be served at a host and port, and what to do. It serves nothing itself."""

import asyncio
import errno
import os
import socket
from dataclasses import dataclass

from bot.errors import ConfigMistakes, NotNow, UnderstudyError


@dataclass(frozen=True, slots=True)
class Choices:
    """Where an operator chooses another port and another host, for the end of a sentence."""

    port: str
    host: str


def trouble(what: str, host: str, port: int, error: OSError, choices: Choices) -> UnderstudyError:
    """What to raise: NotNow for what may pass (another program is there, no names are found), else ConfigMistakes."""
    told = f"{what} at {host}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return NotNow(f"{told}, where another program is; end that, or choose another port: {choices.port}.")
    if error.errno == errno.EACCES:
        return ConfigMistakes([f"{told}, for which this user lacks the right; choose a port above 1023: {choices.port}."])
    if error.errno == socket.EAI_AGAIN:
        return NotNow(f"{told}: its name cannot be found just now; try again, or choose an address: {choices.host}.")
    # What asyncio makes of an error of the system says the address once more.
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    return ConfigMistakes([f"{told} ({reason}); choose a host of this machine, such as 127.0.0.1: {choices.host}."])


async def try_to_listen(host: str, port: int) -> None:
    """Find out whether a server could listen there, without taking any connection. Raises OSError."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, host, port, start_serving=False)
    server.close()
    await server.wait_closed()
