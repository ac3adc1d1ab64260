"""Asks once whether an engine of ours is there and ready. It waits for nothing and asks nothing of it."""

from adapters.network.circuit import CircuitRules
from adapters.network.retry import Backoff
from adapters.remote import wire
from adapters.remote.connection import Line, LineSettings, TimeLimits
from adapters.remote.parsing import Changed, Passing
from bot.errors import EngineError
from bot.ports.clock import Clock

LIMITS = TimeLimits(connect=2.0, answer=5.0, idle=5.0)


async def is_ready(address: str, clock: Clock) -> bool:
    """Whether the engine at this address can write now. Never raises."""
    line = Line(LineSettings(address, "", LIMITS, Backoff(), CircuitRules(), lambda: 0.0), clock)
    try:
        await line.get(wire.HEALTH)
    except (EngineError, Passing, Changed):
        return False
    finally:
        await line.close()
    return True
