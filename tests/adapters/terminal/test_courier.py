"""What the terminal prints, beyond the promises that every courier keeps."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from adapters.terminal.courier import TERMINAL, TerminalCourier, tame
from bot.ids import ChannelKey, Place, PostKey
from bot.posts import ChannelLimits, Draft, OutboundPost, Speaker, Voice

SHELL = Place(TERMINAL, ChannelKey("shell"))
MIRA = Speaker(Voice.CHARACTER, "Mira")


def a_courier(*, terminal: bool = False, muted: bool = False, height: int = 10) -> tuple[TerminalCourier, io.StringIO]:
    screen = io.StringIO()
    console = Console(file=screen, width=60, height=height, force_terminal=terminal, legacy_windows=False)
    return TerminalCourier(console, ChannelLimits(2000), muted=muted), screen


def a_post(text: str, position: int = 0, turn: int = 2, speaker: Speaker = MIRA) -> OutboundPost:
    return OutboundPost(PostKey(f"{turn}/{position}/{text}"), SHELL, turn, position, 0, speaker, text)


async def test_a_turn_in_two_posts_has_one_name() -> None:
    courier, screen = a_courier()
    await courier.send(a_post("One."))
    await courier.send(a_post("Two.", 1))
    assert screen.getvalue() == "Mira\nOne.\n\nTwo.\n\n"


async def test_a_pipe_gets_lines_as_they_are() -> None:
    courier, screen = a_courier()
    await courier.send(a_post("word " * 60))
    await courier.writing(SHELL, Draft(3, MIRA, "not yet"))
    assert "word " * 60 in screen.getvalue()
    assert "not yet" not in screen.getvalue()


async def test_what_is_said_while_muted_is_printed_later_less_what_is_known() -> None:
    courier, screen = a_courier(muted=True)
    await courier.send(a_post("Known."))
    await courier.send(a_post("New.", 1))
    assert screen.getvalue() == ""
    courier.unmute({(2, 0): "Known.", (2, 2): "On its way."})
    await courier.send(a_post("On its way.", 2))
    assert screen.getvalue() == "Mira\nNew.\n\n"


async def test_a_known_post_is_printed_when_its_text_changes() -> None:
    courier, screen = a_courier(muted=True)
    courier.unmute({(2, 0): "Old."})
    receipt = await courier.send(a_post("Old."))
    await courier.edit(receipt.message, a_post("New."))
    await courier.edit(receipt.message, a_post("Old."))
    assert screen.getvalue() == "Mira\nNew.\n\nOld.\n\n"


async def test_a_draft_grows_on_a_terminal_and_gives_way_to_its_post() -> None:
    courier, screen = a_courier(terminal=True)
    await courier.writing(SHELL, Draft(2, MIRA, "The rain"))
    assert "The rain" in screen.getvalue()
    await courier.writing(SHELL, Draft(2, MIRA, "The rain fell."))
    await courier.resting(SHELL, 2)
    await courier.send(a_post("The rain fell. And fell."))
    assert screen.getvalue().count("Mira") == 1
    assert "And fell." in screen.getvalue()


async def test_a_draft_longer_than_the_screen_shows_its_end() -> None:
    courier, screen = a_courier(terminal=True, height=6)
    await courier.writing(SHELL, Draft(2, MIRA, "\n".join(f"line {number}" for number in range(40))))
    courier.rest()
    assert "line 39" in screen.getvalue()
    assert "line 30" not in screen.getvalue()


async def test_the_machinery_is_told_apart() -> None:
    courier, screen = a_courier()
    await courier.send(a_post("No reply came.", speaker=Speaker(Voice.MACHINERY, "Understudy")))
    assert screen.getvalue() == "[Understudy] No reply came.\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hgone?", "gone?"),
        ("a\x08\x07b\x00", "ab"),
        ("\x9b31mred", "31mred"),
        ("\u202eright to left\u202c", "right to left"),
        ("over\rwritten", "overwritten"),
        ("kept\n\tas it is, ليلى, e\u0301", "kept\n\tas it is, ليلى, e\u0301"),
    ],
)
def test_nothing_in_a_text_steers_the_terminal(text: str, left: str) -> None:
    assert tame(text) == left


@given(some.text(alphabet="\x1b\x9b\x07[]\\;m0Aa\n\t\x7f\x85\u202e"))
def test_no_control_character_is_ever_printed(text: str) -> None:
    assert set(tame(text)).isdisjoint("\x1b\x9b\x07\x7f\x85\u202e\x00\r")


async def test_posts_that_go_together_are_told_once() -> None:
    courier, screen = a_courier()
    receipts = [await courier.send(a_post(text, at)) for at, text in enumerate(("One.", "Two."))]
    for receipt in receipts:
        await courier.delete(SHELL, receipt.message)
    assert screen.getvalue().count("taken away") == 1
