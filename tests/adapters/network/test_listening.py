"""Why nothing can be served at an address is told in a sentence, and what may pass is told from a mistake."""

import errno
import os
import socket

import pytest

from adapters.network.listening import Choices, trouble
from bot.errors import ConfigMistakes, NotNow

CHOICES = Choices(port="port under [web]", host="host under [web]")


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        (errno.EADDRINUSE, NotNow, "choose another port: port under [web]."),
        (socket.EAI_AGAIN, NotNow, "try again, or choose an address: host under [web]."),
        (errno.EACCES, ConfigMistakes, "choose a port above 1023: port under [web]."),
        (errno.EADDRNOTAVAIL, ConfigMistakes, "such as 127.0.0.1: host under [web]."),
        (socket.EAI_NONAME, ConfigMistakes, "such as 127.0.0.1: host under [web]."),
    ],
)
def test_each_error_of_the_system_is_one_sentence_with_what_to_do(code: int, kind: type[Exception], advice: str) -> None:
    told = trouble("The page cannot be opened", "example.org", 80, OSError(code, "the system's words"), CHOICES)
    assert type(told) is kind
    assert str(told).startswith("The page cannot be opened at example.org, port 80")
    assert str(told).endswith(advice)


def test_a_reason_of_the_system_names_the_address_once() -> None:
    by_asyncio = OSError(errno.EADDRNOTAVAIL, "error while attempting to bind on address ('192.0.2.1', 80)")
    told = str(trouble("It cannot be served", "192.0.2.1", 80, by_asyncio, CHOICES))
    assert os.strerror(errno.EADDRNOTAVAIL) in told
    assert told.count("192.0.2.1") == 1
