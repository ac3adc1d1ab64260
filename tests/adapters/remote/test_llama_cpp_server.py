"""RemoteEngine against the real server of the llama-cpp-python package, in a process of its own."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from adapters.clock import SystemClock
from adapters.network.retry import Backoff
from adapters.remote.client import RemoteEngine, RemoteSettings
from bot.errors import EngineUnavailable, PromptTooLong
from bot.ids import SessionId
from bot.ports.engine import Finished, FinishReason, GenerationRequest, Segment, StreamItem, TextDelta
from bot.sampling import SamplingSettings
from tests.models import DEMO_MODEL

pytestmark = pytest.mark.slow

CONTEXT = 512
STORY = (
    Segment("### Instruction:\nPlay the role of Mira.\n\n### Input:\n", trusted=True),
    Segment('Tobias: "Is there a room left?" he asked.'),
    Segment("\n\n### Response:\nMira:", trusted=True),
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"model": DEMO_MODEL, "host": "127.0.0.1", "port": port, "n_ctx": CONTEXT, "n_threads": 1, "n_batch": 64}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    server = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "llama_cpp.server", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


@pytest.fixture
async def engine(address: str) -> AsyncGenerator[RemoteEngine, None]:
    # The client itself waits for the server to come up.
    engine = RemoteEngine(RemoteSettings(address, context=CONTEXT, backoff=Backoff(longest=1.0)), SystemClock())
    yield engine
    await engine.close()


def a_request(max_tokens: int = 12, **changes: object) -> GenerationRequest:
    request = GenerationRequest(SessionId("one"), STORY, max_tokens, SamplingSettings(temperature=0.7), seed=5)
    return replace(request, **changes)  # type: ignore[arg-type] # any field


async def whole(stream: AsyncGenerator[StreamItem, None]) -> tuple[str, Finished]:
    items = [item async for item in stream]
    assert isinstance(items[-1], Finished)
    return "".join(item.text for item in items if isinstance(item, TextDelta)), items[-1]


async def test_it_is_known_for_what_it_is(engine: RemoteEngine) -> None:
    told = await engine.capabilities()
    assert told.context == CONTEXT
    assert str(DEMO_MODEL) in told.model
    assert {"tail_free_z", "penalty_range"} <= set(told.unhonoured)


async def test_a_reply_comes_and_the_same_seed_gives_it_again(engine: RemoteEngine) -> None:
    text, finished = await whole(engine.generate(a_request()))
    again, _ = await whole(engine.generate(a_request()))
    assert text
    assert text == again
    assert finished.reason in {FinishReason.END, FinishReason.LENGTH}
    assert 0 < finished.usage.completion_tokens <= 14
    assert abs(finished.usage.prompt_tokens - sum(await engine.count(STORY))) <= 1


async def test_a_stop_text_ends_it(engine: RemoteEngine) -> None:
    text, _ = await whole(engine.generate(a_request()))
    stop = text[4:7]
    stopped, _ = await whole(engine.generate(a_request(stop=(stop,))))
    assert stopped == text[: text.find(stop)]


async def test_a_prompt_that_does_not_fit_is_refused(engine: RemoteEngine) -> None:
    with pytest.raises(PromptTooLong):
        await whole(engine.generate(a_request(segments=(Segment("Rain. " * 2000),))))


async def test_leaving_early_lets_the_next_one_in(engine: RemoteEngine) -> None:
    async with asyncio.timeout(30):
        async with aclosing(engine.generate(a_request(max_tokens=300))) as stream:
            await anext(stream)
        text, _ = await whole(engine.generate(a_request(max_tokens=4)))
    assert text


async def test_its_refusals_are_told_in_its_words(address: str) -> None:
    engine = RemoteEngine(RemoteSettings(address, "openai", context=CONTEXT, model="x"), SystemClock())
    with pytest.raises(EngineUnavailable, match="refused the request"):
        await whole(engine.generate(a_request(sampling=SamplingSettings(), max_tokens=-1)))
    await engine.close()
