"""The proxy carries everything as it is, breaks what it is told to break, and says what came."""

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from tests.homeserver.between import Between
from tests.homeserver.faults import Cut, Storm, refusal, template
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Synapse
from tests.homeserver.wire import Refusal

MESSAGE = "/send/m.room.message"


@pytest.fixture
async def between(homeserver: Synapse) -> AsyncGenerator[Between, None]:
    async with Between(homeserver.url) as proxy:
        yield proxy


@pytest.fixture
async def mira(homeserver: Synapse, between: Between) -> AsyncGenerator[Person, None]:
    """Mira, whose client goes through the proxy."""
    async with Person(between.through(homeserver.register(homeserver.fresh_name("mira")))) as person:
        yield person


async def test_everything_goes_through_as_it_is(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    file = bytes(range(256)) * 4000
    await mira.send_file(room, file, "lämp 100%.bin", "application/octet-stream")

    [shown] = await mira.shown(room)

    assert shown.body == "lämp 100%.bin"
    assert await mira.open_file(shown.content) == file
    with pytest.raises(Refusal, match="M_NOT_FOUND"):
        await mira.event(room, "$nothing")
    assert list(dict.fromkeys((each.line, each.status) for each in between.asked)) == [
        ("POST /createRoom", 200),
        ("POST /_matrix/media/v3/upload", 200),
        ("PUT /rooms/{}/send/m.room.message/{}", 200),
        ("GET /rooms/{}/messages", 200),
        ("GET /media/download/{}", 200),
        ("GET /rooms/{}/event/{}", 404),
    ]


async def test_a_client_that_encrypts_goes_through_as_well(between: Between, homeserver: Synapse) -> None:
    async with Sealed(between.through(homeserver.register(homeserver.fresh_name("mira")))) as sealed:
        room = await sealed.create_room(encrypted=True)
        await sealed.say(room, "The lamp went out.")
        assert (await sealed.shown(room))[0].body == "The lamp went out."
    assert between.count("/send/m.room.encrypted") == 1


async def test_a_failure_is_answered_as_often_as_was_said(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    rule = between.fail(MESSAGE, 503, times=2, body=b'{"errcode": "M_UNKNOWN"}')
    for _ in range(2):
        with pytest.raises(Refusal, match="503 M_UNKNOWN"):
            await mira.say(room, "Hello?")
    await mira.say(room, "Hello.")

    assert [each.body for each in await mira.shown(room)] == ["Hello."]
    assert (rule.hits, between.count(MESSAGE)) == (2, 3)


async def test_a_page_of_a_proxy_in_trouble_is_no_json(between: Between, mira: Person) -> None:
    between.fail("/createRoom")
    async with aiohttp.ClientSession() as client, client.post(f"{between.url}/_matrix/client/v3/createRoom") as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
    between.calm()
    await mira.create_room()


async def test_a_limit_says_how_long_to_wait(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    between.limit(MESSAGE, 4562, times=1)
    with pytest.raises(Refusal) as caught:
        await mira.say(room, "Hello?")
    assert (caught.value.status, caught.value.code, caught.value.retry_after_ms) == (429, "M_LIMIT_EXCEEDED", 4562)
    assert dict(refusal(429, "M_LIMIT_EXCEEDED", "", retry_after_ms=4562).headers) == {"Retry-After": "5"}


@pytest.mark.parametrize(("when", "arrives"), [(Cut.BEFORE, False), (Cut.AFTER, True), (Cut.MIDWAY, True)])
async def test_a_cut_comes_before_or_after_the_effect(between: Between, mira: Person, when: Cut, *, arrives: bool) -> None:
    room = await mira.create_room()
    between.cut(MESSAGE, when, times=1)
    with pytest.raises(aiohttp.ClientError):
        await mira.say(room, "Hello?")

    assert bool(await mira.shown(room)) is arrives
    [cut] = [each for each in between.asked if MESSAGE in each.line]
    assert (cut.fault, cut.status) == (when, None)


async def test_a_token_is_unknown_until_it_is_known_again(between: Between, mira: Person) -> None:
    between.forget_token()
    with pytest.raises(Refusal, match="401 M_UNKNOWN_TOKEN"):
        await mira.create_room()
    between.know_token()
    await mira.create_room()


async def test_what_is_held_goes_on_when_it_is_released(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    between.hold(MESSAGE)
    saying = asyncio.create_task(mira.say(room, "Hello?"))
    await between.until_asked(MESSAGE)
    assert await mira.shown(room) == []

    between.release()
    await saying
    await mira.say(room, "And again.")
    assert [each.body for each in await mira.shown(room)] == ["Hello?", "And again."]


async def test_a_client_that_goes_away_takes_what_is_held_along(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    between.hold(MESSAGE, times=1)
    saying = asyncio.create_task(mira.say(room, "Hello?"))
    await between.until_asked(MESSAGE)
    saying.cancel()
    await asyncio.wait({saying})

    await mira.say(room, "Once.")
    between.release()
    await mira.say(room, "Twice.")
    assert [each.body for each in await mira.shown(room)] == ["Once.", "Twice."]


async def test_what_is_slow_comes_later_and_nothing_else_waits(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    between.slow(MESSAGE, 0.2, times=1)
    late = asyncio.create_task(mira.say(room, "Late."))
    await between.until_asked(MESSAGE)
    await mira.say(room, "Early.")
    await late
    assert [each.body for each in await mira.shown(room)] == ["Early.", "Late."]


async def test_a_homeserver_that_is_away_is_a_bad_gateway(mira: Person) -> None:
    async with Between("http://127.0.0.1:9") as between, Person(between.through(mira.login)) as lost:
        with pytest.raises((Refusal, ValueError)):
            await lost.create_room()
        assert [each.status for each in between.asked] == [502]


async def test_a_storm_strikes_only_what_it_is_about_and_what_took_effect_is_there(between: Between, mira: Person) -> None:
    room = await mira.create_room()
    between.storm(7, 0.5, [MESSAGE], [Cut.BEFORE, Cut.AFTER])
    for number in range(20):
        await _try_to_say(mira, room, str(number))
    between.calm()

    struck = [each.fault for each in between.asked if MESSAGE in each.line]
    arrived = [number for number, fault in enumerate(struck) if fault is not Cut.BEFORE]
    assert {Cut.BEFORE, Cut.AFTER, None} == set(struck)
    assert [int(each.body) for each in await mira.shown(room)] == arrived
    assert {each.fault for each in between.asked if MESSAGE not in each.line} == {None}


async def _try_to_say(person: Person, room: str, body: str) -> None:
    try:
        await person.say(room, body)
    except aiohttp.ClientError:
        return


def test_a_storm_is_the_same_again() -> None:
    def strikes(seed: int) -> list[object]:
        storm = Storm(seed, 0.5, ["/send/"], [Cut.BEFORE, Cut.AFTER])
        return [storm.strike("PUT /rooms/{}/send/m.room.message/{}") for _ in range(50)]

    assert strikes(1) == strikes(1) != strikes(2)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/_matrix/client/v3/sync", "/sync"),
        ("/_matrix/client/v3/rooms/!a:b/send/m.room.message/tx.1", "/rooms/{}/send/m.room.message/{}"),
        ("/_matrix/client/v3/rooms/!a/redact/$b/tx", "/rooms/{}/redact/{}/{}"),
        ("/_matrix/client/v3/rooms/!a/state/m.room.member/@c:b", "/rooms/{}/state/m.room.member/{}"),
        ("/_matrix/client/r0/sendToDevice/m.room.encrypted/tx", "/sendToDevice/m.room.encrypted/{}"),
        ("/_matrix/client/v1/media/download/a.b/c", "/media/download/{}"),
        ("/_matrix/client/v1/rooms/!a/relations/$b/m.thread", "/rooms/{}/relations/{}/m.thread"),
        ("/_matrix/media/v3/upload", "/_matrix/media/v3/upload"),
    ],
)
def test_a_path_is_noted_without_ids(path: str, form: str) -> None:
    assert template(path) == form
