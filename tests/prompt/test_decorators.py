"""An entry's decorators are read as the specification says, and none of them is ever told to the model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompt.decorators import Decorators, read_decorators
from bot.story.lorebook import LorePosition


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        ("@@depth 2\nThe inn.", {"depth": 2}),
        ("@@depth -3\nThe inn.", {"depth": 0}),
        ("@@depth 4.0\nThe inn.", {"depth": 4}),
        ("@@depth deep\nThe inn.", {}),
        ("@@scan_depth 9\n@@depth 1\nThe inn.", {"scan_depth": 9, "depth": 1}),
        ("@@position after_desc\nThe inn.", {"position": LorePosition.AFTER_CHARACTER}),
        ("@@position before_desc\nThe inn.", {"position": LorePosition.BEFORE_CHARACTER}),
        ("@@position scenario\nThe inn.", {}),
        ("@@activate_only_after 10\nThe inn.", {"only_after": 10}),
        ("@@activate_only_every 3\nThe inn.", {"only_every": 3}),
        ("@@activate_only_every 0\nThe inn.", {}),
        ("@@is_greeting 1\nThe inn.", {"greeting": 1}),
        ("@@probability 250\nThe inn.", {"probability": 100}),
        ("@@additional_keys rain, , mud \nThe inn.", {"additional_keys": ("rain", "mud")}),
        ("@@exclude_keys ,\nThe inn.", {}),
        ("@@activate\n@@dont_activate\nThe inn.", {"is_forced": True, "is_never": True}),
        ("@@constant\nThe inn.", {"is_constant": True}),
        ("@@constant false\nThe inn.", {}),
        ("@@keep_activate_after_match\n@@ignore_on_max_context\nThe inn.", {"is_kept": True, "yields": True}),
        ("@@role system\n@@disable_ui_prompt system_prompt\n@@is_user_icon hat\nThe inn.", {}),
        ("@@DEPTH 3\r\n\n\n  @@constant\n\nThe inn.\n", {"depth": 3, "is_constant": True}),
    ],
)
def test_decorators_are_understood_and_taken_off(content: str, asked: dict[str, Any]) -> None:
    assert read_decorators(content) == (Decorators(**asked), "The inn.")


def test_the_first_of_two_with_one_name_counts() -> None:
    assert read_decorators("@@depth 2\n@@depth 5\nThe inn.")[0].depth == 2


@pytest.mark.parametrize(
    ("content", "depth"),
    [
        ("@@risu_only 4\n@@@depth 5\nThe inn.", 5),
        ("@@risu_only 4\n@@@agn_only 4\n@@@depth 6\n@@@depth 7\nThe inn.", 6),
        ("@@depth deep\n@@@depth 5\nThe inn.", 5),
        ("@@instruct_depth 500\n@@@depth 5\nThe inn.", 5),
        ("@@depth 2\n@@@depth 5\nThe inn.", 2),
        ("@@@depth 5\nThe inn.", None),
        ("@@constant\n@@@depth 5\nThe inn.", None),
    ],
)
def test_a_fallback_counts_where_what_it_stands_for_is_not_understood(content: str, depth: int | None) -> None:
    asked, told = read_decorators(content)
    assert (asked.depth, told) == (depth, "The inn.")


@pytest.mark.parametrize("content", ["The inn.\n@@depth 2", "@@ depth 2\nThe inn.", "@@@@depth 2", "@depth 2", "@@2 doors"])
def test_what_is_no_decorator_at_the_head_is_content(content: str) -> None:
    assert read_decorators(content) == (Decorators(), content)


def test_an_entry_of_decorators_alone_has_no_content() -> None:
    assert read_decorators("@@depth 2\n@@constant") == (Decorators(depth=2, is_constant=True), "")


@given(
    lines=st.lists(st.from_regex(r"@@@?[a-z_]{1,30}( [a-z0-9,.-]{0,12})?", fullmatch=True)),
    content=st.text(st.characters(codec="utf-8", exclude_characters="@")),
)
def test_no_decorator_is_ever_left(lines: list[str], content: str) -> None:
    assert read_decorators("\n".join([*lines, content]))[1] == content.strip()
