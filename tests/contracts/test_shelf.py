"""What every Shelf promises, on the one in memory and on the one on disk."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.shelf import DiskShelf
from bot.ports.shelf import KeptState, Shelf
from tests.builders import a_kept_state
from tests.fakes.shelf import MemoryShelf

Making = Callable[[int], Shelf]


@pytest.fixture(params=["memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Making]:
    made: list[Shelf] = []

    def one(limit: int) -> Shelf:
        made.append(MemoryShelf(limit) if request.param == "memory" else DiskShelf(tmp_path, limit))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture
def shelf(make: Making) -> Shelf:
    return make(1_000_000)


def until(condition: Callable[[], bool]) -> None:
    """Let the shelf work until this holds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "the shelf did not come to it"
        time.sleep(0)


def brought(shelf: Shelf, name: str) -> KeptState | None:
    arrived: list[tuple[str, KeptState | None]] = []

    def has_arrived() -> bool:
        arrived.extend(shelf.fetched())
        return bool(arrived)

    shelf.fetch(name)
    until(has_arrived)
    [(told, state)] = arrived
    assert told == name
    return state


def test_what_was_put_is_brought_back_whole(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state(300, data=bytes(range(256)) * 40))
    state = brought(shelf, "mira")
    assert state == a_kept_state(300, data=bytes(range(256)) * 40)
    assert state is not None
    assert bytes(state.data) == bytes(range(256)) * 40


def test_a_state_of_nothing_is_a_state(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state(0, data=b""))
    assert brought(shelf, "mira") == a_kept_state(0, data=b"")


def test_what_was_never_put_is_told_to_be_missing(shelf: Shelf) -> None:
    assert not shelf.holds("mira")
    assert brought(shelf, "mira") is None
    assert shelf.statistics().misses == 1


def test_what_was_brought_is_off_the_shelf(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    assert shelf.holds("mira")
    assert brought(shelf, "mira") is not None
    assert not shelf.holds("mira")
    assert brought(shelf, "mira") is None
    assert shelf.statistics().hits == 1


def test_a_newer_state_takes_the_place_of_an_older_one(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state(3))
    shelf.put("mira", a_kept_state(5))
    assert brought(shelf, "mira") == a_kept_state(5)
    assert not shelf.holds("mira")


def test_asking_twice_brings_it_once(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    shelf.fetch("mira")
    assert brought(shelf, "mira") == a_kept_state()
    assert shelf.fetched() == ()


def test_what_was_dropped_is_gone(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    shelf.put("tobias", a_kept_state(4))
    shelf.drop("mira")
    shelf.drop("nobody")
    assert not shelf.holds("mira")
    assert brought(shelf, "mira") is None
    assert brought(shelf, "tobias") == a_kept_state(4)


def test_what_is_dropped_while_it_is_brought_does_not_come(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    shelf.fetch("mira")
    shelf.drop("mira")
    assert shelf.fetched() == (("mira", None),)
    assert not shelf.holds("mira")


def test_what_is_put_while_an_older_one_is_brought_is_what_comes(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state(3))
    shelf.fetch("mira")
    shelf.put("mira", a_kept_state(5))
    assert brought(shelf, "mira") == a_kept_state(5)
    assert not shelf.holds("mira")


def test_for_want_of_room_the_longest_unused_leaves_first(make: Making) -> None:
    shelf = make(25_000)
    for name in ("one", "two", "three"):
        shelf.put(name, a_kept_state(data=bytes(10_000)))
    until(lambda: shelf.statistics().dropped == 1)
    assert [shelf.holds(name) for name in ("one", "two", "three")] == [False, True, True]
    assert brought(shelf, "two") is not None


def test_what_never_fits_is_not_kept_nor_what_it_replaces(make: Making) -> None:
    shelf = make(5_000)
    shelf.put("mira", a_kept_state())
    shelf.put("mira", a_kept_state(data=bytes(10_000)))
    shelf.put("tobias", a_kept_state())
    until(lambda: shelf.statistics().dropped == 1)
    assert [shelf.holds(name) for name in ("mira", "tobias")] == [False, True]
    assert brought(shelf, "mira") is None


def test_it_tells_what_it_holds(shelf: Shelf) -> None:
    for name in ("one", "two"):
        shelf.put(name, a_kept_state(data=bytes(1_000)))
    assert shelf.statistics().entries == 2
    assert 2_000 <= shelf.statistics().bytes < 4_000


def test_names_of_any_kind_are_names(shelf: Shelf) -> None:
    names = ["../../etc/passwd", "", "a\0b", "\ud800", "x" * 5_000, "Ünïcode/😀"]
    for size, name in enumerate(names):
        shelf.put(name, a_kept_state(size))
    for size, name in enumerate(names):
        assert brought(shelf, name) == a_kept_state(size)


def erased(shelf: Shelf, name: str) -> bool:
    heard: list[bool] = []
    shelf.erase(name, heard.append)
    until(lambda: bool(heard))
    [is_gone] = heard
    return is_gone


def test_what_was_erased_is_gone_and_nothing_else(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    shelf.put("tobias", a_kept_state(4))
    assert erased(shelf, "mira")
    assert erased(shelf, "nobody")
    assert not shelf.holds("mira")
    assert brought(shelf, "mira") is None
    assert brought(shelf, "tobias") == a_kept_state(4)


def test_what_is_erased_while_it_is_brought_does_not_come(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state())
    shelf.fetch("mira")
    assert erased(shelf, "mira")
    assert shelf.fetched() == (("mira", None),)
    assert not shelf.holds("mira")


def test_what_is_put_after_erasing_is_kept(shelf: Shelf) -> None:
    shelf.put("mira", a_kept_state(3))
    assert erased(shelf, "mira")
    shelf.put("mira", a_kept_state(5))
    assert brought(shelf, "mira") == a_kept_state(5)
