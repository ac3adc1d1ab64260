"""The loopback Discord's webhooks and emojis, as an unmodified discord.py sees them."""

import aiohttp
import discord
import pytest

from tests.adapters.discord.plain_client import Scene, scene
from tests.adapters.discord.test_loopback_places import refusal

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


async def a_webhook(here: Scene) -> discord.Webhook:
    return await here.stories().create_webhook(name="Understudy")


async def test_a_webhook_of_a_forum_posts_edits_fetches_and_deletes_in_a_thread() -> None:
    async with scene() as here:
        thread, _ = await here.stories().create_thread(name="A story", content="Once")
        webhook = await a_webhook(here)
        sent = await webhook.send(
            "The rain fell.", username="Mira", avatar_url="https://example.org/m.png", thread=thread, wait=True
        )
        await sent.edit(content="The rain stopped.")
        await here.client.wait_for_note("edit The rain stopped.")
        fetched = await webhook.fetch_message(sent.id, thread=thread)

        (standing,) = here.loopback.messages(here.loopback.find_thread("A story"))[1:]
        assert (standing.author_name, standing.content, standing.webhook_id) == ("Mira", "The rain stopped.", webhook.id)
        assert (standing.avatar_url, standing.author.avatar is None) == ("https://example.org/m.png", False)
        assert fetched.content == "The rain stopped."
        assert here.client.heard[-1].webhook_id == webhook.id
        assert here.client.heard[-1].author.bot
        await fetched.delete()
        assert standing.is_deleted


async def test_a_message_of_a_webhook_is_not_found_outside_of_its_thread() -> None:
    async with scene() as here:
        thread, _ = await here.stories().create_thread(name="A story", content="Once")
        webhook = await a_webhook(here)
        sent = await webhook.send("Hello", thread=thread, wait=True)

        assert await refusal(webhook.fetch_message(sent.id)) == (404, 10008)
        assert await refusal(webhook.send("Hello", thread=discord.Object(here.text.id), wait=True)) == (404, 10003)
        assert await refusal(webhook.send("Hello", wait=True)) == (400, 220001)


async def test_a_webhook_opens_a_post_in_a_forum() -> None:
    async with scene() as here:
        sent = await (await a_webhook(here)).send("Once", thread_name="A story", username="Mira", wait=True)

        assert here.loopback.find_thread("A story").id == sent.id


@pytest.mark.parametrize("name", ["Discordia", "Clyde", "n" * 81])
async def test_a_name_that_discord_refuses_is_refused_for_webhooks_and_their_posts(name: str) -> None:
    async with scene() as here:
        assert await refusal(here.tavern().create_webhook(name=name)) == (400, 50035)
        webhook = await here.tavern().create_webhook(name="Mira")
        assert await refusal(webhook.send("Hello", username=name, wait=True)) == (400, 50035)
        assert here.loopback.messages(here.text) == []


async def test_a_channel_has_fifteen_webhooks_and_shows_tokens_of_ones_own() -> None:
    async with scene() as here:
        await here.loopback.proxy_post(here.text, "Mira", "by proxy")
        made = [await here.tavern().create_webhook(name=f"Mira {number}") for number in range(14)]
        listed = await here.tavern().webhooks()

        assert {each.id: bool(each.token) for each in listed} == {each.id: each in made for each in listed}
        assert len(listed) == 15
        assert await refusal(here.tavern().create_webhook(name="One more")) == (400, 30007)
        assert all(len(each.token or "") >= 60 and 17 <= len(str(each.id)) <= 20 for each in made)


async def test_a_webhook_by_its_address_works_and_is_refused_once_it_is_gone_or_with_a_wrong_token() -> None:
    async with scene() as here:
        made = await here.tavern().create_webhook(name="Mira")
        async with aiohttp.ClientSession(connector=here.loopback.connector()) as session:
            webhook = discord.Webhook.from_url(made.url, session=session)
            await webhook.send("Hello")
            assert [each.content for each in here.loopback.messages(here.text)] == ["Hello"]
            wrong = discord.Webhook.partial(made.id, "x" * 68, session=session)
            assert await refusal(wrong.send("Hello")) == (401, 50027)
            await made.delete()
            assert await refusal(webhook.send("Hello")) == (404, 10015)


async def test_a_webhook_wakes_an_archived_thread_but_no_locked_one() -> None:
    async with scene() as here:
        thread, _ = await here.stories().create_thread(name="A story", content="Once")
        webhook, record = await a_webhook(here), here.loopback.find_thread("A story")
        sent = await webhook.send("one", thread=thread, wait=True)
        await here.loopback.archive(record)
        assert await refusal(webhook.edit_message(sent.id, content="two", thread=thread)) == (400, 50083)
        await webhook.send("two", thread=thread, wait=True)
        assert not record.archived
        await here.loopback.lock(record)
        assert await refusal(webhook.send("three", thread=thread, wait=True)) == (400, 50083)


async def test_a_face_that_cannot_be_loaded_is_not_shown() -> None:
    async with scene() as here:
        webhook = await here.tavern().create_webhook(name="Mira")
        emoji = await here.client.create_application_emoji(name="mira", image=PICTURE)
        await webhook.send("one", avatar_url=emoji.url, wait=True)
        await emoji.delete()
        await webhook.send("two", avatar_url=emoji.url, wait=True)

        assert [each.author.avatar is None for each in here.loopback.messages(here.text)] == [False, True]


async def test_emojis_of_the_application_are_made_listed_loaded_and_deleted() -> None:
    async with scene() as here:
        emoji = await here.client.create_application_emoji(name="mira", image=PICTURE)
        assert [each.name for each in await here.client.fetch_application_emojis()] == ["mira"]
        assert await emoji.read() == PICTURE
        await emoji.delete()
        assert await here.client.fetch_application_emojis() == []
        assert await refusal(here.client.create_application_emoji(name="a name", image=PICTURE)) == (400, 50035)


async def test_the_application_knows_its_name_and_its_owner() -> None:
    async with scene() as here:
        about = await here.client.application_info()

        assert about.id == here.loopback.application_id
        assert about.owner.name == "operator"
        assert about.flags.gateway_message_content_limited
