"""Slash commands from end to end: what is acknowledged how, what is shown to whom, and what happens where something fails."""

import asyncio
import json
from dataclasses import replace

import pytest

from adapters.discord.commands import replying
from adapters.discord.commands.replying import PASSING
from adapters.discord.words import place_of
from bot.errors import StoreUnavailable
from tests.adapters.discord.commands.commands_stage import Stage, stage, until
from tests.builders import MIRA
from tests.fakes.discord import Channel, Interaction
from tests.fakes.engine import Pause, ScriptedReply

CARD = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {"name": "Joren", "description": "A guard.", "first_mes": "Halt."},
}


async def asked(on: Stage, channel: Channel, command: str, /, **options: object) -> Interaction:
    interaction = await on.loopback.slash(on.player, channel, command, options)
    await interaction.wait_for_message()
    return interaction


async def test_a_command_on_the_story_is_carried_out_and_its_word_in_passing_goes_again() -> None:
    async with stage() as on:
        thread = await on.start()
        pinned = await asked(on, thread, "pin", text="Tobias lost a glove.")
        assert (pinned.content, pinned.messages[0].ephemeral) == ("Taken.", True)
        await on.service.receiver.settled(place_of(thread.id))
        assert (await on.session(thread)).memory.facts == ("Tobias lost a glove.",)
        assert min(on.clock.sleeping) == PASSING
        on.clock.move(PASSING)
        await on.loopback.wait_until(lambda: not pinned.messages)


async def test_a_command_that_has_something_written_says_so() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        assert (await asked(on, thread, "retry")).content == "Writing…"
        await on.service.receiver.settled(place_of(thread.id))
        assert len((await on.session(thread)).turns[-1].variants) == 2


async def test_status_is_for_all_to_see_and_help_for_whoever_asked() -> None:
    async with stage() as on:
        thread = await on.start()
        status = await asked(on, thread, "rp status")
        assert (status.messages[0].ephemeral, status.content.splitlines()[0]) == (False, "Mira with Tobias.")
        helped = await asked(on, thread, "help", command="rp start")
        assert helped.messages[0].ephemeral
        assert "A character" in helped.content or "Who the model plays" in helped.content


async def test_a_refusal_of_what_was_announced_to_all_is_told_to_whoever_asked_alone() -> None:
    async with stage() as on:
        refused = await asked(on, on.text, "rp status")
        await on.loopback.wait_until(lambda: [each.ephemeral for each in refused.messages] == [True])
        assert refused.content == "There is no story in this place; start begins one."
        assert [each for each in on.loopback.messages(on.text) if each.author.id == on.loopback.bot_id] == []


async def test_a_value_that_is_out_of_bounds_is_refused_with_a_sentence() -> None:
    async with stage() as on:
        thread = await on.start()
        refused = await on.loopback.slash(on.player, thread, "persona set", {"name": "x" * 80, "description": "y" * 4000})
        assert await on.said(refused) == "Taken."
        blank = await on.loopback.slash(on.player, thread, "roll", {"dice": "   "})
        assert (await on.said(blank)).startswith("Dice is missing")


async def test_moderators_are_known_by_their_permissions_and_everyone_decides_in_direct_messages() -> None:
    async with stage() as on:
        thread = await on.start()
        other = on.loopback.add_user("Joren")
        held = ("view_channel", "send_messages_in_threads", "use_application_commands")
        refused = await on.loopback.slash(other, thread, "rp end", permissions=held)
        await on.loopback.wait_until(lambda: refused.followups)
        assert refused.content.startswith("Only who began this story")
        ended = await on.loopback.slash(other, thread, "rp end", permissions=(*held, "manage_threads"))
        assert (await on.said(ended)).startswith("The story has ended")
        await on.start(on.dm)
        assert (await on.ask(on.dm, "rp end")).startswith("The story has ended")


async def test_a_command_finds_what_its_giver_wrote_just_before_it() -> None:
    async with stage(["She nods.", "She smiles."]) as on:
        thread = await on.start()
        await on.post(thread, "Tobias knocks.")
        on.ears.written = lambda: _posted(on, thread, "Tobias shouts.")
        await on.ask(thread, "undo")
        assert [turn.text for turn in (await on.session(thread)).turns][1:] == ["Tobias knocks.", "She nods."]
        assert on.ears.handed_in[-1:] == [(place_of(thread.id), f"discord:{on.player.id}")]


async def _posted(on: Stage, thread: Channel, text: str) -> None:
    await on.post(thread, text)


async def test_a_reply_is_stopped_at_once_and_the_word_for_it_goes_again() -> None:
    pause = Pause(2)
    async with stage([ScriptedReply(("She nods.", " She smiles.", " She sits."), pause=pause)]) as on:
        thread = await on.start()
        posting = asyncio.create_task(on.post(thread, "Tobias knocks."))
        await pause.reached.wait()
        stopped = await asked(on, thread, "stop")
        assert (stopped.content, stopped.messages[0].ephemeral) == ("The reply is stopped.", True)
        pause.go.set()
        await posting
        assert (await on.session(thread)).turns[-1].text == "She nods. She smiles."
        on.clock.move(PASSING)
        await on.loopback.wait_until(lambda: not stopped.messages)


async def test_a_card_is_taken_in_from_a_file() -> None:
    async with stage() as on:
        data = json.dumps(CARD).encode()
        imported = await on.loopback.slash(on.player, on.text, "character import", attachments={"file": ("joren.json", data)})
        said = await imported.wait_for_message()
        assert said.ephemeral
        assert said.content.startswith("Joren is in the library")
        assert [title.name for title in await on.store.library()] == ["Joren", "Mira"]


async def test_the_story_goes_home_as_a_file_for_whoever_asked() -> None:
    async with stage() as on:
        thread = await on.start()
        taken = await asked(on, thread, "rp export", format="markdown")
        (message,) = taken.messages
        assert message.ephemeral
        assert [each.filename for each in message.attachments] == ["mira.md"]
        assert b"We close at ten" in message.attachments[0].data


async def test_a_file_that_discord_would_not_take_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as on:
        thread = await on.start()
        monkeypatch.setattr("tests.fakes.discord.posting.MAX_FILE", 10)
        taken = await asked(on, thread, "rp export", format="markdown")
        assert taken.content.startswith("The file is too large for Discord")
        assert taken.messages[0].attachments == []


async def test_a_long_answer_comes_in_several_messages_and_a_very_long_one_as_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as on:
        thread = await on.start()
        said = " ".join(["What happened before."] * 150)
        await on.ask(thread, "summary edit", {"text": said})
        shown = await on.loopback.slash(on.player, thread, "summary show")
        await shown.wait_for_message(number=2)
        assert " ".join(each.content for each in shown.messages) == said
        monkeypatch.setattr(replying, "MOST_MESSAGES", 1)
        again = await asked(on, thread, "summary show")
        assert again.messages[0].attachments[0].data.decode() == said


async def test_a_store_that_is_away_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as on:
        thread = await on.start()

        async def away(*_: object, **__: object) -> None:
            raise StoreUnavailable("The database is locked.")

        monkeypatch.setattr(on.store, "receive", away)
        pinned = await asked(on, thread, "pin", text="A fact.")
        assert pinned.content == "The stories cannot be reached now; try again in a moment. Nothing was changed."


@pytest.mark.parametrize("kind", ["cut after", "500 after"])
async def test_an_answer_whose_acknowledgement_was_cut_off_after_it_arrived_is_carried_out_once(kind: str) -> None:
    async with stage() as on:
        thread = await on.start()
        on.loopback.faults.add(route="POST /interactions/*", nth=1, kind=kind)
        assert (await asked(on, thread, "pin", text="A fact.")).content == "Taken."
        await on.service.receiver.settled(place_of(thread.id))
        assert (await on.session(thread)).memory.facts == ("A fact.",)


async def test_an_answer_whose_way_was_cut_off_is_brought_again_with_its_file() -> None:
    async with stage() as on:
        thread = await on.start()
        on.loopback.faults.add(route="PATCH /webhooks/*", kind="cut before")
        taken = await asked(on, thread, "rp export", format="markdown")
        assert b"We close at ten" in taken.messages[0].attachments[0].data


async def test_nothing_that_is_answered_pings_anybody() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.ask(thread, "rp status")
        sent = [each.body for each in on.loopback.requests if each.method in {"POST", "PATCH"} and "/webhooks/" in each.path]
        assert sent
        assert all(each["allowed_mentions"]["parse"] == [] for each in sent if each and "content" in each)


async def test_characters_players_and_turns_are_completed_while_they_are_typed() -> None:
    async with stage() as on:
        thread = await on.start()
        await on.post(thread, "Tobias asks for a room. " * 10)
        await on.keep(replace(MIRA, name="Joren"))

        async def offered(command: str, option: str, typed: str) -> list[object]:
            return [each["value"] for each in await on.loopback.autocomplete(on.player, thread, command, option, typed)]

        assert await offered("rp start", "character", "jo") == ["Joren"]
        assert await offered("rp start", "character", "") == ["Joren", "Mira"]
        assert await offered("speak", "character", "") == ["Mira"]
        assert await offered("remove", "player", "tob") == ["Tobias"]
        assert await offered("help", "command", "rp st") == ["rp start", "rp status"]
        assert await offered("edit", "turn", "") == [2, 1, 0]
        assert await offered("edit", "turn", "1") == [1]
        turns = await on.loopback.autocomplete(on.player, thread, "edit", "turn", "room")
        assert [each["name"][:32] for each in turns] == ["1 · Tobias: Tobias asks for a ro"]
        assert len(turns[0]["name"]) == 100
        assert await on.loopback.autocomplete(on.player, on.text, "edit", "turn", "") == []


async def test_a_defect_in_an_answer_is_told_and_does_not_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as on:
        thread = await on.start()
        with monkeypatch.context() as patched:
            patched.setattr(type(on.service.desk), "answer", None)
            failed = await asked(on, thread, "rp why")
            assert failed.content.startswith("Something went wrong inside")
            assert str(failed.id) in failed.content
        assert (await asked(on, thread, "rp why")).content.startswith("Nothing was left unanswered")


async def test_what_was_acknowledged_too_late_is_not_carried_out(caplog: pytest.LogCaptureFixture) -> None:
    async with stage() as on:
        thread = await on.start()
        await on.loopback.slash(on.player, thread, "pin", {"text": "A fact."})
        on.loopback.clock.move(4)
        await until(lambda: "10062" in caplog.text)
        await on.service.receiver.settled(place_of(thread.id))
        assert (await on.session(thread)).memory.facts == ()


async def test_an_answer_that_comes_after_a_quarter_of_an_hour_is_logged_and_the_work_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage() as on:
        thread = await on.start()
        held = on.loopback.faults.add(route="PATCH /webhooks/*", kind="delay")
        await on.loopback.slash(on.player, thread, "pin", {"text": "A fact."})
        await held.reached.wait()
        on.loopback.clock.move(1000)
        held.release()
        await until(lambda: "could not be answered" in caplog.text)
        assert (await on.session(thread)).memory.facts == ("A fact.",)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [("retry", "There is no story in this place."), ("pin", "There is no story in this place.")],
)
async def test_a_command_on_the_story_says_where_there_is_none(command: str, sentence: str) -> None:
    async with stage() as on:
        options = {"text": "A fact."} if command == "pin" else {}
        assert (await asked(on, on.text, command, **options)).content == sentence
        assert await on.store.waiting() == ()


async def test_what_is_not_theirs_is_told_to_whoever_asked_and_not_to_the_place() -> None:
    async with stage() as on:
        thread, other = await on.start(), on.loopback.add_user("Joren")
        refused = await on.loopback.slash(other, thread, "retry")
        assert await on.said(refused) == "Only those who play in this story can do that; post in it first."
        await on.service.receiver.settled(place_of(thread.id))
        assert [each.author.name for each in on.loopback.messages(thread) if each.author.id == on.loopback.bot_id] == []


async def test_a_command_of_an_earlier_version_is_refused_with_a_sentence() -> None:
    async with stage() as on:
        thread = await on.start()
        old = {"name": "whisper", "description": "Once there", "type": 1}
        await on.client.http.bulk_upsert_global_commands(on.application, [old])
        assert (await asked(on, thread, "whisper")).content.startswith("There is no command whisper")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_goes_wrong_on_the_way_a_command_is_carried_out_once_or_not_at_all(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        thread = await on.start()
        on.loopback.faults.random(seed, 0.3, ("500 before", "500 after", "cut before", "cut after"), "POST /interactions/*")
        pinned = [await on.loopback.slash(on.player, thread, "pin", {"text": f"Fact {number}."}) for number in range(12)]
        for each in pinned:
            await on.handled(each)
        on.loopback.faults.clear()
        facts = (await on.session(thread)).memory.facts
        assert len(set(facts)) == len(facts) > 0
        told = [number for number, each in enumerate(pinned) if each.messages and each.content == "Taken."]
        assert sorted(f"Fact {number}." for number in told) == sorted(facts)
        assert not any(message.is_loading for each in pinned for message in each.messages if each.content != "Taken.")
        assert "an interaction failed" not in caplog.text
