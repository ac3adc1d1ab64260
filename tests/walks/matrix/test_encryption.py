"""Stories in rooms on Matrix whose encryption, people or devices change while they are played."""

from pathlib import Path

from tests.homeserver.identities import Identity
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Synapse
from tests.walks.matrix.whole import GREETING, Whole, whole

ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}
REPLIES = ["She nods.", "She smiles.", "She sits.", "She laughs."]


async def _vouched(person: Person) -> None:
    """The person's own identity vouches for this device, as Element's users' do."""
    identity = Identity(person.user_id)
    await identity.publish(person.wire)
    await identity.vouch_for(person.wire, person.login.device_id)


async def _in_clear(bot: Whole, room: str) -> int:
    """How many messages of the bot stand in a room as somebody without keys sees it."""
    async with Person(bot.player.login) as outside:
        return sum(each.is_readable for each in await outside.shown_everywhere(room) if each.sender == bot.login.user_id)


async def test_a_story_goes_on_when_its_room_becomes_encrypted(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, REPLIES, is_sealed=True) as bot:
        room = await bot.story()
        await bot.post(room, "Tobias knocks.")
        before = await _in_clear(bot, room)
        await bot.player.set_state(room, "m.room.encryption", ENCRYPTION)
        await bot.quiet(room)
        [*_, old] = await bot.posts(room)
        await bot.react(room, old.event_id, "🔄")
        [*_, new] = await bot.posts(room)
        assert (new.event_id, new.text) == (old.event_id, "She smiles."), (
            "what was sent in clear is changed by an encrypted edit"
        )
        await bot.post(room, "Tobias comes in.")
        assert (await bot.posts(room))[-1].text == "She sits."
        assert await _in_clear(bot, room) == before
        await bot.restart()
        await bot.post(room, "Tobias waits.")
        assert (await bot.posts(room))[-1].text == "She laughs."
        assert await _in_clear(bot, room) == before
        await bot.check(room)


async def test_newcomers_and_new_devices_read_what_is_played_from_then_on(homeserver: Synapse, tmp_path: Path) -> None:
    async with whole(homeserver, tmp_path, REPLIES, is_sealed=True) as bot:
        room = await bot.story(encrypted=True)
        await bot.post(room, "Tobias knocks.")
        async with Sealed(homeserver.register(homeserver.fresh_name("ada"))) as ada:
            await _vouched(ada)
            await bot.come(room, ada)
            await bot.post(room, "Ada comes in.", by=ada)
            newest = (await ada.shown(room))[-1]
            assert (newest.text, newest.name) == ("She smiles.", "Mira")
            async with Sealed(homeserver.log_in(ada.login)) as phone:
                await bot.post(room, "Ada waits.", by=phone)
                assert (await phone.shown(room))[-1].text == (await ada.shown(room))[-1].text == "She sits."
            await bot.player.kick(room, ada.user_id)
            await bot.until(lambda: ada.user_id not in bot.courier.rooms.of(room).members)
            await bot.post(room, "Tobias is alone.")
            assert "She laughs." not in [each.text for each in await ada.shown(room)]
        said = [GREETING, "Tobias knocks.", "She nods.", "Ada comes in.", "She smiles.", "Ada waits.", "She sits."]
        assert await bot.told_in(room) == [*said, "Tobias is alone.", "She laughs."]
