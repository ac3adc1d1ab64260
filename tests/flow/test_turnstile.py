"""Limits, as the walk keeps them: what is over one joins the story, is told once, and is answered when somebody asks later."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.errors import Refused
from bot.flow.commanding import Commanding
from bot.flow.service import Service
from bot.ids import AuthorId, ChannelKey, CommunityId, EventId, Place, SessionId
from bot.limits import HOUR, Limits, Share
from bot.posts import ChannelLimits, Edited
from bot.prompt.format import FORMATS
from bot.story.persona import Persona
from bot.story.session import with_length
from bot.story.settings import Length, TurnPolicy
from bot.story.table import Table
from bot.story.turn import Role
from tests.builders import HERE, MIRA, TOBIAS, a_command, a_post, a_session
from tests.fakes.clock import FrozenClock
from tests.fakes.courier import RecordingCourier
from tests.fakes.engine import Pause, ScriptedEngine, ScriptedReply
from tests.fakes.leases import SharedMemory
from tests.fakes.store import MemoryStore
from tests.flow.stage import Stage

REPLY = '"Come in," she said.'
ANN = Persona(AuthorId("author-2"), "Ann")
ONE_A_MINUTE = Limits(player=Share(turns_a_minute=1))


@asynccontextmanager
async def a_limited_stage(
    limits: Limits, replies: Sequence[str | ScriptedReply] = (REPLY,), community: CommunityId | None = None
) -> AsyncGenerator[Stage, None]:
    clock = FrozenClock()
    courier = RecordingCourier(channel_limits=ChannelLimits(2000, streams=True, community=community))
    stage = Stage(ScriptedEngine(replies), courier, MemoryStore(clock.now), clock)
    stage.service = stage.new_service(limits=limits)
    await stage.service.start()
    try:
        await begin(stage, HERE)
        yield stage
    finally:
        await stage.service.close()


async def begin(stage: Stage, place: Place) -> None:
    session = a_session(id=SessionId(f"session in {place.channel}"), place=place, table=Table(owner=TOBIAS.author))
    await stage.service.begin(with_length(session, Length.UNLIMITED))
    await stage.service.receiver.settled(place)


def a_place(number: int) -> Place:
    return replace(HERE, channel=ChannelKey(f"place-{number}"))


async def test_a_post_over_a_limit_joins_the_story_and_is_answered_by_retry_when_there_is_room() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("Hello?")
        await stage.post("Is anybody there?")
        roles = [turn.role for turn in (await stage.session()).turns]
        assert roles == [Role.CHARACTER, Role.PLAYER, Role.CHARACTER, Role.PLAYER]
        assert stage.shown == (
            MIRA.greeting,
            REPLY,
            (
                "Tobias has asked for 1 reply within a minute, the most that a player may; the post is in the story: "
                "use retry in 60 seconds to have it answered."
            ),
        )
        stage.clock.move(60)
        await stage.act("retry")
        assert stage.shown[-1] == REPLY
        assert "Is anybody there?" in "".join(segment.text for segment in stage.engine.requests[-1].segments)


async def test_a_flood_is_told_once_until_there_is_room_again() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        for number in range(10):
            await stage.post(f"Post {number}.")
        assert sum("the most that a player may" in text for text in stage.shown) == 1
        assert stage.service.metrics.counts["limited", "player_turns"] == 9
        stage.clock.move(60)
        await stage.post("Hello again?")
        await stage.post("And again?")
        assert sum("the most that a player may" in text for text in stage.shown) == 2
        assert len(stage.engine.requests) == 2


async def test_other_players_are_answered_all_the_same() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        for number in range(3):
            await stage.post(f"Post {number}.")
        await stage.post("May I too?", author=ANN.author, author_name=ANN.name)
        assert stage.shown[-1] == REPLY
        assert len(stage.engine.requests) == 2


@pytest.mark.parametrize("name", ["retry", "continue", "shorter", "longer", "summary make", "part"])
async def test_commands_that_have_the_model_write_count_and_are_refused_in_a_sentence(name: str) -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("Hello?")
        before = await stage.session()
        with pytest.raises(Refused, match=r"^You have asked for 1 reply within a minute.*; ask again in 60 seconds\.$"):
            await stage.act(name)
        assert await stage.session() == before
        assert await stage.store.waiting() == ()
        stage.clock.move(60)
        await stage.act(name)
        if name != "part":  # The story has gone on elsewhere then.
            with pytest.raises(Refused, match="within a minute"):
                await stage.act("retry")


@pytest.mark.parametrize("name", ["undo", "swipe", "pause", "note"])
async def test_commands_that_ask_nothing_of_the_model_are_carried_out(name: str) -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("Hello?")
        await stage.act(name, side="left", text="It rains.")
        assert stage.service.metrics.total("limited") == 0


async def test_a_command_that_is_not_theirs_counts_for_nothing() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        stranger = replace(a_command("retry", EventId("stranger's")), author=ANN.author)
        await stage.service.receiver.receive(stranger)
        await stage.service.receiver.settled(HERE)
        await stage.post("Hello?", author=ANN.author, author_name=ANN.name)
        assert stage.shown[-1] == REPLY


async def test_talk_and_posts_that_nobody_answers_count_for_nothing() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("// Just talk.")
        await stage.act("settings", turns=TurnPolicy.ON_CONTINUE)
        assert (await stage.session()).settings.turns is TurnPolicy.ON_CONTINUE
        await stage.post("Not yet.")
        await stage.act("continue")
        assert stage.shown[-1] == REPLY


async def test_one_players_posts_in_fifty_places_keep_nobody_from_their_turn() -> None:
    pause = Pause(before=0)
    reply = ScriptedReply((REPLY,), pause=pause)
    async with a_limited_stage(Limits(player=Share(waiting=5)), [reply]) as stage:
        places = [a_place(number) for number in range(50)]
        for place in places:
            await begin(stage, place)
        flood = [a_post("Me!", f"flood-{number}", place=place) for number, place in enumerate(places)]
        await asyncio.gather(*(stage.service.receiver.receive(post) for post in flood))
        await stage.service.receiver.receive(a_post("And me?", "ann's", author=ANN.author, author_name=ANN.name))
        while len(stage.engine.requests) < 6:
            await asyncio.sleep(0)
        await asyncio.gather(*(stage.service.receiver.settled(place) for place in places[5:]))
        assert len(stage.engine.requests) == 6
        told = [text for place in places for text in stage.courier.texts(place) if "5 replies in the queue" in text]
        assert len(told) == 1
        pause.go.set()
        await stage.service.receiver.settled(HERE)
        assert stage.shown[-1] == REPLY
        for place in places:
            session = await stage.store.session_at(place)
            assert session is not None
            assert any(turn.text == "Me!" for turn in session.turns), "nothing is lost"


async def test_what_waits_in_one_place_counts_too_and_is_told_while_the_reply_is_still_written() -> None:
    pause = Pause(before=0)
    async with a_limited_stage(Limits(place=Share(waiting=2)), [ScriptedReply((REPLY,), pause=pause)]) as stage:
        receive = stage.service.receiver.receive
        for number in range(4):
            await receive(a_post(f"Post {number}.", f"event-{number}"))
        await pause.reached.wait()
        while not any("2 replies in the queue" in text for text in stage.shown):
            await asyncio.sleep(0)
        pause.go.set()
        await stage.service.receiver.settled(HERE)
        assert len(stage.engine.requests) == 2
        assert sum("in the queue" in text for text in stage.shown) == 1


async def test_after_a_restart_what_was_asked_for_still_counts_and_what_was_over_is_not_answered() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("Hello?")
        await stage.service.close()
        await stage.store.receive(a_post("Kept while it was away.", "kept"))
        stage.service = stage.new_service(limits=ONE_A_MINUTE)
        await stage.service.start()
        await stage.service.receiver.settled(HERE)
        assert (await stage.session()).turns[-1].role is Role.PLAYER
        assert "use retry in 60 seconds" in stage.shown[-1]


async def test_two_processes_share_the_limits_and_a_face_tells_whoever_asked() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        shared = SharedMemory(stage.store, stage.clock)
        await stage.service.close()
        services = [
            Service(shared.process(name), stage.engine, (stage.courier,), stage.clock, FORMATS["limarp"], limits=ONE_A_MINUTE)
            for name in ("first", "second")
        ]
        for service in services:
            await service.start()
        try:
            await services[0].receiver.receive(a_post("Hello?", "heard-by-the-first"))
            await services[0].receiver.settled(HERE)
            faces = Commanding(services[1].receiver)
            with pytest.raises(Refused, match="You have asked for 1 reply within a minute"):
                await faces.hand_in(a_command("retry", EventId("asked-of-the-second")))
            await faces.close()
        finally:
            for service in services:
                await service.close()
        assert len(stage.engine.requests) == 1


async def test_tokens_that_were_read_and_written_count_also_of_a_reply_that_was_stopped() -> None:
    pause = Pause(before=30)
    long = ScriptedReply(tuple(f"Sentence number {number}. " for number in range(60)), pause=pause)
    async with a_limited_stage(Limits(player=Share(tokens_a_day=30)), [long]) as stage:
        writing = asyncio.create_task(stage.post("Hello?"))
        await pause.reached.wait()
        stage.service.receiver.stop(HERE)
        await writing
        await stage.post("Go on.")
        assert "used up the 30 tokens" in stage.shown[-1]
        stage.clock.move(25 * HOUR)
        pause.go.set()
        await stage.act("retry")
        assert len(stage.engine.requests) == 2


async def test_a_community_shares_its_limit_and_a_place_without_one_has_none() -> None:
    limits = Limits(community=Share(turns_a_minute=1))
    async with a_limited_stage(limits, community=CommunityId("guild")) as stage:
        await begin(stage, a_place(1))
        await stage.post("Hello?")
        await stage.service.receiver.receive(a_post("Here too?", "other", place=a_place(1)))
        await stage.service.receiver.settled(a_place(1))
        assert "This community has asked for 1 reply" in stage.courier.texts(a_place(1))[-1]
    async with a_limited_stage(limits) as stage:
        for number in range(3):
            await stage.post(f"Post {number}.")
        assert len(stage.engine.requests) == 3


async def test_a_post_that_is_edited_again_and_again_is_not_answered_anew_each_time() -> None:
    async with a_limited_stage(Limits(player=Share(turns_a_minute=2))) as stage:
        await stage.post("Hello?", event="first")
        await stage.act("undo")
        await stage.post("Hello?", event="second")
        await stage.post("Still here?", event="third")
        for number in range(5):
            await stage.service.receiver.receive(
                Edited(EventId(f"edit-{number}"), HERE, TOBIAS.author, EventId("third"), f"Version {number}.")
            )
            await stage.service.receiver.settled(HERE)
        assert (await stage.session()).turns[-1].text == "Version 4."
        assert len(stage.engine.requests) == 2


async def test_an_event_that_comes_again_counts_once() -> None:
    async with a_limited_stage(Limits(player=Share(turns_a_minute=2))) as stage:
        for _ in range(5):
            await stage.post("Hello?", event="same")
        await stage.post("And now?")
        assert len(stage.engine.requests) == 2


async def test_why_tells_that_a_limit_keeps_the_newest_post_from_being_answered() -> None:
    async with a_limited_stage(ONE_A_MINUTE) as stage:
        await stage.post("Hello?")
        await stage.post("And now?")
        await stage.post("And then?")
        answer = await stage.service.desk.answer(a_command("why", EventId("why")))
        assert "use retry in 60 seconds" in answer.text
