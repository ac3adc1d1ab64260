"""Formats are data: any can be named, and each holds together."""

import pytest

from bot.prompt.format import FORMATS, PromptFormat


def test_the_known_formats_are_found_by_name() -> None:
    assert set(FORMATS) == {"limarp", "alpaca", "chatml"}


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_every_header_is_guarded(fmt: PromptFormat) -> None:
    guards = (*fmt.header_starts, *fmt.control_texts)
    headers = [fmt.player_before, fmt.character_before, fmt.character_before_with_length or fmt.character_before]

    assert all(header.startswith(guards) for header in headers)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_every_turn_begins_a_line(fmt: PromptFormat) -> None:
    for before_a_turn in (fmt.system_before, fmt.system_after, fmt.player_after, fmt.character_after):
        assert before_a_turn.endswith("\n")
