"""Which words may not stand anywhere: promises of later work, empty module names, places and addresses of one machine."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.project import FOLDERS, PACKAGES, ROOT, python_files, shown, text_files

EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc"}
FORBIDDEN = {
    "a promise of later work": r"\b(TODO|FIXME|XXX|HACK)\b",
    "a place of one machine": r"(?<![\w.:])/(work|root|home/\w+|Users/\w+|opt/pypi)/",
    "an address of a package registry": r"pypi\.(org|python\.org)|pythonhosted\.org|artifactory|npmjs\.org",
    "the number of a ticket": r"\bissues? #?\d+\b",
    "a swallowed error": r"except( Base)?( Exception)?:\s+pass\b",
}

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")
OF_SYNAPSE = "tests/homeserver/requirements.lock"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in text_files()
        if path != Path(__file__)  # it names what it forbids
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_no_module_has_an_empty_name() -> None:
    paths = [path for path in python_files(*FOLDERS) if EMPTY_NAMES & {*path.relative_to(ROOT).with_suffix("").parts}]
    assert not paths


def test_every_package_says_what_it_is() -> None:
    silent = [shown(path) for path in python_files(*PACKAGES) if not path.read_text(encoding="utf-8").startswith(('"""', "#!"))]
    assert silent == []


def test_every_exception_to_a_rule_names_the_rule_and_a_reason() -> None:
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)(?!(: [A-Z]+\d+(, ?[A-Z]+\d+)*|\[[a-z, -]+\])\W.*\w{2})")
    found = [
        f"{shown(path)}:{number}: {line.strip()}"
        for path in python_files(*FOLDERS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if path != Path(__file__) and bare.search(line)
    ]
    assert not found


@pytest.mark.parametrize("name", [*LOCKS, OF_SYNAPSE])
def test_a_lock_holds_versions_and_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert "\n#" not in f"\n{text}"
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert [block for block in blocks if not PIN.match(block) or "--hash=sha256:" not in block] == []


def test_the_homeserver_of_the_tests_is_in_no_lock_but_its_own() -> None:
    named = [name for name in (*LOCKS, OF_SYNAPSE) if "matrix-synapse" in (ROOT / name).read_text(encoding="utf-8")]
    assert named == [OF_SYNAPSE], "Synapse is AGPL: it runs as a process of its own, and is not shipped"


def test_the_locks_agree_with_each_other_and_with_what_the_project_asks_for() -> None:
    runtime, dev, uv = (dict(PIN.findall((ROOT / name).read_text(encoding="utf-8"))) for name in LOCKS)
    assert runtime.items() <= dev.items()
    assert uv.items() <= dev.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for wanted, lock in ((project["dependencies"], runtime), (project["optional-dependencies"]["dev"], dev)):
        # A lock spells names as the index does: a dot is a dash there.
        pins = dict(re.sub(r"\[.*?\]", "", each).replace(".py==", "-py==").split("==") for each in wanted)
        assert pins.items() <= lock.items()
