"""Any text can be stored, and ordinary text is stored as it is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook, LoreEntry
from bot.story.settings import Length, SessionSettings
from storage.columns import UNSTORABLE, AsJson, escape, unescape
from tests.contracts.stories import whole

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


def through_json(kind: object, value: object) -> object:
    column, dialect = AsJson(kind), sqlite.dialect()
    return column.process_result_value(column.process_bind_param(value, dialect), dialect)


@given(ANY_TEXT)
def test_values_with_any_text_in_them_come_back_equal(text: str) -> None:
    card = replace(whole().character, name=text, book=Lorebook((LoreEntry(text, keys=(text, text + "\ude00")),)))
    assert through_json(CharacterCard, card) == card


def test_a_value_of_another_version_of_its_type_can_be_read() -> None:
    column = AsJson(SessionSettings)
    stored = '{"length": "huge", "a field of a later version": [1]}'
    assert column.process_result_value(stored, sqlite.dialect()) == SessionSettings(Length.HUGE)


def test_no_value_stays_none() -> None:
    assert through_json(SessionSettings | None, None) is None
