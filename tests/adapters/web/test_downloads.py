"""Files that wait to be fetched."""

import pytest

from adapters.web import downloads
from adapters.web.downloads import Downloads, safe_name
from bot.flow.desk import Answer


def test_a_file_is_fetched_once() -> None:
    kept = Downloads()
    key = kept.offer(Answer("", b"x", "a.md", "text/markdown"))
    file = kept.take(key)
    assert file is not None
    assert (file.name, file.type, file.data) == ("a.md", "text/markdown", b"x")
    assert kept.take(key) is None


def test_the_oldest_makes_room() -> None:
    kept = Downloads()
    keys = [kept.offer(Answer("", b"x")) for _ in range(downloads.KEPT + 1)]
    assert len(set(keys)) == len(keys)
    assert kept.take(keys[0]) is None
    assert kept.take(keys[1]) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a b.md", "a b.md"), ("../../x", "_.._x"), ('a"\r\n', "a___"), ("", "file"), ("...", "file"), ("é.md", "é.md")],
)
def test_a_name_is_safe_everywhere(name: str, expected: str) -> None:
    assert safe_name(name) == expected
