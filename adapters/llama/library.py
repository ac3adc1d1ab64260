"""The one import of llama.cpp's library, made quiet. Everything else in this folder takes it from here.

Its log goes to this module's logger and is remembered for the sentence of a load error; nothing is printed.

A process that has loaded it must not fork: the child would hang in its first step, in OpenMP. Start children with spawn.
"""

import ctypes
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any


def set_environment(environment: MutableMapping[str, str]) -> None:
    """What must stand in the environment before the library loads, each unless the operator has set it.

    A failed assertion in the library would start a debugger. Its threads wait for each other by spinning: next to one busy
    core, GNU's OpenMP with its usual count of turns was seen to fall to a twentieth of its speed; with few turns the threads
    sleep instead, which costs nothing that could be measured where the cores are free. An empty OMP_WAIT_POLICY, which some
    service files leave behind, is a line of complaint at every start.
    """
    environment.setdefault("GGML_NO_BACKTRACE", "1")
    if not environment.get("OMP_WAIT_POLICY", "unset"):
        del environment["OMP_WAIT_POLICY"]
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "2000")


set_environment(os.environ)

from llama_cpp import __version__ as version  # noqa: E402 - the environment comes first
from llama_cpp import llama_cpp as low  # noqa: E402 - likewise

__all__ = ["Handle", "complaints", "low", "set_environment", "start", "version"]

Handle = Any
"""A pointer to something of the library's: a model or a context. The binding gives it no type."""

logger = logging.getLogger(__name__)

ERROR = 4
"""GGML_LOG_LEVEL_ERROR. All lower levels (its warnings are hints to developers) go to our log as DEBUG."""

_lock = threading.Lock()
_complaints: list[deque[str]] = []


@low.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes function type
def _log(level: int, text: bytes | None, _: object) -> None:
    line = (text or b"").decode("utf-8", "replace").strip()
    if not line:
        return
    for lines in _complaints if level == ERROR else ():
        lines.append(line)
    # An error that somebody collects ends in an error of ours, which says it better.
    logger.log(logging.WARNING if level == ERROR and not _complaints else logging.DEBUG, "%s", line)


def start() -> None:
    """Make the library ready. May be called again."""
    with _lock:
        low.llama_log_set(_log, ctypes.c_void_p(0))
        low.llama_backend_init()


@contextmanager
def complaints() -> Iterator[deque[str]]:
    """The library's last twenty errors while the block runs, in order, those of other threads among them."""
    lines: deque[str] = deque(maxlen=20)
    _complaints.append(lines)
    try:
        yield lines
    finally:
        _complaints[:] = [each for each in _complaints if each is not lines]
