"""Help comes from the catalogue alone, fits one post, and names what can be done next."""

import pytest

from bot.commands.catalogue import COMMANDS, find
from bot.commands.help import after, help_about, help_text
from bot.commands.spec import CommandSpec, Who
from bot.errors import Refused

ONE_POST = 2_000


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_the_help_of_every_command_fits_one_post_and_names_its_options(spec: CommandSpec) -> None:
    text = help_text(spec, after("!rp "))

    assert len(text) <= ONE_POST
    assert text.startswith(f"!rp {spec.name}")
    assert all(f"- {option.name}: {option.help}" in text for option in spec.options)
    assert all(f"!rp {example}" in text for example in spec.examples)


def test_the_overview_names_every_command_and_fits_one_post() -> None:
    text = help_text(None, after("!rp "))

    assert len(text) <= ONE_POST
    words = {word.strip("(),") for word in text.split()}
    assert {word for spec in COMMANDS for word in spec.name.split()} <= words


def test_the_overview_shows_only_what_somebody_may_use() -> None:
    assert "unpause" in help_text(None, after("/"), Who.TABLE)
    assert "unpause" not in help_text(None, after("/"), Who.PLAYER)
    anyone = help_text(None, after("/"), Who.ANYONE)
    assert "retry" not in anyone
    assert all(line.split(": ")[1] for line in anyone.splitlines()[1:]), "nothing is listed under which nothing stands"


def test_the_help_of_a_choice_lists_its_choices() -> None:
    assert "One of left, right." in help_text(find("swipe"), after("/"))


def test_the_help_says_who_may_and_who_sees_the_answer() -> None:
    assert "For the owner of the story and the moderators of the place." in help_text(find("settings"), after("/"))
    assert "Only you see the answer." in help_text(find("privacy show"), after("/"))
    assert "Only you" not in help_text(find("undo"), after("/"))


def test_help_is_asked_for_by_command_by_group_or_for_all() -> None:
    assert help_about("Retry", after("/")) == help_text(find("retry"), after("/"))
    assert help_about(" ", after("/"), Who.PLAYER) == help_text(None, after("/"), Who.PLAYER)
    assert help_about("lines", after("/")).splitlines() == [
        "What never happens in this story:",
        "/lines add <text>: What never happens in this story, from now on.",
        "/lines remove <number>: Lift a line.",
    ]


@pytest.mark.parametrize(("topic", "hint"), [("retyr", 'the nearest is "retry"'), ("qqqq", "help alone lists them all")])
def test_help_on_what_is_no_command_says_what_is(topic: str, hint: str) -> None:
    with pytest.raises(Refused, match=hint):
        help_about(topic, after("/"))
