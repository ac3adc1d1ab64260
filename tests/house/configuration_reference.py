"""The reference of the configuration: the code tells what a key may be, and the example says what it is for.

`python -m tests.house.configuration_reference` writes it anew.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from adapters.config.reading import ENVIRONMENT, EXAMPLE, Sections
from tests.house.project import ROOT

PAGE = ROOT / "docs" / "configuration.md"
HEAD = """# Configuration reference

<!-- from the code: python -m tests.house.configuration_reference -->

Everything is optional. `understudy init` writes this as a file with comments, and `understudy run --config FILE` reads it;
every mistake in it is told at once, with its line. Paths are seen from the folder of the file.
Environment variables go before it.
"""

_SECTION = re.compile(r"(?:# )?\[+([a-z.]+)\]+")
_KEY = re.compile(r"(# )?([a-z_]+) = (.*)")


@dataclass(slots=True)
class Block:
    """What the example says of some keys: its words, and of each the value that it shows, and whether that is an example."""

    section: str
    words: list[str] = field(default_factory=list)
    keys: dict[str, tuple[str, bool]] = field(default_factory=dict)


def blocks() -> Iterator[Block]:
    """The example, block by block."""
    block = Block("")
    for line in [*EXAMPLE.read_text(encoding="utf-8").splitlines(), ""]:
        text = line.removeprefix("#").removeprefix(" ")
        is_section = _SECTION.fullmatch(line)
        if block.keys and (is_section or not text):
            yield block
            block = Block(block.section)
        if is_section:
            # Words before a section's name are about the section; those before the first are about the file.
            block = Block(is_section[1], block.words if block.section else [])
        elif found := _KEY.fullmatch(line):
            block.keys[found[2]] = (found[3], found[1] is not None)
        else:
            block.words.append(text)


def reference() -> str:
    """The page."""
    schema = TypeAdapter(Sections).json_schema()
    parts, section = [HEAD], ""
    for block in blocks():
        if block.section != section:
            section = block.section
            parts.append(f"## [{section}]\n")
        parts.append(_shown(block, schema))
    return "\n".join(parts)


def _shown(block: Block, schema: Mapping[str, Any]) -> str:
    known = properties(schema, block.section)
    lines = [f"### {', '.join(f'`{name}`' for name in block.keys)}\n"]
    lines += [f"{words}\n"] if (words := _prose(block.words)) else []
    lines += [_told(block, name, known[name]) for name in block.keys]
    return "\n".join(lines) + "\n"


def _prose(words: list[str]) -> str:
    """Paragraphs as they stand, and lists where lines are indented."""
    return "\n".join(f"- {line.strip()}" if line.startswith("  ") else line for line in words).strip()


def _told(block: Block, name: str, known: Mapping[str, Any]) -> str:
    value, is_example = block.keys[name]
    said = f"- `{name}`: {kind(known)}"
    if known.get("default") not in (None, "", []):
        said += f"; default `{json.dumps(known['default'])}`"
    if is_example:
        said += f"; for example `{name} = {value}`"
    path = (*block.section.split("."), name)
    variable = next((variable for variable, keys in ENVIRONMENT.items() if tuple(keys) == path), None)
    return f"{said}; environment variable `{variable}`" if variable else said


def properties(schema: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """The keys of a section, and what each may be."""
    found = schema
    for word in section.split("."):
        found = _meant(found["properties"][word], schema)
    return dict(found["properties"])


def _meant(known: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    known = next((each for each in known.get("anyOf", ()) if "$ref" in each), known)
    known = known.get("items", known)
    return schema["$defs"][known["$ref"].rpartition("/")[2]] if "$ref" in known else known


def kind(known: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    known = next((each for each in known.get("anyOf", ()) if each.get("type") != "null"), known)
    if "enum" in known:
        return "one of " + ", ".join(f"`{each}`" for each in known["enum"])
    if known.get("type") == "array":
        return f"a list; each {kind(known['items'])}" if known.get("items", {}).get("type") != "string" else "a list of texts"
    word = {"boolean": "`true` or `false`", "integer": "a whole number", "number": "a number", "object": "a table"}
    return word.get(known.get("type", ""), "a text") + _bounds(known)


def _bounds(known: Mapping[str, Any]) -> str:
    low, high = known.get("minimum"), known.get("maximum")
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    return f" of {low:,} or more" if low is not None else ""


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
