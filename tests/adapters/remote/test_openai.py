"""Our server as the official client of OpenAI sees it."""

from collections.abc import AsyncGenerator

import openai
import pytest
from openai import AsyncOpenAI

from adapters.remote.server import serve
from adapters.remote.settings import EngineServerSettings
from bot.engine.threaded import SharingSettings, ThreadedEngine
from tests.adapters.remote.stage import a_stage
from tests.fakes.engine import Pause, ScriptedReply
from tests.fakes.runner import CountingRunner

TOKEN = "open-sesame"  # noqa: S105 - a secret of this test
MODEL = "counting"
PROMPT = "A door stands open."


@pytest.fixture
async def address() -> AsyncGenerator[str, None]:
    engine = ThreadedEngine(CountingRunner(slots=1), model=MODEL, sharing=SharingSettings(queue_limit=1))
    async with serve(engine, EngineServerSettings(port=0, token=TOKEN, max_tokens=600)) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncGenerator[AsyncOpenAI, None]:
    async with AsyncOpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


async def test_a_whole_reply(client: AsyncOpenAI) -> None:
    reply = await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=12, seed=3, temperature=0.7)
    (choice,) = reply.choices
    assert reply.model == MODEL
    assert (len(choice.text), choice.finish_reason) == (12, "length")
    assert reply.usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (20, 12, 32)
    assert reply.usage.prompt_tokens_details


async def test_a_streamed_reply_is_the_same_one(client: AsyncOpenAI) -> None:
    whole = await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=12, seed=3)
    stream = await client.completions.create(
        model=MODEL, prompt=PROMPT, max_tokens=12, seed=3, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == whole.choices[0].text
    assert len(chunks) > 3
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 12


async def test_seeds_decide(client: AsyncOpenAI) -> None:
    one, again, other = [
        (await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=12, seed=seed)).choices[0].text
        for seed in (3, 3, 4)
    ]
    assert one == again != other


async def test_a_stop_text_ends_the_reply(client: AsyncOpenAI) -> None:
    whole = (await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=12, seed=3)).choices[0].text
    reply = await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=12, seed=3, stop=[whole[5:7], "never"])
    (choice,) = reply.choices
    assert (choice.text, choice.finish_reason) == (whole[: whole.find(whole[5:7])], "stop")


async def test_ids_as_prompt_and_our_own_fields(client: AsyncOpenAI) -> None:
    ours = {"session_id": "one", "borders": [10], "return_token_ids": True, "min_p": 0.1, "top_k": 5, "repetition_penalty": 1.1}
    prompt = [256, *PROMPT.encode()]
    first = await client.completions.create(model=MODEL, prompt=prompt, max_tokens=5, seed=3, extra_body=ours)
    again = await client.completions.create(model=MODEL, prompt=prompt, max_tokens=5, seed=3, extra_body=ours)
    (choice,) = first.choices
    assert choice.model_extra
    assert bytes(choice.model_extra["token_ids"]).decode() == choice.text
    assert again.usage
    assert again.usage.prompt_tokens_details
    assert (again.usage.prompt_tokens_details.cached_tokens or 0) >= 10


async def test_biases_are_taken_or_refused_by_name(client: AsyncOpenAI) -> None:
    await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=2, logit_bias={"50": -100})
    with pytest.raises(openai.BadRequestError, match="logit_bias"):
        await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=2, logit_bias={"fifty": -100})


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert [each.id async for each in client.models.list()] == [MODEL]


async def test_mistakes_are_bad_requests(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="max_tokens") as refused:
        await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=0)
    assert (refused.value.code, refused.value.type) == ("bad_request", "invalid_request_error")


async def test_a_prompt_that_is_too_long_has_openais_own_code(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.completions.create(model=MODEL, prompt="x" * 600, max_tokens=5)
    assert refused.value.code == "context_length_exceeded"
    assert isinstance(refused.value.body, dict)
    assert (refused.value.body["tokens"], refused.value.body["limit"]) == (601, 507)


async def test_an_unknown_model_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match='ask for "counting"'):
        await client.completions.create(model="gpt", prompt=PROMPT)


async def test_a_wrong_token_is_an_authentication_error(address: str) -> None:
    async with AsyncOpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError, match="bearer"):
            await client.completions.create(model=MODEL, prompt=PROMPT)


async def test_too_many_replies_at_once_are_a_rate_limit() -> None:
    pause = Pause(before=1)
    settings = EngineServerSettings(port=0, concurrent=1)
    async with (
        a_stage(ScriptedReply(("Come", " in"), pause=pause), settings=settings) as stage,
        AsyncOpenAI(base_url=f"{stage.address}/v1", api_key="any", max_retries=0) as client,
    ):
        stream = await client.completions.create(model="scripted", prompt=PROMPT, stream=True)
        with pytest.raises(openai.RateLimitError) as refused:
            await client.completions.create(model="scripted", prompt=PROMPT)
        assert refused.value.response.headers["Retry-After"] == "5"
        pause.go.set()
        assert [choice.text async for chunk in stream for choice in chunk.choices] == ["Come", " in", ""]


async def test_leaving_a_stream_early_frees_the_engine(client: AsyncOpenAI) -> None:
    for _ in range(3):
        stream = await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=480, stream=True)
        await anext(aiter(stream))
        await stream.close()
        await _until_free(client)


async def _until_free(client: AsyncOpenAI) -> None:
    for _ in range(1000):
        try:
            await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=1)
        except openai.RateLimitError:
            continue
        return
    pytest.fail("the reply went on without anybody listening")
