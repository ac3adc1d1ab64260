"""What a sync left out is read afterwards: in its place, as far back as the settings say, and however long that takes."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.ears import gaps
from adapters.matrix.ears.around import Around, Inbox
from adapters.matrix.ears.arriving import Gap
from adapters.matrix.ears.gaps import Gaps
from adapters.matrix.rooms import Rooms
from adapters.matrix.settings import Settings
from adapters.matrix.words import MATRIX
from bot.metrics import Metrics
from tests.adapters.matrix.ears.ears import Bot, FastClock, Recorder, listening, listening_through, room_with
from tests.fakes.store import MemoryStore
from tests.homeserver.between import Between
from tests.homeserver.faults import Answer, refusal
from tests.homeserver.people import Person, people
from tests.homeserver.server import Login, Synapse

LIMIT = 3
SAID = [str(number) for number in range(12)]


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


async def missed(bot: Bot, mira: Person, room: str, texts: list[str]) -> None:
    """Written while the bot is off; it is on again afterwards."""
    await bot.until(lambda: bot.supervisor.is_idle)
    await bot.stop()
    for text in texts:
        await mira.say(room, text)
    bot.start()


async def test_a_gap_is_read_no_further_back_than_the_settings_say(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        people(homeserver, "mira") as (mira,),
        listening(login, tmp_path, timeline=LIMIT, catch_up_messages=4) as bot,
    ):
        room = await room_with(bot, mira)
        await missed(bot, mira, room, SAID)
        await bot.until_heard(room, SAID[-LIMIT - 4 :])
        (line,) = [each for each in caplog.records if each.levelno >= logging.WARNING and each.name.endswith("gaps")]
        assert "it read the newest 4 events" in line.getMessage()
        assert bot.metrics.counts["matrix_gaps_cut", ""] == 1


async def test_what_was_written_longer_ago_than_the_settings_say_is_left_out(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FastClock()
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, timeline=LIMIT, clock=clock) as bot:
        room = await room_with(bot, mira)
        clock.pass_by(25 * 3600)
        await missed(bot, mira, room, SAID)
        await bot.until_heard(room, SAID[-LIMIT:])
        assert "it read the newest 0 events" in caplog.text


async def test_a_gap_that_cannot_be_read_holds_up_its_room_alone_and_nothing_is_lost(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with listening_through(homeserver, login, tmp_path, timeline=LIMIT) as (bot, between, mira):
        room, other = await room_with(bot, mira), await room_with(bot, mira)
        between.fail("/messages")
        await missed(bot, mira, room, SAID)
        await between.until_asked("/messages", 1)
        await mira.say(room, "later")
        await mira.say(other, "elsewhere")
        await bot.until_heard(other, ["elsewhere"])
        assert not bot.listener.texts(room)
        await bot.restart()
        await between.until_asked("/messages", 2)
        between.calm()
        await bot.until_heard(room, [*SAID, "later"])
        assert between.count("/messages") < 15
        await bot.until(lambda: bot.supervisor.is_idle)
        assert not await bot.store.arrived(MATRIX)


async def test_a_gap_that_the_homeserver_refuses_to_show_is_passed_over_with_a_line(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening_through(homeserver, login, tmp_path, timeline=LIMIT) as (bot, between, mira):
        room = await room_with(bot, mira)
        between.answer("/messages", refusal(403, "M_FORBIDDEN", "no"))
        await missed(bot, mira, room, SAID)
        await bot.until_heard(room, SAID[-LIMIT:])
        assert "cannot be read: it answered 403 (M_FORBIDDEN)" in caplog.text
        assert between.count("/messages") == 1


Break = Callable[[Between], object]
ANSWERS: tuple[tuple[str, Break], ...] = (
    ("a limit", lambda between: between.limit("/messages", 100, times=2)),
    ("no JSON", lambda between: between.answer("/messages", Answer(200, b"<html>"), times=2)),
    ("a list", lambda between: between.answer("/messages", Answer(200, b"[]", "application/json"), times=2)),
)


async def test_a_gap_is_read_once_the_homeserver_answers_rightly(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with listening_through(homeserver, login, tmp_path, timeline=LIMIT) as (bot, between, mira):
        room, heard = await room_with(bot, mira), list[str]()
        for name, fault in ANSWERS:
            said = [f"{name} {text}" for text in SAID[:6]]
            fault(between)
            await missed(bot, mira, room, said)
            heard += said
            await bot.until_heard(room, heard)
        assert between.count("/messages") > 2 * len(ANSWERS)


PAGES: tuple[dict[str, object], ...] = (
    {},
    {"chunk": 5, "end": "t1"},
    {"chunk": [5, None, {"type": []}], "end": []},
    {"chunk": [], "end": "t1"},
)


async def test_pages_of_any_shape_come_to_an_end(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with listening_through(homeserver, login, tmp_path, timeline=LIMIT) as (bot, between, mira):
        room, heard = await room_with(bot, mira), list[str]()
        for page in PAGES:
            between.calm()
            between.answer("/messages", Answer(200, json.dumps(page).encode(), "application/json"))
            await missed(bot, mira, room, SAID[:6])
            heard += SAID[6 - LIMIT : 6]
            await bot.until_heard(room, heard)
        assert between.count("/messages") <= 3 * len(PAGES)


async def test_a_room_that_was_just_joined_is_read_back_to_the_joining_and_no_further(
    homeserver: Synapse, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "PAGE", len(SAID))
    async with (
        listening_through(homeserver, login, tmp_path, timeline=LIMIT) as (bot, between, mira),
        Person(login) as himself,
    ):
        room = await mira.create_room("Tavern", public=True)
        await bot.stop()
        for number in range(3 * len(SAID)):
            await mira.say(room, f"before {number}")
        await himself.join(room)
        for text in SAID:
            await mira.say(room, text)
        bot.start()
        await bot.until_heard(room, SAID)
        assert between.count("/messages") <= 2


async def test_edits_reactions_and_redactions_in_a_gap_are_heard_in_their_place(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, timeline=LIMIT) as bot:
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()
        event = await mira.say(room, "one")
        await mira.edit(room, event, "two")
        await mira.react(room, event, "🔄")
        lost = await mira.say(room, "lost")
        await mira.redact(room, lost)
        for text in SAID:
            await mira.say(room, text)
        bot.start()
        await bot.until_heard(room, ["one", "edit: two", "🔄", "redaction", *SAID])


async def test_empty_pages_come_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock, metrics, asked = MemoryStore(), FastClock(), Metrics(), list[str]()

    async def answer(*given: Any) -> dict[str, Any]:
        asked.append(given[3].get("from", ""))
        return {"chunk": [], "end": f"t{len(asked)}"}

    monkeypatch.setattr(gaps, "asked", answer)
    around = Around(Settings(folder=tmp_path), clock, store, Rooms(store), Recorder(), metrics, Inbox(store))
    client: Any = object()
    around.connect(client, "@bot:matrix.test")
    assert not await Gaps(around).read(Gap("!room", "t0", "s0", clock.now()))
    assert asked == ["t0", "t1", "t2"]
