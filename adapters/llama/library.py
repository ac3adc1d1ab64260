"""The one import of llama.cpp's library, made quiet. Everything else in this folder takes it from here.

Its log goes to this module's logger and is remembered for the sentence of a load error; nothing is printed.
"""

import ctypes
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Must stand in the environment before the library loads: a failed assertion in it would otherwise start a debugger.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

from llama_cpp import llama_cpp as low

__all__ = ["Handle", "complaints", "low", "start"]

Handle = Any
"""A pointer to something of the library's: a model or a context. The binding gives it no type."""

logger = logging.getLogger(__name__)

ERROR = 3
LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, ERROR: logging.WARNING, 4: logging.DEBUG}
"""ggml_log_level to ours. Its warnings are hints to developers: an operator sees only what it calls an error."""

_recent: deque[str] = deque(maxlen=20)
_lock = threading.Lock()


@low.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes function type
def _log(level: int, text: bytes | None, _: object) -> None:
    line = (text or b"").decode("utf-8", "replace").strip()
    if not line:
        return
    if level == ERROR:
        _recent.append(line)
    logger.log(LEVELS.get(level, logging.DEBUG), "%s", line)


def start() -> None:
    """Make the library ready. May be called again."""
    with _lock:
        low.llama_log_set(_log, ctypes.c_void_p(0))
        low.llama_backend_init()


@contextmanager
def complaints() -> Iterator[deque[str]]:
    """The library's errors while the block runs, in order. Blocks in other threads see each other's errors too."""
    _recent.clear()
    yield _recent
