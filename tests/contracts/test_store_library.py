"""What every store does with what is kept apart from sessions: the library, default personas, reports, refusals."""

from dataclasses import replace

from bot.ids import AuthorId, CardId, ChannelKey, EventId, Place, Platform
from bot.ports.arrivals import Arrival
from bot.ports.reports import KeptReport, Refusal, Report
from bot.ports.store import Store
from bot.story.library import CardTitle, LibraryCard
from bot.story.policy import Rating
from tests.builders import HERE, MIRA, TOBIAS, a_post
from tests.contracts.conftest import Reopening
from tests.contracts.stories import ANN, ELSEWHERE, whole
from tests.fakes.clock import FrozenClock

FACE = bytes(range(256)) * 10


def a_card(card: str = "card-1", name: str = "Mira") -> LibraryCard:
    return LibraryCard(CardId(card), TOBIAS.author, replace(whole().character, name=name), FACE, "image/png")


class TestCards:
    async def test_a_card_comes_back_whole_with_its_face(self, reopen: Reopening) -> None:
        await (await reopen()).keep_card(a_card())
        assert await (await reopen()).card(CardId("card-1")) == a_card()
        assert await (await reopen()).card(CardId("card-2")) is None

    async def test_the_library_lists_cards_by_name(self, store: Store) -> None:
        await store.keep_card(a_card("1", name="mira"))
        await store.keep_card(LibraryCard(CardId("2"), ANN.author, replace(MIRA, name="Bert\x00")))
        await store.keep_card(a_card("3", name="Zoë"))
        assert await store.library() == (
            CardTitle(CardId("2"), ANN.author, "Bert\x00", Rating.GENERAL),
            CardTitle(CardId("3"), TOBIAS.author, "Zoë", Rating.ADULT),
            CardTitle(CardId("1"), TOBIAS.author, "mira", Rating.ADULT),
        )

    async def test_a_card_with_the_same_id_takes_the_place_of_the_old_one(self, store: Store) -> None:
        await store.keep_card(a_card())
        new = LibraryCard(CardId("card-1"), ANN.author, MIRA)
        await store.keep_card(new)
        assert await store.card(CardId("card-1")) == new
        assert [title.name for title in await store.library()] == ["Mira"]

    async def test_a_dropped_card_is_gone(self, store: Store) -> None:
        await store.keep_card(a_card())
        await store.drop_card(CardId("unknown"))
        await store.drop_card(CardId("card-1"))
        assert await store.library() == ()
        assert await store.card(CardId("card-1")) is None


class TestDefaultPersonas:
    async def test_a_player_keeps_one_persona_by_default(self, store: Store) -> None:
        assert await store.default_persona(TOBIAS.author) is None
        await store.keep_default_persona(TOBIAS)
        await store.keep_default_persona(ANN)
        changed = replace(TOBIAS, name="Tobias \ud800", description="Changed.")
        await store.keep_default_persona(changed)
        assert await store.default_persona(TOBIAS.author) == changed
        assert await store.default_persona(ANN.author) == ANN
        await store.drop_default_persona(TOBIAS.author)
        await store.drop_default_persona(AuthorId("nobody"))
        assert await store.default_persona(TOBIAS.author) is None
        assert await store.default_persona(ANN.author) == ANN


class TestReports:
    async def test_reports_stay_until_they_are_dropped_and_numbers_are_not_used_twice(self, store: Store) -> None:
        first = Report(HERE, TOBIAS.author, "It is cruel.", "Mira: Cruel words.", 1.5)
        second = replace(first, place=ELSEWHERE, reason="\x00")
        numbers = [await store.keep_report(first), await store.keep_report(second)]
        assert await store.reports() == (KeptReport(numbers[0], first), KeptReport(numbers[1], second))
        await store.drop_report(numbers[1])
        await store.drop_report(numbers[1])
        numbers.append(await store.keep_report(second))
        assert len(set(numbers)) == 3
        assert await store.reports() == (KeptReport(numbers[0], first), KeptReport(numbers[2], second))


class TestRefusals:
    async def test_a_refused_event_is_handled_and_its_reason_is_kept(self, reopen: Reopening) -> None:
        store = await reopen()
        assert await store.refuse(EventId("event-1"), HERE, "a stated age")
        assert not await store.receive(a_post())
        assert await store.waiting() == ()
        assert await (await reopen()).refusals(HERE) == (Refusal(EventId("event-1"), "a stated age"),)

    async def test_an_event_that_waits_can_be_refused_and_one_that_was_handled_cannot(self, store: Store) -> None:
        await store.receive(a_post())
        assert await store.refuse(EventId("event-1"), HERE, "a stated age")
        assert await store.waiting() == ()
        assert not await store.refuse(EventId("event-1"), HERE, "another reason")
        await store.receive(a_post(event="event-2"))
        await store.dismiss(HERE, EventId("event-2"))
        assert not await store.refuse(EventId("event-2"), HERE, "too late")
        assert await store.refusals(HERE) == (Refusal(EventId("event-1"), "a stated age"),)

    async def test_the_newest_refusals_of_a_place_come_first(self, store: Store) -> None:
        for number in range(5):
            await store.refuse(EventId(f"event-{number}"), HERE, f"reason {number}")
            await store.refuse(EventId(f"other-{number}"), ELSEWHERE, "there")
        await store.refuse(EventId("event-0"), Place(Platform("other"), HERE.channel), "another platform")
        assert [each.reason for each in await store.refusals(HERE, limit=3)] == ["reason 4", "reason 3", "reason 2"]


class TestBookmarks:
    async def test_the_newest_mark_of_a_place_is_kept_and_an_empty_one_keeps_nothing(self, reopen: Reopening) -> None:
        store = await reopen()
        await store.bookmark(HERE, "1")
        await store.bookmark(HERE, "2\x00'")
        await store.bookmark(ELSEWHERE, "7")
        assert await (await reopen()).bookmarks(HERE.platform) == {HERE.channel: "2\x00'", ELSEWHERE.channel: "7"}
        await store.bookmark(HERE, "")
        assert await store.bookmarks(HERE.platform) == {ELSEWHERE.channel: "7"}
        assert await store.bookmarks(Platform("another")) == {}


def an_arrival(number: int, author: str = "somewhere:ann") -> Arrival:
    return Arrival(EventId(f"$event-{number}"), ChannelKey("!room"), AuthorId(author), f'{{"body": "number {number}\x00"}}')


class TestArrivals:
    async def test_what_was_taken_in_stays_with_its_mark_until_it_is_let_go(self, reopen: Reopening) -> None:
        store = await reopen()
        assert await store.read_up_to(HERE.platform) == ""
        first, second, third = (an_arrival(number) for number in (2, 1, 3))
        assert await store.take_in(HERE.platform, "s1", (first, second)) == (first, second)
        assert await store.take_in(HERE.platform, "s2", (third,)) == (third,)
        reopened = await reopen()
        assert await reopened.read_up_to(HERE.platform) == "s2"
        assert await reopened.arrived(HERE.platform) == (first, second, third)
        await reopened.let_go(HERE.platform, second.event)
        assert await store.arrived(HERE.platform) == (first, third)
        assert await store.arrived(Platform("another")) == ()
        assert await store.read_up_to(Platform("another")) == ""

    async def test_what_comes_again_is_taken_in_once_even_after_it_was_let_go(self, store: Store) -> None:
        await store.take_in(HERE.platform, "s1", (an_arrival(1),))
        assert await store.take_in(HERE.platform, "s1", (an_arrival(1), an_arrival(2))) == (an_arrival(2),)
        await store.let_go(HERE.platform, an_arrival(1).event)
        assert await store.take_in(HERE.platform, "s0", (an_arrival(1),)) == ()
        assert await store.take_in(Platform("another"), "s0", (an_arrival(1),)) == (an_arrival(1),)
        assert await store.arrived(HERE.platform) == (an_arrival(2),)
        assert await store.read_up_to(HERE.platform) == "s0"

    async def test_an_id_is_forgotten_a_week_after_it_was_let_go(self, store: Store, clock: FrozenClock) -> None:
        await store.take_in(HERE.platform, "s1", (an_arrival(1),))
        clock.move(8 * 86400)
        await store.let_go(HERE.platform, an_arrival(1).event)
        clock.move(6 * 86400)
        assert await store.take_in(HERE.platform, "s2", (an_arrival(1),)) == ()
        clock.move(2 * 86400)
        assert await store.take_in(HERE.platform, "s3", (an_arrival(1),)) == (an_arrival(1),)

    async def test_what_came_from_a_player_goes_with_them_but_for_what_asks_for_that(self, store: Store) -> None:
        theirs, asking, others = an_arrival(1), an_arrival(2), an_arrival(3, "somewhere:bob")
        await store.take_in(HERE.platform, "s1", (theirs, asking, others))
        await store.forget(theirs.author, asking.event)
        assert await store.arrived(HERE.platform) == (asking, others)
        assert await store.take_in(HERE.platform, "s2", (theirs,)) == ()
