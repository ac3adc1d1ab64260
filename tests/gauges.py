"""What a process holds at this moment: memory, open files, threads, tasks, and what its objects gather. It knows no walk."""

import asyncio
import ctypes
import functools
import gc
import re
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sized
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard
from weakref import WeakKeyDictionary, WeakValueDictionary

from bot.lately import Lately

OURS = ("bot.", "adapters.", "storage.", "tests.")
CONTAINERS = (dict, set, list, deque, WeakKeyDictionary, WeakValueDictionary)


@dataclass(frozen=True, slots=True)
class Reading:
    """`resident` and `own` are bytes: all that is in memory, and what of it comes from no file, as code does.

    `files` are what is open, and `tasks` what is under way, each with how many there are of it. `gathered` are the lengths of
    all containers that our objects and modules hold, by their names, but for those that cannot grow for ever, and of what
    functions remember; `kinds` are the objects by their types.
    """

    resident: int
    own: int
    files: Mapping[str, int]
    threads: int
    tasks: Mapping[str, int]
    gathered: Mapping[str, int]
    kinds: Mapping[str, int]


def take() -> Reading:
    """Read all of it, after what nobody holds has been given back."""
    for _ in range(2):  # what finalisers let go of is found the second time
        gc.collect()
    # glibc keeps freed pages for later; what it keeps is no leak, and would hide a small one.
    ctypes.CDLL(None).malloc_trim(0)
    memory = _memory()
    return Reading(
        memory["Rss"],
        memory["Anonymous"],
        dict(Counter(_open_files())),
        threading.active_count(),
        dict(Counter(_called(task) for task in asyncio.all_tasks())),
        dict(_gathered()),
        dict(Counter(type(each).__qualname__ for each in gc.get_objects())),
    )


def _memory() -> dict[str, int]:
    lines = [line.split() for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]]
    return {name.rstrip(":"): int(amount) * 1024 for name, amount, *_ in lines}


def _open_files() -> Iterator[str]:
    """Each open file by what it is: its name where it has one, else its kind."""
    sockets = dict(_sockets())
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            name = str(each.readlink())
            yield sockets.get(name, re.sub(r"\d+", "", name))


def _sockets() -> Iterator[tuple[str, str]]:
    """The names of sockets, as the listing of open files has them, with what they are: /proc/net says it by their inodes."""
    for kind, column in (("tcp", 9), ("unix", 6)):
        for line in Path(f"/proc/self/net/{kind}").read_text(encoding="utf-8").splitlines()[1:]:
            yield f"socket:[{line.split()[column]}]", f"socket ({kind})"


def _called(task: asyncio.Task[object]) -> str:
    work = task.get_coro()
    return getattr(work, "__qualname__", type(work).__qualname__)


def _gathered() -> Counter[str]:
    found: Counter[str] = Counter()
    for each in gc.get_objects():
        for name, length in _held_by(each):
            found[name] += length
    for module in tuple(sys.modules.values()):
        called = getattr(module, "__name__", "")
        if called.startswith(OURS):
            found.update({f"{called}.{name}": len(each) for name, each in vars(module).items() if _may_grow(each)})
    return found


def _held_by(each: object) -> Iterator[tuple[str, int]]:
    kind = type(each)
    if isinstance(each, functools._lru_cache_wrapper):
        yield f"{getattr(each, '__module__', '')}.{getattr(each, '__qualname__', '')}()", each.cache_info().currsize
    elif str(kind.__module__).startswith(OURS) and not issubclass(kind, Reading | type):
        for name, value in _attributes(each):
            if _may_grow(value):
                yield f"{kind.__module__}.{kind.__qualname__}.{name}", len(value)


def _may_grow(value: object) -> TypeGuard[Sized]:
    return isinstance(value, CONTAINERS) and not isinstance(value, Lately)


def _attributes(each: object) -> Iterator[tuple[str, object]]:
    slots = (name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ()))
    for name in (*slots, *getattr(each, "__dict__", ())):
        yield name, getattr(each, name, None)
