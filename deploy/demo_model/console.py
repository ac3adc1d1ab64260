"""Writes the recipe's progress to the terminal."""

from __future__ import annotations

import sys


def report(*words: object) -> None:
    """Write one line at once, so that a log can be watched."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()
