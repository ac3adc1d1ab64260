"""The Shelf port on files: takes note at once, and does the work in one thread, in order. It knows no file's inside.

Rule 1. Only the worker touches the folder, in the order in which it was asked.
Rule 2. What both sides see is changed under the lock, and nothing slow happens under it.
Rule 3. `_held` is what the caller may rely on; the folder follows it, a few jobs behind.
Rule 4. Once it is being closed, what waits to be written goes last to first: whoever is killed then loses the oldest.
"""

import logging
import threading
import time
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

CLAIM_SECONDS = 30.0
"""How long the folder may be in other hands before it is given up: a child of a bot that was killed needs a while to end."""

CLAIM_PAUSE = 0.25
STEP_BACK = 1_000
"""Nanoseconds by which a file that is written after a newer one is made to look older than it."""


class DiskShelf:
    """Keeps states in the files of a folder, `limit` bytes in all.

    Without a folder that it can have to itself it keeps nothing, and says so once. While another program still has the
    folder, for `patience` seconds, it takes what is put and brings nothing else.
    """

    def __init__(self, folder: Path, limit: int, *, backlog: int = BACKLOG, patience: float = CLAIM_SECONDS) -> None:
        self._backlog = backlog
        self._limit = limit
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._folder, self._is_waiting = _opened(folder, limit)
        self._held = set(self._folder.keys if self._folder else ())
        self._unwritten: dict[str, tuple[str, KeptState]] = {}
        self._coming: set[str] = set()
        self._fetched: list[tuple[str, KeptState | None]] = []
        self._counts: Counter[str] = Counter()
        self._stored = self._measured()
        self._fails = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._work, args=(folder, patience), name=THREAD_NAME, daemon=True)
        self._worker.start()

    def put(self, name: str, state: KeptState) -> None:
        """Keep a state; it is written in a moment. Whoever waits for an older one of the name gets this."""
        key = key_of(name)
        with self._lock:
            if self._folder is None and not self._is_waiting:
                self._counts["failed_writes"] += 1
                return
            if name in self._coming or self._is_brought(name):
                self._replace_brought(name, state)
                return
            self._unwritten.pop(key, None)
            self._unwritten[key] = (name, state)
            self._held.add(key)
            lost = self._shorten_backlog()
        if lost:
            logger.warning("the disk is too slow for the model's memory of the stories: states dropped: %d", lost)
        self._jobs.put(lambda: self._write_in_turn(key))

    def holds(self, name: str) -> bool:
        """Whether there is a state of this name, or one is being brought."""
        with self._lock:
            return key_of(name) in self._held or name in self._coming or self._is_brought(name)

    def fetch(self, name: str) -> None:
        """Begin to bring a state. What is not written yet, or not there, is brought at once."""
        key = key_of(name)
        with self._lock:
            if name in self._coming or self._is_brought(name):
                return
            _, unwritten = self._unwritten.pop(key, (name, None))
            on_disk = unwritten is None and key in self._held
            self._held.discard(key)
            if on_disk:
                self._coming.add(name)
            else:
                self._counts["misses" if unwritten is None else "hits"] += 1
                self._fetched.append((name, unwritten))
        if on_disk:
            self._jobs.put(lambda: self._read(key, name))

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
        self._let_go(name)
        self._remove_later(key_of(name))

    def erase(self, name: str, done: Callable[[bool], None]) -> None:
        """Forget a state, and tell the worker's outcome; without a folder of its own it cannot know what lies there."""
        self._let_go(name)
        self._jobs.put(lambda: self._erase(key_of(name), done))

    def statistics(self) -> ShelfStatistics:
        """What it holds, what is still to be written included, and what happened."""
        with self._lock:
            entries, stored = self._stored
            waiting = [state.size for _, state in self._unwritten.values()]
            return ShelfStatistics(entries + len(waiting), stored + sum(waiting), **self._counts)

    def close(self) -> None:
        """Write what was put, and what was brought and never taken; end the worker and let go of the folder."""
        self._closing.set()
        self._jobs.put(None)
        self._worker.join()

    def _let_go(self, name: str) -> None:
        key = key_of(name)
        with self._lock:
            self._unwritten.pop(key, None)
            self._held.discard(key)
            self._fetched = [(each, None if each == name else state) for each, state in self._fetched]
            if name in self._coming:
                self._coming.remove(name)
                self._fetched.append((name, None))

    def _shorten_backlog(self) -> int:
        lost = 0
        waiting = sum(state.size for _, state in self._unwritten.values())
        while waiting > self._backlog:
            oldest = next(iter(self._unwritten))
            _, state = self._unwritten.pop(oldest)
            waiting -= state.size
            self._held.discard(oldest)
            lost += 1
        self._counts["dropped"] += lost
        return lost

    def _remove_later(self, key: str) -> None:
        self._jobs.put(lambda: self._remove(key))

    def _is_brought(self, name: str) -> bool:
        return any(each == name and state is not None for each, state in self._fetched)

    def _replace_brought(self, name: str, state: KeptState) -> None:
        self._counts["hits"] += name in self._coming
        self._coming.discard(name)
        self._fetched = [*(each for each in self._fetched if each[0] != name), (name, state)]
        self._remove_later(key_of(name))

    def _work(self, folder: Path, patience: float) -> None:
        if self._is_waiting:
            self._claim(folder, patience)
        while (job := self._jobs.get()) is not None:
            self._do(job)
        self._do(self._write_all)
        if self._folder:
            self._folder.close()

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            logger.exception("a defect in the shelf on disk; it goes on without this state")
        measured = self._measured()
        with self._lock:
            self._stored = measured

    def _claim(self, folder: Path, patience: float) -> None:
        """Wait for the other program to let go of the folder; give it up when it does not in time, or we are closed."""
        end = time.monotonic() + patience
        found, is_taken, is_last = None, True, False
        while is_taken and not is_last:
            is_last = self._closing.wait(CLAIM_PAUSE) or time.monotonic() >= end
            found, is_taken = _opened(folder, self._limit)
        if is_taken:
            logger.warning("another program keeps its model's memory in %s; this one keeps none on disk", folder)
        with self._lock:
            self._folder, self._is_waiting = found, False
            if found:
                self._held.update(found.keys)
            else:
                self._counts["failed_writes"] += len(self._unwritten)
                self._held.difference_update(self._unwritten)
                self._unwritten.clear()

    def _write_all(self) -> None:
        """Write what waits, and what was brought before it was ever written and never taken; the newest first."""
        on_disk = self._folder.keys if self._folder else frozenset()
        for name, state in self.fetched():
            if state is not None and key_of(name) not in on_disk:
                self._unwritten[key_of(name)] = (name, state)
        room, now = self._limit, time.time_ns()
        for age, (key, (name, state)) in enumerate(reversed(tuple(self._unwritten.items()))):
            length = layout.length_of(name, state)
            if length <= room:
                room -= length
                self._write(key, now - age * STEP_BACK)
            else:
                # Room for it would have to be made at the cost of a newer one, as the newer ones are written already.
                self._lose(key)

    def _measured(self) -> tuple[int, int]:
        return (len(self._folder.keys), self._folder.bytes) if self._folder else (0, 0)

    def _lose(self, key: str) -> None:
        with self._lock:
            del self._unwritten[key]
        self._remove(key)
        self._forget([key], "dropped")

    def _write_in_turn(self, key: str) -> None:
        if not self._closing.is_set():
            self._write(key)

    def _write(self, key: str, written: int | None = None) -> None:
        with self._lock:
            name, state = self._unwritten.pop(key, ("", None))
        if state is None or self._folder is None:
            return
        try:
            self._folder.remove(key)
            length = layout.length_of(name, state)
            if self._folder.fits(length):
                self._forget(self._folder.make_room(length), "dropped")
                self._folder.write(key, name, state, written)
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

    def _read(self, key: str, name: str) -> None:
        try:
            state = self._folder.read(key, name) if self._folder else None
        except FileNotFoundError:
            self._bring(name, None, "misses")
        except (DamagedState, OSError, MemoryError) as error:
            logger.warning("a saved memory of a story cannot be used and is removed: %s", error, extra={"file": key})
            self._bring(name, None, "damaged")
        except Exception:
            logger.exception("a defect in reading a saved memory of a story, which is removed", extra={"file": key})
            self._bring(name, None, "damaged")
        else:
            self._bring(name, state, "hits")

    def _bring(self, name: str, state: KeptState | None, count: str) -> None:
        with self._lock:
            if name not in self._coming:
                return  # it was dropped meanwhile, and nobody waits for it
            self._coming.remove(name)
            self._counts[count] += 1
            self._fetched.append((name, state))

    def _erase(self, key: str, done: Callable[[bool], None]) -> None:
        is_gone = False
        with self._lock:
            if key not in self._unwritten:
                self._held.discard(key)  # as in `_remove`
        try:
            if self._folder:
                self._folder.erase(key)
                is_gone = True
        except OSError as error:
            logger.warning("a saved memory of a story could not be erased: %s", error, extra={"file": key})
        finally:
            done(is_gone)

    def _remove(self, key: str) -> None:
        with self._lock:
            if key not in self._unwritten:
                self._held.discard(key)  # it was there again, if the folder has become ours since this was asked for
        try:
            if self._folder:
                self._folder.remove(key)
        except OSError as error:
            logger.warning("a saved memory of a story could not be removed: %s", error, extra={"file": key})


def _opened(folder: Path, limit: int) -> tuple[StateFolder | None, bool]:
    """The folder, if it can be had, and whether another program has it."""
    try:
        return StateFolder(folder, limit), False
    except BlockingIOError:
        return None, True
    except OSError as error:
        logger.warning("the model's memory cannot be kept in %s (%s); this program keeps none on disk", folder, error.strerror)
    return None, False
