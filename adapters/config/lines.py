"""On which line of a TOML text a key stands. It does not judge the text: `tomllib` has read it already."""

import re
from collections import Counter
from collections.abc import Mapping

Keys = tuple[str, ...]

_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def lines_of(text: str) -> Mapping[Keys, int]:
    """The line (from 1) of every table and key. Of a key inside an inline table, its outer key's line serves.

    Of several tables of one name, each has its number behind the name, from "0".
    """
    found: dict[Keys, int] = {}
    tables: Counter[Keys] = Counter()
    table: Keys = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:  # inside a text of several lines, where anything may look like a key
            fence = "" if fence in line else fence
        elif match := _TABLE.match(line):
            table = _parts(match[1])
            found.setdefault(table, number)
            if line.lstrip().startswith("[["):
                tables[table] += 1
                table = (*table, str(tables[table] - 1))
                found[table] = number
        elif match := _KEY.match(line):
            found.setdefault((*table, *_parts(match[1])), number)
            fence = _opened(match[2])
    return found


def line_of(keys: Keys, lines: Mapping[Keys, int]) -> int | None:
    """The line of a key, or of the nearest thing around it that has one."""
    while keys:
        if keys in lines:
            return lines[keys]
        keys = keys[:-1]
    return None


def _parts(dotted: str) -> Keys:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _opened(value: str) -> str:
    for quotes in ('"""', "'''"):
        if value.startswith(quotes) and quotes not in value[3:]:
            return quotes
    return ""
