"""Any text can be stored, and ordinary text is stored as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.columns import UNSTORABLE, escape, unescape

ANY_TEXT = st.text(st.characters(codec=None, categories=None) | st.sampled_from("\x00\x1a\ud800\udfff0"))


@given(ANY_TEXT)
def test_escaping_loses_nothing(text: str) -> None:
    assert unescape(escape(text)) == text


@given(ANY_TEXT)
def test_escaped_text_is_utf_8_without_nul(text: str) -> None:
    assert b"\x00" not in escape(text).encode()


@given(st.text().filter(lambda text: not UNSTORABLE.search(text)))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "stored"), [("\x00", "\x1a0000"), ("\x1a", "\x1a001a"), ("\ud83d", "\x1ad83d"), ("\x1a0000", "\x1a001a0000")]
)
def test_what_cannot_be_stored_is_written_as_its_digits(text: str, stored: str) -> None:
    assert escape(text) == stored
