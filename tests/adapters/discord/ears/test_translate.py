from typing import Any

import pytest

from adapters.discord.ears.translate import (
    PROXIES,
    Heard,
    Ignored,
    Listener,
    Proxied,
    Said,
    Why,
    first_id,
    sent_at,
    understood,
    without_call,
)

ME = Listener(user=7, application=8)
PLURALKIT = max(PROXIES)


def heard(**facts: Any) -> Heard:
    known: dict[str, Any] = {"id": 1, "channel": 2, "author": 3, "author_name": "Tobias", "content": "I knock.", "guild": 5}
    return Heard(**(known | facts))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "I knock."),
        ({"guild": None}, "I knock."),
        ({"content": "<@7>  I knock."}, "I knock."),
        ({"content": "<@!7>, I knock."}, "I knock."),
        ({"content": "I nod to <@7>."}, "I nod to <@7>."),
        ({"attachments": 2}, "I knock."),
        ({"reply_to": 9}, "I knock."),
        ({"application": 99}, "I knock."),
    ],
)
def test_a_persons_words_are_a_post(facts: dict[str, Any], expected: str) -> None:
    found = understood(heard(**facts), ME)
    assert isinstance(found, Said)
    assert found.heard.content == expected


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"author": 7, "is_bot": True}, Why.OURS),
        ({"author": 50, "is_bot": True, "webhook": 50, "application": 8}, Why.OURS),
        ({"is_bot": True}, Why.BOT),
        ({"author": 50, "webhook": 50}, Why.BOT),
        ({"author": 50, "webhook": 50, "application": 51, "is_bot": True}, Why.BOT),
        ({"is_bot": True, "application": PLURALKIT}, Why.BOT),
        ({"is_ordinary": False}, Why.SYSTEM),
        ({"content": "", "attachments": 1}, Why.WORDLESS),
        ({"content": " \n "}, Why.WORDLESS),
        ({"content": "<@7>", "mentions_us": True}, Why.WORDLESS),
    ],
)
def test_what_is_no_post_is_ignored_for_a_reason(facts: dict[str, Any], why: Why) -> None:
    assert understood(heard(**facts), ME) == Ignored(why)


@pytest.mark.parametrize("proxy", sorted(PROXIES))
def test_what_a_proxy_posts_is_a_persons(proxy: int) -> None:
    found = understood(heard(author=50, webhook=50, application=proxy, is_bot=True, author_name="Mira"), ME)
    assert isinstance(found, Proxied)
    assert found.heard.author_name == "Mira"


def test_where_proxies_are_not_wanted_they_are_bots() -> None:
    deaf = Listener(user=7, application=8, knows_proxies=False)
    assert understood(heard(webhook=50, application=PLURALKIT, is_bot=True), deaf) == Ignored(Why.BOT)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, Why.UNHEARD),
        ({"guild": None}, Why.WORDLESS),
        ({"mentions_us": True}, Why.WORDLESS),
        ({"attachments": 1}, Why.WORDLESS),
    ],
)
def test_words_that_discord_keeps_back_are_told_from_words_that_are_not_there(facts: dict[str, Any], why: Why) -> None:
    half_deaf = Listener(user=7, application=8, hears_everything=False)
    assert understood(heard(content="", **facts), half_deaf) == Ignored(why)


def test_only_a_call_at_the_beginning_is_taken_off() -> None:
    assert without_call("<@7> <@7> hello <@7>", 7) == "<@7> hello <@7>"
    assert without_call("<@77> hello", 7) == "<@77> hello"


def test_an_id_tells_when_it_was_made() -> None:
    assert sent_at(175928847299117063) == pytest.approx(1462015105.796)
    assert sent_at(first_id(1462015105.796)) == pytest.approx(1462015105.796)
    assert first_id(0.0) == 0
