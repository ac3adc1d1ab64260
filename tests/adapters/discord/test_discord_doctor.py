"""The doctor hears from Discord whether it takes the token and lets the bot read, and says what to do."""

from adapters.discord.doctor import examine
from adapters.discord.settings import Settings
from adapters.findings import Grade
from tests.fakes.discord.loopback import LoopbackDiscord


async def grades(discord: LoopbackDiscord, token: str, *, message_content: bool = True) -> list[tuple[Grade, str]]:
    settings = Settings(token=token, message_content=message_content)
    return [(each.grade, each.sentence) for each in await examine(settings, connector=discord.connector())]


async def test_a_bot_that_may_do_all_it_needs_is_well(discord: LoopbackDiscord) -> None:
    discord.world.reads_content = True
    assert [grade for grade, _ in await grades(discord, discord.token)] == [Grade.OK]


async def test_an_intent_that_is_missing_is_told_where_it_is_asked_for(discord: LoopbackDiscord) -> None:
    discord.world.reads_content = False
    assert "Message Content Intent" in (await grades(discord, discord.token))[-1][1]
    assert [grade for grade, _ in await grades(discord, discord.token, message_content=False)] == [Grade.OK]


async def test_a_token_that_is_not_taken_is_told_and_not_shown(discord: LoopbackDiscord) -> None:
    [(grade, sentence)] = await grades(discord, "hunter2")
    assert grade is Grade.WRONG
    assert "does not take the token" in sentence
    assert "hunter2" not in sentence
