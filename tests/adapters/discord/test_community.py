"""The whole program in the channels of a community, with an engine elsewhere: what it offers, and to whom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.config import Config, DiscordConfig
from adapters.discord.inviting import invite_link
from adapters.faces import PAGE, community
from adapters.wiring import House
from bot.story.policy import Rating
from tests.adapters.test_wiring import far, using
from tests.fakes.discord import LoopbackDiscord


@dataclass(frozen=True, slots=True)
class Scene:
    """A running program, what it told its operator, and the Discord that it is on."""

    built: House
    told: list[str]
    discord: LoopbackDiscord


@asynccontextmanager
async def playing(
    folder: Path, discord: LoopbackDiscord, rating: Rating, change: Callable[[Config], Config]
) -> AsyncIterator[Scene]:
    async with far(rating) as address:
        config = change(replace(using(folder, address), discord=DiscordConfig(token=discord.token)))
        config = replace(config, web=replace(config.web, port=0))
        told: list[str] = []

        def tell(sentence: str) -> None:
            told.append(sentence)
            discord.world.touch()

        async with community(config, tell, discord.connector) as built:
            await discord.wait_until(lambda: any("oauth2/authorize" in each for each in told))
            yield Scene(built, told, discord)


@pytest.mark.parametrize("rating", [Rating.GENERAL, Rating.ADULT])
async def test_it_prints_its_invite_link_and_plays_where_it_may(
    tmp_path: Path, discord: LoopbackDiscord, rating: Rating
) -> None:
    guild, player = discord.add_guild("Harbour"), discord.add_user("Tobias")
    open_to_all, for_adults = discord.add_channel(guild, "tavern"), discord.add_channel(guild, "cellar", nsfw=True)
    async with playing(tmp_path, discord, rating, lambda config: config) as scene:
        assert any(invite_link(discord.application_id) in each for each in scene.told)
        assert (await scene.built.store.session_at(PAGE) is None) is (rating is Rating.ADULT)
        assert any(each.startswith("Understudy plays at http") for each in scene.told) is (rating is Rating.GENERAL)
        assert await scene.built.instruments.parts() == {"store": True, "engine": True, "discord": True}
        said = {}
        for channel in (open_to_all, for_adults):
            asked = await discord.slash(player, channel, "rp start", {"character": "Hester Vaunce"})
            said[channel.name] = (await asked.wait_for_message()).content
        assert said["cellar"].startswith("The story with Hester Vaunce begins.")
        refused = said["tavern"].startswith("This cannot be played here: the model is adult")
        assert refused is (rating is Rating.ADULT)
        played = [place for place in await scene.built.store.places() if place != PAGE]
        assert len(played) == (1 if refused else 2)
        await asyncio.gather(*(scene.built.service.receiver.settled(place) for place in played))
        greetings = [each for place in played for each in discord.messages(discord.world.channels[int(place.channel)])]
        assert {each.author.name for each in greetings if each.webhook_id} == {"Hester Vaunce"}


async def test_help_on_discord_names_commands_as_discord_does(tmp_path: Path, discord: LoopbackDiscord) -> None:
    guild, player = discord.add_guild("Harbour"), discord.add_user("Tobias")
    channel = discord.add_channel(guild, "tavern")
    async with playing(tmp_path, discord, Rating.GENERAL, lambda config: config):
        asked = await discord.slash(player, channel, "help", {"command": "start"})
        answer = await asked.wait_for_message()
        assert answer.content.startswith("/rp start <character>")
        assert answer.ephemeral


async def test_operators_of_the_configuration_may_do_what_operators_may(tmp_path: Path, discord: LoopbackDiscord) -> None:
    guild, operator, other = discord.add_guild("Harbour"), discord.add_user("Ann"), discord.add_user("Tobias")
    channel = discord.add_channel(guild, "tavern")

    def led(config: Config) -> Config:
        return replace(config, discord=replace(config.discord, operators=(operator.id,)))

    async with playing(tmp_path, discord, Rating.GENERAL, led) as scene:
        for user, goes in ((other, False), (operator, True)):
            asked = await discord.slash(user, channel, "character delete", {"character": "Hester Vaunce"})
            assert (await asked.wait_for_message()).content.startswith("Only the operator") is not goes
        assert "Hester Vaunce" not in [title.name for title in await scene.built.store.library()]
