"""The loopback Discord's interactions of all kinds, as an unmodified discord.py's commands, views and forms see them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
import pytest

from tests.adapters.discord.plain_client import Scene, scene
from tests.adapters.discord.test_loopback_places import refusal
from tests.fakes.discord import Answers, Interaction, NotOffered


class Form(discord.ui.Modal, title="A persona"):
    text: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Text", default="Old", max_length=100)
    card: discord.ui.Label["Form"] = discord.ui.Label(
        text="Card", component=discord.ui.FileUpload(custom_id="card", required=False)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        upload = self.card.component
        assert isinstance(upload, discord.ui.FileUpload)
        names = [each.filename for each in upload.values]
        await interaction.response.send_message(f"kept {self.text.value} {names}", ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Swipe", custom_id="swipe")
    async def swipe(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.edit_message(content="swiped")

    @discord.ui.button(label="Retry", custom_id="retry")
    async def retry(self, interaction: discord.Interaction, _: discord.ui.Button["Buttons"]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="tried again")
        await interaction.followup.send("done", ephemeral=True)


class Roleplay(discord.app_commands.Group):
    def __init__(self) -> None:
        super().__init__(name="rp", description="Roleplay")

    @discord.app_commands.command(description="Start")
    async def start(
        self,
        interaction: discord.Interaction,
        character: str,
        card: discord.Attachment | None = None,
        place: discord.TextChannel | None = None,
    ) -> None:
        await interaction.response.defer(thinking=True)
        size = 0 if card is None else len(await card.read())
        await interaction.followup.send(f"{character} {size} {place and place.name}")
        await interaction.followup.send("and more", ephemeral=True)

    @start.autocomplete("character")
    async def characters(self, _: discord.Interaction, current: str) -> list[discord.app_commands.Choice[str]]:
        return [discord.app_commands.Choice(name=each, value=each) for each in ("Mira", "Tom") if each.startswith(current)]

    @discord.app_commands.command(description="Say")
    async def say(self, interaction: discord.Interaction) -> None:
        callback = await interaction.response.send_message("said", view=Buttons())
        assert callback.message_id is not None

    @discord.app_commands.command(description="Set a persona")
    async def persona(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @discord.app_commands.command(description="Wait")
    async def wait(self, interaction: discord.Interaction) -> None:
        """Leaves the answer to the test."""
        interaction.client.dispatch("waiting", interaction)


@asynccontextmanager
async def stage() -> AsyncGenerator[Scene, None]:
    """A scene with commands that are registered."""
    async with scene() as here:
        here.client.tree.add_command(Roleplay())

        @here.client.tree.context_menu(name="Retry")
        async def retry(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(f"retried {message.content}", ephemeral=True)

        await here.client.tree.sync()
        yield here


async def waiting(here: Scene) -> tuple[discord.Interaction, Interaction]:
    """An interaction that nothing has answered yet, as the client has it and as the loopback records it."""
    heard = asyncio.ensure_future(here.client.wait_for("waiting", timeout=10))
    await asyncio.sleep(0)
    asked = await here.loopback.slash(here.player, here.text, "rp wait")
    interaction = await heard
    assert isinstance(interaction, discord.Interaction)
    return interaction, asked


async def test_a_command_with_a_group_is_answered_after_it_was_deferred() -> None:
    async with stage() as here:
        options = {"character": "Mira", "place": here.text}
        asked = await here.loopback.slash(
            here.player, here.text, "rp start", options, attachments={"card": ("m.png", b"12345")}
        )
        first, second = await asked.wait_for_message(), await asked.wait_for_message(number=2)

        assert asked.callback is not None
        assert asked.callback.type is Answers.DEFERRED
        assert (first.content, first.ephemeral, second.content, second.ephemeral) == (
            "Mira 5 tavern",
            False,
            "and more",
            True,
        )
        assert [each.content for each in here.loopback.messages(here.text)] == ["Mira 5 tavern"]
        assert asked.messages == (first, second)


async def test_choices_come_while_an_option_is_typed() -> None:
    async with stage() as here:
        choices = await here.loopback.autocomplete(here.player, here.text, "rp start", focused="character", value="Mi")

        assert [each["value"] for each in choices] == ["Mira"]


async def test_a_button_changes_its_message_and_a_deferred_one_its_original() -> None:
    async with stage() as here:
        message = await (await here.loopback.slash(here.player, here.text, "rp say")).wait_for_message()
        assert message.custom_ids == ("swipe", "retry")
        await (await here.loopback.press(here.player, message, "swipe")).wait_for_callback()
        assert message.content == "swiped"
        pressed = await here.loopback.press(here.player, message, "retry")
        followup = await pressed.wait_for_message()

        assert (message.content, followup.content) == ("tried again", "done")
        assert [each.content for each in here.loopback.messages(here.text)] == ["tried again"]


async def test_a_form_is_shown_filled_in_and_sent() -> None:
    async with stage() as here:
        asked = await here.loopback.slash(here.player, here.text, "rp persona")
        sent = await here.loopback.submit(here.player, asked, {"Text": "New"}, files={"card": ("m.png", b"1")})
        message = await sent.wait_for_message()

        assert message.content == "kept New ['m.png']"
        again = await here.loopback.submit(here.player, await here.loopback.slash(here.player, here.dm, "rp persona"), {})
        assert (await again.wait_for_message()).content == "kept Old []"


async def test_an_entry_of_a_messages_menu_gets_the_message() -> None:
    async with stage() as here:
        posted = await here.loopback.post(here.player, here.text, "Hello")
        asked = await here.loopback.context_menu(here.player, posted, "Retry")

        assert (await asked.wait_for_message()).content == "retried Hello"
        assert here.loopback.messages(here.text) == [posted]


async def test_a_client_offers_only_what_is_registered_and_allowed() -> None:
    async with stage() as here:
        for command, options in (("rp", {}), ("rp stop", {}), ("rp start", {}), ("rp say", {"text": "a"})):
            with pytest.raises(NotOffered):
                await here.loopback.slash(here.player, here.text, command, options)
        message = await (await here.loopback.slash(here.player, here.text, "rp say")).wait_for_message()
        with pytest.raises(NotOffered):
            await here.loopback.press(here.player, message, "shorter")


async def test_a_command_for_age_restricted_channels_or_certain_members_is_offered_there_and_to_them() -> None:
    async with scene() as here:

        @here.client.tree.command(name="adult", description="Adult", nsfw=True)
        @discord.app_commands.default_permissions(manage_guild=True)
        async def adult(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(f"{interaction.permissions.manage_guild}")

        await here.client.tree.sync()
        with pytest.raises(NotOffered):
            await here.loopback.slash(here.player, here.text, "adult", permissions=["manage_guild"])
        await here.loopback.restrict_age(here.text)
        with pytest.raises(NotOffered):
            await here.loopback.slash(here.player, here.text, "adult")
        asked = await here.loopback.slash(here.player, here.text, "adult", permissions=["manage_guild"])
        assert (await asked.wait_for_message()).content == "True"


async def test_three_seconds_of_the_clock_are_too_late_for_a_first_answer() -> None:
    async with stage() as here:
        interaction, asked = await waiting(here)
        here.loopback.clock.move(3.5)

        assert await refusal(interaction.response.send_message("late")) == (404, 10062)
        assert asked.messages == ()


async def test_a_second_first_answer_is_refused() -> None:
    async with stage() as here:
        interaction, asked = await waiting(here)
        await interaction.response.send_message("one")
        interaction.response._response_type = None  # as another process with the same token would see it

        assert await refusal(interaction.response.send_message("two")) == (400, 40060)
        assert [each.content for each in asked.messages] == ["one"]


async def test_after_fifteen_minutes_a_token_is_no_longer_good() -> None:
    async with stage() as here:
        interaction, asked = await waiting(here)
        await interaction.response.send_message("one")
        here.loopback.clock.move(890)
        await interaction.edit_original_response(content="two")
        here.loopback.clock.move(20)

        assert await refusal(interaction.followup.send("three")) == (401, 50027)
        assert asked.content == "two"


async def test_the_original_is_fetched_edited_and_deleted() -> None:
    async with stage() as here:
        interaction, asked = await waiting(here)
        assert await refusal(interaction.original_response()) == (404, 10015)
        await interaction.response.defer(thinking=True, ephemeral=True)
        (original,) = asked.messages
        assert original.ephemeral
        assert [each.is_loading for each in asked.messages] == [True]
        await interaction.edit_original_response(content="one")
        assert (await interaction.original_response()).content == "one"
        assert [each.is_loading for each in asked.messages] == [False]
        await interaction.delete_original_response()

        assert await refusal(interaction.edit_original_response(content="two")) == (404, 10008)
        assert asked.messages == ()


async def test_commands_keep_their_ids_when_they_are_registered_again() -> None:
    async with stage() as here:
        before = {each["name"]: each["id"] for each in here.loopback.commands()}
        await here.client.tree.sync()

        assert (
            {each["name"]: each["id"] for each in here.loopback.commands()}
            == before
            == {each.name: str(each.id) for each in await here.client.tree.fetch_commands()}
        )
        assert before.keys() == {"rp", "Retry"}
