"""What every store counts of what the model is asked for, and how a story's changes settle it."""

import asyncio
from dataclasses import replace

import pytest

from bot.ids import AuthorId, CommunityId, EventId, Place
from bot.limits import DAY, HOUR, Kind, Limits, Over, Scope, Share
from bot.ports.ledger import FORGIVEN, Asked, Ruling
from bot.ports.store import Change, Store
from bot.story.acts import open_reply
from bot.story.session import Session
from tests.builders import HERE, TOBIAS, a_post
from tests.contracts.conftest import Reopening
from tests.contracts.stories import ELSEWHERE, OTHER_PLATFORM, begun, claimed, finished, shown
from tests.fakes.clock import FrozenClock

GUILD = CommunityId("guild-1")
ANN = AuthorId("author-2")
TURNS = Limits(player=Share(turns_a_minute=2))
WAITING = Limits(player=Share(waiting=2))
TOKENS = Limits(player=Share(tokens_a_day=100))


def an_ask(event: str, place: Place = HERE, author: AuthorId = TOBIAS.author, *, stays: bool = True) -> Asked:
    return Asked(EventId(event), place, author, GUILD, stays=stays)


async def asked(store: Store, limits: Limits, *events: str, place: Place = HERE) -> list[Over | None]:
    return [(await store.ask(an_ask(event, place), limits)).over for event in events]


async def written(store: Store, session: Session, event: str, spent: int = 0, place: Place = HERE) -> Session:
    """The event is received and opens a reply, which is written to its end."""
    await store.receive(a_post(event=event, place=place))
    session = await opened(store, session, event)
    return await store.save(Change(session, finished(session, "Come in."), spent=spent))


async def opened(store: Store, session: Session, event: str) -> Session:
    return await store.save(Change(session, open_reply(session, seed=1), handled=EventId(event)))


async def test_turns_a_minute_are_counted_wherever_a_player_asks(store: Store, clock: FrozenClock) -> None:
    assert await asked(store, TURNS, "a") == [None]
    clock.move(20)
    assert await asked(store, TURNS, "b", place=ELSEWHERE) == [None]
    assert await asked(store, TURNS, "c", place=OTHER_PLATFORM) == [Over(Scope.PLAYER, Kind.TURNS, 2, 40.0)]
    assert (await store.ask(an_ask("d", author=ANN), TURNS)).over is None
    clock.move(40)
    assert await asked(store, TURNS, "e", "f") == [None, Over(Scope.PLAYER, Kind.TURNS, 2, 20.0)]


async def test_it_holds_after_a_restart(reopen: Reopening) -> None:
    await asked(await reopen(), TURNS, "a", "b")
    assert await asked(await reopen(), TURNS, "c") == [Over(Scope.PLAYER, Kind.TURNS, 2, 60.0)]


async def test_of_many_who_ask_at_once_only_as_many_are_let_through(reopen: Reopening) -> None:
    first, second = await reopen(), await reopen()
    limits = Limits(player=Share(waiting=3))
    rulings = await asyncio.gather(*((first, second)[n % 2].ask(an_ask(f"e{n}"), limits) for n in range(10)))
    assert sum(ruling.over is None for ruling in rulings) == 3


async def test_the_same_event_gets_the_same_ruling_and_counts_once(store: Store) -> None:
    assert await asked(store, TURNS, "a", "a", "a", "b") == [None] * 4
    [over] = await asked(store, TURNS, "c")
    assert await store.ask(an_ask("c"), TURNS) == Ruling(over, was_told=True, is_repeated=True)
    assert (await store.ask(an_ask("d"), TURNS)).over == (await store.ask(an_ask("d"), TURNS)).over, "told or not"


async def test_what_waits_counts_until_its_reply_is_written(store: Store) -> None:
    session = await begun(store)
    full = Over(Scope.PLAYER, Kind.WAITING, 2)
    assert await asked(store, WAITING, "a", "b", "c") == [None, None, full]
    await store.receive(a_post(event="a"))
    session = await opened(store, session, "a")
    assert await asked(store, WAITING, "d") == [full]
    session = await store.save(Change(session, finished(session, "Come in.")))
    assert await asked(store, WAITING, "e", "f") == [None, full]


async def test_a_reply_that_an_event_ends_waits_no_longer(store: Store) -> None:
    session = await begun(store)
    assert await asked(store, WAITING, "a") == [None]
    await store.receive(a_post(event="a"))
    session = await opened(store, session, "a")
    await store.receive(a_post(event="stops it"))
    await store.save(Change(session, finished(session, "Come in."), handled=EventId("stops it")))
    assert await asked(store, WAITING, "b", "c") == [None, None]


@pytest.mark.parametrize("how", ["dismissed", "refused", "unanswered", "ended", "long ago"])
async def test_what_comes_to_nothing_waits_no_longer(store: Store, clock: FrozenClock, how: str) -> None:
    session = await begun(store)
    await store.receive(a_post(event="a"))
    limits = Limits(place=Share(waiting=1))
    assert await asked(store, limits, "a") == [None]
    match how:
        case "dismissed":
            await store.dismiss(HERE, EventId("a"))
        case "refused":
            await store.refuse(EventId("a"), HERE, "blocked")
        case "unanswered":
            await store.save(Change(session, session, handled=EventId("a")))
        case "ended":
            await store.end(HERE, clock.now())
        case _:
            clock.move(FORGIVEN)
    assert await asked(store, limits, "b", "c") == [None, Over(Scope.PLACE, Kind.WAITING, 1)]


async def test_tokens_are_counted_for_a_day_to_the_hour(store: Store, clock: FrozenClock) -> None:
    session, since = await begun(store), clock.now() % HOUR
    for event in ("a", "b"):
        await asked(store, TOKENS, event)
        session = await written(store, session, event, spent=50)
        clock.move(HOUR)
    left = DAY - 2 * HOUR - since
    assert await asked(store, TOKENS, "c") == [Over(Scope.PLAYER, Kind.TOKENS, 100, left)]
    clock.move(left)
    assert await asked(store, TOKENS, "d") == [None]


async def test_what_is_spent_counts_for_player_place_and_community(store: Store) -> None:
    session = await begun(store)
    await asked(store, TOKENS, "a")
    await written(store, session, "a", spent=100)
    full = [Limits(**{str(scope): Share(tokens_a_day=100)}) for scope in Scope]
    found = [(await store.ask(an_ask("b"), limits)).over for limits in full[:1]]
    found += [(await store.ask(an_ask(f"c{n}"), limits)).over for n, limits in enumerate(full[1:])]
    assert [over.scope for over in found if over] == list(Scope)
    others = replace(an_ask("d", ELSEWHERE, ANN), community=CommunityId("another"))
    for number, limits in enumerate(full):
        assert (await store.ask(replace(others, event=EventId(f"d{number}")), limits)).over is None


async def test_a_limit_is_told_once_until_its_time_is_over(store: Store, clock: FrozenClock) -> None:
    await asked(store, TURNS, "a", "b")
    assert not (await store.ask(an_ask("c"), TURNS)).was_told
    assert (await store.ask(an_ask("d", ELSEWHERE), TURNS)).was_told, "wherever the player goes"
    clock.move(60)
    await asked(store, TURNS, "e", "f")
    assert not (await store.ask(an_ask("g"), TURNS)).was_told


async def test_a_limit_is_told_once_a_minute_where_there_is_room_now_and_then(store: Store, clock: FrozenClock) -> None:
    told: list[tuple[float, bool | None]] = []
    for second, event in ((0, "a"), (30, "b"), (59, "c"), (60, "d"), (61, "e"), (90, "f"), (119.5, "g")):
        clock.move(second - told[-1][0] if told else second)
        ruling = await store.ask(an_ask(event), TURNS)
        told.append((second, None if ruling.over is None else ruling.was_told))
    assert told == [(0, None), (30, None), (59, False), (60, None), (61, True), (90, None), (119.5, False)]


@pytest.mark.parametrize("limits", [TURNS, TOKENS, WAITING], ids=["turns", "tokens", "waiting"])
async def test_a_clock_that_was_wrong_keeps_nobody_waiting(store: Store, clock: FrozenClock, limits: Limits) -> None:
    session = await begun(store)
    clock.move(400 * DAY)
    await asked(store, limits, "a", "b", "c")
    await written(store, session, "a", spent=100)
    assert await asked(store, TOKENS, "d") != [None]
    clock.move(-400 * DAY)
    assert await asked(store, limits, "e") == [None]
    if limits is TURNS:
        await asked(store, limits, "f")
        assert not (await store.ask(an_ask("g"), limits)).was_told, "what was told in that time is forgotten"
    await store.drop_counts()
    clock.move(400 * DAY)
    assert await asked(store, TOKENS, "h") == [None], "it was dropped"


async def test_what_was_counted_and_never_came_in_waits_for_a_minute(store: Store, clock: FrozenClock) -> None:
    limits = Limits(player=Share(waiting=1))
    await begun(store)
    assert await asked(store, limits, "lost") == [None]
    clock.move(59)
    assert await asked(store, limits, "early") != [None]
    clock.move(1)
    assert await asked(store, limits, "late") == [None]
    await store.receive(a_post(event="late"))
    clock.move(60)
    assert await asked(store, limits, "next") != [None], "what came in goes on waiting"


async def test_what_waited_of_a_forgotten_player_waits_no_longer(store: Store) -> None:
    limits = Limits(place=Share(waiting=1))
    await begun(store)
    await store.receive(a_post(event="a"))
    assert await asked(store, limits, "a") == [None]
    await store.forget(TOBIAS.author)
    assert (await store.ask(an_ask("b", author=ANN), limits)).over is None


async def test_a_limit_of_a_community_is_told_once_in_each_of_its_places(store: Store) -> None:
    limits = Limits(community=Share(turns_a_minute=1))
    await store.ask(an_ask("a"), limits)
    told = [(await store.ask(an_ask(f"e{n}", place, ANN), limits)).was_told for n, place in enumerate([HERE, HERE, ELSEWHERE])]
    assert told == [False, True, False]


async def test_a_ruling_that_nobody_needs_is_not_kept(store: Store, clock: FrozenClock) -> None:
    limits = Limits(player=Share(waiting=1))
    session = await begun(store)
    await store.ask(an_ask("a"), limits)
    for event in ("b", "c"):
        await store.ask(an_ask(event, stays=False), limits)
    await store.receive(a_post(event="a"))
    session = await opened(store, session, "a")
    await store.save(Change(session, finished(session, "Come in.")))
    assert (await store.ask(an_ask("c"), limits)).over is None, "it was refused, and is asked for anew"
    await store.receive(a_post(event="gone"))
    await store.dismiss(HERE, EventId("gone"))
    clock.move(60)
    assert await asked(store, TURNS, "gone", "gone", "gone", "d", "e") == [None] * 5, "what was handled counts for nothing"


async def test_wishes_of_no_change_are_delivered(store: Store) -> None:
    await store.tell((shown("You have asked for enough."),))
    assert (await claimed(store)).wish == shown("You have asked for enough.")


async def test_counts_are_dropped_when_no_limit_asks_for_them(store: Store, clock: FrozenClock) -> None:
    session = await begun(store)
    await asked(store, TOKENS, "a")
    session = await written(store, session, "a", spent=100)
    await store.drop_counts()
    assert await asked(store, TOKENS, "b") != [None]
    clock.move(DAY + HOUR)
    await store.drop_counts()
    assert await asked(store, TOKENS, "a", "b", "c") == [None] * 3


async def test_who_is_forgotten_is_counted_no_more_but_the_place_is(store: Store) -> None:
    session = await begun(store)
    await asked(store, TOKENS, "a")
    session = await written(store, session, "a", spent=100)
    assert await asked(store, TOKENS, "b") != [None]
    await store.forget(TOBIAS.author)
    assert await asked(store, TOKENS, "c") == [None]
    for number, share in enumerate((Share(turns_a_minute=1), Share(tokens_a_day=100))):
        assert await asked(store, Limits(place=share), f"d{number}") != [None]


async def test_what_the_reply_of_a_forgotten_player_costs_is_nobodys(store: Store) -> None:
    session = await begun(store)
    await asked(store, TOKENS, "a")
    await store.receive(a_post(event="a"))
    await opened(store, session, "a")
    await store.forget(TOBIAS.author)
    now = await store.session_at(HERE)
    assert now is not None
    await store.save(Change(now, finished(now, "Come in."), spent=100))
    assert await asked(store, TOKENS, "b") == [None]
    assert await asked(store, Limits(place=Share(tokens_a_day=100)), "c") != [None]
