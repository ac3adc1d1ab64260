"""How log records become lines: a sentence and its facts, as text or as JSON. It does not decide what is worth a line."""

import json
import logging
import math
import sys
from collections.abc import Iterable, Mapping
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
        """The line; a traceback, where there is one, follows on lines of its own, which no line of a record looks like."""
        facts = [f"{key}={_shown(value)}" for key, value in vars(record).items() if key not in _PLAIN]
        line = " ".join([_when(record), record.levelname, record.name, _one_line(record.getMessage()), *facts])
        # What an error says may be what others sent: indented, none of its lines can pass for a record.
        told = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n".join([line, *(f"  {_one_line(each)}" for each in told)])


class JsonFormatter(logging.Formatter):
    """One JSON object per record, on one line: `time`, `level`, `logger`, `message`, every `extra`, and `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, its texts without what is hidden; numbers stay numbers, and whatever else a fact is becomes a text."""
        told: dict[str, object] = {
            "time": _when(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        facts = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        told |= {f"fact_{key}" if key in told or key == "exception" else key: _value(value) for key, value in facts.items()}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps({key: without_secrets(value) if isinstance(value, str) else value for key, value in told.items()})


FORMATS: Mapping[str, type[logging.Formatter]] = {"text": FactsFormatter, "json": JsonFormatter}
"""What a line can look like, by the names that the configuration has for it."""


def set_up(level: int = logging.INFO, stream: TextIO | None = None, shape: str = "text") -> None:
    """Send our log records from this level on to a stream (standard error). Replaces what was set up before.

    `shape` is a name of FORMATS.

    Of other people's only warnings and worse are shown: a database driver's debug records quote what players wrote.
    """
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(FORMATS[shape]())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    # What strangers send to the page is answered there; aiohttp would print a traceback for each broken request.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    for name in OURS:
        logging.getLogger(name).setLevel(level)


def take_shape(shape: str) -> None:
    """Let what was set up go on in another shape: the configuration that names it is read after the first lines."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, tuple(FORMATS.values())):
            handler.setFormatter(FORMATS[shape]())


def _when(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float) or value is None else str(value)


def _shown(value: object) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if " " in text or not text else text


def _one_line(text: str) -> str:
    """What people wrote must not be able to forge a line of the log, or to steer the terminal that shows it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
