"""A bot on fakes: what the stages of tests are made of, and made of again after a restart."""

from collections.abc import Callable
from itertools import count
from typing import Any

from bot.flow.service import Service
from bot.ports.courier import Courier
from bot.prompt.format import FORMATS
from tests.fakes.clock import FrozenClock
from tests.fakes.engine import ScriptedEngine
from tests.fakes.store import MemoryStore


def a_service(store: MemoryStore, engine: ScriptedEngine, courier: Courier, clock: FrozenClock, **more: Any) -> Service:
    """A bot that serves one courier."""
    return Service(store, engine, (courier,), clock, FORMATS["limarp"], **more)


def seeds() -> Callable[[], int]:
    """Rolls 1, 2, 3 and so on. A stage keeps it over restarts: no two replies of a test have the same seed."""
    return count(1).__next__
