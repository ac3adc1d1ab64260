"""The Shelf port on files: takes note at once, and does the work in one thread, in order. It knows no file's inside.

Rule 1. Only the worker touches the folder, in the order in which it was asked.
Rule 2. What both sides see is changed under the lock, and nothing slow happens under it.
Rule 3. `_held` is what the caller may rely on; the folder follows it, a few jobs behind.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from adapters.shelf import layout
from adapters.shelf.folder import StateFolder, key_of
from adapters.shelf.layout import DamagedState
from bot.ports.shelf import KeptState, ShelfStatistics

logger = logging.getLogger(__name__)

THREAD_NAME = "understudy-shelf"
BACKLOG = 2 * 1024**3
"""Bytes that may wait to be written: a disk slower than the stories come must not fill the memory of the machine."""


class DiskShelf:
    """Keeps states in the files of a folder, `limit` bytes in all.

    Without a folder that it can have to itself it keeps nothing, and says so once.
    """

    def __init__(self, folder: Path, limit: int, *, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        self._lock = threading.Lock()
        self._folder = _opened(folder, limit)
        self._held = set(self._folder.keys if self._folder else ())
        self._unwritten: dict[str, tuple[str, KeptState]] = {}
        self._coming: dict[str, object] = {}
        self._fetched: list[tuple[str, KeptState | None]] = []
        self._counts: Counter[str] = Counter()
        self._stored = self._measured()
        self._fails = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        self._worker.start()

    def put(self, name: str, state: KeptState) -> None:
        """Keep a state; it is written in a moment. Whoever waits for an older one of the name gets this."""
        key = key_of(name)
        with self._lock:
            if self._folder is None:
                self._counts["failed_writes"] += 1
                return
            if name in self._coming or self._is_brought(name):
                self._replace_brought(name, state)
                return
            self._unwritten.pop(key, None)
            self._unwritten[key] = (name, state)
            self._held.add(key)
            self._shorten_backlog()
        self._jobs.put(lambda: self._write(key))

    def holds(self, name: str) -> bool:
        """Whether there is a state of this name, or one is being brought."""
        with self._lock:
            return key_of(name) in self._held or name in self._coming or self._is_brought(name)

    def fetch(self, name: str) -> None:
        """Begin to bring a state. What is not written yet, or not there, is brought at once."""
        key, ticket = key_of(name), object()
        with self._lock:
            if name in self._coming or self._is_brought(name):
                return
            self._coming[name] = ticket
            _, unwritten = self._unwritten.pop(key, (name, None))
            on_disk = unwritten is None and key in self._held
            self._held.discard(key)
        if on_disk:
            self._jobs.put(lambda: self._read(key, name, ticket))
        else:
            self._bring(name, ticket, unwritten, "misses" if unwritten is None else "hits")

    def fetched(self) -> tuple[tuple[str, KeptState | None], ...]:
        """What has been brought since the last call. Its files go."""
        with self._lock:
            brought, self._fetched = tuple(self._fetched), []
            taken = {key_of(name) for name, _ in brought if name not in self._coming} - self._held
        for key in taken:
            self._remove_later(key)
        return brought

    def drop(self, name: str) -> None:
        """Forget a state, wherever on its way it is. Whoever waits for it is told that there is none."""
        key = key_of(name)
        with self._lock:
            self._unwritten.pop(key, None)
            self._held.discard(key)
            self._fetched = [(each, None if each == name else state) for each, state in self._fetched]
            waited_for = self._coming.pop(name, None)
            if waited_for is not None:
                self._fetched.append((name, None))
        self._remove_later(key)

    def statistics(self) -> ShelfStatistics:
        """What it holds, what is still to be written included, and what happened."""
        with self._lock:
            entries, stored = self._stored
            waiting = [state.size for _, state in self._unwritten.values()]
            return ShelfStatistics(entries + len(waiting), stored + sum(waiting), **self._counts)

    def close(self) -> None:
        """Write what was put, and what was brought and never taken; end the worker and let go of the folder."""
        self._jobs.put(None)
        self._worker.join()

    def _shorten_backlog(self) -> None:
        while sum(state.size for _, state in self._unwritten.values()) > self._backlog:
            oldest = next(iter(self._unwritten))
            del self._unwritten[oldest]
            self._held.discard(oldest)
            self._counts["dropped"] += 1

    def _remove_later(self, key: str) -> None:
        self._jobs.put(lambda: self._remove(key))

    def _is_brought(self, name: str) -> bool:
        return any(each == name and state is not None for each, state in self._fetched)

    def _replace_brought(self, name: str, state: KeptState) -> None:
        self._counts["hits"] += self._coming.pop(name, None) is not None
        self._fetched = [*(each for each in self._fetched if each[0] != name), (name, state)]
        self._remove_later(key_of(name))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                logger.exception("a defect in the shelf on disk; it goes on without this state")
            measured = self._measured()
            with self._lock:
                self._stored = measured
        self._put_back()
        if self._folder:
            self._folder.close()

    def _put_back(self) -> None:
        """Write what was brought before it was ever written, and never taken."""
        for name, state in self.fetched():
            key = key_of(name)
            if state is not None and self._folder is not None and key not in self._folder.keys:
                self._unwritten[key] = (name, state)
                self._write(key)

    def _measured(self) -> tuple[int, int]:
        return (len(self._folder.keys), self._folder.bytes) if self._folder else (0, 0)

    def _write(self, key: str) -> None:
        with self._lock:
            name, state = self._unwritten.pop(key, ("", None))
        if state is None or self._folder is None:
            return
        try:
            self._folder.remove(key)
            length = layout.length_of(name, state)
            if self._folder.fits(length):
                self._forget(self._folder.make_room(length), "dropped")
                self._folder.write(key, name, state)
                self._fails = False
            else:
                self._forget([key], "dropped")
        except OSError as error:
            self._forget([key], "failed_writes")
            if not self._fails:
                logger.warning("the model's memory of a story could not be written to disk: %s", error)
            self._fails = True

    def _forget(self, keys: list[str], count: str) -> None:
        with self._lock:
            self._counts[count] += len(keys)
            self._held.difference_update(key for key in keys if key not in self._unwritten)

    def _read(self, key: str, name: str, ticket: object) -> None:
        try:
            state = self._folder.read(key, name) if self._folder else None
        except FileNotFoundError:
            self._bring(name, ticket, None, "misses")
        except (DamagedState, OSError, MemoryError) as error:
            logger.warning("a saved memory of a story cannot be used and is removed: %s", error, extra={"file": key})
            self._bring(name, ticket, None, "damaged")
        else:
            self._bring(name, ticket, state, "hits")

    def _bring(self, name: str, ticket: object, state: KeptState | None, count: str) -> None:
        with self._lock:
            if self._coming.get(name) is not ticket:
                return  # it was dropped meanwhile, and nobody waits for it
            del self._coming[name]
            self._counts[count] += 1
            self._fetched.append((name, state))

    def _remove(self, key: str) -> None:
        try:
            if self._folder:
                self._folder.remove(key)
        except OSError as error:
            logger.warning("a saved memory of a story could not be removed: %s", error, extra={"file": key})


def _opened(folder: Path, limit: int) -> StateFolder | None:
    try:
        return StateFolder(folder, limit)
    except BlockingIOError:
        logger.warning("another program keeps its model's memory in %s; this one keeps none on disk", folder)
    except OSError as error:
        logger.warning("the model's memory cannot be kept in %s (%s); this program keeps none on disk", folder, error.strerror)
    return None
