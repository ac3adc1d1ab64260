"""The types that discord-api-types gives to events of the gateway, as a judge of recorded ones. It knows no loopback.

The events are written down as constants of their types, and TypeScript's compiler says which of them are not what they claim
to be. Both come from npm, pinned in `types/`, and are installed into a folder outside the tree.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

SOURCES = Path(__file__).with_name("types")
INSTALL_SECONDS = 300
COMPILE_SECONDS = 60
WITHOUT_DATA = {"RESUMED"}
"""Events that carry nothing, for which there is no type."""
PLACE = (
    *("last_message_id", "last_pin_timestamp", "nsfw", "parent_id", "guild_id", "flags", "rate_limit_per_user"),
    *("topic", "position"),
)
BEYOND = {
    "GUILD_CREATE": ("home_header", "nsfw"),
    "GUILD_UPDATE": ("home_header", "nsfw"),
    "INTERACTION_CREATE": (
        "channel.permissions",
        *(f"data.resolved.channels.*.{key}" for key in PLACE),
    ),
}
"""Parts of events that Discord sends, by its guide or its OpenAPI document, and these types do not know."""

HEAD = 'import type * as discord from "discord-api-types/v10";\nimport type { Recorded } from "./recorded.js";\n'
COMPLAINT = re.compile(r"^events\.ts\((\d+),\d+\): error \w+: (.*)$", re.MULTILINE)


class TypesMissingError(Exception):
    """The types cannot be had here: no node or npm, or they could not be installed. The message says what to do."""


class GatewayTypes:
    """Compiles events against their types, in the folder where the types are installed."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node = node
        self._folder = folder

    @classmethod
    def installed(cls, keep: Path) -> Self:
        """The types, installed below this folder unless they are there already. Raises TypesMissingError."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise TypesMissingError("no node and npm here: install the packages nodejs and npm to check the gateway's events")
        lock = (SOURCES / "package-lock.json").read_bytes()
        folder = keep / hashlib.sha256(lock).hexdigest()[:16]
        if not folder.exists():
            _install(npm, keep, folder)
        return cls(node, folder)

    def complaints(self, events: Sequence[tuple[str, Any]]) -> list[str]:
        """What is wrong with recorded events, given by name and data; a sentence for each place, empty where nothing is."""
        lines = [line for name, text in _different(events) for line in _constant(name, text)]
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            work = Path(name)
            for source in ("recorded.ts", "tsconfig.json", "package.json"):
                shutil.copy(SOURCES / source, work)
            (work / "events.ts").write_text(HEAD + "\n".join(lines) + "\nexport {};\n", encoding="utf-8")
            said = self._compile(work)
        return list(_read(said, [*HEAD.splitlines(), *lines]))

    def _compile(self, work: Path) -> str:
        compiler = self._folder / "node_modules" / "typescript" / "bin" / "tsc"
        done = subprocess.run(  # noqa: S603  the pinned compiler
            [self._node, compiler, "--project", work, "--pretty", "false"],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != 0 and not COMPLAINT.search(said):
            raise RuntimeError(f"the compiler could not work: {said}")
        return said


def _install(npm: str, keep: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=keep) as name:
        work = Path(name) / "types"
        shutil.copytree(SOURCES, work)
        done = subprocess.run(  # noqa: S603  npm, with a lock that holds every hash
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(keep / "npm")],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise TypesMissingError(f"npm could not install the types: {done.stderr.strip()[-400:]}")
        if not folder.exists():  # another run may have been faster
            work.rename(folder)


def _different(events: Sequence[tuple[str, Any]]) -> list[tuple[str, str]]:
    """The events as JSON, each once, without those that carry nothing and without what the types do not know."""
    known = ((name, _without(data, BEYOND.get(name, ()))) for name, data in events if name not in WITHOUT_DATA)
    return list(dict.fromkeys((name, json.dumps(data, indent=1)) for name, data in known))


def _without(data: Any, paths: Sequence[str]) -> Any:
    """A copy without these parts, each given by its keys with dots between them; a star is any key."""
    copied = json.loads(json.dumps(data))
    for path in paths:
        _remove(copied, path.split("."))
    return copied


def _remove(holder: Any, keys: Sequence[str]) -> None:
    if not isinstance(holder, dict):
        return
    for key in list(holder) if keys[0] == "*" else [keys[0]]:
        if len(keys) == 1:
            holder.pop(key, None)
        else:
            _remove(holder.get(key), keys[1:])


def _constant(name: str, text: str) -> list[str]:
    """An event as the lines of a constant, its name behind each line so that a complaint can tell it."""
    kind = f"Gateway{name.title().replace('_', '')}DispatchData"
    number = hashlib.sha256(text.encode()).hexdigest()[:12]
    declared = f"export const {name.lower()}_{number}: Recorded<discord.{kind}> ="
    return [f"{line} // {name}" for line in (declared, *text.splitlines())]


def _read(said: str, lines: Sequence[str]) -> Iterator[str]:
    """The compiler's complaints, each with the innermost of the reasons that it gives below."""
    for block in re.split(r"\n(?=\S)", said.strip()) if said.strip() else ():
        first, *reasons = block.splitlines()
        if found := COMPLAINT.match(first):
            place, _, name = lines[int(found[1]) - 1].rpartition(" // ")
            where = "the whole" if place.startswith("export") else place.strip()[:80]
            why = [found[2][:300], *(reason.strip()[:300] for reason in reasons[-1:])]
            yield f"{name} at {where}: {' '.join(why)}"
