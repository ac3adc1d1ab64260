"""How log records become lines: a sentence, then its facts as key=value. It does not decide what is worth a line."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

OURS = ("bot", "adapters", "storage")

_PLAIN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


SHORTEST = 4
"""Characters of a text that is hidden: a shorter one would tear holes into words."""

_hidden: set[str] = set()


def hide(secrets: Iterable[str]) -> None:
    """Never show these texts in a line of the log, wherever they come up: in an error of a library, or in a traceback."""
    long = [each for each in secrets if len(each) >= SHORTEST]
    # In other clothes as well: as a representation or a JSON text writes what is no plain letter of it.
    _hidden.update(worn for each in long for worn in (each, repr(each)[1:-1], json.dumps(each)[1:-1]))


def without_secrets(text: str) -> str:
    """A text without what is hidden."""
    for each in sorted(_hidden, key=len, reverse=True):
        text = text.replace(each, "[secret]")
    return text


class _Handler(logging.StreamHandler[TextIO]):
    """Hides secrets whatever shape a line has."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class FactsFormatter(logging.Formatter):
    """One line per record: when, how grave, who, the sentence, and every `extra` as key=value in the order it was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback, where there is one, follows on lines of its own."""
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        facts = [f"{key}={_shown(value)}" for key, value in vars(record).items() if key not in _PLAIN]
        line = " ".join([when, record.levelname, record.name, _one_line(record.getMessage()), *facts])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our log records from this level on to a stream (standard error). Replaces what was set up before.

    Of other people's only warnings and worse are shown: a database driver's debug records quote what players wrote.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(FactsFormatter())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    # What strangers send to the page is answered there; aiohttp would print a traceback for each broken request.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    for name in OURS:
        logging.getLogger(name).setLevel(level)


def _shown(value: object) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if " " in text or not text else text


def _one_line(text: str) -> str:
    """What people wrote must not be able to forge a line of the log, or to steer the terminal that shows it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
