"""A tour of the loopback Discord with an unmodified discord.py: every kind of request and event once. It asserts nothing.

Whoever watches the loopback judges what the tour made it say.
"""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import discord
from discord import app_commands

from tests.fakes.discord.loopback import LoopbackDiscord
from tests.fakes.discord.records import Channel, Guild, User

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0500f0004850180"
    "84a98c210000000049454e44ae426082"
)


class Form(discord.ui.Modal, title="A persona"):
    text: discord.ui.TextInput["Form"] = discord.ui.TextInput(
        label="Who you are", style=discord.TextStyle.paragraph, max_length=4000, custom_id="text"
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Thanks.", ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Retry", custom_id="retry", style=discord.ButtonStyle.primary, emoji="\N{BLACK RIGHTWARDS ARROW}")
    async def retry(self, interaction: discord.Interaction, _: "discord.ui.Button[Buttons]") -> None:
        await interaction.response.edit_message(content="Anew.", view=self)

    @discord.ui.button(label="Later", custom_id="later")
    async def later(self, interaction: discord.Interaction, _: "discord.ui.Button[Buttons]") -> None:
        await interaction.response.defer()
        await interaction.followup.send("Waited.", ephemeral=True)

    @discord.ui.button(label="Write", custom_id="write")
    async def write(self, interaction: discord.Interaction, _: "discord.ui.Button[Buttons]") -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.select(custom_id="who", options=[discord.SelectOption(label="Mira"), discord.SelectOption(label="Rook")])
    async def who(self, interaction: discord.Interaction, _: "discord.ui.Select[Buttons]") -> None:
        await interaction.response.send_message("Chosen.", view=Buttons())


class Guide(discord.AutoShardedClient):
    """A client with a few commands. `guide` waits for no one before it identifies, as real bots have to."""

    def __init__(self, loopback: LoopbackDiscord) -> None:
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(
            intents=intents,
            shard_count=2,
            guild_ready_timeout=0.02,
            connector=loopback.connector(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = app_commands.CommandTree(self)
        _add_commands(self.tree)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Nothing to wait for."""

    async def setup_hook(self) -> None:
        self.add_view(Buttons())
        await self.tree.sync()


def _add_commands(tree: app_commands.CommandTree[Guide]) -> None:
    group = app_commands.Group(name="rp", description="Play.", allowed_contexts=app_commands.AppCommandContext(guild=True))

    @group.command(name="start", description="Begin.")
    @app_commands.describe(character="Who speaks.", card="A picture.", friend="Who else plays.")
    @app_commands.choices(length=[app_commands.Choice(name="short", value=1), app_commands.Choice(name="long", value=3)])
    async def start(  # noqa: PLR0913, PLR0917 every kind of option once
        interaction: discord.Interaction,
        character: str,
        length: int = 1,
        card: discord.Attachment | None = None,
        friend: discord.User | None = None,
        where: discord.TextChannel | None = None,
    ) -> None:
        del character, length, card, friend, where
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("Begun.", view=Buttons())
        await interaction.edit_original_response(content="Begun, with a picture.", attachments=[_file()])
        note = await interaction.followup.send("A note.", wait=True, ephemeral=True)
        await note.edit(content="A better note.")
        await note.delete()

    @start.autocomplete("character")
    async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}ra", value="mira")]

    @app_commands.command(name="persona", description="Say who you are.")
    @app_commands.default_permissions(manage_messages=True)
    async def persona(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @app_commands.command(name="status", description="Where we are.", nsfw=True)
    async def status(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Here.", ephemeral=True, file=_file())
        await interaction.original_response()
        await interaction.delete_original_response()

    @app_commands.context_menu(name="Continue")
    async def go_on(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"After {message.id}.", view=Buttons())

    tree.add_command(group)
    tree.add_command(persona)
    tree.add_command(status)
    tree.add_command(go_on)


def _file() -> discord.File:
    return discord.File(io.BytesIO(PICTURE), "face.png", description="A face.")


@asynccontextmanager
async def guided(loopback: LoopbackDiscord) -> AsyncGenerator[Guide, None]:
    """A client that is connected and knows its guilds."""
    guide = Guide(loopback)
    running = asyncio.create_task(guide.start(loopback.token))
    ready = asyncio.create_task(guide.wait_until_ready())
    try:
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield guide
    finally:
        ready.cancel()
        await guide.close()
        await asyncio.gather(running, return_exceptions=True)


async def tour(loopback: LoopbackDiscord) -> None:
    """Everything once. Raises what discord.py raises where it cannot read an answer."""
    guild, other = loopback.add_guild("The Harbour"), loopback.add_guild("The Moor")
    text = loopback.add_channel(guild, "general", nsfw=True)
    forum = loopback.add_channel(guild, "stories", "forum", tags=["sea", "moor"])
    player = loopback.add_user("nelly")
    loopback.add_channel(other, "elsewhere", "announcement")
    async with guided(loopback) as guide:
        await _people(loopback, guild, text, player)
        await _messages(loopback, guide, text, player)
        await _threads(loopback, guide, text, forum, player)
        await _webhooks(guide, forum)
        await _interactions(loopback, text, player)
        await _private(loopback, guide, player)
        await _account(guide)
        await _commands(guide, guild)
        await _guilds(loopback, guide, guild)
        await loopback.gateway.cut()
        await loopback.wait_until(lambda: len(loopback.gateway.connected) == 2)
        await _ends(loopback, guild, other, text, forum)


async def _people(loopback: LoopbackDiscord, guild: Guild, text: Channel, player: User) -> None:
    """What people do without the bot."""
    said = await loopback.post(player, text, f"Hello, <@{loopback.bot_id}>.", files={"map.txt": b"x"})
    reply = await loopback.post(player, text, "And again.", reply_to=said)
    await loopback.edit(player, said, "Hello there.")
    await loopback.react(player, said, "\N{ANCHOR}")
    await loopback.unreact(player, said, "\N{ANCHOR}")
    await loopback.typing(player, text)
    await loopback.delete(said)
    await loopback.bulk_delete([reply, await loopback.proxy_post(text, "Mira", "By proxy.")])
    role = loopback.add_role(guild, "keeper", "manage_messages")
    loopback.give_role(guild, player, role)
    loopback.forbid(text, "attach_files")
    loopback.allow(text, "attach_files")
    loopback.allow(guild, "manage_messages")
    await loopback.rename(text, "tavern")
    loopback.add_channel(guild, "annex", "forum", requires_tag=True, tags=["one"])
    await loopback.set_nsfw_level(guild, 3)


async def _messages(loopback: LoopbackDiscord, guide: Guide, text: Channel, player: User) -> None:
    place = _texts(guide, text.id)
    async with place.typing():
        sent = await place.send("One.", nonce="a-key", embed=discord.Embed(title="T", description="D").set_footer(text="F"))
    await place.send("One.", nonce="a-key")
    await sent.edit(content="Two.", view=Buttons(), embed=None)
    await place.send("With files.", files=[_file(), _file()], silent=True)
    said = await loopback.post(player, text, "A question.")
    answer = await (await place.fetch_message(said.id)).reply("An answer.")
    await answer.add_reaction("\N{HOURGLASS}")
    await loopback.react(player, loopback.messages(text)[-1], "\N{HOURGLASS}")
    [_ async for _ in (await place.fetch_message(answer.id)).reactions[0].users()]
    await answer.remove_reaction("\N{HOURGLASS}", _me(guide))
    await answer.remove_reaction("\N{HOURGLASS}", discord.Object(player.id))
    await answer.add_reaction("\N{HOURGLASS}")
    await answer.clear_reaction("\N{HOURGLASS}")
    await answer.clear_reactions()
    [_ async for _ in place.history(limit=3, after=discord.Object(sent.id), oldest_first=True)]
    [_ async for _ in place.history(limit=3, around=discord.Object(sent.id))]
    await place.delete_messages([sent, answer])
    await (await place.send("Gone.")).delete()
    with suppress(discord.NotFound):
        await place.fetch_message(sent.id)


async def _threads(loopback: LoopbackDiscord, guide: Guide, text: Channel, forum: Channel, player: User) -> None:
    posts = guide.get_channel(forum.id)
    assert isinstance(posts, discord.ForumChannel)
    opened = await posts.create_thread(
        name="The Plover", content="Aboard.", applied_tags=[posts.available_tags[0]], view=Buttons()
    )
    await opened.thread.edit(name="The Plover sails", applied_tags=[], auto_archive_duration=60)
    own = await loopback.open_post(player, forum, "The Moor", "Fog.", ["moor"])
    await loopback.lock(own)
    await loopback.unlock(own)
    place = _texts(guide, text.id)
    started = await (await place.send("Here.")).create_thread(name="Here")
    loose = await place.create_thread(name="Loose", type=discord.ChannelType.public_thread)
    loopback.allow(loopback.guild_of(text), "create_private_threads", "manage_threads")
    await place.create_thread(name="Closed")
    await loopback.open_thread(player, text, "By a person")
    await started.join()
    await started.add_user(discord.Object(player.id))
    await started.leave()
    await loose.edit(archived=True)
    [_ async for _ in place.archived_threads()]
    [_ async for _ in place.archived_threads(private=True)]
    await loose.edit(archived=False, locked=True)
    await posts.guild.active_threads()
    await loose.delete()
    await loopback.delete_channel(own)
    await guide.fetch_channel(started.id)
    await guide.fetch_channel(posts.id)


async def _webhooks(guide: Guide, forum: Channel) -> None:
    posts = guide.get_channel(forum.id)
    assert isinstance(posts, discord.ForumChannel)
    hook = await posts.create_webhook(name="Understudy")
    thread = posts.threads[0]
    picture = await hook.send(file=_file(), thread=thread, wait=True)
    said = await hook.send(
        "Arr.", username="Rook", avatar_url=picture.attachments[0].url, thread=thread, wait=True, view=Buttons()
    )
    await hook.fetch_message(said.id, thread=thread)
    await said.edit(content="Arr!", view=None)
    await said.delete()
    await hook.send("Anew.", username="Mira", thread_name="By a webhook", applied_tags=[posts.available_tags[1]], wait=True)
    with suppress(discord.HTTPException):
        await hook.send("Refused for the name.", username="Clyde", thread=thread, wait=True)
    await posts.webhooks()
    await posts.guild.webhooks()
    await guide.fetch_webhook(hook.id)
    await hook.edit(name="The hook", avatar=PICTURE)
    plain = await discord.Webhook.from_url(hook.url, client=guide).fetch(prefer_auth=False)
    await plain.edit(name="By its token", prefer_auth=False)
    await plain.delete(prefer_auth=False)
    await (await posts.create_webhook(name="Another")).delete()


async def _interactions(loopback: LoopbackDiscord, text: Channel, player: User) -> None:
    await loopback.autocomplete(player, text, "rp start", "character", "Mi")
    begun = await loopback.slash(
        player,
        text,
        "rp start",
        {"character": "mira", "length": 3, "friend": player, "where": text},
        attachments={"card": ("card.png", PICTURE)},
    )
    await loopback.wait_until(lambda: not begun.followups or begun.followups[-1].is_deleted)
    message = await begun.wait_for_message()
    await (await loopback.press(player, message, "retry")).wait_for_callback()
    await (await loopback.press(player, message, "later")).wait_for_message()
    await (await loopback.press(player, message, "who", ["Mira"])).wait_for_message()
    form = await loopback.press(player, message, "write")
    await (await loopback.submit(player, form, {"text": "A sailor."})).wait_for_message()
    form = await loopback.slash(player, text, "persona", permissions=["manage_messages"])
    await (await loopback.submit(player, form, {"text": "A sailor."})).wait_for_message()
    shown = await loopback.slash(player, text, "status")
    await loopback.wait_until(lambda: shown.original is not None and shown.original.is_deleted)
    await (await loopback.context_menu(player, message, "Continue")).wait_for_message()


async def _private(loopback: LoopbackDiscord, guide: Guide, player: User) -> None:
    place = await (await guide.fetch_user(player.id)).create_dm()
    await place.send("A word with you.")
    dm = loopback.add_dm(player)
    said = await loopback.post(player, dm, "Yes?")
    await loopback.typing(player, dm)
    await loopback.react(player, said, "\N{ANCHOR}")


async def _account(guide: Guide) -> None:
    await guide.application_info()
    await guide.http.get_bot_gateway()
    for path in ("/gateway", "/applications/@me"):
        await guide.http.request(discord.http.Route("GET", path))
    emoji = await guide.create_application_emoji(name="mira", image=PICTURE)
    await guide.fetch_application_emojis()
    await (await guide.fetch_application_emoji(emoji.id)).delete()


async def _commands(guide: Guide, guild: Guild) -> None:
    place = discord.Object(guild.id)
    for each in await guide.tree.fetch_commands():
        await each.delete()
    guide.tree.copy_global_to(guild=place)
    await guide.tree.sync(guild=place)
    for each in await guide.tree.fetch_commands(guild=place):
        await each.delete()
    own = guide.application_id or 0
    look: Any = {"name": "Look", "type": 3}
    await guide.http.upsert_global_command(own, look)
    await guide.http.upsert_guild_command(own, guild.id, {"name": "look", "type": 1, "description": "Look."})


async def _guilds(loopback: LoopbackDiscord, guide: Guide, guild: Guild) -> None:
    place = await guide.fetch_guild(guild.id)
    await place.fetch_channels()
    await place.fetch_roles()
    await place.fetch_member(_me(guide).id)
    [_ async for _ in guide.fetch_guilds()]
    loopback.allow(guild, "manage_guild")
    await place.edit(name="The Quay")


async def _ends(loopback: LoopbackDiscord, guild: Guild, other: Guild, text: Channel, forum: Channel) -> None:
    await loopback.delete_channel(text)
    await loopback.delete_channel(forum)
    await loopback.take_guild_away(guild)
    await loopback.bring_guild_back(guild)
    await loopback.take_guild_away(other, outage=False)


def _texts(guide: Guide, id_: int) -> discord.TextChannel:
    found = guide.get_channel(id_)
    assert isinstance(found, discord.TextChannel)
    return found


def _me(guide: Guide) -> discord.ClientUser:
    assert guide.user is not None
    return guide.user
