"""Steps of the store that run to their end even when whoever asked for them has left. It knows no database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

log = logging.getLogger(__name__)

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Owner = TypeVar("Owner", bound="Steps")


class Steps:
    """Has steps; `running` are those under way."""

    def __init__(self) -> None:
        self.running: set[asyncio.Future[Any]] = set()


def whole(
    step: Callable[Concatenate[Owner, Asked], Awaitable[Answer]],
) -> Callable[Concatenate[Owner, Asked], Coroutine[Any, Any, Answer]]:
    """A step that runs to its end even when its caller is cancelled: given up half-way, it would keep the database locked."""

    @wraps(step)
    async def run(owner: Owner, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        task = asyncio.ensure_future(step(owner, *args, **kwargs))
        owner.running.add(task)
        task.add_done_callback(owner.running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    return run


def _log_failure(task: "asyncio.Future[Answer]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("a step of the store failed after its caller had left", exc_info=error, extra={"action": "lose_step"})
