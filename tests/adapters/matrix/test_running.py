"""The connection under everything that a homeserver and an operator do: it comes back, loses nothing, and never hammers."""

import asyncio
import logging
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix import running as supervising
from adapters.matrix.client import OldStore, locked
from adapters.matrix.ears import stream
from adapters.matrix.keeping import Seeds
from adapters.matrix.running import DEACTIVATED, LOST, NO_ACCOUNT
from adapters.matrix.trust.bootstrap import NO_IDENTITY
from bot.errors import StoreUnavailable
from tests.adapters.matrix.ears.ears import FastClock, listening, listening_through, room_with
from tests.adapters.matrix.trust.elsewhere import set_up
from tests.fakes.store import MemoryStore
from tests.homeserver.between import Between
from tests.homeserver.faults import Answer, Cut
from tests.homeserver.people import Person, people
from tests.homeserver.server import Login, Synapse, running
from tests.homeserver.trust import signed_devices


@pytest.fixture
def login(homeserver: Synapse) -> Login:
    return homeserver.register(homeserver.fresh_name("bot"))


async def passes(clock: FastClock, seconds: float) -> None:
    """Let the bot's time run on."""
    await clock.sleep(seconds)


def most_requests(seconds: float) -> int:
    """How often it may ask within so many seconds of trouble: after 1, 2, 4, … 60 seconds, each wait half of it at least."""
    asked, at, wait = 1, 0.0, 1.0
    while at < seconds:
        asked, at, wait = asked + 1, at + wait / 2, min(wait * 2, 60.0)
    return asked


Break = Callable[[Between], object]
TROUBLES: tuple[tuple[str, Break, str], ...] = (
    ("bad gateway", lambda between: between.fail("/sync", 502), "it answered 502"),
    ("no JSON", lambda between: between.answer("/sync", Answer(200, b"<html>")), "its answer is none of Matrix"),
    ("no end", lambda between: between.answer("/sync", Answer(200, b"{}", "application/json")), "its answer is none of Matrix"),
    ("cut", lambda between: between.cut("/sync", Cut.BEFORE), "it closed the connection"),
    ("cut midway", lambda between: between.cut("/sync", Cut.MIDWAY), "broke"),
    ("forbidden", lambda between: between.fail("/sync", 403), "it answered 403"),
)


async def test_trouble_is_said_once_asked_about_rarely_and_loses_nothing(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FastClock(300.0)
    async with listening_through(homeserver, login, tmp_path, clock=clock) as (bot, between, mira):
        room, heard = await room_with(bot, mira), list[str]()
        for name, fault, why in TROUBLES:
            await bot.until(lambda: bot.supervisor.is_idle)
            caplog.clear()
            fault(between)
            # The request that is waiting is answered with the first, and the next one meets the fault.
            before, began = between.count("/sync"), clock.ticks()
            for text in (f"{name} one", f"{name} two"):
                heard.append(text)
                await mira.say(room, text)
            await passes(clock, 120)
            asked, lasted = between.count("/sync") - before, clock.ticks() - began
            # The HTTP client itself asks once more where a connection was closed that had been used before.
            assert 2 < asked <= most_requests(lasted) * (2 if name == "cut" else 1), name
            assert why in bot.supervisor.state.trouble
            lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
            assert lines == [bot.supervisor.state.trouble]
            between.calm()
            await bot.until_heard(room, heard)
            await bot.until(lambda: not bot.supervisor.state.trouble)
        assert bot.metrics.total("matrix_sync_errors") == bot.supervisor.state.errors > len(TROUBLES)


async def test_a_homeserver_that_asks_for_patience_gets_it(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    clock = FastClock(200.0)
    async with listening_through(homeserver, login, tmp_path, clock=clock) as (bot, between, mira):
        await room_with(bot, mira)
        between.limit("/sync", 100_000)
        await bot.restart()
        await bot.until(lambda: bot.supervisor.state.errors == 1)
        await passes(clock, 80)
        assert bot.supervisor.state.errors == 1
        between.calm()
        await bot.until_connected()


async def test_a_homeserver_that_does_not_wait_is_asked_slower(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, _):
        between.answer("/sync", Answer(200, b'{"next_batch": "s1"}', "application/json"))
        await bot.restart()
        await bot.until_connected()
        before, began = between.count("/sync"), bot.clock.ticks()
        await bot.clock.sleep(20)
        assert between.count("/sync") - before <= 10 + (bot.clock.ticks() - began) / 5


async def test_a_homeserver_that_does_not_know_any_more_how_far_was_read_is_read_from_now_on(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening_through(homeserver, login, tmp_path, clock=FastClock(200.0)) as (bot, between, mira):
        room = await room_with(bot, mira)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()
        between.fail("/sync", 400, times=stream.REFUSALS)
        bot.start()
        await bot.until_connected()
        assert stream.BEGUN_ANEW in caplog.text
        await mira.say(room, "now")
        await bot.until_heard(room, ["now"])


async def test_an_answer_that_does_not_come_is_not_waited_for_without_end(
    homeserver: Synapse, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, mira):
        room = await room_with(bot, mira)
        monkeypatch.setattr(stream, "FIRST_PATIENCE", 0.1)
        between.hold("/sync")
        await bot.restart()
        await bot.until(lambda: "it did not answer in time" in bot.supervisor.state.trouble)
        await mira.say(room, "one")
        monkeypatch.undo()
        between.calm()
        await bot.until_heard(room, ["one"])


async def test_after_a_lost_login_it_asks_no_more_and_goes_on_with_a_new_one(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FastClock(200.0)
    async with listening_through(homeserver, login, tmp_path, clock=clock) as (bot, between, mira):
        room = await room_with(bot, mira)
        await mira.say(room, "one")
        await bot.until_heard(room, ["one"])
        new = homeserver.log_in(login)
        homeserver.log_out(login)
        await bot.until(lambda: bot.supervisor.state.trouble == LOST)
        assert not bot.supervisor.state.is_connected
        before = len(between.asked)
        await mira.say(room, "two")
        await passes(clock, 100)
        assert len(between.asked) == before
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [LOST]
        await bot.log_in(between.through(new))
        await bot.until_heard(room, ["one", "two"])
        await bot.until(lambda: not bot.supervisor.state.trouble)


async def test_a_deactivated_account_is_told_of_so(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    async with listening_through(homeserver, login, tmp_path) as (bot, between, _):
        refused = b'{"errcode": "M_USER_DEACTIVATED"}'
        between.answer("/sync", Answer(403, refused, "application/json"))
        await bot.restart()
        await bot.until(lambda: bot.supervisor.state.trouble == DEACTIVATED)


async def test_without_an_account_it_waits_for_one(login: Login, tmp_path: Path) -> None:
    async with listening(login, tmp_path, is_started=False, clock=FastClock(200.0)) as bot:
        kept = bot.folder.account_file.read_bytes()
        bot.folder.account_file.unlink()
        bot.start()
        await bot.until(lambda: bot.supervisor.state.trouble == NO_ACCOUNT)
        bot.folder.account_file.write_bytes(kept)
        await bot.until_connected()


async def test_a_key_store_that_is_in_use_or_lost_is_told_of_and_taken_up_when_it_is_back(login: Login, tmp_path: Path) -> None:
    async with listening(login, tmp_path, is_started=False, clock=FastClock(200.0)) as bot:
        lock = locked(bot.folder)
        bot.start()
        await bot.until(lambda: "stop it first" in bot.supervisor.state.trouble)
        os.close(lock)
        await bot.until_connected()
        await bot.stop()
        shutil.move(bot.folder.keys, tmp_path / "aside")
        bot.start()
        await bot.until(lambda: "is missing" in bot.supervisor.state.trouble)
        shutil.rmtree(bot.folder.keys)
        shutil.move(tmp_path / "aside", bot.folder.keys)
        await bot.until_connected()


async def test_another_account_does_not_take_up_where_this_one_stood(homeserver: Synapse, login: Login, tmp_path: Path) -> None:
    other = homeserver.register(homeserver.fresh_name("other"))
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot, Person(other) as himself:
        room = await room_with(bot, mira)
        await mira.invite(room, other.user_id)
        await himself.join(room)
        await bot.until(lambda: bot.supervisor.is_idle)
        await bot.stop()
        await mira.say(room, "one")
        await bot.log_in(other)
        bot.start()
        await bot.until_connected()
        await mira.say(room, "two")
        await bot.until_heard(room, ["two"])


async def test_while_the_store_is_away_nothing_is_lost_and_nothing_overtakes(
    homeserver: Synapse, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        for name in ("take_in", "let_go", "bookmarks"):
            away_for_some_calls(monkeypatch, bot.store, name)
        for text in ("one", "two"):
            await mira.say(room, text)
        await bot.until_heard(room, ["one", "two"])
        await bot.restart()
        await mira.say(room, "three")
        await bot.until_heard(room, ["one", "two", "three"])


def away_for_some_calls(monkeypatch: pytest.MonkeyPatch, store: MemoryStore, name: str, times: int = 2) -> None:
    does, left = getattr(type(store), name), [times]

    async def away(*given: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise StoreUnavailable("away")
        return await does(*given)

    monkeypatch.setattr(type(store), name, away)


@pytest.mark.parametrize("seed", [1, 2])
async def test_restarts_at_random_moments_lose_nothing_and_change_no_order(
    homeserver: Synapse, login: Login, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311  a seed that can be tried again
    texts = [str(number) for number in range(20)]
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, timeline=4) as bot:
        room = await room_with(bot, mira)

        async def write() -> None:
            for text in texts:
                await mira.say(room, text)

        writing = asyncio.create_task(write())
        for _ in range(6):
            await asyncio.sleep(draw.random() * 0.1)
            await bot.restart()
        await writing
        await bot.until(lambda: texts[-1] in bot.listener.texts(room))
        # What a start brings again, the bot's store knows by its id: here it is left out.
        assert list(dict.fromkeys(bot.listener.texts(room))) == texts


@pytest.mark.slow
async def test_a_homeserver_that_is_stopped_and_started_is_heard_again(tmp_path: Path) -> None:
    with running() as homeserver:
        login = homeserver.register("bot")
        async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
            room = await room_with(bot, mira)
            await mira.say(room, "one")
            await bot.until_heard(room, ["one"])
            await asyncio.to_thread(homeserver.stop)
            await bot.until(lambda: "cannot be used" in bot.supervisor.state.trouble)
            await asyncio.to_thread(homeserver.start)
            await mira.say(room, "two")
            await bot.until_heard(room, ["one", "two"])
            await bot.until(lambda: not bot.supervisor.state.trouble)


def test_the_bound_that_these_tests_count_with_is_that_of_the_waits() -> None:
    assert (supervising.WAITS.first, supervising.WAITS.factor, supervising.WAITS.longest) == (1.0, 2.0, 60.0)
    assert most_requests(120) < 12


async def test_at_its_start_the_account_comes_to_vouch_for_the_bot(
    login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Person(login) as operator, listening(login, tmp_path, is_started=False) as bot:
        account = bot.folder.account()
        assert account is not None
        assert NO_IDENTITY in caplog.text
        seeds = await set_up(operator)
        bot.folder.keep(replace(account, seeds=Seeds(self_signing=seeds.self_signing)))
        bot.start()
        await bot.until_connected()
        keys = await operator.wire.ask("POST", "/keys/query", {"device_keys": {login.user_id: []}})
        assert signed_devices(keys, login.user_id) == {login.device_id}


async def test_with_other_keys_than_the_homeserver_has_it_does_not_go_on_until_there_is_another_login(
    homeserver: Synapse, login: Login, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path, clock=FastClock(200.0)) as bot:
        room = await room_with(bot, mira)
        await bot.stop()
        await bot.log_in(login)  # keys anew, under the device that is known
        bot.start()
        await bot.until(lambda: bot.supervisor.state.trouble == str(OldStore()))
        assert not bot.supervisor.state.is_connected
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [str(OldStore())]
        await mira.say(room, "one")
        await bot.log_in(homeserver.log_in(login))
        await bot.until_heard(room, ["one"])


async def test_a_homeserver_that_cannot_be_asked_about_keys_is_heard_all_the_same(
    homeserver: Synapse, login: Login, tmp_path: Path
) -> None:
    async with listening_through(homeserver, login, tmp_path, clock=FastClock(200.0)) as (bot, between, mira):
        room = await room_with(bot, mira)
        between.fail("/keys/query", 502)
        await bot.restart()
        await mira.say(room, "one")
        await bot.until_heard(room, ["one"])
        before = between.count("/keys/query")
        between.calm()
        await bot.clock.sleep(supervising.VOUCHED_SOON)
        await mira.say(room, "two")
        await bot.until(lambda: between.count("/keys/query") > before)


async def test_a_disk_that_is_full_when_keys_are_looked_after_does_not_keep_it_away(
    homeserver: Synapse, login: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> list[str]:
        raise OSError("no space left on device")

    monkeypatch.setattr(supervising, "ensure", full)
    async with people(homeserver, "mira") as (mira,), listening(login, tmp_path) as bot:
        room = await room_with(bot, mira)
        await mira.say(room, "hello")
        await bot.until_heard(room, ["hello"])
