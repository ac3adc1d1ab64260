"""Direct chats on a real homeserver: one for each person, found again, with nobody else in it, and usable at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.matrix.commands.direct import BETWEEN_LOOKS, DIRECT, LOOKS, Direct
from adapters.matrix.posting.content import Spot, message
from adapters.matrix.posting.sending import MESSAGE, Sending
from adapters.matrix.words import place_of
from bot.errors import OutcomeUnknown, TryLater
from tests.adapters.matrix.posting.scene import Scene, scene_on, sealed_person
from tests.fakes.clock import FrozenClock
from tests.homeserver import faults
from tests.homeserver.people import Person
from tests.homeserver.server import Synapse

MAKING = "POST /createRoom"


class Hearing(FrozenClock):
    """A clock whose every wait lets the bot hear what is new."""

    scene: Scene | None = None

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        if self.scene is not None:
            await self.scene.sync()


@pytest.fixture
async def scene(homeserver: Synapse, tmp_path: Path) -> AsyncGenerator[Scene, None]:
    clock = Hearing()
    async with scene_on(homeserver, tmp_path, clock) as made:
        clock.scene = made
        yield made


@pytest.fixture
def direct(scene: Scene) -> Direct:
    return Direct(scene.line, scene.rooms, scene.clock)


@asynccontextmanager
async def bot_of(scene: Scene) -> AsyncGenerator[Person, None]:
    """The bot's account in another client."""
    async with Person(scene.login) as bot:
        yield bot


async def test_two_who_ask_at_once_get_one_room_that_is_found_again_after_a_restart(scene: Scene, direct: Direct) -> None:
    user = scene.tobias.user_id
    chats = await asyncio.gather(direct.chat_with(user), direct.chat_with(user))
    rooms = [chat.room for chat in chats]
    assert not chats[0].is_joined
    assert rooms[0] == rooms[1]
    async with bot_of(scene) as bot:
        assert await bot.membership(rooms[0], user) == "invite"
        assert await bot.account_data(DIRECT) == {user: [rooms[0]]}
    await scene.restart()
    assert (await Direct(scene.line, scene.rooms, scene.clock).chat_with(user)).room == rooms[0]
    assert scene.between.count(MAKING) == 1


async def test_what_is_said_at_once_in_a_new_room_is_encrypted_and_read_by_whoever_was_invited(
    scene: Scene, direct: Direct
) -> None:
    async with sealed_person(scene) as aled:
        room = (await direct.chat_with(aled.user_id)).room
        sending = Sending(scene.line, scene.rooms, scene.clock)
        await sending.send(place_of(room), MESSAGE, message("Only for you.", spot=Spot()), "key")
        await aled.join(room)
        await aled.until_shown(room, lambda shown: [each.body for each in shown] == ["Only for you."])
        async with Person(aled.login) as outside:
            assert "m.room.message" not in {event["type"] for event in await outside.timeline(room)}


async def test_a_room_that_somebody_made_for_the_two_is_taken_and_noted(scene: Scene, direct: Direct) -> None:
    named, plain = await scene.room(name="Tavern"), await scene.room(direct=True)
    assert (await direct.chat_with(scene.tobias.user_id)).room == plain != named
    async with bot_of(scene) as bot:
        assert await bot.account_data(DIRECT) == {scene.tobias.user_id: [plain]}
    assert scene.between.count(MAKING) == 0


async def test_a_room_that_others_are_in_or_can_enter_is_no_direct_chat_even_if_noted(scene: Scene, direct: Direct) -> None:
    user = scene.tobias.user_id
    async with sealed_person(scene) as aled, bot_of(scene) as bot:
        shared = await scene.tobias.create_room(invite=[scene.login.user_id, aled.user_id])
        await aled.join(shared)
        await scene.join(shared)
        public = await scene.room(public=True)
        await bot.set_account_data(DIRECT, {user: [shared, public, 7], aled.user_id: "x"})
        room = (await direct.chat_with(user)).room
        assert room not in {shared, public}
        assert await bot.account_data(DIRECT) == {user: [shared, public, room], aled.user_id: "x"}


async def test_somebody_who_left_is_asked_back_into_the_same_room(scene: Scene, direct: Direct) -> None:
    user = scene.tobias.user_id
    room = (await direct.chat_with(user)).room
    await scene.tobias.join(room)
    await scene.tobias.leave(room)
    await scene.sync()
    assert (await direct.chat_with(user)).room == room
    async with bot_of(scene) as bot:
        assert await bot.membership(room, user) == "invite"


async def test_a_room_whose_making_was_not_answered_is_found_instead_of_making_another(scene: Scene, direct: Direct) -> None:
    scene.between.cut(MAKING, faults.Cut.AFTER, times=1)
    with pytest.raises(OutcomeUnknown):
        await direct.chat_with(scene.tobias.user_id)
    await scene.sync()
    [made] = scene.rooms.joined
    assert (await direct.chat_with(scene.tobias.user_id)).room == made
    assert scene.between.count(MAKING) == 1


async def test_a_room_that_is_not_heard_of_is_waited_for_and_no_other_is_made(scene: Scene, direct: Direct) -> None:
    deaf = Hearing()
    direct.clock = deaf
    with pytest.raises(TryLater):
        await direct.chat_with(scene.tobias.user_id)
    assert deaf.ticks() == LOOKS * BETWEEN_LOOKS
    deaf.scene = scene
    room = (await direct.chat_with(scene.tobias.user_id)).room
    assert room in scene.rooms.joined
    assert scene.between.count(MAKING) == 1
