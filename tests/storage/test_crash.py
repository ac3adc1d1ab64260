"""A step that was reported as done survives the end of the process by kill -9, and no step is ever half there."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from bot.ids import MessageId
from storage.store import open_store
from tests.builders import HERE

WRITES = """
import asyncio, sys
from bot.ids import EventId, MessageId, PostKey
from bot.ports.store import Change
from bot.posts import OutboundPost, Speaker, Voice
from bot.story import acts as story
from storage.store import open_store
from tests.builders import HERE, TOBIAS, a_post, a_session

async def main():
    store = await open_store(sys.argv[1])
    session = await store.save(Change(None, a_session()))
    while True:
        number = session.next_number
        await store.receive(a_post(event=f"event-{number}"))
        after = story.add_post(session, TOBIAS, f"Post {number}.")
        wish = OutboundPost(f"key-{number}", HERE, number, 0, 0, Speaker(Voice.CHARACTER, "Mira"), "A post.")
        session = await store.save(Change(session, after, (wish,), EventId(f"event-{number}")))
        print(session.version, flush=True)

asyncio.run(main())
"""


def reported_before_kill_9(url: str, reports: int) -> int:
    """Let a process of its own write, kill it after so many reports, and return the version that it reported last."""
    with subprocess.Popen([sys.executable, "-c", WRITES, url], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  ours
        assert process.stdout is not None
        last = [int(process.stdout.readline()) for _ in range(reports)][-1]
        process.kill()
    return last


@pytest.mark.parametrize("seed", range(3))
async def test_a_reported_step_survives_kill_9(tmp_path: Path, seed: int) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/stories.db"
    steps = random.Random(seed).randrange(1, 60)  # noqa: S311  no secret
    reported = reported_before_kill_9(url, steps)
    store = await open_store(url)
    session = await store.session_at(HERE)
    assert session is not None
    assert session.version >= reported
    assert len(session.turns) == session.next_number == session.version - 1
    assert len(await store.waiting()) <= 1
    wishes = 0
    while delivery := await store.claim(HERE, now=0.0):
        await store.settle(delivery.id, MessageId(f"message-{delivery.id}"))
        wishes += 1
    assert wishes == len(session.turns)
    await store.close()
