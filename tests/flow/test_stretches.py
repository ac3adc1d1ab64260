"""One post of a reply that is changed alone: which stretch of the text it shows, and when that cannot be said for sure."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.chunking.chunker import cut
from bot.errors import Refused
from bot.flow.stretches import MOVED_ON, NOT_IN_STRETCHES, pointed
from bot.ids import PostKey
from bot.posts import ChannelLimits, OutboundPost, Speaker, Voice
from bot.story.turn import Role, Turn, Variant, VariantState
from tests.builders import HERE

LIMITS = ChannelLimits(100)
FIRST, SECOND, THIRD = (
    "She counts the coins twice. " * 3,
    "Nobody says a word for a while. " * 2,
    "At last the door opens. " * 3,
)
TEXT = f"{FIRST.strip()}\n\n{SECOND.strip()}\n\n{THIRD.strip()}"


def a_reply(text: str = TEXT, limits: ChannelLimits = LIMITS, **changes: Any) -> Turn:
    """A reply of Mira's as it stands in its posts."""
    posts = tuple(chunk.text for chunk in cut(text, limits))
    return replace(Turn(4, Role.CHARACTER, "Mira", (Variant(text),), posts=posts), **changes)


def the_post(turn: Turn, at: int = 1, **changes: Any) -> OutboundPost:
    """The post of a reply at this position, as it was sent."""
    post = OutboundPost(PostKey("key"), HERE, turn.number, at, 0, Speaker(Voice.CHARACTER, turn.name), turn.posts[at])
    return replace(post, **changes)


def test_one_post_of_several_is_replaced_and_nothing_else() -> None:
    turn = a_reply()
    assert len(turn.posts) == 3
    found = pointed(turn, the_post(turn), LIMITS)
    assert found.turn is turn
    assert found.text == SECOND.strip()
    assert found.replaced("  Silence.\n") == f"{FIRST.strip()}\n\nSilence.\n\n{THIRD.strip()}"


def test_marks_that_were_added_for_a_post_alone_are_not_in_its_text() -> None:
    said = " ".join(["slowly"] * 40)
    turn = a_reply(f"She says it **{said}** and leaves.")
    assert turn.posts[1].startswith("**")
    assert turn.posts[1].endswith("**")
    found = pointed(turn, the_post(turn), LIMITS)
    assert "*" not in found.text
    assert found.text in said
    assert cut(found.replaced(found.text), LIMITS) == cut(turn.text, LIMITS)


@settings(max_examples=60, deadline=None)
@given(text=st.text("ab *_`\n.\U0001f469\u200d", min_size=120, max_size=700), position=st.integers(0, 9))
def test_whatever_the_text_the_other_posts_stay(text: str, position: int) -> None:
    turn = a_reply(text)
    assume(turn.posts)
    position %= len(turn.posts)
    shows = [pointed(turn, the_post(turn, at), LIMITS) for at in range(len(turn.posts))]
    before, silence, after = shows[position].replaced("\0").partition("\0")
    assert silence
    assert before + shows[position].text + after == text
    assert all(each.text in before for each in shows[:position])
    assert all(each.text in after for each in shows[position + 1 :])


@pytest.mark.parametrize(
    "changes",
    [
        {"variant": 1},
        {"position": None},
        {"text": "She counted the coins."},
    ],
)
def test_a_post_that_shows_something_else_by_now_cannot_be_changed(changes: dict[str, Any]) -> None:
    turn = a_reply()
    with pytest.raises(Refused) as refused:
        pointed(turn, the_post(turn, **changes), LIMITS)
    assert str(refused.value) == MOVED_ON


def test_a_reply_that_is_still_written_cannot_be_changed() -> None:
    turn = a_reply(variants=(Variant(TEXT, VariantState.WRITING),))
    with pytest.raises(Refused) as refused:
        pointed(turn, the_post(turn), LIMITS)
    assert str(refused.value) == MOVED_ON


def test_a_reply_that_would_be_cut_otherwise_now_cannot_be_changed_by_its_posts() -> None:
    turn = a_reply()
    for limits in (ChannelLimits(120), ChannelLimits(2000)):
        with pytest.raises(Refused) as refused:
            pointed(turn, the_post(turn), limits)
        assert str(refused.value) == NOT_IN_STRETCHES


def test_a_post_beyond_the_last_one_of_its_reply_cannot_be_changed() -> None:
    turn = a_reply()
    with pytest.raises(Refused) as refused:
        pointed(turn, the_post(turn, 2, position=3), LIMITS)
    assert str(refused.value) == NOT_IN_STRETCHES
