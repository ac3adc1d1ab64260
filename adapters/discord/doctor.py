"""What `understudy doctor` hears from Discord: whether it takes the token, and what the application may do.

It connects to no gateway, so that a bot that runs is not disturbed.
"""

import asyncio

import aiohttp
import discord

from adapters.discord.settings import Settings
from adapters.findings import Finding, Grade
from adapters.network.errors import NETWORK_ERRORS

PATIENCE = 20.0
"""Seconds for all of it."""

ABOUT = "discord"
PORTAL = "https://discord.com/developers/applications, under Bot"


async def examine(settings: Settings, *, connector: aiohttp.BaseConnector | None = None) -> list[Finding]:
    """What Discord says of the bot's token and application. Never raises; shows no token."""
    client = discord.Client(intents=discord.Intents.none(), proxy=settings.http_proxy or None, connector=connector)
    try:
        async with asyncio.timeout(PATIENCE):
            await client.login(settings.token)
            return _told(await client.application_info(), settings)
    except discord.LoginFailure:
        sentence = f"Discord does not take the token: make a new one at {PORTAL}, and give it to the bot."
        return [Finding(ABOUT, Grade.WRONG, sentence)]
    except (discord.HTTPException, TimeoutError, *NETWORK_ERRORS) as error:
        sentence = f"Discord cannot be asked ({type(error).__name__}): look at this machine's network, and try again."
        return [Finding(ABOUT, Grade.WRONG, sentence)]
    finally:
        await client.close()


def _told(application: discord.AppInfo, settings: Settings) -> list[Finding]:
    found = [Finding(ABOUT, Grade.OK, f"It takes the token, for the application {application.name}.")]
    flags = application.flags
    if settings.message_content and not (flags.gateway_message_content or flags.gateway_message_content_limited):
        sentence = (
            f"The bot asks for the content of messages and may not have it: switch the Message Content Intent on at {PORTAL},"
            " or message_content off under [discord]."
        )
        found.append(Finding(ABOUT, Grade.WRONG, sentence))
    if application.bot_public is False and not application.approximate_guild_count:
        found.append(Finding(ABOUT, Grade.WARNING, "The bot is in no server, and only its owner can let it in."))
    return found
