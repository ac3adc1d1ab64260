"""A whole evening on Matrix with the model that the program ships, in an encrypted room and a thread: all that players do."""

from pathlib import Path

import pytest

from adapters.llama.engine import open_engine
from adapters.matrix.posting import courier
from bot.story.policy import Rating
from bot.story.turn import Role
from tests.homeserver.identities import Identity
from tests.homeserver.people import Person
from tests.homeserver.sealed import Sealed
from tests.homeserver.server import Synapse
from tests.models import DEMO_MODEL
from tests.walks.matrix.whole import GREETING, Whole, whole
from tests.walks.noted import Noted

POST_LENGTH = 120
"""Short posts, so that the small model's replies take several."""

POSTS = (
    '"Is there a room left?" Tobias asked, and shook the rain from his coat.',
    "Tobias looked round the empty room, and sat down by the fire.",
    '"I have come a long way," he said. "They told me to ask for you."',
    '"Tell me what it opens," said Tobias.',
)


@pytest.mark.slow
@pytest.mark.parametrize("is_threaded", [False, True], ids=["room", "thread"])
async def test_a_whole_evening_with_the_bundled_model(
    homeserver: Synapse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_threaded: bool
) -> None:
    monkeypatch.setattr(courier, "POST_LENGTH", POST_LENGTH)
    real = open_engine(DEMO_MODEL, context=1024, slots=1, threads=1, batch=256, gpu_layers=0, rating=Rating.GENERAL)
    engine = Noted(real)
    try:
        async with (
            whole(homeserver, tmp_path, engine=engine, is_sealed=True) as bot,
            Sealed(homeserver.register(homeserver.fresh_name("aled"))) as aled,
        ):
            bot.patience = 60.0
            identity = Identity(aled.user_id)
            await identity.publish(aled.wire)
            await identity.vouch_for(aled.wire, aled.login.device_id)
            room = await bot.room(encrypted=True)
            await bot.come(room, aled)
            root = await bot.thread(room) if is_threaded else ""
            if not is_threaded:
                await bot.post(room, "!rp start Mira where:room")
            await Evening(bot, aled, room, root).play()
    finally:
        await real.close()


class Evening:
    """What Tobias and Aled do in a place."""

    def __init__(self, bot: Whole, aled: Person, room: str, root: str) -> None:
        self.bot, self.aled, self.room, self.root = bot, aled, room, root

    async def play(self) -> None:
        """All of it."""
        await self._post("!rp length short")
        written = [await self._post(text) for text in POSTS]
        told = await self._told()
        assert told[0] == GREETING
        assert told[1::2] == list(POSTS)
        assert len(told) == 1 + 2 * len(POSTS)
        turns = await self.bot.turns(self.room, self.root)
        assert any(len(turn.posts) > 1 for turn in turns), "some replies take several posts"
        await self._check()
        await self._look_at_versions(told)
        await self._change_posts(written)
        await self._stop_a_reply()
        await self._restart_during_a_reply()
        await self._come_back_after_a_while()

    async def _look_at_versions(self, told: list[str]) -> None:
        await self._post("!rp retry")
        last = (await self.bot.turns(self.room, self.root))[-1]
        assert (len(last.variants), last.selected) == (2, 1)
        await self._check()
        newest = (await self.bot.posts(self.room, self.root or None))[-1]
        await self.bot.react(self.room, newest.event_id, "⬅️")
        assert await self._told() == told, "the first version is back, to the letter"
        await self._check()

    async def _change_posts(self, written: list[str]) -> None:
        await self.bot.player.edit(self.room, written[2], '"I have walked for nine days," he said.')
        await self.bot.quiet(self.room)
        assert (await self._told())[5] == '"I have walked for nine days," he said.'
        long = next(t for t in await self.bot.turns(self.room, self.root) if t.role is Role.CHARACTER and len(t.posts) > 1)
        posts = await self.bot.posts(self.room, self.root or None)
        message = next(each for each in posts if each.text == long.posts[1].strip())
        changed = message.text.replace("e", "é", 1)
        await self.bot.player.say(self.room, f"!rp edit {changed}", reply_to=message.event_id, thread=self.root or None)
        await self.bot.quiet(self.room)
        (after,) = [turn for turn in await self.bot.turns(self.room, self.root) if turn.number == long.number]
        assert (after.posts[0], after.posts[1].strip()) == (long.posts[0], changed)
        await self.bot.player.redact(self.room, written[1])
        await self.bot.quiet(self.room)
        assert POSTS[1] not in await self._told()
        await self._check()

    async def _stop_a_reply(self) -> None:
        await self._post("!rp length huge")  # so that it is still being written when its first post stands
        first = await self._first_post_to("Tobias waited for her answer.")
        await self.bot.react(self.room, first, "⏹️")
        assert (await self._told())[-2] == "Tobias waited for her answer."
        await self._check()

    async def _restart_during_a_reply(self) -> None:
        await self._first_post_to('"Then I will tell you," he said.')
        await self.bot.restart()
        await self.bot.quiet(self.room)
        told = await self._told()
        assert told[-2] == '"Then I will tell you," he said.'
        assert told.count('"Then I will tell you," he said.') == 1
        await self._check()

    async def _come_back_after_a_while(self) -> None:
        told, thread = await self._told(), self.root or None
        await self.bot.close()
        await self.bot.player.say(self.room, "Tobias fell silent.", thread=thread)
        changed = await self.aled.say(self.room, "Aled came down the stairs.", thread=thread)
        await self.aled.edit(self.room, changed, "Aled came slowly down the stairs.")
        await self.bot.start()
        await self.bot.quiet(self.room)
        turns = (await self.bot.turns(self.room, self.root))[len(told) :]
        assert [turn.text for turn in turns if turn.author] == ["Tobias fell silent.", "Aled came slowly down the stairs."]
        assert turns[-1].role is Role.CHARACTER
        await self._check()
        asked = len(self.bot.engine.requests)
        await self.bot.restart()
        await self.bot.quiet(self.room)
        assert len(self.bot.engine.requests) == asked, "all of it was answered once"

    async def _first_post_to(self, text: str) -> str:
        """The first post of the reply to a post, as soon as it stands."""
        before = len(await self.bot.posts(self.room, self.root or None))
        await self.bot.player.say(self.room, text, thread=self.root or None)

        async def begun() -> list[str]:
            return [each.event_id for each in (await self.bot.posts(self.room, self.root or None))[before:]]

        return (await self.bot.player.until(begun, self.bot.patience))[0]

    async def _post(self, text: str) -> str:
        return await self.bot.post(self.room, text, self.root or None)

    async def _told(self) -> list[str]:
        return await self.bot.told_in(self.room, self.root)

    async def _check(self) -> None:
        await self.bot.check(self.room, self.root)
        assert all(each.is_readable for each in await self.bot.player.shown(self.room, self.root or None))
