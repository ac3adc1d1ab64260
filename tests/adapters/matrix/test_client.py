"""The client keeps its keys: over restarts, over crashes, against strangers, and never in two places at once."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import vodozemac
from nio import KeysUploadError, KeysUploadResponse

from adapters.matrix.client import Client
from adapters.matrix.publishing import keys_to_upload
from bot.errors import Refused
from tests.adapters.matrix.stage import again, first, joined, kept, read, synced
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Login, Synapse

GARBAGE: list[dict[str, Any]] = [
    {"type": 0, "body": "zzz"},
    {"type": 0, "body": "AwoAEiA"},
    {"type": 1, "body": "zzz"},
    {"type": "0", "body": "AwoAEiA"},
    {"type": 0, "body": 5},
]


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


async def _count(client: Client) -> dict[str, Any]:
    answer = await client.send(
        "POST",
        "/_matrix/client/v3/keys/upload",
        "{}",
        {"Authorization": f"Bearer {client.access_token}", "Content-Type": "application/json"},
    )
    counts: dict[str, Any] = (await answer.json())["one_time_key_counts"]
    return counts


async def test_what_was_said_while_it_was_away_is_read_after_a_restart(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    account, folder = kept(login, tmp_path)
    async with Sealed(homeserver.register(homeserver.fresh_name("mira"))) as mira:
        room = await mira.create_room("Tavern", encrypted=True, invite=[login.user_id])
        bot = first(account, folder)
        await synced(bot)
        await joined(bot, room)
        await mira.say(room, "One")
        assert read(await synced(bot), room) == ["One"]
        since = bot.next_batch
        await bot.close()
        await mira.say(room, "Two")
        bot = again(account, folder)
        bot.next_batch = since
        assert read(await synced(bot), room) == ["Two"]
        await bot.close()
