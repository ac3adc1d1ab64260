"""Asking the homeserver for what may be asked twice, until it answers. It knows nothing of what is asked."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import CourierError, OutcomeUnknown, Refused, TryLater
from bot.ports.clock import Clock

AGAIN = 2.0
"""Seconds until something is asked again whose answer was lost."""

PATIENCE = 120.0
"""Seconds that the homeserver is asked again for, where it asks for patience, before whoever asked is told so."""

NOT_NOW = "The homeserver asks for patience; try again in {seconds:.0f} seconds."

Got = TypeVar("Got")


async def patiently(clock: Clock, call: Callable[[], Awaitable[Got]], seconds: float) -> Got:
    """What the call comes back with. Raises CourierError: TryLater and OutcomeUnknown only after so many seconds of trying."""
    until = clock.ticks() + seconds
    while True:
        try:
            return await call()
        except (TryLater, OutcomeUnknown) as error:
            wait = error.seconds if isinstance(error, TryLater) else AGAIN
            if clock.ticks() + wait > until:
                raise
            await clock.sleep(wait)


async def asked(clock: Clock, call: Callable[[], Awaitable[Got]]) -> Got:
    """The same for somebody who waits for it. Raises Refused for what the homeserver refuses, and where it takes too long."""
    try:
        return await patiently(clock, call, PATIENCE)
    except TryLater as patience:
        raise Refused(NOT_NOW.format(seconds=patience.seconds)) from None
    except CourierError as error:
        raise Refused(str(error)) from error
