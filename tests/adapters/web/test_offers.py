"""What the page offers of the catalogue, and that its buttons ask for what the catalogue has."""

import pytest

from adapters.web.forms import ACTS
from adapters.web.offers import LENGTHS, bringing, is_command, line_of, offers, takes_file, titles
from bot.commands.catalogue import COMMANDS, find
from bot.commands.spec import OptionKind
from tests.adapters.web.browser import Browser


@pytest.mark.parametrize("act", ACTS)
def test_every_button_asks_for_a_story_command_with_options_that_it_has(act: str) -> None:
    name, given = ACTS[act]
    spec = find(name)
    assert spec is not None
    assert spec.is_story
    known = {option.name: option for option in spec.options}
    assert given.keys() <= known.keys()
    left = [each.kind for each in spec.options if each.required and each.name not in given]
    assert set(left) <= {OptionKind.TURN}


def test_every_length_that_can_be_chosen_is_one_of_the_command() -> None:
    spec = find("length")
    assert spec is not None
    assert {value for value, _ in LENGTHS} == set(spec.options[0].choices)


def test_all_commands_are_offered_once_and_those_with_files_apart() -> None:
    names = [offer.name for _, known in offers() for offer in known]
    assert sorted(names) == sorted(spec.name for spec in COMMANDS)
    assert {offer.name for offer in bringing()} == {"character import", "lore import", "import"}
    assert titles().keys() == set(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/help", True),
        (" \n/help", True),
        ("/", True),
        ("help", False),
        ("// beside", False),
        ("He said: /help", False),
        ("", False),
    ],
)
def test_a_command_begins_with_one_slash(text: str, expected: bool) -> None:  # noqa: FBT001  a parameter
    assert is_command(text) is expected


def test_the_slash_need_not_be_typed() -> None:
    assert line_of(" /roll d6 ") == line_of("roll d6") == "roll d6"


def test_only_commands_with_a_file_take_one() -> None:
    assert takes_file("import")
    assert not takes_file("status")
    assert not takes_file("nonsense")


async def test_the_page_lists_every_command_with_its_help(browser: Browser) -> None:
    page = await browser.open()
    for spec in COMMANDS:
        assert f"<code>/{spec.name}" in page
        assert spec.help in page.replace("&#39;", "'")
