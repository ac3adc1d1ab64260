"""The command line: reads the wish, shows the outcome. What it starts is built in `adapters.wiring`."""

from adapters.cli.commands import main, understudy

__all__ = ["main", "understudy"]
