"""Serves the page or an engine, scripted, until its standard input ends: `python -m tests.served page`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.adapters.remote.stage import a_stage as an_engine
from tests.adapters.web.stage import a_stage as a_page


@asynccontextmanager
async def _opened(which: str) -> AsyncIterator[str]:
    replies = ["Yes."] * 10_000
    if which == "page":
        async with a_page(*replies, whole=True) as page:
            yield page.address.rstrip("/")
    else:
        async with an_engine(*replies) as engine:
            yield engine.address


async def main(which: str) -> None:
    """Say the address, and serve."""
    async with _opened(which) as address:
        print(address, flush=True)  # noqa: T201  what whoever started it waits for
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
