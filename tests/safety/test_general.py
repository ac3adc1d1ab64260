"""The gate that keeps adult cards out of general sessions."""

import pytest

from bot.safety.concern import Concern, Reason
from bot.safety.general import find_adult


@pytest.mark.parametrize(
    "text",
    ["Tags: fantasy, NSFW", "18+ only", "a smut story", "Adults only!", "n\u200bsfw", "sexually-explicit", "R-18", "ERP"],
)
def test_a_card_that_says_that_it_is_for_adults_is_found(text: str) -> None:
    assert find_adult(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "No NSFW, please.",
        "without smut",
        "SFW, no smut or nsfw",
        "118+ pages",
        "Kinkade painted it.",
        "The peninsula.",
        "He kissed her hand.",
    ],
)
def test_what_denies_it_or_only_sounds_like_it_passes(text: str) -> None:
    assert find_adult(text) is None


def test_it_says_where() -> None:
    assert find_adult("no nsfw; smut") == Concern(Reason.ADULT, 9, 13)
