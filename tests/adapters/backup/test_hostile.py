"""What is no backup, is damaged, or is made to harm, is refused in a sentence, and nothing is written anywhere."""

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.backup import restore
from bot.errors import Refused, StoreUnavailable
from tests.adapters.backup.conftest import Noting, Places, left_in
from tests.adapters.backup.test_backup import a_backup

Parts = dict[str, bytes]
FLIPS = 150


@pytest.fixture
async def file(places: Places, tmp_path: Path) -> Path:
    await a_backup(places, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


async def refused(places: Places, file: Path) -> str:
    target = places.new()
    with pytest.raises((Refused, StoreUnavailable)) as found:
        await restore(target, file, Noting())
    assert left_in(target) == set()
    return str(found.value)


def forged(file: Path, change: Callable[[Parts, dict[str, Any]], None], *, sealed: bool = True) -> None:
    """The same backup with a change, and (if `sealed`) with hashes that fit it."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(parts.pop("manifest.json"))
    change(parts, about)
    if sealed:
        about["parts"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in parts.items()
        }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, "manifest.json": json.dumps(about).encode()}.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" * 100])
async def test_what_is_no_backup_is_refused(places: Places, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.zip").write_bytes(content)
    assert "is no backup of Understudy" in await refused(places, tmp_path / "other.zip")


async def test_a_backup_that_was_cut_off_is_refused_wherever(places: Places, file: Path) -> None:
    whole = file.read_bytes()  # noqa: ASYNC240  nothing else runs
    for part in range(1, 20):
        file.write_bytes(whole[: len(whole) * part // 20])  # noqa: ASYNC240  nothing else runs
        assert "is no backup of Understudy" in await refused(places, file)


async def test_a_byte_that_changed_is_found_or_does_not_matter(places: Places, file: Path) -> None:
    """Bytes of a ZIP file that no hash covers are dates and the like."""
    whole, chance, found = file.read_bytes(), random.Random(7), 0  # noqa: ASYNC240, S311  nothing else runs; dice
    for _ in range(FLIPS):
        raw = bytearray(whole)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        file.write_bytes(raw)  # noqa: ASYNC240  nothing else runs
        target = places.new()
        try:
            await restore(target, file, Noting())
        except Refused:
            found += 1
            assert left_in(target) == set()
    assert found > FLIPS // 2


def table(name: str, content: bytes, rows: int | None = None) -> Callable[[Parts, dict[str, Any]], None]:
    def change(parts: Parts, about: dict[str, Any]) -> None:
        parts[f"tables/{name}.jsonl"] = content
        about["rows"][name] = max(content.count(b"\n") - 1, 0) if rows is None else rows

    return change


def member(name: str) -> Callable[[Parts, dict[str, Any]], None]:
    def change(parts: Parts, about: dict[str, Any]) -> None:
        parts[name] = b"[]\n"
        if name.startswith("tables/") and name.endswith(".jsonl"):
            about["rows"][name[7:-6]] = 0

    return change


def about(key: str, value: object) -> Callable[[Parts, dict[str, Any]], None]:
    def change(_: Parts, known: dict[str, Any]) -> None:
        known[key] = value

    return change


def a_line(*values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"


CARD = ("id", "owner", "name", "rating", "card", "face", "face_type")
REPORT = ("id", "platform", "channel", "author", "reason", "context", "at")

CHANGES = {
    "a path that leads out": member("../../evil"),
    "an absolute path": member("/tmp/evil"),  # noqa: S108  it is never written
    "a table whose name is a path": member("tables/../../evil.jsonl"),
    "a table that leads into the schema": member('tables/x"; DROP TABLE sessions; --.jsonl'),
    "a table that is not ours": member("tables/evil.jsonl"),
    "a table of migrations": member("tables/alembic_version.jsonl"),
    "keys without an account": member("matrix/keys.db"),
    "another file in the folder of Matrix": member("matrix/../evil"),
    "rows that are no JSON": table("bookmarks", b'["platform", "channel", "mark"]\nnonsense\n'),
    "rows that are no lists": table("bookmarks", b'["platform", "channel", "mark"]\n{"a": 1}\n'),
    "a row that is too short": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b"]\n'),
    "a row without its end": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", "c"]'),
    "a row with lists in it": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", ["c"]]\n'),
    "bytes that are none": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", {"bytes": "?"}]\n'),
    "rows nested without end": table("bookmarks", b'["platform", "channel", "mark"]\n' + b"[" * 100_000 + b"\n"),
    "a row twice": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", "c"]\n["a", "b", "c"]\n'),
    "a row of a story that is not there": table(
        "personas", b'["session", "position", "author", "name", "description"]\n["x", 0, "a", "b", "c"]\n'
    ),
    "a row that lacks what it must have": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", null]\n'),
    "a number for a text": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", 7]\n'),
    "a fraction for a text": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", 1.5]\n'),
    "bytes for a text": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", {"bytes": "Yw=="}]\n'),
    "a text for bytes": table("cards", a_line(*CARD) + a_line("a", "b", "c", "general", "{}", "d", "e")),
    "a text for a number": table("reports", a_line(*REPORT) + a_line("x", "a", "b", "c", "d", "e", 1.0)),
    "a fraction for a whole number": table("reports", a_line(*REPORT) + a_line(1.5, "a", "b", "c", "d", "e", 1.0)),
    "a truth for a number": table("reports", a_line(*REPORT) + a_line(True, "a", "b", "c", "d", "e", 1.0)),
    "a text for a time": table("reports", a_line(*REPORT) + a_line(1, "a", "b", "c", "d", "e", "x")),
    "a column twice": table("bookmarks", b'["platform", "channel", "mark", "mark"]\n["a", "b", "c", "d"]\n'),
    "a table without its key": table("bookmarks", b'["channel", "mark"]\n["b", "c"]\n'),
    "less rows than it says": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", "c"]\n', rows=2),
    "more rows than it says": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", "c"]\n', rows=0),
    "a number that no database holds": table("reports", b'["id"]\n[99999999999999999999]\n'),
    "half a letter": table("bookmarks", b'["platform", "channel", "mark"]\n["a", "b", "\\ud800"]\n'),
    "half a letter in a name": table("bookmarks", b'["platform", "channel", "\\ud800"]\n'),
    "a column that is not ours": table("bookmarks", b'["platform", "evil"]\n'),
    "no columns": table("bookmarks", b"[]\n"),
    "columns that are no names": table("bookmarks", b"[1, 2]\n"),
    "an empty table": table("bookmarks", b""),
    "another format": about("format", 2),
    "no format": about("format", None),
    "a schema that nobody knows": about("revision", "9999"),
    "a schema that is a path": about("revision", "../../evil"),
    "a schema by a word of migrations": about("revision", "base"),
    "a schema by a step of migrations": about("revision", "0001+1"),
    "rows that are no numbers": about("rows", {"sessions": "many"}),
    "a counter of no table": about("counters", {"evil": 1}),
    "a program that steers the terminal": about("program", "\x1b[2J"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_forged_backup_is_refused_and_leaves_nothing(places: Places, file: Path, what: str) -> None:
    forged(file, CHANGES[what])
    sentence = await refused(places, file)
    assert "ackup" in sentence
    assert "refused a step" not in sentence, "those are the words of the database, with what is in a row"
    assert not list(file.parent.rglob("*evil*"))


MISFITS = [what for what in CHANGES if " for a" in what or " for bytes" in what]


@pytest.mark.parametrize("what", MISFITS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_value_of_another_kind_is_refused_on_each_database_and_not_quoted(
    all_places: Places, tmp_path: Path, kind: str, what: str
) -> None:
    file = tmp_path / "backup.zip"
    await a_backup(all_places, file)
    forged(file, CHANGES[what])
    target = all_places.new(kind)
    with pytest.raises(Refused, match=r"^The backup holds rows of \w+ that do not fit that table; it cannot be used\.$"):
        await restore(target, file, Noting())
    assert left_in(target) == set()


async def test_parts_that_are_more_than_they_say_are_not_unpacked(places: Places, file: Path) -> None:
    def change(parts: Parts, known: dict[str, Any]) -> None:
        parts["tables/bookmarks.jsonl"] = bytes(64 << 20)
        known["parts"]["tables/bookmarks.jsonl"]["bytes"] = 10

    forged(file, change, sealed=False)
    noting, target = Noting(), places.new()
    with pytest.raises(Refused, match="is not what it was"):
        await restore(target, file, noting)
    assert noting.done[-1] < 8 << 20
    assert left_in(target) == set()


async def test_a_part_that_is_there_twice_is_refused(places: Places, file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tables/bookmarks.jsonl", b"[]\n")
    assert "other parts than it says" in await refused(places, file)
