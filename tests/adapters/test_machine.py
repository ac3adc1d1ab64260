from pathlib import Path

import pytest

from adapters.machine import free_memory


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n")
    return path


def group(folder: Path, most: str, used: str, stat: str) -> Path:
    for name, text in {"memory.max": most, "memory.current": used, "memory.stat": stat}.items():
        (folder / name).write_text(f"{text}\n")
    return folder


def test_what_the_system_calls_available_is_free(system: Path, tmp_path: Path) -> None:
    assert free_memory(system, tmp_path / "none") == 8000 * 1024
    assert free_memory(system, group(tmp_path, "max", "5", "inactive_file 1")) == 8000 * 1024


def test_in_a_container_its_own_limit_counts_without_what_is_only_cached(system: Path, tmp_path: Path) -> None:
    assert free_memory(system, group(tmp_path, "5000000", "3000000", "file 9\ninactive_file 1000000")) == 3_000_000
    assert free_memory(system, group(tmp_path, "5000000", "6000000", "anon 1")) == 0


def test_a_system_that_does_not_tell_is_believed_to_have_all_its_memory_or_none_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (free_memory(tmp_path / "none", tmp_path) or 0) > 2**20
    monkeypatch.setattr("os.sysconf", lambda _: (_ for _ in ()).throw(ValueError("unrecognized")))
    assert free_memory(tmp_path / "none", tmp_path) is None


def test_this_machine_has_something_free() -> None:
    assert (free_memory() or 0) > 2**20
