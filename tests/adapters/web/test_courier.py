"""What open pages are told, beyond the promises that every courier keeps."""

import asyncio
from dataclasses import replace

import pytest

from adapters.web import courier as web_courier
from adapters.web.courier import WEB, Watch, WebCourier
from bot.ids import ChannelKey, MessageId, Place, PostKey
from bot.posts import ChannelLimits, Draft, OutboundPost, Speaker, Voice

HERE = Place(WEB, ChannelKey("here"))
THERE = Place(WEB, ChannelKey("there"))
MIRA = Speaker(Voice.CHARACTER, "Mira")


def a_post(key: str = "key") -> OutboundPost:
    return OutboundPost(PostKey(key), HERE, 2, 0, 0, MIRA, "The rain went on.")


def seen(watch: Watch) -> None:
    watch.thread = watch.draft = False


async def test_a_new_page_knows_nothing_and_is_told_at_once() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as watch:
        await watch.wait_for_news()
        assert watch.thread


async def test_a_post_is_news_to_the_pages_of_its_place_only() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as here, courier.watching(THERE) as there:
        seen(here)
        seen(there)
        await courier.send(a_post())
        assert (here.thread, there.thread) == (True, False)


async def test_a_page_that_waits_is_woken() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as watch:
        seen(watch)
        waiting = asyncio.create_task(watch.wait_for_news())
        await asyncio.sleep(0)
        assert not waiting.done()
        await courier.send(a_post())
        await waiting


async def test_a_growing_draft_is_small_news_and_a_finished_post_before_it_great() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as watch:
        told = []
        for draft in (Draft(2, MIRA, "", 0), Draft(2, MIRA, "The", 0), Draft(2, MIRA, "And", 1), Draft(3, MIRA, "And", 1)):
            seen(watch)
            await courier.writing(HERE, draft)
            told.append((watch.thread, watch.draft))
        assert told == [(True, True), (False, True), (True, True), (True, True)]
        assert courier.draft(HERE) == Draft(3, MIRA, "And", 1)


async def test_resting_ends_the_draft_of_its_own_turn_only() -> None:
    courier = WebCourier(ChannelLimits(2000))
    await courier.writing(HERE, Draft(3, MIRA, "The rain"))
    await courier.resting(HERE, 2)
    assert courier.draft(HERE) is not None
    await courier.resting(HERE, 3)
    assert courier.draft(HERE) is None


async def test_a_page_that_reads_slowly_holds_no_queue() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as watch:
        for number in range(1000):
            await courier.send(a_post(f"key-{number}"))
        seen(watch)
        waiting = asyncio.create_task(watch.wait_for_news())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
    assert len(courier.recent(HERE)) == web_courier.REMEMBERED


async def test_closing_wakes_and_ends_every_watch() -> None:
    courier = WebCourier(ChannelLimits(2000))
    with courier.watching(HERE) as watch:
        seen(watch)
        courier.close()
        await watch.wait_for_news()
        assert watch.closed
    assert courier.watchers(HERE) == 0


def in_thread(number: int) -> OutboundPost:
    return replace(a_post(), place=Place(WEB, ChannelKey(f"thread-{number}")))


async def test_posts_are_remembered_of_the_newest_threads_only() -> None:
    courier = WebCourier(ChannelLimits(2000))
    for number in range(web_courier.PLACES + 5):
        await courier.send(in_thread(number))
    assert len(courier._recent) == web_courier.PLACES
    assert not courier.recent(in_thread(4).place)
    assert courier.recent(in_thread(5).place)


async def test_a_thread_that_is_not_counted_any_more_counts_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_courier, "COUNTED", 2)
    courier = WebCourier(ChannelLimits(2000))
    first = in_thread(0).place
    for number in (0, 1):
        await courier.edit(MessageId("message"), in_thread(number))
    seen_before = {courier.steps(first)}
    for number in (2, 3):
        await courier.edit(MessageId("message"), in_thread(number))
        assert len(courier._steps) == 2
        assert courier.steps(first) not in seen_before
        seen_before.add(courier.steps(first))
