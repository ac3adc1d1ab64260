from collections.abc import AsyncGenerator
from dataclasses import replace

import discord
import pytest

from adapters.discord.client import UnderstudyClient, intents
from adapters.discord.ears.telling import UNHEARD
from adapters.discord.running import DAY, IDENTIFIES, NO_CONTENT, STEADY, UNKNOWN_BOT, Patience, sentence
from adapters.discord.words import event_of
from tests.adapters.discord.ears.ears import Ears, ears


@pytest.fixture
async def bot() -> AsyncGenerator[Ears, None]:
    async with ears() as opened:
        yield opened


def test_waits_grow_to_a_quarter_of_an_hour() -> None:
    patience = Patience()
    waits = [patience.failed(None, 0.0, draw=1.0) for _ in range(12)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 900
    assert Patience().failed(None, 0.0, draw=0.0) == 0.5


@pytest.mark.parametrize(("held", "expected"), [(STEADY, 1), (STEADY - 1, 4)])
def test_a_connection_that_held_begins_the_waits_anew(held: float, expected: float) -> None:
    patience = Patience()
    for _ in range(2):
        patience.failed(None, 0.0, draw=1.0)
    assert patience.failed(1000.0, 1000.0 + held, draw=1.0) == expected


def test_shards_identify_five_seconds_apart_and_seldomer_the_more_they_do() -> None:
    patience = Patience()
    waits = [patience.identify(0, 0.0, is_first=number == 0) for number in range(5)]
    assert waits == [0, 5, 10, 20, 40]
    assert patience.identify(1, 0.0, is_first=False) == 5
    assert patience.identify(0, 40 + STEADY, is_first=True) == 0


def test_a_restart_now_and_then_identifies_at_once_and_a_storm_does_not() -> None:
    patience = Patience()
    assert [patience.identify(0, 0.0, is_first=True) for _ in range(4)] == [0, 0, 10, 20]


def test_shards_do_not_identify_more_often_than_a_day_allows() -> None:
    patience = Patience()
    for second in range(IDENTIFIES):
        patience.identify(second, second, is_first=True)
    assert patience.identify(0, 5000.0, is_first=True) == DAY - 5000
    assert patience.identify(1, DAY, is_first=True) == 1


def test_no_privileged_intent_is_asked_for_but_one() -> None:
    asked = {name for name, is_set in intents(message_content=True) if is_set}
    assert asked == {"guilds", "guild_messages", "dm_messages", "guild_typing", "dm_typing", "message_content"}
    assert not intents(message_content=False).message_content


async def test_a_wrong_token_is_said_once_and_not_tried_again(bot: Ears, caplog: pytest.LogCaptureFixture) -> None:
    bot.settings = replace(bot.settings, token="wrong")  # noqa: S106  it is none
    bot.begin()
    _, supervisor, life = bot.running[-1]
    await bot.until(life.done)
    assert supervisor.trouble == UNKNOWN_BOT
    assert "UNDERSTUDY_DISCORD_TOKEN" in caplog.text
    assert [each.path for each in bot.discord.requests] == ["/users/@me"]
    assert not bot.line.is_open


async def test_a_token_that_the_gateway_rejects_is_not_tried_again(bot: Ears) -> None:
    bot.discord.gateway.refuse(4004)
    bot.begin()
    await bot.until(bot.running[-1][2].done)
    assert bot.supervisor.trouble == UNKNOWN_BOT


async def test_a_client_is_prepared_before_it_connects_and_the_line_opens_after(bot: Ears) -> None:
    await bot.start()
    (client,) = bot.prepared
    assert bot.line.client is client
    assert bot.supervisor.state.shards == (0,)
    assert (bot.supervisor.state.trouble, bot.supervisor.state.restarts) == ("", 0)
    assert bot.supervisor.hears_everything


async def test_closing_leaves_nothing_open(bot: Ears) -> None:
    await bot.start()
    client = bot.line.client
    await bot.stop()
    assert client.is_closed()
    assert not bot.line.is_open


async def test_without_its_leave_the_bot_hears_what_is_said_to_it(caplog: pytest.LogCaptureFixture) -> None:
    async with ears(reads_content=False) as bot:
        await bot.start()
        assert not bot.supervisor.hears_everything
        assert caplog.text.count(NO_CONTENT) == 1
        for _ in range(2):
            await bot.post("Nobody hears this.")
        call = await bot.post(f"<@{bot.discord.bot_id}> I knock.")
        await bot.until_posted("I knock.")
        await bot.until(bot.said)
        assert bot.receiver.posts[0].event == event_of(call.id)
        assert bot.said() == [UNHEARD]


async def test_without_its_leave_a_message_can_be_taken_by_hand() -> None:
    async with ears(reads_content=False) as bot:
        await bot.start()
        message = await bot.post("I knock.")
        found = await bot.line.client.get_partial_messageable(bot.thread.id).fetch_message(message.id)
        found.content = "I knock."  # With the menu of a message comes what it says.
        await bot.hearing.take(found)
        assert bot.receiver.texts == ["I knock."]


async def test_an_operator_may_do_without_the_words_of_messages(bot: Ears) -> None:
    await bot.start(message_content=False)
    assert not bot.supervisor.hears_everything
    assert not bot.line.client.intents.message_content


async def test_an_event_that_nobody_can_read_costs_a_client_and_no_message(bot: Ears) -> None:
    await bot.start()
    first = bot.line.client
    await bot.post("One.")
    await bot.until_posted("One.")
    bot.discord.gateway.send_malformed("MESSAGE_CREATE", {"id": "no number"})
    await bot.until(lambda: not bot.line.is_open)
    await bot.post("Two.", bot.other)
    await bot.until_posted("One.", "Two.")
    await bot.until(lambda: bot.line.is_open)
    assert bot.line.client is not first
    assert first.is_closed()
    assert len(bot.prepared) == 2
    assert bot.supervisor.state.restarts == 1
    assert bot.receiver.repeated == []


async def test_a_discord_that_is_away_at_the_start_is_waited_for(bot: Ears) -> None:
    await bot.discord.stop()
    bot.begin()
    await bot.hearing.start()
    await bot.until(lambda: bot.supervisor.state.restarts == 1)
    assert "cannot be reached" in bot.supervisor.trouble
    await bot.discord.start()
    await bot.post("I knock.")
    await bot.until_posted("I knock.")
    await bot.until(lambda: bot.line.is_open)
    assert bot.supervisor.trouble == ""


@pytest.mark.slow  # shards identify five seconds apart
async def test_a_gateway_that_closes_every_session_is_not_hammered(bot: Ears) -> None:
    bot.discord.gateway.refuse(4008)
    bot.begin()
    await bot.hearing.start()
    await bot.until(lambda: bot.supervisor._patience._identified)
    bot.discord.gateway.refuse(None)
    await bot.until(lambda: bot.line.is_open, 20)
    assert len(bot.supervisor._patience._identified) == 2


async def test_a_cut_connection_loses_and_repeats_nothing(bot: Ears) -> None:
    await bot.start()
    for number in range(6):
        await bot.post(f"Post {number}.", (bot.tobias, bot.other)[number % 2])
        if number % 2:
            await bot.discord.gateway.cut()
    await bot.until_posted(*(f"Post {number}." for number in range(6)))
    assert bot.receiver.repeated == []


async def test_a_hook_that_fails_is_tried_again_with_a_fresh_client(
    bot: Ears, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepare, failures = bot._prepare, [KeyError("a defect")]

    async def fail_once(client: UnderstudyClient) -> None:
        await prepare(client)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(Ears, "_prepare", staticmethod(fail_once))
    await bot.start()
    first, second = bot.prepared
    assert first.is_closed()
    assert bot.line.client is second
    assert bot.supervisor.state.restarts == 1
    assert "KeyError" in caplog.text


async def test_trouble_with_the_network_is_one_line_of_the_log(bot: Ears, caplog: pytest.LogCaptureFixture) -> None:
    bot.discord.faults.add(route="GET /users/@me", kind="cut before", times=2)
    await bot.start()
    (told,) = [each for each in caplog.records if each.levelname == "WARNING" and each.name == "adapters.discord.running"]
    assert "Trying again in" in told.getMessage()
    assert told.exc_info is None


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OSError(), "cannot be reached"),
        (TimeoutError(), "cannot be reached"),
        (discord.ClientException(), "ClientException"),
        (KeyError("x"), "KeyError"),
        (None, "closed"),
    ],
)
def test_the_operator_is_told_what_ended_a_connection(error: Exception | None, part: str) -> None:
    assert part in sentence(error)
