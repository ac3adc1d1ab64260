"""Our webhooks: found, made, used and given up; and the one try that each of their posts has."""

import asyncio
from unittest.mock import AsyncMock, Mock

import aiohttp
import discord
import pytest
from discord.http import Route

from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.posting.single_try import SingleTry
from adapters.discord.posting.webhooks import Guise
from adapters.discord.rooms import KEPT
from bot.errors import OutcomeUnknown, PostRefused
from tests.adapters.discord.posting.courier_scene import CourierScene, post_in
from tests.fakes.discord import Exchange


async def test_many_who_need_the_webhook_at_once_make_one(scene: CourierScene, courier: DiscordCourier) -> None:
    hooks = await asyncio.gather(*(courier.webhooks.of(scene.text.id) for _ in range(10)))
    assert len({hook.id for hook in hooks if hook}) == len(scene.loopback.world.webhooks) == 1
    assert len(scene.loopback.asked("GET", "/webhooks")) == 1


@pytest.mark.parametrize("kind", ["500 after", "cut after"])
async def test_a_webhook_whose_making_was_not_answered_is_found(
    scene: CourierScene, courier: DiscordCourier, kind: str
) -> None:
    scene.loopback.faults.add("POST /channels/*/webhooks", kind)
    with pytest.raises(OutcomeUnknown):
        await courier.send(post_in(scene.text, "Rain."))
    await courier.send(post_in(scene.text, "Rain."))
    assert len(scene.loopback.world.webhooks) == 1
    assert scene.texts(scene.text) == ["Rain."]


@pytest.mark.parametrize("maker", [None, "1000"])
async def test_what_others_made_is_left_alone_whatever_is_told_of_it(
    scene: CourierScene, courier: DiscordCourier, maker: str | None
) -> None:
    theirs = {"id": "1", "type": 1, "channel_id": str(scene.text.id), "token": "x" * 68, "application_id": maker}
    scene.client.http.channel_webhooks = AsyncMock(return_value=[theirs])  # type: ignore[method-assign]  # for one call
    hook = await courier.webhooks.of(scene.text.id)
    assert hook is not None
    assert hook.id in scene.loopback.world.webhooks


async def test_a_token_is_never_in_what_a_log_could_show(scene: CourierScene, courier: DiscordCourier) -> None:
    hook = await courier.webhooks.of(scene.text.id)
    assert hook is not None
    assert hook.token not in repr(hook) + repr(courier.webhooks)


async def test_a_name_or_face_that_discord_refuses_all_the_same_costs_the_name_and_not_the_post(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    hook = await courier.webhooks.of(scene.text.id)
    assert hook is not None
    room = await courier.rooms.about(scene.text.id)
    await courier.webhooks.post(room, hook, "Rain.", Guise("Clyde", "https://cdn.discordapp.com/emojis/1.png"))
    shown = scene.loopback.messages(scene.text)
    assert [(each.author_name, each.content) for each in shown] == [("Character", "Rain.")]


async def test_where_the_permission_was_taken_the_lost_post_says_so(scene: CourierScene, courier: DiscordCourier) -> None:
    receipt = await courier.send(post_in(scene.text, "Rain."))
    scene.loopback.forbid(scene.text, "manage_webhooks")
    restarted = scene.new_courier()
    async with asyncio.timeout(5):
        while not restarted.rooms.lacking(scene.text.id, ("manage_webhooks",)):
            await asyncio.sleep(0.005)
    with pytest.raises(PostRefused, match="I cannot edit my posts here: I lack the permission Manage Webhooks"):
        await restarted.edit(receipt.message, post_in(scene.text, "Sun.", "key-2"))
    await restarted.send(post_in(scene.text, "Fog.", "key-3"))
    assert scene.texts(scene.text) == ["Rain.", "**Mira**\nFog."]
    scene.clock.move(KEPT)
    scene.loopback.allow(scene.text, "manage_webhooks")
    await restarted.edit(receipt.message, post_in(scene.text, "Sun.", "key-4"))
    assert scene.texts(scene.text) == ["Sun.", "**Mira**\nFog."]


async def test_a_webhook_that_goes_away_each_time_is_not_asked_for_ever(scene: CourierScene, courier: DiscordCourier) -> None:
    def lose(exchange: Exchange) -> None:
        if exchange.route == f"POST /channels/{scene.text.id}/webhooks":
            scene.loopback.world.webhooks.clear()

    scene.loopback.on_exchange.append(lose)
    with pytest.raises(PostRefused, match="deleted as soon as it was made"):
        await courier.send(post_in(scene.text, "Rain."))
    assert [each.status for each in scene.loopback.asked("POST", "/webhooks/")] == [404, 404]


@pytest.mark.parametrize("number", [54, 10054, 104])
async def test_a_reset_connection_is_tried_once_on_every_system(number: int) -> None:
    asking = Mock()
    asking.return_value.__aenter__ = AsyncMock(side_effect=ConnectionResetError(number, "reset"))
    asking.return_value.__aexit__ = AsyncMock()
    with pytest.raises((aiohttp.ServerDisconnectedError, ConnectionResetError)):
        await SingleTry().request(Route("POST", "/webhooks/1/x"), Mock(request=asking))
    assert asking.call_count == 1


async def test_the_library_itself_would_have_repeated_the_post(scene: CourierScene, courier: DiscordCourier) -> None:
    """What the single try is there for: if the library no longer does this, it can go."""
    hook = await courier.webhooks.of(scene.text.id)
    assert hook is not None
    scene.loopback.faults.add("POST /webhooks/*", "500 after")
    webhook = discord.Webhook.partial(hook.id, hook.token, client=scene.client)
    await webhook.send("Twice.", wait=True, allowed_mentions=discord.AllowedMentions.none())
    assert scene.texts(scene.text) == ["Twice.", "Twice."]
