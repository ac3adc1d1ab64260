"""Where everything is checked, a skipped test is a failure unless the short list allows it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.project import ROOT

FILES = {
    "test_mark.py": "import pytest\n@pytest.mark.skip(reason='no')\ndef test_it(): ...\n",
    "test_inside.py": "import pytest\ndef test_it(): pytest.skip('no')\n",
    "test_whole_file.py": "import pytest\npytest.importorskip('a_library_that_nobody_has')\n",
    "test_expected_failure.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
}
OPTIONS = ("-q", "-c", "/dev/null", "-p", "no:cacheprovider", "-p", "tests.conftest", "--continue-on-collection-errors")


@pytest.mark.slow
def test_a_skip_that_is_not_listed_fails_where_everything_is_checked(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", *OPTIONS, "--skips-are-failures", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 our own
    assert re.sub(r" in .*", "", done.stdout.splitlines()[-1]) == "1 failed, 1 xfailed, 2 errors"


def test_every_listed_skip_has_its_reason() -> None:
    listed = tomllib.loads((ROOT / "tests" / "house" / "skips.toml").read_text(encoding="utf-8"))
    assert all(isinstance(reason, str) and reason.strip() for reason in listed.values())
