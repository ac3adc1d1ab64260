"""Stub."""

from pathlib import Path
from contextlib import asynccontextmanager
from tests.bench.servers import ServerKind

OURS = ServerKind("ours", lambda load, port: [], {}, needs=Path("/nonexistent"))
TARGET_SECONDS = 0.25


@asynccontextmanager
async def our_side(url, http):
    yield None
