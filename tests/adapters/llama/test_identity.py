import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.llama import identity as module
from adapters.llama import library
from adapters.llama.identity import MIB, content, fingerprint
from adapters.llama.loading import load
from adapters.llama.lora import AdapterFile
from adapters.llama.runner import LlamaRunner, RunnerSettings
from bot.errors import ModelNotLoaded
from tests.adapters.llama.weights import write_adapter
from tests.models import DEMO_MODEL

SETTINGS = RunnerSettings(slots=1, context=128, batch=64, threads=1)


def identity_of(path: Path = DEMO_MODEL, settings: RunnerSettings = SETTINGS, adapters: tuple[AdapterFile, ...] = ()) -> str:
    runner = LlamaRunner(load(path, gpu_layers=0), settings, adapters)
    identity = runner.identity
    runner.close()
    return identity


def a_copy(path: Path) -> Path:
    """The demo model in another place, as a move leaves it."""
    return Path(shutil.copy2(DEMO_MODEL, path))


def test_the_path_does_not_count(tmp_path: Path) -> None:
    assert identity_of(a_copy(tmp_path / "moved.gguf")) == identity_of()


def test_what_changes_no_state_does_not_count() -> None:
    others = replace(SETTINGS, slots=2, context=256, batch=32, threads=2, chunk=16)
    assert identity_of(settings=others) == identity_of()


def test_all_that_a_state_depends_on_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = a_copy(tmp_path / "touched.gguf")
    os.utime(touched, ns=(0, 0))
    one, other = write_adapter(tmp_path / "one.gguf", seed=1), write_adapter(tmp_path / "other.gguf", seed=2)
    found = [
        identity_of(),
        identity_of(touched),
        identity_of(settings=replace(SETTINGS, kv_type="q8_0")),
        identity_of(settings=replace(SETTINGS, flash_attention=False)),
        identity_of(adapters=(AdapterFile("lora", one),)),
        identity_of(adapters=(AdapterFile("lora", one, 0.5),)),
        identity_of(adapters=(AdapterFile("lora", other),)),
    ]
    monkeypatch.setattr(library, "version", "0.0.0")
    found.append(identity_of())
    monkeypatch.setattr(module, "FORMAT", -1)
    found.append(identity_of())
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("place", [0, MIB - 1, 3 * MIB - 1, 2 * MIB], ids=["first", "end of the first MiB", "last", "last MiB"])
def test_a_changed_byte_at_either_end_makes_another_file(tmp_path: Path, place: int) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(3 * MIB))
    before, times = fingerprint(path), path.stat()
    content = bytearray(path.read_bytes())
    content[place] = 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint(path) != before


def test_other_weights_in_the_middle_make_another_file(tmp_path: Path) -> None:
    prints = []
    for number in (0, 1):
        path = tmp_path / "model"
        path.write_bytes(bytes(MIB) + bytes([number]) * 30 * MIB + bytes(MIB))
        os.utime(path, ns=(0, 0))
        prints.append(fingerprint(path))
    assert prints[0] != prints[1]


def test_a_model_file_that_went_away_while_it_was_loaded_is_one_clear_sentence(tmp_path: Path) -> None:
    path = a_copy(tmp_path / "gone.gguf")
    model = load(path, gpu_layers=0)
    path.unlink()
    with pytest.raises(ModelNotLoaded, match="cannot be read again"):
        LlamaRunner(model, SETTINGS)
    model.free()


def test_the_word_for_a_model_is_the_same_for_a_copy_with_another_time_and_no_other_file(tmp_path: Path) -> None:
    copied, other = a_copy(tmp_path / "copied.gguf"), tmp_path / "other.gguf"
    os.utime(copied, ns=(0, 0))
    raw = bytearray(copied.read_bytes())
    raw[-1] ^= 1
    other.write_bytes(raw)
    assert content(copied) == content(DEMO_MODEL)
    assert content(other) != content(DEMO_MODEL)
