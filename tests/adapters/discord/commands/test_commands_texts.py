"""Long texts: forms with the present text in them, edits of whole turns and of single posts, files for what is longer."""

import pytest

from adapters.discord.commands.uploads import LIMIT, fetch
from adapters.discord.words import place_of
from bot.errors import Refused
from tests.adapters.discord.commands.commands_stage import Stage, stage
from tests.fakes.discord import Channel, Interaction

SENTENCES = " ".join(f"Sentence number {number} of the long reply stands here." for number in range(100))


def fields(asked: Interaction) -> dict[str, str]:
    """What a form comes with, by its fields."""
    return {each["component"]["custom_id"]: each["component"].get("value", "") for each in asked.modal()["components"]}


async def form(on: Stage, channel: Channel, command: str, /, **options: object) -> Interaction:
    asked = await on.loopback.slash(on.player, channel, command, options)
    await asked.wait_for_callback()
    return asked


async def submitted(on: Stage, asked: Interaction, **texts: str) -> Interaction:
    sent = await on.loopback.submit(on.player, asked, texts)
    await sent.wait_for_message()
    await on.service.receiver.settled(place_of(asked.channel.id))
    return sent


async def test_a_persona_is_described_in_a_form_that_comes_with_what_is_known() -> None:
    async with stage() as on:
        thread = await on.start()
        asked = await form(on, thread, "persona set", name="Tobias Vane")
        assert fields(asked) == {"name": "Tobias Vane", "description": ""}
        sent = await submitted(on, asked, description="A weary,\nloyal soldier.")
        assert (sent.content, sent.messages[0].ephemeral) == ("Taken.", True)
        (persona,) = (await on.session(thread)).personas
        assert (persona.name, persona.description) == ("Tobias Vane", "A weary,\nloyal soldier.")
        assert fields(await form(on, thread, "persona set", name="Tobias"))["description"] == "A weary,\nloyal soldier."


@pytest.mark.parametrize(("command", "field"), [("scenario", "text"), ("note", "text"), ("summary edit", "text")])
async def test_what_stands_is_in_the_form_and_what_is_sent_off_takes_its_place(command: str, field: str) -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, command, {field: "The rain falls."})
        asked = await form(on, thread, command)
        assert fields(asked) == {field: "The rain falls."}
        await submitted(on, asked, **{field: "The rain has ended."})
        session = await on.session(thread)
        assert "The rain has ended." in (session.scenario, session.memory.note, session.memory.summary)


async def test_an_emptied_note_is_taken_away_and_its_depth_is_kept_in_the_form() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, "note", {"text": "The storm grows.", "depth": 2})
        await submitted(on, await form(on, thread, "note", depth=3), text="The storm ends.")
        assert (await on.session(thread)).memory.note_depth == 3
        await submitted(on, await form(on, thread, "note"), text="")
        assert (await on.session(thread)).memory.note == ""


async def test_a_form_that_is_sent_off_after_a_restart_is_understood() -> None:
    async with stage() as on:
        thread = await on.start()
        asked = await form(on, thread, "lore add", keys="lighthouse, beacon")
        await on.restart()
        await submitted(on, asked, text="It has been dark for ten years.")
        (book,) = (await on.session(thread)).memory.lore
        assert (book.entries[0].keys, book.entries[0].content) == (("lighthouse", "beacon"), "It has been dark for ten years.")


async def test_whoever_may_not_change_a_text_is_told_so_before_they_write_one() -> None:
    async with stage() as on:
        thread, other = await on.start(), on.loopback.add_user("Joren")
        asked = await on.loopback.slash(other, thread, "note")
        assert await on.said(asked) == "Only those who play in this story can do that; post in it first."
        nowhere = await on.loopback.slash(other, on.text, "scenario")
        assert await on.said(nowhere) == "There is no story in this place."


async def test_a_report_is_written_in_a_form_anywhere() -> None:
    async with stage() as on:
        sent = await submitted(on, await form(on, on.text, "report"), reason="Something is wrong.")
        assert sent.content == "The operator is told: report number 1."


async def test_an_edit_without_a_number_is_of_the_newest_post() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        asked = await form(on, thread, "edit")
        assert (asked.modal()["title"], fields(asked)) == ("Edit post 2", {"text": "She nods."})
        await submitted(on, asked, text="She shakes her head.")
        assert on.shown(thread)[-1].content == "She shakes her head."
        await on.ask(thread, "edit", {"turn": 0, "text": "Mira looked up."})
        assert on.shown(thread)[0].content == "Mira looked up."


async def test_an_edit_does_not_overwrite_what_was_changed_since_its_form_was_opened() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        asked = await form(on, thread, "edit")
        await on.ask(thread, "edit", {"text": "She smiles."})
        sent = await submitted(on, asked, text="She shakes her head.")
        assert sent.content.startswith("The text was changed meanwhile")
        assert sent.messages[0].attachments[0].data == b"She shakes her head."
        assert (await on.session(thread)).turns[-1].text == "She smiles."


async def test_a_reply_too_long_for_a_form_goes_out_as_a_file_and_comes_back_as_one() -> None:
    async with stage([SENTENCES]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        asked = await on.loopback.slash(on.player, thread, "edit", {})
        said = await asked.wait_for_message()
        assert said.ephemeral
        assert "/edit" in said.content
        assert said.attachments[0].data.decode() == (await on.session(thread)).turns[-1].text
        changed = said.attachments[0].data.replace(b"number 50 ", b"number fifty ")
        back = await on.loopback.slash(on.player, thread, "edit", attachments={"file": ("text.txt", changed)})
        assert await on.said(back) == "Taken."
        await on.service.receiver.settled(place_of(thread.id))
        assert (await on.session(thread)).turns[-1].text == changed.decode()
        assert "fifty" in " ".join(each.content for each in on.shown(thread))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"\xff\xfe\x00", "The file is no plain text"), (b"x" * 300_000, "The file is larger than 256 KiB")],
)
async def test_a_file_that_is_no_text_or_too_large_changes_nothing(data: bytes, sentence: str) -> None:
    async with stage() as on:
        thread = await on.start()
        back = await on.loopback.slash(on.player, thread, "edit", attachments={"file": ("text.txt", data)})
        assert (await on.said(back)).startswith(sentence)


async def test_a_file_that_discord_calls_too_large_is_not_fetched() -> None:
    class Unfetched:
        size = LIMIT + 1

        async def read(self) -> bytes:
            raise AssertionError("fetched")

    with pytest.raises(Refused, match="16 MiB"):
        await fetch(Unfetched())  # type: ignore[arg-type]  # as much of an attachment as is looked at


async def test_one_post_of_a_reply_of_three_is_edited_and_the_others_stay() -> None:
    async with stage([SENTENCES]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        _, first, second, third = on.shown(thread)
        before = (await on.session(thread)).turns[-1].text
        asked = await on.loopback.context_menu(on.player, second, "Edit")
        await asked.wait_for_callback()
        assert fields(asked) == {"text": second.content}
        kept, old = (first.content, third.content), second.content
        new = old.replace("stands here", "stood here", 1)
        assert (await submitted(on, asked, text=new)).content == "Taken."
        assert (await on.session(thread)).turns[-1].text == before.replace(old, new)
        assert [each.id for each in on.shown(thread)][1:] == [first.id, second.id, third.id]
        assert (first.content, third.content) == kept
        assert second.content == new


async def test_one_post_is_not_edited_over_a_change_since() -> None:
    async with stage([SENTENCES]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        second = on.shown(thread)[2]
        asked = await on.loopback.context_menu(on.player, second, "Edit")
        await asked.wait_for_callback()
        changed = (await on.session(thread)).turns[-1].text.replace("number 50 ", "number fifty ")
        await on.ask(thread, "edit", {"text": changed})
        sent = await submitted(on, asked, text="Mine.")
        assert sent.messages[0].attachments[0].data == b"Mine."
        assert (await on.session(thread)).turns[-1].text == changed


async def test_a_players_own_message_is_edited_in_discord() -> None:
    async with stage(["She nods."]) as on:
        thread = await on.start()
        message = await on.post(thread, "Tobias knocks.")
        asked = await on.loopback.context_menu(on.player, message, "Edit")
        assert (await on.said(asked)).startswith("That is a player's own message")


async def test_a_message_beside_the_story_cannot_be_edited_by_its_menu() -> None:
    async with stage() as on:
        thread = await on.start()
        message = await on.loopback.post(on.player, thread, "Hello")
        asked = await on.loopback.context_menu(on.player, message, "Edit")
        assert await on.said(asked) == "That message is no post of a character in the story here."
