"""What things of Discord are called inside, and back."""

import pytest

from adapters.discord.words import called, channel_of, ids_of, own_message, place_of, webhook_message
from bot.cleaning import clean_name
from bot.errors import PostRefused
from bot.ids import MessageId


@pytest.mark.parametrize(
    "name", ["Tobias", "a: b", "# Tobias", "\u200b", "  ", "T" * 200, "\u202eTobias", "\uff24\uff2d\uff1aK"]
)
def test_whatever_somebody_is_called_on_discord_a_story_can_call_them_something(name: str) -> None:
    assert clean_name(called(name)) == called(name)


def test_places_and_messages_come_back_as_they_went() -> None:
    assert channel_of(place_of(123)) == 123
    assert ids_of(own_message(7)) == (None, 7)
    assert ids_of(webhook_message(5, 7)) == (5, 7)
    with pytest.raises(PostRefused):
        ids_of(MessageId("nothing/of ours"))
