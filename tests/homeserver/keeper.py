"""A process that keeps one homeserver for the tests, and ends it and clears up when its standard input closes.

It is run as a script, with the standard library alone. The test session may end in any way, even by kill -9: the pipe
closes, Synapse is killed and its folder removed. It reads `start`, `stop`, `kill` or `look`, a line each, and
answers each with a line. It knows nothing of what Synapse serves.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

STOP_SECONDS = 20


class Keeper:
    """One Synapse: a configuration in a folder of its own, started and ended as often as is wanted."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python = python
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def obey(self, word: str) -> str:
        """Do what a line says; returns whether Synapse is `alive` or `ended` then."""
        match word:
            case "start":
                self.start()
            case "stop":
                self.end(signal.SIGTERM)
            case "kill":
                self.end(signal.SIGKILL)
        return "ended" if self._process is None or self._process.poll() is not None else "alive"

    def start(self) -> None:
        line = [self._python, "-m", "synapse.app.homeserver", "-c", str(self._folder / "homeserver.yaml")]
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 an environment of our own
                line, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def keep_until_input_ends(python: str, folder: Path) -> None:
    keeper = Keeper(python, folder)
    try:
        for line in sys.stdin:
            sys.stdout.write(f"{keeper.obey(line.strip())}\n")
            sys.stdout.flush()
    finally:
        keeper.end(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep_until_input_ends(sys.argv[1], Path(sys.argv[2]))
