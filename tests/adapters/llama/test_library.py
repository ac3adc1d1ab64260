import logging
import os
import subprocess
import sys

import pytest

from adapters.llama import library
from tests.house.project import ROOT


def test_a_failed_assertion_of_the_library_starts_no_debugger() -> None:
    assert os.environ["GGML_NO_BACKTRACE"]


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ({}, {"GGML_NO_BACKTRACE": "1", "GOMP_SPINCOUNT": "2000"}),
        ({"OMP_WAIT_POLICY": ""}, {"GGML_NO_BACKTRACE": "1", "GOMP_SPINCOUNT": "2000"}),
        ({"OMP_WAIT_POLICY": "passive"}, {"GGML_NO_BACKTRACE": "1", "OMP_WAIT_POLICY": "passive"}),
        ({"GOMP_SPINCOUNT": "9", "GGML_NO_BACKTRACE": "0"}, {"GGML_NO_BACKTRACE": "0", "GOMP_SPINCOUNT": "9"}),
    ],
    ids=["nothing set", "set to nothing", "a policy", "set by the operator"],
)
def test_the_library_finds_an_environment_in_which_its_threads_do_not_starve(
    found: dict[str, str], left: dict[str, str]
) -> None:
    library.set_environment(found)
    assert found == left


def test_the_environment_is_set_before_the_library_loads() -> None:
    """In a process of its own: a variable that comes after the library is not seen by it."""
    found = (
        "import os, sys; os.environ.pop('GOMP_SPINCOUNT', None); os.environ['OMP_WAIT_POLICY'] = ''\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'llama_cpp': print(os.environ.get('GOMP_SPINCOUNT'), 'OMP_WAIT_POLICY' in os.environ)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import adapters.llama.library"
    )
    done = subprocess.run([sys.executable, "-c", found], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout.split() == ["2000", "False"]


def test_an_error_of_the_library_is_seen_by_the_operator_unless_somebody_collects_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        library._log(library.ERROR, b"cache on fire\n", None)
        with library.complaints() as lines:
            library._log(library.ERROR, b"cut short\n", None)
            library._log(library.ERROR - 1, b"a hint\n", None)
            library._log(library.ERROR, None, None)
    assert list(lines) == ["cut short"]
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "cache on fire"),
        (logging.DEBUG, "cut short"),
        (logging.DEBUG, "a hint"),
    ]
