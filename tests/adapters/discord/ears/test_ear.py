import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import discord
import pytest

from adapters.discord.ears.catching_up import Mark
from adapters.discord.ears.ear import NO_POST, NO_TEXT, TAKEN_ALREADY, Ear
from adapters.discord.ears.news import Arrived, Changed, Lost, News, Surroundings, Taken, Typing
from adapters.discord.ears.telling import Telling
from adapters.discord.ears.translate import PROXIES, Heard, Listener
from adapters.discord.line import Line
from adapters.discord.settings import Settings
from adapters.discord.words import author_of, event_of, place_of
from bot.errors import Refused
from bot.ids import AuthorId, EventId
from bot.posts import Deleted, Edited, Fate, Inbound
from tests.adapters.discord.ears.ears import RecordingFates, RecordingReceiver, begin_story
from tests.fakes.clock import FrozenClock
from tests.fakes.store import MemoryStore

PLACE = place_of(1000)
TOBIAS, OTHER, HOOK = 1, 2, 99


class Alone:
    """An ear without a connection, told of everything by hand. Messages have ids from 1001 on."""

    def __init__(self) -> None:
        self.clock, self.store, self.fates = FrozenClock(), MemoryStore(), RecordingFates()
        self.receiver = RecordingReceiver(self.store)
        line = Line()
        settings = Settings(token="", join_seconds=3.0, join_limit_seconds=60.0)
        self.telling = Telling(self.clock, line, self.fates)
        listener = Listener(user=7, application=8)
        self.around = Surroundings(settings, self.clock, self.store, self.receiver, line, self.telling, listener)
        self.ear = Ear(PLACE, Mark(1000, 1000), self.around)

    async def tell(self, *news: News) -> None:
        for each in news:
            self.ear.tell(each)
        await settled()

    async def say(self, number: int, text: str = "I knock.", author: int = TOBIAS, **facts: Any) -> None:
        await self.tell(Arrived(message(number, text, author, **facts), self.clock.now()))

    async def copy(self, number: int, text: str = "I knock.", name: str = "Mira") -> None:
        await self.say(number, text, HOOK, author_name=name, webhook=HOOK, application=min(PROXIES), is_bot=True)

    async def lose(self, *numbers: int) -> None:
        await self.tell(Lost(frozenset(1000 + number for number in numbers), self.clock.now()))

    async def edit(self, number: int, text: str, author: int = TOBIAS, **facts: Any) -> None:
        await self.tell(Changed(message(number, text, author, edited=self.clock.now(), **facts), self.clock.now()))

    async def wait(self, seconds: float = 3.0) -> None:
        self.clock.move(seconds)
        await settled()

    @property
    def told(self) -> list[tuple[AuthorId, str, str]]:
        return [(post.author, post.author_name, post.text) for post in self.receiver.posts]


def message(number: int, text: str, author: int, **facts: Any) -> Heard:
    known: dict[str, Any] = {
        "id": 1000 + number,
        "channel": 1000,
        "author": author,
        "author_name": f"person {author}",
        "content": text,
    }
    return Heard(**(known | {"guild": 5} | facts))


async def settled() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
async def alone() -> AsyncGenerator[Alone, None]:
    opened = Alone()
    await begin_story(opened.store, PLACE)
    life = asyncio.create_task(opened.ear.run())
    yield opened
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    await opened.telling.close()


PERSON = (author_of(TOBIAS), "person 1", "m: I knock.")
MIRA = (author_of(TOBIAS), "Mira", "I knock.")
BETWEEN = (author_of(OTHER), "person 2", "I listen.")
UNDONE = Deleted(EventId("1001/deleted"), PLACE, event_of(1001))


@pytest.mark.parametrize(
    ("order", "posts", "changes"),
    [
        ("say copy delete wait", [MIRA], []),
        ("say delete copy wait", [MIRA], []),
        ("say copy wait delete", [MIRA], []),
        ("say copy wait", [MIRA], []),
        ("say delete between copy wait", [BETWEEN, MIRA], []),
        ("say copy between delete wait", [MIRA, BETWEEN], []),
        ("say wait copy delete wait", [PERSON, MIRA], [UNDONE]),
        ("say wait copy wait delete", [PERSON, MIRA], [UNDONE]),
        ("say wait delete copy wait", [PERSON, MIRA], [UNDONE]),
        ("say between copy delete wait", [PERSON, BETWEEN, MIRA], [UNDONE]),
        ("copy wait", [(AuthorId("discord:proxy:mira"), "Mira", "I knock.")], []),
        ("say copy copy delete wait", [MIRA], []),
    ],
)
async def test_a_proxied_post_is_one_post_of_its_person(alone: Alone, order: str, posts: Any, changes: Any) -> None:
    for step in order.split():
        match step:
            case "say":
                await alone.say(1, "m: I knock.")
            case "copy":
                await alone.copy(3)
            case "delete":
                await alone.lose(1)
            case "between":
                await alone.say(2, "I listen.", OTHER)
            case _:
                await alone.wait()
    await alone.wait()
    assert alone.told == posts
    assert alone.receiver.changes == changes


async def test_a_proxied_post_is_known_by_the_copy(alone: Alone) -> None:
    await alone.say(1, "m: I knock.")
    await alone.copy(2)
    await alone.lose(1)
    await alone.wait()
    assert [post.event for post in alone.receiver.posts] == [event_of(1002)]
    await alone.edit(2, "I knock twice.", HOOK, webhook=HOOK, application=min(PROXIES), is_bot=True)
    (edit,) = alone.receiver.changes
    assert isinstance(edit, Edited)
    assert (edit.post, edit.author, edit.text) == (event_of(1002), author_of(TOBIAS), "I knock twice.")


async def test_an_original_that_was_copied_does_not_come_back_by_an_edit(alone: Alone) -> None:
    await alone.say(1, "m: I knock.")
    await alone.wait()
    await alone.copy(2)
    await alone.edit(1, "m: I knock, again.")
    await alone.wait()
    assert alone.told == [PERSON, MIRA]
    assert alone.receiver.changes == [UNDONE]


async def test_the_bookmark_stays_before_all_that_is_not_handed_in(alone: Alone) -> None:
    await alone.say(1, "m: I knock.")
    await alone.say(2, "I enter.")
    await alone.copy(3, "I knock.")
    alone.receiver.away = 1
    await alone.wait()
    # The copy, message 1003, is first; message 1002 is still to come.
    assert await alone.store.bookmarks(PLACE.platform) == {PLACE.channel: "1000 1001 1003"}
    await alone.wait()
    assert [(name, text) for _, name, text in alone.told] == [("Mira", "I knock."), ("person 1", "I enter.")]


async def test_proxied_messages_without_a_pause_are_one_post(alone: Alone) -> None:
    for number, text in ((1, "I knock."), (3, "I enter.")):
        await alone.say(number, f"m: {text}")
        await alone.copy(number + 1, text)
        await alone.lose(number)
    await alone.wait()
    assert alone.told == [(author_of(TOBIAS), "Mira", "I knock.\n\nI enter.")]


async def test_a_name_that_was_a_persons_stays_theirs_without_an_original(alone: Alone) -> None:
    await alone.say(1, "m: I knock.")
    await alone.copy(2)
    await alone.lose(1)
    await alone.wait(1000)
    await alone.copy(3, "I enter.", "MIRA")
    await alone.wait()
    assert alone.told[-1] == (author_of(TOBIAS), "MIRA", "I enter.")


async def test_a_name_that_the_story_knows_is_that_persons(alone: Alone) -> None:
    await alone.say(1, "I knock.", author_name="Mira")
    await alone.wait(1000)
    await alone.copy(2, "I enter.", "mira")
    await alone.wait()
    assert alone.told[-1] == (author_of(TOBIAS), "mira", "I enter.")


async def test_a_message_that_comes_twice_is_one(alone: Alone) -> None:
    await alone.say(1)
    await alone.say(1)
    await alone.wait()
    await alone.say(1)
    await alone.wait()
    assert [post.text for post in alone.receiver.posts] == ["I knock."]
    assert alone.receiver.repeated == []


async def test_what_is_older_than_the_bookmark_is_not_heard_again(alone: Alone) -> None:
    await alone.say(0)
    await alone.wait()
    assert alone.told == []


async def test_typing_holds_a_post_open(alone: Alone) -> None:
    await alone.say(1)
    await alone.wait(2)
    await alone.tell(Typing(author_of(TOBIAS), alone.clock.now()))
    await alone.wait(9)
    assert alone.told == []
    await alone.say(2, "I enter.")
    await alone.wait(3)
    assert [text for _, _, text in alone.told] == ["I knock.\n\nI enter."]


async def test_what_came_while_the_store_was_away_is_divided_by_when_it_was_written(alone: Alone) -> None:
    alone.receiver.away = 1
    await alone.say(1, "First.")
    await alone.wait(3)
    await alone.say(2, "Second.")
    alone.clock._now += 10
    alone.clock._ticks += 10
    await alone.say(3, "Third.")
    await alone.wait(60)
    assert [text for _, _, text in alone.told] == ["First.", "Second.", "Third."]


async def test_the_bookmark_names_a_post_before_it_is_handed_in(alone: Alone) -> None:
    alone.receiver.away = 1
    await alone.say(1)
    await alone.say(2, "I enter.")
    assert await alone.store.bookmarks(PLACE.platform) == {}
    await alone.wait(3)
    assert await alone.store.bookmarks(PLACE.platform) == {PLACE.channel: "1000 1000 1001 1002"}
    assert alone.told == []
    await alone.wait(1)
    await alone.say(3, "I wait.", OTHER)
    await alone.wait()
    assert await alone.store.bookmarks(PLACE.platform) == {PLACE.channel: "1000 1002 1003"}


async def test_an_edit_without_other_words_is_none(alone: Alone) -> None:
    await alone.say(1)
    await alone.wait()
    await alone.tell(Changed(message(1, "I knock!", TOBIAS), alone.clock.now()))
    await alone.edit(1, "I knock.")
    assert alone.receiver.changes == []


async def test_a_message_that_loses_its_words_leaves_its_post(alone: Alone) -> None:
    await alone.say(1)
    await alone.say(2, "I enter.", attachments=1)
    await alone.wait()
    await alone.edit(2, "", attachments=1)
    (edit,) = alone.receiver.changes
    assert isinstance(edit, Edited)
    assert edit.text == "I knock."


async def test_a_refused_edit_changes_nothing_and_the_place_is_heard_on(alone: Alone) -> None:
    await alone.say(1)
    await alone.wait()
    alone.receiver.refuses = "everyone"
    await alone.edit(1, "everyone falls")
    await alone.edit(1, "I fall.")
    assert [change.text for change in alone.receiver.changes if isinstance(change, Edited)] == ["I fall."]


async def test_only_the_newest_refused_edits_are_remembered(alone: Alone) -> None:
    refused = alone.ear._handing._refused
    refused.most = 2
    for number in (1, 2, 3):
        await alone.say(number)
        await alone.wait()
    alone.receiver.refuses = "everyone"
    for number in (1, 2, 3):
        await alone.edit(number, "everyone falls")
    assert list(refused) == [1002, 1003]
    await alone.edit(3, "I fall.")
    assert list(refused) == [1002]


async def test_a_message_that_somebody_wants_taken_is_a_post_at_once(alone: Alone) -> None:
    await alone.say(2, "I listen.", OTHER)
    await take(alone, message(1, "I knock.", TOBIAS))
    assert [text for _, _, text in alone.told] == ["I listen.", "I knock."]


@pytest.mark.parametrize(
    ("taken", "sentence"),
    [
        (message(1, "I knock.", TOBIAS), TAKEN_ALREADY),
        (message(2, "I answer.", 7, is_bot=True), NO_POST),
        (message(2, "", TOBIAS, attachments=1), NO_TEXT),
    ],
)
async def test_what_cannot_be_taken_is_refused_in_words(alone: Alone, taken: Heard, sentence: str) -> None:
    await alone.say(1)
    with pytest.raises(Refused, match=sentence):
        await take(alone, taken)
    assert len(alone.told) == 1


async def take(alone: Alone, heard: Heard) -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await alone.tell(Taken(heard, answer))
    await answer


async def test_a_defect_in_one_event_makes_no_place_deaf(alone: Alone, caplog: pytest.LogCaptureFixture) -> None:
    receive, alone.around.receiver = alone.receiver, Broken()
    await alone.say(1, "secret words")
    await alone.wait()
    alone.around.receiver = receive
    await alone.say(2, "I knock.")
    await alone.wait()
    assert [text for _, _, text in alone.told] == ["I knock."]
    assert "could not be heard" in caplog.text
    assert "secret words" not in caplog.text


class Broken(RecordingReceiver):
    def __init__(self) -> None:
        super().__init__(MemoryStore())

    async def receive(self, event: Inbound) -> None:  # noqa: ARG002  whatever it is
        raise KeyError("a defect")


async def test_a_file_without_words_is_marked_as_ignored(alone: Alone) -> None:
    alone.around.line.open(discord.AutoShardedClient(intents=discord.Intents.none()))
    await alone.say(1, "", attachments=1)
    assert alone.fates.told == [(event_of(1001), Fate.IGNORED)]
