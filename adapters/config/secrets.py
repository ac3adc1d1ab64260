"""Where secrets come from: the environment, files, and systemd's credentials. The one list of all that there are.

For a secret with the variable UNDERSTUDY_DISCORD_TOKEN and the key [discord] token, these are asked; the first answer counts:

1. the variable itself;
2. the file that UNDERSTUDY_DISCORD_TOKEN_FILE names, as containers have them under /run/secrets;
3. the credential `discord-token` in the folder that CREDENTIALS_DIRECTORY names (systemd.exec(5), LoadCredential=);
4. in the configuration, the key itself, or the file that the key `token_file` beside it names.

No value stands in an error, a log, a representation, or the environment of a child process.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from adapters.config.lines import Keys
from bot.errors import ConfigMistakes

CREDENTIALS = "CREDENTIALS_DIRECTORY"
FILE = "_FILE"
IN_A_FILE = "_file"

LONGEST = 65_536
"""Bytes of a file with a secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret: its variable, and its key in the configuration (none: it configures nothing)."""

    variable: str
    keys: Keys = ()

    @property
    def credential(self) -> str:
        """What systemd's credential is called."""
        return self.variable.removeprefix("UNDERSTUDY_").lower().replace("_", "-")


SECRETS = (
    Secret("UNDERSTUDY_STORAGE_URL", ("storage", "url")),
    Secret("UNDERSTUDY_ENGINE_TOKEN", ("engine", "token")),
    Secret("UNDERSTUDY_DISCORD_TOKEN", ("discord", "token")),
    Secret("UNDERSTUDY_WEB_OPERATOR_TOKEN", ("web", "operator_token")),
    Secret("UNDERSTUDY_MATRIX_PASSWORD"),
    Secret("UNDERSTUDY_MATRIX_TOKEN"),
    Secret("UNDERSTUDY_MATRIX_RECOVERY_KEY"),
)
"""All secrets that are given to the program; the last three are for `understudy matrix login`."""

VARIABLES = tuple(name for each in SECRETS for name in (each.variable, each.variable + FILE))


@dataclass(frozen=True, slots=True)
class Found:
    """A secret that was found, and where, for the beginning of a sentence."""

    value: str = field(repr=False)
    where: str


def given(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret of a variable, from wherever it is given; empty where it is not. Raises ConfigMistakes."""
    found = _given(next(each for each in SECRETS if each.variable == variable), environment)
    return found.value if found else ""


def files_given(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The files that variables of the environment name as holding secrets of the configuration."""
    return [environment[each.variable + FILE] for each in SECRETS if each.keys and environment.get(each.variable + FILE)]


def put_in(document: dict[str, Any], environment: Mapping[str, str], folder: Path) -> tuple[dict[Keys, str], list[str]]:
    """Put the secrets into what a configuration file holds; where each came from, and the mistakes in that.

    Paths in the file are seen from `folder`.
    """
    came_from: dict[Keys, str] = {}
    mistakes: list[str] = []
    for each in (one for one in SECRETS if one.keys):
        section, key = each.keys
        table = document.get(section, {})
        if not isinstance(table, dict):
            continue
        try:
            found = _given(each, environment) or _named(table, each.keys, folder)
        except ConfigMistakes as wrong:
            mistakes += wrong.mistakes
            continue
        if found:
            document.setdefault(section, table)[key] = found.value
            came_from[each.keys] = found.where
    return came_from, mistakes


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that needs none of them."""
    return {name: value for name, value in environment.items() if name not in {*VARIABLES, CREDENTIALS}}


def parts_of(url: str | None) -> tuple[str, ...]:
    """What must not be shown of an address: its passwords, as they stand and as they are meant, and all of it with them."""
    try:
        parts = urlsplit(url or "")
        # PostgreSQL takes one behind the address as well.
        behind = [value for name, _, value in (each.partition("=") for each in parts.query.split("&")) if name == "password"]
        passwords = [each for each in (parts.password, *behind) if each]
    except ValueError:
        return (url,) if url else ()
    return (url or "", *(worn for each in passwords for worn in (each, unquote(each)))) if passwords else ()


def _given(secret: Secret, environment: Mapping[str, str]) -> Found | None:
    value, named = environment.get(secret.variable), environment.get(secret.variable + FILE)
    if value and named:
        raise ConfigMistakes([f"{secret.variable} and {secret.variable}{FILE} are both set; take one of them away."])
    if value:
        return Found(value, f"The environment variable {secret.variable}")
    if named:
        path = Path(named)
        return Found(_read(path, f"{secret.variable}{FILE}"), f"The file {path} (of {secret.variable}{FILE})")
    if folder := environment.get(CREDENTIALS):
        path = Path(folder, secret.credential)
        if path.is_file():
            return Found(_read(path, CREDENTIALS), f"The credential {secret.credential}")
    return None


def _named(table: Mapping[str, Any], keys: Keys, folder: Path) -> Found | None:
    """What a file holds that the configuration names. One that is not there is told with the other mistakes in its keys."""
    section, key = keys
    name = table.get(key + IN_A_FILE)
    path = Path(folder, Path(name).expanduser()) if isinstance(name, str) else None
    if path is None or not path.is_file():
        return None
    if key in table:
        raise ConfigMistakes([f"[{section}] {key} and {key}{IN_A_FILE} are both there; take one of them out."])
    return Found(_read(path, f"[{section}] {key}{IN_A_FILE}"), f"The file {path} (of [{section}] {key}{IN_A_FILE})")


def _read(path: Path, named_by: str) -> str:
    """The one line in a file, without the blanks around it. Raises ConfigMistakes; what the file holds is not told."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST).decode().strip()
    except OSError as error:
        raise ConfigMistakes([f"{named_by} names {path}, which cannot be read ({error.strerror})."]) from None
    except UnicodeDecodeError:
        raise ConfigMistakes([f"{named_by} names {path}, which is no text in UTF-8."]) from None
    if not text:
        raise ConfigMistakes([f"{named_by} names {path}, which is empty."])
    return text
