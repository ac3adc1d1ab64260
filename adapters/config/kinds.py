"""The kinds of values that a configuration can hold, each strict: a number in quotes is a mistake, not a number."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AllowInfNan, ConfigDict, Field, Strict, StringConstraints, ValidationInfo

from bot.prompt.length import LengthTable, table_of
from bot.sampling import PRESETS, mistake

CLOSED = ConfigDict(extra="forbid")
"""An unknown key is a mistake."""

LONGEST_TABLE = 65_536
"""Bytes of a file with a table of lengths."""

SHORTEST_TOKEN = 16
"""Characters that keep the token of the operator's page from being guessed."""


def _from_here(value: str, info: ValidationInfo) -> str:
    """The path, seen from the folder of the file that names it."""
    if not value.strip():
        raise ValueError("names nothing; write a path, or take the key out")
    return str(Path((info.context or {}).get("folder", "."), Path(value).expanduser()))


def _existing(value: str) -> str:
    if not Path(value).exists():
        raise ValueError(f"names {value}, which does not exist; write the path of an existing file")
    if not Path(value).is_file():
        raise ValueError(f"names {value}, which is not a file; write the path of an existing file")
    return value


def _table(value: str) -> str:
    try:
        read_lengths(Path(value))
    except ValueError as wrong:
        raise ValueError(f"names {value}, which is no table of lengths: {wrong}; `make bench-story` writes one") from wrong
    return value


def read_lengths(path: Path) -> tuple[str, LengthTable]:
    """The fingerprint of the model that a file's table was measured with, and the table. Raises ValueError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_TABLE + 1)
        if len(raw) > LONGEST_TABLE:
            raise ValueError(f"it has more than {LONGEST_TABLE} bytes")
        return table_of(json.loads(raw))
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror})") from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _folder(value: str) -> str:
    if "\0" in value:
        raise ValueError("has a NUL character in it, as no path has; write the path of a folder")
    try:
        is_file = Path(value).exists() and not Path(value).is_dir()
    except OSError as error:
        raise ValueError(f"names a folder that cannot be there ({error.strerror}); write another path") from None
    if is_file:
        raise ValueError(f"names {value}, which is a file; write the path of a folder")
    return value


def _database(value: str) -> str:
    known = ("sqlite:", "sqlite+aiosqlite:", "postgresql:", "postgresql+asyncpg:", "postgres:")
    if not value.startswith(known):
        raise ValueError("is no database address; write sqlite:////path/to/file.db or postgresql://user:password@host/name")
    return value


def is_host(value: str) -> bool:
    """Whether it can be the name or the address of a host. It is not looked up."""
    try:
        return bool(re.fullmatch(r"[^\s\x00-\x1f\x7f/\[\]]{1,253}", value) and value.encode("idna"))
    except UnicodeError:
        return False


def _host(value: str) -> str:
    if not is_host(value):
        raise ValueError('is no host; write a name or an address, such as "127.0.0.1" or "::1"')
    return value


def _engine_url(value: str) -> str:
    """The address of an engine. A wrong one is not shown: it may hold a password."""
    if value.startswith("unix:/"):
        return value
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        port, parts = 0, urlsplit("")
    if parts.username or parts.password or parts.query:
        raise ValueError("holds more than an address; give the token by the environment variable UNDERSTUDY_ENGINE_TOKEN")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError('is no address of an engine; write one like "http://HOST:PORT", "https://HOST" or "unix:/PATH"')
    return value


def _proxy_url(value: str) -> str:
    """The address of a proxy. A wrong one is not shown: it may hold a password."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        port, parts = 0, urlsplit("")
    if parts.scheme != "http" or not parts.hostname or port == 0:
        raise ValueError('is no address of a proxy; write one like "http://HOST:PORT"')
    return value


def _collector_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or "@" in value or "?" in value:
        raise ValueError('is no address of a collector; write one like "http://HOST:4318"')
    return value


def _token(value: str) -> str:
    if not value.isascii() or any(letter.isspace() or not letter.isprintable() for letter in value):
        raise ValueError("must be ASCII without spaces, as it stands in a header")
    return value


def _operator_token(value: str) -> str:
    if value and len(value) < SHORTEST_TOKEN:
        raise ValueError(
            f"has less than {SHORTEST_TOKEN} characters, which can be guessed; `openssl rand -hex 24` makes a good one"
        )
    return _token(value)


def judged(name: str) -> AfterValidator:
    """Judges a sampler setting that is no number by the rules of `bot.sampling`."""

    def judge(value: object) -> object:
        if wrong := mistake(name, value):
            raise ValueError(wrong)
        return value

    return AfterValidator(judge)


def _preset(value: str) -> str:
    if value not in PRESETS:
        raise ValueError(f'is "{value}"; it must be one of {", ".join(PRESETS)}')
    return value


def _biases(value: dict[str, float]) -> dict[str, float]:
    strange = [each for each in value if not (each.isascii() and each.isdigit())]
    if strange:
        raise ValueError(f'has the key "{strange[0]}"; each key must be the id of a token, a whole number from 0')
    if wrong := mistake("logit_bias", pairs(value)):
        raise ValueError(wrong)
    return value


def pairs(biases: Mapping[str, float]) -> tuple[tuple[int, float], ...]:
    """The biases of a file as the settings have them: TOML has no keys but texts."""
    return tuple(sorted((int(token), amount) for token, amount in biases.items()))


Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, Strict()]
SomeText = Annotated[str, Strict(), StringConstraints(min_length=1, pattern=r"\S")]
Name = Annotated[str, Strict(), StringConstraints(min_length=1, max_length=80, pattern=r"^[^\n:]*[^\s:][^\n:]*$")]
ExistingFile = Annotated[str, Strict(), AfterValidator(_from_here), AfterValidator(_existing)]
LengthsFile = Annotated[str, Strict(), AfterValidator(_from_here), AfterValidator(_existing), AfterValidator(_table)]
Folder = Annotated[str, Strict(), AfterValidator(_from_here), AfterValidator(_folder)]
DatabaseUrl = Annotated[str, Strict(), AfterValidator(_database)]
EngineUrl = Annotated[str, Strict(), AfterValidator(_engine_url)]
CollectorUrl = Annotated[str, Strict(), AfterValidator(_collector_url)]
ProxyUrl = Annotated[str, Strict(), AfterValidator(_proxy_url)]
Token = Annotated[str, Strict(), AfterValidator(_token)]
HeaderName = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9-]{0,64}$")]
AdapterName = Annotated[str, Strict(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
OperatorToken = Annotated[str, Strict(), AfterValidator(_operator_token)]
Preset = Annotated[str, Strict(), AfterValidator(_preset)]
Texts = tuple[Text, ...]
Biases = Annotated[dict[str, Number], AfterValidator(_biases)]
Host = Annotated[str, Strict(), AfterValidator(_host)]
Port = Annotated[int, Strict(), Field(ge=0, le=65_535)]
StatedRating = Literal["general", "adult"]
