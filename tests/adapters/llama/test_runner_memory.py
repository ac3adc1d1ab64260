import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.llama.weights import write_model
from tests.house.project import ROOT

MIB = 1 << 20


@pytest.mark.slow
def test_memory_stays_flat_over_thousands_of_replies(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.gguf", "Q8_0")
    command = [sys.executable, "-m", "tests.adapters.llama.many_requests", str(model), "2000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)  # noqa: S603 - our own
    after_a_tenth, after_all = (int(line) for line in done.stdout.split())
    assert after_all - after_a_tenth < 3 * MIB
