"""The tests' own PostgreSQL ends with whoever started it."""

import subprocess
import sys
from pathlib import Path

LENDS = """
import sys
from tests.postgres import running

with running() as server:
    print(server.folder, flush=True)
    sys.stdin.read()
"""


def test_the_server_ends_with_its_session_even_by_kill_9() -> None:
    with subprocess.Popen(  # noqa: S603  ours
        [sys.executable, "-c", LENDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout is not None
        assert session.stderr is not None
        folder = Path(session.stdout.readline().strip())
        assert list(folder.glob(".s.PGSQL.*"))
        session.kill()
        # The server's keeper shares this stream: it ends when the keeper has cleared up.
        assert session.stderr.read() == ""
    assert not folder.exists()
