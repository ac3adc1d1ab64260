import errno
import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.hub import Address, Hub, Pulled, pull
from adapters.hub.pulling import PAUSES, SLACK, gigabytes, local_name
from bot.errors import Refused
from tests.fakes.hub import LoopbackHub

MODEL = b"GGUF" + os.urandom(400_000)
SHA256 = hashlib.sha256(MODEL).hexdigest()
WHERE = Address("owner/models", "folder/tiny.gguf")
PART = f"tiny.gguf.{SHA256[:12]}.part"


class NotingWatcher:
    """Notes what it is told; told to stop after so many bytes, it does what Ctrl-C does."""

    def __init__(self, stops_after: int | None = None) -> None:
        self.stages: list[tuple[str, int, int]] = []
        self.done = 0
        self.stops_after = stops_after

    def stage(self, name: str, done: int, total: int) -> None:
        self.stages.append((name, done, total))
        self.done = done

    def advance(self, count: int) -> None:
        self.done += count
        if self.stops_after is not None and self.done >= self.stops_after:
            raise KeyboardInterrupt


class Bench:
    """Pulls into one folder and notes the pauses instead of waiting."""

    def __init__(self, hub: LoopbackHub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.pauses: list[float] = []
        self.watcher = NotingWatcher()

    def pull(self, address: Address = WHERE, watcher: NotingWatcher | None = None) -> Pulled:
        self.watcher = watcher or NotingWatcher()
        return pull(Hub(), address, self.folder, self.watcher, pause=self.pauses.append)

    def refusal(self, address: Address = WHERE) -> str:
        with pytest.raises(Refused) as refused:
            self.pull(address)
        sentence = str(refused.value)
        assert "\n" not in sentence
        assert sentence.endswith((".", "--to"))
        return sentence

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    @property
    def ranges(self) -> list[str]:
        return [each.range for each in self.hub.downloads]


@pytest.fixture
def bench(loopback_hub: LoopbackHub, tmp_path: Path) -> Bench:
    loopback_hub.files["owner/models/folder/tiny.gguf"] = MODEL
    return Bench(loopback_hub, tmp_path / "deep" / "models")


def test_a_file_comes_whole_and_checked_into_a_folder_that_is_made_for_it(bench: Bench) -> None:
    pulled = bench.pull()
    assert (pulled.path, pulled.size, pulled.fetched) == (bench.folder / "tiny.gguf", len(MODEL), len(MODEL))
    assert pulled.checksum is not None
    assert pulled.checksum.digest == SHA256
    assert pulled.path.read_bytes() == MODEL
    assert bench.names == ["tiny.gguf"]
    assert bench.watcher.stages == [("Downloading", 0, len(MODEL)), ("Checking", 0, len(MODEL))]
    assert bench.watcher.done == len(MODEL)


def test_a_file_that_is_there_and_whole_is_not_fetched_again(bench: Bench) -> None:
    bench.pull()
    again = bench.pull()
    assert (again.fetched, again.path) == (0, bench.folder / "tiny.gguf")
    assert len(bench.ranges) == 1


@pytest.mark.parametrize("content", [b"mine", bytes(len(MODEL))], ids=["other length", "other content"])
def test_a_file_of_somebody_else_is_not_overwritten(bench: Bench, content: bytes) -> None:
    bench.folder.mkdir(parents=True)
    (bench.folder / "tiny.gguf").write_bytes(content)
    assert "is there already and differs from the hub's" in bench.refusal()
    assert (bench.folder / "tiny.gguf").read_bytes() == content
    assert bench.ranges == []


def test_a_folder_or_a_dead_link_in_its_place_is_left_alone(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    (bench.folder / "tiny.gguf").symlink_to(bench.folder.parent / "elsewhere")
    assert "is no file" in bench.refusal()
    assert not (bench.folder.parent / "elsewhere").exists()


def test_a_broken_download_goes_on_where_it_broke(bench: Bench) -> None:
    bench.hub.breaks_after = [100_000, 50_000]
    assert bench.pull().path.read_bytes() == MODEL
    assert bench.ranges == ["bytes=0-", "bytes=100000-", "bytes=150000-"]
    assert bench.pauses == [PAUSES[0], PAUSES[0]]


def test_an_interrupted_pull_is_gone_on_with_by_the_next(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.pull(watcher=NotingWatcher(stops_after=1000))
    assert bench.names == [PART]
    have = (bench.folder / PART).stat().st_size
    assert 1000 <= have < len(MODEL)
    pulled = bench.pull()
    assert pulled.path.read_bytes() == MODEL
    assert pulled.fetched == len(MODEL) - have
    assert bench.ranges[1:] == [f"bytes={have}-"]
    assert bench.watcher.stages[0] == ("Downloading", have, len(MODEL))


def test_a_download_that_was_complete_but_unchecked_is_only_checked(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    (bench.folder / PART).write_bytes(MODEL)
    assert bench.pull().path.read_bytes() == MODEL
    assert bench.ranges == []


def test_a_leftover_that_is_too_long_is_begun_anew(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    (bench.folder / PART).write_bytes(MODEL + b"!")
    assert bench.pull().path.read_bytes() == MODEL


def test_where_the_hub_serves_whole_files_only_a_resumed_pull_begins_anew(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    (bench.folder / PART).write_bytes(MODEL[:1000])
    bench.hub.serves_ranges = False
    assert bench.pull().path.read_bytes() == MODEL
    assert bench.watcher.stages[:2] == [("Downloading", 1000, len(MODEL)), ("Downloading", 0, len(MODEL))]


def test_a_hub_that_breaks_at_the_same_place_each_time_is_given_up(bench: Bench) -> None:
    bench.hub.serves_ranges = False
    bench.hub.breaks_after = [100_000] * 50
    sentence = bench.refusal()
    assert "The download broke off" in sentence
    assert "0.10 MB of 0.40 MB here; pull again to go on from there" in sentence
    assert len(bench.ranges) == 1 + len(PAUSES)
    assert bench.names == [PART]


def test_a_hub_that_asks_for_patience_gets_it(bench: Bench) -> None:
    bench.hub.fails_with = [429, 503]
    assert bench.pull().path.read_bytes() == MODEL
    assert bench.pauses == [7, 7]


def test_a_hub_that_goes_away_for_good_is_given_up_and_what_came_is_kept(bench: Bench) -> None:
    bench.hub.breaks_after = [100_000] + [0] * 50
    assert "0.10 MB of 0.40 MB here" in bench.refusal()
    assert bench.pauses == [PAUSES[0], *PAUSES[1:]]
    assert (bench.folder / PART).read_bytes() == MODEL[:100_000]


def test_wrong_bytes_are_removed_and_said_to_be_wrong(bench: Bench) -> None:
    bench.hub.falsifies = True
    assert "another checksum than the hub's own and was removed" in bench.refusal()
    assert bench.names == []


def test_bytes_beyond_the_end_are_not_taken(bench: Bench) -> None:
    bench.hub.sends_extra = b"more"
    assert bench.pull().path.read_bytes() == MODEL


def test_a_small_file_is_checked_by_the_name_that_git_gives_it(bench: Bench) -> None:
    bench.hub.large = False
    pulled = bench.pull()
    assert pulled.checksum is not None
    assert pulled.checksum.kind == "git"
    bench.hub.falsifies = True
    pulled.path.unlink()
    assert "another checksum" in bench.refusal()


def test_without_a_checksum_the_length_counts_and_it_is_said(bench: Bench) -> None:
    bench.hub.large, bench.hub.is_mirror = False, True
    assert bench.pull().checksum is None
    assert bench.pull().fetched == 0


def test_what_is_no_gguf_file_by_its_content_is_stopped_at_its_first_bytes(bench: Bench) -> None:
    bench.hub.files["owner/models/page.gguf"] = b"<html>" + bytes(300_000)
    assert "not a GGUF file by its content" in bench.refusal(Address("owner/models", "page.gguf"))
    assert bench.names == []


def test_an_empty_file_is_refused(bench: Bench) -> None:
    bench.hub.files["owner/models/empty.gguf"] = b""
    assert "is empty" in bench.refusal(Address("owner/models", "empty.gguf"))
    assert bench.names == []


def test_a_disk_without_room_is_said_before_the_first_byte(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SLACK + len(MODEL) - 1))
    assert f"tiny.gguf needs {gigabytes(SLACK + len(MODEL))} more" in bench.refusal()
    assert bench.ranges == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SLACK + len(MODEL)))
    assert bench.pull().fetched == len(MODEL)


def test_a_disk_that_fills_up_is_said_and_what_came_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "is full; make room and pull again" in bench.refusal()
    assert bench.names == [PART]


def test_a_folder_that_cannot_be_written_is_named(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file")
    assert "cannot be used" in bench.refusal()


def test_two_pulls_of_one_file_do_not_mix(bench: Bench) -> None:
    bench.folder.mkdir(parents=True)
    with (bench.folder / PART).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert "Another pull is fetching" in bench.refusal()
    assert bench.pull().path.read_bytes() == MODEL


def test_a_partial_file_that_is_a_link_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    bench.folder.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (bench.folder / PART).symlink_to(victim)
    assert "cannot be used" in bench.refusal()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    "file",
    [
        "../x.gguf",
        "a/../x.gguf",
        "/etc/x.gguf",
        "a//x.gguf",
        "..\\x.gguf",
        "C:x.gguf",
        "a\nb.gguf",
        ".x.gguf",
        "",
        "x" * 300 + ".gguf",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(file: str) -> None:
    with pytest.raises(Refused, match="no file name that can be used here"):
        local_name(file)


def test_a_name_keeps_its_last_part_only() -> None:
    assert local_name("gguf/My Model.Q4_K_M.GGUF") == "My Model.Q4_K_M.GGUF"


def test_what_is_no_gguf_file_by_its_name_is_refused_before_the_hub_is_asked(bench: Bench) -> None:
    assert "not a GGUF file by its name" in bench.refusal(Address("owner/models", "model.safetensors"))
    assert bench.hub.asked == []
