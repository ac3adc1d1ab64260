"""One server as the workload of the threads sees it: asked for replies, told when a story rests, and asked what it has read."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from bot.flow.lore import LoreTeller
from bot.flow.window import Reading, prepare_next
from bot.ports.engine import Engine, Finished, GenerationRequest, TextDelta
from bot.prompt.build import Prompt
from bot.sampling import LIMARP
from bot.story.session import Session
from tests.bench.servers import ServerKind
from tests.bench.stories import FORMAT
from tests.bench.streams import Heard, ask

REST = 0.2
SETTLES_WITHIN = 1_500
"""Questions, `REST` seconds apart."""


class Side(Protocol):
    """What the workload asks of a server."""

    async def reply(self, session: Session, prompt: Prompt, max_tokens: int) -> Heard:
        """Write the open reply of a story."""
        ...

    async def rest(self, session: Session) -> None:
        """A turn has ended: do what the bot does then."""
        ...

    async def settle(self) -> None:
        """Wait until nothing is left to do, as between the posts of people."""
        ...

    async def read(self) -> int | None:
        """How many tokens of prompts the model was handed since the server's start; None where the server does not tell."""
        ...


@dataclass(slots=True)
class PeerSide:
    """A server that gets plain requests, each with the whole prompt as text."""

    kind: ServerKind
    http: aiohttp.ClientSession
    _read: list[int | None] = field(default_factory=list)

    async def reply(self, session: Session, prompt: Prompt, max_tokens: int) -> Heard:
        text = "".join(segment.text for segment in prompt.segments)
        heard = await ask(self.http, self.kind.body(text, max_tokens, session.id))
        self._read.append(heard.read)
        return heard

    async def rest(self, session: Session) -> None:
        """There is nothing that could be told it."""

    async def settle(self) -> None:
        """It works only while it is asked."""

    async def read(self) -> int | None:
        known = [count for count in self._read if count is not None]
        return sum(known) if len(known) == len(self._read) else None


@dataclass(slots=True)
class OurSide:
    """Our server behind the bot's own client: prompts in segments with the ids of replies, and reading ahead."""

    engine: Engine
    http: aiohttp.ClientSession

    async def reply(self, session: Session, prompt: Prompt, max_tokens: int) -> Heard:
        heard = Heard(time.perf_counter())
        request = GenerationRequest(session.id, prompt.segments, max_tokens, LIMARP, seed=1)
        async with aclosing(self.engine.generate(request)) as stream:
            async for item in stream:
                _take(heard, item)
        if heard.tokens < max_tokens:
            raise RuntimeError(f"a reply ended after {heard.tokens} of {max_tokens} tokens: {heard.reason}")
        return heard

    async def rest(self, session: Session) -> None:
        # No window moves here, the stories are short: what would store the move is never asked.
        await prepare_next(Reading(None, self.engine, FORMAT, LoreTeller(self.engine)), session)  # type: ignore[arg-type]  # see above

    async def settle(self) -> None:
        """Until it has read all it was told ahead: nothing was handed to the model between two questions."""
        before = -1.0
        for _ in range(SETTLES_WITHIN):
            await asyncio.sleep(REST)
            now = (await metrics(self.http))["understudy_engine_decode_tokens_total"]
            if now == before:
                return
            before = now
        raise RuntimeError("the engine does not come to rest")

    async def read(self) -> int | None:
        known = await metrics(self.http)
        return int(known["understudy_engine_prefilled_tokens_total"] + known["understudy_engine_warmed_tokens_total"])


def _take(heard: Heard, item: Any) -> None:
    if isinstance(item, TextDelta):
        heard.stamps.append(time.perf_counter())
        heard.text += item.text
        heard.token_ids += item.token_ids
    elif isinstance(item, Finished):
        heard.tokens, heard.reason = item.usage.completion_tokens, item.reason.value
        heard.read = item.usage.prefilled_tokens


async def metrics(http: aiohttp.ClientSession) -> dict[str, float]:
    """The figures that a server's metrics page shows, those with labels left out."""
    async with http.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in pairs}
