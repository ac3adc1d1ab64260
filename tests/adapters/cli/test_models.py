"""`understudy model` as a user calls it, with a hub on loopback."""

import json
import tomllib
from pathlib import Path

import pytest

from adapters.cli import report
from adapters.cli.models import ProgressBar
from adapters.hub import KNOWN
from adapters.llama.examining import ModelReport, examine
from adapters.llama.sizes import F16, Q8_0
from tests.adapters.cli.conftest import Ended
from tests.adapters.llama.test_examining import adapter_file
from tests.fakes.hub import LoopbackHub
from tests.models import DEMO_MODEL

pytestmark = pytest.mark.usefixtures("quiet_logs")

GIB = 1024**3


@pytest.fixture
def hub(loopback_hub: LoopbackHub) -> LoopbackHub:
    demo = DEMO_MODEL.read_bytes()
    known = KNOWN[0].address
    loopback_hub.files.update({"owner/models/demo.gguf": demo, f"{known.repository}/{known.file}": demo})
    return loopback_hub


def test_without_a_name_the_known_models_are_listed_and_nobody_is_asked(ended: Ended, hub: LoopbackHub) -> None:
    code, out, err = ended("model", "pull")
    assert (code, err) == (0, "")
    assert all(each.name in out and f"{each.gigabytes:g} GB" in out for each in KNOWN)
    assert f"python -m bot model pull {KNOWN[0].name}" in out
    assert [each["name"] for each in json.loads(ended("model", "pull", "--json")[1])] == [each.name for each in KNOWN]
    assert hub.asked == []


def test_a_file_of_a_repository_is_fetched_and_the_next_step_is_said(ended: Ended, hub: LoopbackHub, tmp_path: Path) -> None:
    code, out, err = ended("model", "pull", "owner/models", "demo.gguf", "--to", "my models")
    saved = tmp_path / "my models" / "demo.gguf"
    assert code == 0, err
    assert saved.read_bytes() == DEMO_MODEL.read_bytes()
    assert f"{saved} is there and whole." in out
    assert f"python -m bot model check '{saved}'" in out
    assert hub.downloads


def test_what_is_to_be_written_states_the_path_and_leaves_the_rating_to_the_operator(ended: Ended, hub: LoopbackHub) -> None:
    _, out, _ = ended("model", "pull", "owner/models", "demo.gguf", "--to", "models")
    lines = out[out.index("[model]") :].splitlines()
    assert tomllib.loads("\n".join(lines[:2]))["model"]["path"].endswith("models/demo.gguf")
    assert lines[2].strip().startswith("rating = ...")
    assert hub.downloads


def test_a_known_model_goes_into_the_data_folder_by_its_name(
    ended: Ended, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    code, out, err = ended("model", "pull", KNOWN[0].name, "--json")
    assert code == 0, err
    saved = tmp_path / "data" / "understudy" / "models" / KNOWN[0].address.file
    pulled = json.loads(out)
    assert (pulled["path"], pulled["fetched"], pulled["size"]) == (
        str(saved),
        len(DEMO_MODEL.read_bytes()),
        saved.stat().st_size,
    )
    assert pulled["checksum"]["kind"] == "sha256"
    assert json.loads(ended("model", "pull", KNOWN[0].address.file, "--json")[1])["fetched"] == 0
    assert len(hub.downloads) == 1


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("ashhlimarp",), "There is no known model 'ashhlimarp'; there are: ashhlimarp-q4_k_m, "),
        (("owner/models",), "Name the file too: python -m bot model pull owner/models FILE."),
        (("a", "b", "c"), "Name one known model, or one repository and one file of it."),
        (("owner/models", "../x.gguf"), "is no file name that can be used here"),
        (("owner/models", "none.gguf"), "There is no none.gguf in owner/models"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(ended: Ended, hub: LoopbackHub, names: tuple[str, ...], said: str) -> None:
    code, out, err = ended("model", "pull", *names)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert hub.downloads == []


def test_an_interrupted_pull_says_that_the_next_goes_on(
    ended: Ended, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_bar: ProgressBar, _count: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ProgressBar, "advance", interrupt)
        code, _, err = ended("model", "pull", "owner/models", "demo.gguf", "--to", "models")
    assert code == 130
    assert err.strip() == "Interrupted; the next pull goes on from here."
    [part] = (tmp_path / "models").iterdir()
    have = part.stat().st_size
    assert 0 < have < DEMO_MODEL.stat().st_size
    assert ended("model", "pull", "owner/models", "demo.gguf", "--to", "models")[0] == 0
    assert hub.downloads[-1].range == f"bytes={have}-"


def test_a_file_without_a_checksum_is_said_to_be_checked_by_its_length_only(ended: Ended, hub: LoopbackHub) -> None:
    hub.large, hub.is_mirror = False, True
    _, out, _ = ended("model", "pull", "owner/models", "demo.gguf", "--to", "models")
    assert "only its length was checked" in out


def test_the_demo_model_is_told_with_what_it_takes(ended: Ended) -> None:
    code, out, err = ended("model", "check", DEMO_MODEL, "--memory", "290MiB")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "architecture llama" in words
    assert "cache in f16 1.5 KiB per token, 3 MiB per session" in words
    assert "cache in q8_0 816 bytes per token, 1.59 MiB per session" in words
    assert "context = 2048 and slots = 2 under [model]" in words
    assert "With q8_0 4 would fit" in words


def test_a_program_gets_the_same_as_json(ended: Ended) -> None:
    told = json.loads(
        ended("model", "check", DEMO_MODEL, "--memory", "1GiB", "--context", "512", "--kv-type", "q8_0", "--json")[1]
    )
    assert (told["kind"], told["context"], told["memory_bytes"], told["rating"]) == ("model", 512, GIB, "general")
    assert told["caches"] == {"q8_0": {"bytes_per_token": 816, "bytes_per_session": 816 * 512, "sessions": 256}}


def test_free_memory_of_this_machine_is_taken_where_none_is_named(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.cli.models.free_memory", lambda: 3 * GIB)
    assert json.loads(ended("model", "check", DEMO_MODEL, "--json")[1])["memory_bytes"] == 3 * GIB
    monkeypatch.setattr("adapters.cli.models.free_memory", lambda: None)
    assert "name it with --memory" in ended("model", "check", DEMO_MODEL)[1]


def test_an_unrated_model_is_said_to_need_a_rating(ended: Ended, unrated_model: Path) -> None:
    assert "none in the file: state it" in " ".join(ended("model", "check", unrated_model)[1].split())


def test_an_adapter_is_told_apart(ended: Ended, tmp_path: Path) -> None:
    path = adapter_file(tmp_path)
    out = " ".join(ended("model", "check", path)[1].split())
    assert "a LoRA adapter for a model of the architecture llama" in out
    assert "alpha 16" in out
    assert json.loads(ended("model", "check", path, "--json")[1])["kind"] == "adapter"


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"text", "is not a GGUF file"), (b"GGUF", "cut short")])
def test_a_file_that_cannot_be_used_is_one_sentence(ended: Ended, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "my.gguf").write_bytes(content)
    code, out, err = ended("model", "check", "my.gguf")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize("size", ["12X", "many", "-1", "0"])
def test_a_memory_that_is_no_size_is_one_sentence(ended: Ended, size: str) -> None:
    code, _, err = ended("model", "check", DEMO_MODEL, f"--memory={size}")
    assert (code, err.count("\n")) == (2, 1)
    assert "is not a size; write it as 12GiB, 800M or a number of bytes" in err


def plan(memory: int | None, asked: int | None = None) -> report.Plan:
    found = examine(DEMO_MODEL)
    assert isinstance(found, ModelReport)
    return report.Plan(found, memory, asked, [F16, Q8_0])


def test_the_advice_for_a_memory_that_is_too_small_names_what_is_needed() -> None:
    short = plan(100 * 1024**2)
    assert report.advice(short).startswith("One session needs 285 MiB and 100 MiB are there:")
    assert "slots = 1 " in report.advice(plan(short.needed))
    assert "One session needs" in report.advice(plan(short.needed - 1))


def test_the_advice_takes_the_cache_that_fits_where_the_usual_one_does_not() -> None:
    tight = plan(plan(0).needed)
    assert report.advice(tight).startswith("With a cache in q8_0, at most context = 2048 and slots = 1 under [model] fit")


def test_a_context_beyond_the_trained_one_is_cut_as_the_engine_cuts_it() -> None:
    assert (plan(GIB).context, plan(GIB, 100_000).context, plan(GIB, 600).context) == (2048, 2048, 600)


def test_a_name_in_a_file_cannot_act_on_the_terminal(ended: Ended, tmp_path: Path) -> None:
    path = tmp_path / "evil.gguf"
    path.write_bytes(DEMO_MODEL.read_bytes().replace(b"Understudy demo", b"\x1b[2J[bold]demo!"))
    out = ended("model", "check", path)[1]
    assert "\x1b" not in out
    assert "[bold]demo" in out
