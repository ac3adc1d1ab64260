"""Files that come with a command: fetched whole, but never more than a bound. It does not look inside, but for text."""

import asyncio

import discord

from adapters.discord.commands.replying import FOREIGN, PATIENCE
from bot.errors import Refused

LIMIT = 16 * 1024 * 1024
"""Bytes of a file that a player may bring."""

TEXT_LIMIT = 256 * 1024
"""Bytes of a file with the text of a post or a summary: more than the longest of them takes in any script."""


async def fetch(attachment: discord.Attachment, limit: int = LIMIT) -> bytes:
    """The bytes of a file. Raises Refused when it is larger than `limit` bytes, or cannot be had."""
    # Discord itself says the size, and serves the file: what it says can be trusted.
    if attachment.size > limit:
        raise Refused(f"The file is larger than {_size(limit)}, the most that is read; bring a smaller one.")
    try:
        async with asyncio.timeout(PATIENCE):
            data = await attachment.read()
    except FOREIGN:
        raise Refused("Discord did not hand over the file; send the command again.") from None
    if len(data) > limit:
        raise Refused(f"The file is larger than {_size(limit)}, the most that is read; bring a smaller one.")
    return data


async def fetch_text(attachment: discord.Attachment) -> str:
    """The text in a file. Raises Refused when it is none, and as `fetch` does."""
    data = await fetch(attachment, TEXT_LIMIT)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError:
        raise Refused("The file is no plain text in UTF-8; save it as a .txt file and send it again.") from None


def _size(count: int) -> str:
    return f"{count // 1024 // 1024} MiB" if count >= 1024 * 1024 else f"{count // 1024} KiB"
