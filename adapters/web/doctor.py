"""What `understudy doctor` finds where the page is to be: room for it, the page itself, or what keeps it from there."""

import json

import aiohttp

from adapters.findings import Finding, Grade
from adapters.network.errors import NETWORK_ERRORS
from adapters.network.hosts import bracketed
from adapters.network.listening import trouble, try_to_listen
from adapters.web.operating import HEALTH
from adapters.web.server import CHOICES, UNOPENED
from bot.errors import NotNow

PATIENCE = aiohttp.ClientTimeout(total=5)
LONGEST = 65_536
"""Bytes of an answer: that of the page has some hundred."""


async def examine(host: str, port: int) -> Finding:
    """How it stands with the address of the page. Takes no connection, and disturbs no page that is open there."""
    if not port:
        return Finding("page", Grade.OK, f"It takes any free port at {host}.")
    try:
        await try_to_listen(host, port)
    except OSError as error:
        wrong = trouble(UNOPENED, host, port, error, CHOICES)
        if isinstance(wrong, NotNow) and await _is_ours(host, port):
            return Finding(
                "page", Grade.OK, f"An Understudy answers at {host}, port {port}; if it is not this one, choose another port."
            )
        return Finding("page", Grade.WRONG, str(wrong))
    return Finding("page", Grade.OK, f"It can be opened at {host}, port {port}.")


async def _is_ours(host: str, port: int) -> bool:
    """Whether what listens there gives Understudy's sign of life."""
    url = f"http://{bracketed(host)}:{port}{HEALTH}"
    try:
        async with aiohttp.ClientSession(timeout=PATIENCE) as session, session.get(url, allow_redirects=False) as answer:
            told = json.loads(await answer.content.read(LONGEST))
    except (ValueError, RecursionError, *NETWORK_ERRORS):
        return False
    return isinstance(told, dict) and told.get("status") == "alive"
