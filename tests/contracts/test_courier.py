"""The promises of a courier, kept by every one that there is."""

import io
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from adapters.discord.words import place_of
from adapters.matrix import words as matrix_words
from adapters.terminal.courier import TERMINAL, TerminalCourier
from adapters.web.courier import WEB, WebCourier
from bot.errors import OutcomeUnknown, PostRefused, TryLater
from bot.ids import ChannelKey, CommunityId, Place, PostKey
from bot.ports.courier import Courier, courier_for
from bot.posts import ChannelLimits, Draft, OutboundPost, Speaker, Voice
from tests.adapters.discord.posting.courier_scene import courier_scene
from tests.adapters.matrix.posting.scene import scene_on
from tests.fakes.courier import TEST_PLATFORM, Mishap, RecordingCourier, Verb
from tests.homeserver.server import Synapse
from tests.homeserver.shown import everything

LIMITS = ChannelLimits(1900, streams=True)
MIRA = Speaker(Voice.CHARACTER, "Mira")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A courier, a place that it serves and another one, how often it has shown a text there so far, and what it accepts."""

    courier: Courier
    place: Place
    elsewhere: Place
    showings: Callable[[str], int]
    limits: ChannelLimits = LIMITS

    def post(self, text: str, key: str = "key-1", position: int = 0) -> OutboundPost:
        return OutboundPost(PostKey(key), self.place, 3, position, 0, MIRA, text)


@asynccontextmanager
async def recording() -> AsyncGenerator[Candidate, None]:
    courier, place = RecordingCourier(channel_limits=LIMITS), Place(TEST_PLATFORM, ChannelKey("here"))
    there = Place(TEST_PLATFORM, ChannelKey("there"))
    yield Candidate(courier, place, there, lambda text: sum(each == text for each in courier.texts(place)))


@asynccontextmanager
async def web() -> AsyncGenerator[Candidate, None]:
    courier, place = WebCourier(LIMITS), Place(WEB, ChannelKey("here"))

    def showings(text: str) -> int:
        return sum(post is not None and post.text == text for post in courier.recent(place).values())

    yield Candidate(courier, place, Place(WEB, ChannelKey("there")), showings)


@asynccontextmanager
async def terminal() -> AsyncGenerator[Candidate, None]:
    screen = io.StringIO()
    courier = TerminalCourier(Console(file=screen, width=80), LIMITS, muted=False)
    here, there = Place(TERMINAL, ChannelKey("here")), Place(TERMINAL, ChannelKey("there"))
    yield Candidate(courier, here, there, lambda text: screen.getvalue().count(text))


@asynccontextmanager
async def discord() -> AsyncGenerator[Candidate, None]:
    async with courier_scene() as scene:
        yield Candidate(
            scene.new_courier(),
            place_of(scene.text.id),
            place_of((await scene.thread("there")).id),
            lambda text: sum(text == each for each in scene.texts(scene.text)),
            ChannelLimits(1900, community=CommunityId(str(scene.guild.id))),
        )


@asynccontextmanager
async def matrix(homeserver: Synapse, folder: Path) -> AsyncGenerator[Candidate, None]:
    async with scene_on(homeserver, folder) as scene:
        room, elsewhere = await scene.room(), await scene.room()
        token = scene.tobias.login.access_token

        def showings(text: str) -> int:
            page = homeserver.call("GET", f"/_matrix/client/v3/rooms/{room}/messages?dir=f&limit=100", token=token)
            return sum(each.body == f"Mira: {text}" for each in everything(page["chunk"]))

        limits = ChannelLimits(3000, community=CommunityId(room))
        here, there = matrix_words.place_of(room), matrix_words.place_of(elsewhere)
        yield Candidate(scene.new_courier(), here, there, showings, limits)


@pytest.fixture(params=[recording, web, terminal, discord, matrix])
async def candidate(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Candidate, None]:
    needs = (request.getfixturevalue("homeserver"), tmp_path) if request.param is matrix else ()
    made: AbstractAsyncContextManager[Candidate] = request.param(*needs)
    async with made as each:
        yield each


async def test_it_says_what_its_place_accepts(candidate: Candidate) -> None:
    assert await candidate.courier.limits(candidate.place) == candidate.limits
    assert courier_for([candidate.courier], candidate.place) is candidate.courier


async def test_a_post_sent_twice_is_shown_once_under_one_name(candidate: Candidate) -> None:
    first = await candidate.courier.send(candidate.post("The rain went on."))
    second = await candidate.courier.send(candidate.post("The rain went on."))
    assert first == second
    assert candidate.showings("The rain went on.") == 1


async def test_posts_with_other_keys_are_other_messages(candidate: Candidate) -> None:
    first = await candidate.courier.send(candidate.post("One."))
    second = await candidate.courier.send(candidate.post("Two.", "key-2", 1))
    assert first != second
    assert candidate.showings("One.") == candidate.showings("Two.") == 1


async def test_the_same_key_in_another_place_is_another_message(candidate: Candidate) -> None:
    here = candidate.post("Here.")
    there = replace(here, place=candidate.elsewhere, text="There.")
    assert await candidate.courier.send(here) != await candidate.courier.send(there)


async def test_an_edit_shows_the_new_text(candidate: Candidate) -> None:
    receipt = await candidate.courier.send(candidate.post("Old words."))
    await candidate.courier.edit(receipt.message, candidate.post("New words.", "key-2"))
    assert candidate.showings("New words.") == 1


async def test_a_late_repetition_changes_nothing_that_came_after(candidate: Candidate) -> None:
    first = candidate.post("Old words.")
    receipt = await candidate.courier.send(first)
    await candidate.courier.edit(receipt.message, candidate.post("New words.", "key-2"))
    shown = candidate.showings("Old words.")
    assert await candidate.courier.send(first) == receipt
    assert candidate.showings("Old words.") == shown
    assert candidate.showings("New words.") == 1


async def test_a_post_that_is_gone_cannot_be_edited(candidate: Candidate) -> None:
    receipt = await candidate.courier.send(candidate.post("Old words."))
    await candidate.courier.delete(candidate.place, receipt.message)
    with pytest.raises(PostRefused):
        await candidate.courier.edit(receipt.message, candidate.post("New words.", "key-2"))
    assert candidate.showings("New words.") == 0


async def test_deleting_twice_is_no_error(candidate: Candidate) -> None:
    receipt = await candidate.courier.send(candidate.post("Old words."))
    await candidate.courier.delete(candidate.place, receipt.message)
    await candidate.courier.delete(candidate.place, receipt.message)


async def test_a_post_is_read_back_only_while_it_stands(candidate: Candidate) -> None:
    post = candidate.post("Is it there?")
    assert await candidate.courier.read_back(post, None) is None
    receipt = await candidate.courier.send(post)
    assert await candidate.courier.read_back(post, None) == receipt
    await candidate.courier.delete(candidate.place, receipt.message)
    assert await candidate.courier.read_back(post, None) is None


async def test_a_text_is_shown_as_it_is(candidate: Candidate) -> None:
    text = "[bold]not markup[/bold] <b>nor this</b> {nor} %s *kept*"
    await candidate.courier.send(candidate.post(text))
    assert candidate.showings(text) == 1


async def test_signs_of_writing_never_raise(candidate: Candidate) -> None:
    await candidate.courier.resting(candidate.place, 7)
    await candidate.courier.writing(candidate.place, Draft(7, MIRA, "", 0))
    await candidate.courier.writing(candidate.place, Draft(7, MIRA, "[/bold] half a \x1b[2J", 0))
    await candidate.courier.resting(candidate.place, 7)
    await candidate.courier.resting(candidate.place, 7)


async def test_a_planned_mishap_happens_on_its_call_and_shows_nothing() -> None:
    here = Place(TEST_PLATFORM, ChannelKey("here"))
    courier = RecordingCourier(mishaps=[Mishap(2, TryLater(1.5), Verb.SEND)])
    posts = [OutboundPost(PostKey(f"key-{at}"), here, 0, at, 0, MIRA, f"Post {at}.") for at in range(3)]
    await courier.send(posts[0])
    with pytest.raises(TryLater):
        await courier.send(posts[1])
    await courier.send(posts[2])
    assert courier.texts(here) == ("Post 0.", "Post 2.")
    assert courier.sends(here) == tuple(posts)


async def test_a_mishap_after_its_effect_leaves_the_post_to_be_read_back() -> None:
    here = Place(TEST_PLATFORM, ChannelKey("here"))
    courier = RecordingCourier(mishaps=[Mishap(1, OutcomeUnknown("cut off"), takes_effect=True)])
    post = OutboundPost(PostKey("key"), here, 0, 0, 0, MIRA, "Once.")
    with pytest.raises(OutcomeUnknown):
        await courier.send(post)
    found = await courier.read_back(post, None)
    assert found is not None
    assert await courier.read_back(post, found.message) is None
    courier.forget_keys()
    await courier.send(post)
    assert courier.texts(here) == ("Once.", "Once.")


async def test_a_place_opened_twice_with_one_key_is_one_place(candidate: Candidate) -> None:
    if candidate.courier.platform == TERMINAL:
        with pytest.raises(PostRefused, match="one story only"):
            await candidate.courier.open(candidate.place, "What Mira did", "event-1")
        return
    first = await candidate.courier.open(candidate.place, "What Mira did", "event-1")
    again = await candidate.courier.open(candidate.place, "What Mira did", "event-1")
    other = await candidate.courier.open(candidate.place, "What Mira did", "event-2")
    assert first == again
    assert len({candidate.place, first, other}) == 3
    assert first.platform == candidate.courier.platform
