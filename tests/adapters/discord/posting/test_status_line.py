"""Signs of writing: typing and one short line, as seldom as Discord likes it, and never in anybody's way."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from adapters.discord.posting import status_line
from adapters.discord.posting.courier import DiscordCourier
from adapters.discord.posting.status_line import MARK
from adapters.discord.words import place_of
from bot.posts import Draft
from tests.adapters.discord.posting.courier_scene import MIRA, CourierScene, post_in
from tests.fakes.discord import Channel


def draft(text: str = "", waiting: str = "") -> Draft:
    return Draft(3, MIRA, text, 0, waiting)


async def reached(condition: Callable[[], object]) -> None:
    """Once a condition holds, of the loopback or of the courier itself."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def has_typed(scene: CourierScene, count: int) -> bool:
    return typings(scene) == count


def typings(scene: CourierScene) -> int:
    return len([each for each in scene.loopback.asked("POST", "/typing") if each.status])


def has_line(scene: CourierScene, *, shown: bool) -> bool:
    return bool(scene.texts(scene.text)) == shown


async def test_typing_is_shown_every_eight_seconds_while_somebody_writes_whatever_the_number_of_words(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    place = place_of(scene.text.id)
    for at in range(200):
        await courier.writing(place, draft("word " * at))
    await reached(lambda: typings(scene) == 1)
    for count in (2, 3):
        await reached(lambda: scene.clock.sleeping)
        scene.clock.move(status_line.TYPING_EVERY)
        await reached(partial(has_typed, scene, count))
    await courier.resting(place, 3)
    await asyncio.wait_for(courier.signs.settled(scene.text.id), 5)
    scene.clock.move(60)
    assert typings(scene) == 3


async def test_a_writer_who_is_not_heard_of_any_more_is_not_believed_for_ever(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    await courier.writing(place_of(scene.text.id), draft())
    await reached(lambda: typings(scene) == 1 and scene.clock.sleeping)
    scene.clock.move(status_line.BELIEVED + 1)
    await asyncio.wait_for(courier.signs.settled(scene.text.id), 5)
    assert typings(scene) == 1


async def test_a_place_in_line_is_one_message_that_is_edited_and_goes_when_text_comes(
    scene: CourierScene, courier: DiscordCourier
) -> None:
    place, lines = place_of(scene.text.id), partial(scene.texts, scene.text)
    await courier.writing(place, draft(waiting="Waiting for the model: number 3 in line"))
    await reached(lambda: lines() == [f"{MARK}Waiting for the model: number 3 in line"])
    first = scene.loopback.messages(scene.text)[0].id
    for number in (2, 1):
        await courier.writing(place, draft(waiting=f"Waiting for the model: number {number} in line"))
    await reached(lambda: scene.clock.sleeping)
    assert lines() == [f"{MARK}Waiting for the model: number 3 in line"], "not more often than every five seconds"
    scene.clock.move(status_line.LINE_EVERY)
    await reached(lambda: lines() == [f"{MARK}Waiting for the model: number 1 in line"])
    assert scene.loopback.messages(scene.text)[0].id == first
    assert typings(scene) == 0, "who waits does not write"

    await courier.writing(place, draft("The rain"))
    await reached(lambda: not lines() and typings(scene) == 1)
    scene.clock.move(status_line.LINE_EVERY)
    for waiting in ("Waiting once more", ""):
        await courier.writing(place, draft("The rain", waiting=waiting))
        await reached(partial(has_line, scene, shown=bool(waiting)))
    await reached(lambda: scene.clock.sleeping)
    assert typings(scene) == 1, "eight seconds have not passed yet"


async def test_a_line_goes_when_nobody_writes_any_more(scene: CourierScene, courier: DiscordCourier) -> None:
    place = place_of(scene.text.id)
    await courier.writing(place, draft(waiting="Paused"))
    await reached(lambda: scene.texts(scene.text) == [f"{MARK}Paused"])
    await courier.resting(place, 3)
    await asyncio.wait_for(courier.signs.settled(scene.text.id), 5)
    assert scene.texts(scene.text) == []


async def test_closing_takes_the_line_away(scene: CourierScene, courier: DiscordCourier) -> None:
    await courier.writing(place_of(scene.text.id), draft(waiting="Paused"))
    await reached(lambda: courier.signs.line_of(scene.text.id))
    await courier.close()
    assert scene.texts(scene.text) == []


async def test_a_line_that_a_killed_run_left_goes_when_this_one_shows_signs(scene: CourierScene) -> None:
    killed = scene.new_courier()
    await killed.writing(place_of(scene.text.id), draft(waiting="Paused"))
    await reached(lambda: scene.texts(scene.text))
    await scene.loopback.post(scene.player, scene.text, f"{MARK}no sign of the bot")
    signs = killed.signs._signs.pop(scene.text.id)
    if signs.task is not None:
        signs.task.cancel()

    courier = scene.new_courier()
    await courier.writing(place_of(scene.text.id), draft())
    await reached(lambda: typings(scene) == 1)
    await courier.resting(place_of(scene.text.id), 3)
    await asyncio.wait_for(courier.signs.settled(scene.text.id), 5)
    assert scene.texts(scene.text) == [f"{MARK}no sign of the bot"]


async def test_a_line_that_a_moderator_took_away_is_made_anew(scene: CourierScene, courier: DiscordCourier) -> None:
    place = place_of(scene.text.id)
    await courier.writing(place, draft(waiting="Number 2"))
    await reached(lambda: scene.texts(scene.text))
    await scene.loopback.delete(scene.loopback.messages(scene.text)[0])
    for number in (1, 0):
        scene.clock.move(status_line.LINE_EVERY)
        await courier.writing(place, draft(waiting=f"Number {number}"))
        await asyncio.wait_for(courier.signs.settled(scene.text.id), 5)
    assert scene.texts(scene.text) == [f"{MARK}Number 0"]


@pytest.mark.parametrize("bad", ["gone", "silent", "forbidden"])
async def test_what_cannot_be_shown_is_not_shown_and_disturbs_nobody(
    scene: CourierScene, courier: DiscordCourier, bad: str
) -> None:
    thread: Channel = await scene.thread()
    if bad == "gone":
        await scene.loopback.delete_channel(thread)
    elif bad == "silent":
        scene.line.close()
    else:
        scene.loopback.forbid(scene.text, "send_messages_in_threads")
    place = place_of(thread.id)
    await courier.writing(place, draft(waiting="Number 2"))
    await courier.writing(place, draft("words"))
    await courier.resting(place, 3)
    await asyncio.wait_for(courier.signs.settled(thread.id), 5)


async def test_a_line_is_not_taken_for_a_post_in_between(scene: CourierScene, courier: DiscordCourier) -> None:
    first = post_in(scene.text, "Part 0.")
    scene.stands(first, (await courier.send(first)).message)
    await courier.writing(place_of(scene.text.id), draft(waiting="Number 2"))
    await reached(lambda: courier.signs.line_of(scene.text.id))
    courier.saw_message(scene.text.id, scene.loopback.messages(scene.text)[-1].id)
    await courier.send(post_in(scene.text, "Part 1.", "key-1b", position=1))
    assert scene.texts(scene.text) == ["Part 0.", f"{MARK}Number 2", "Part 1."]
