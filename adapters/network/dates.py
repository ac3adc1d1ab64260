"""What time it is elsewhere, by the header Date of any answer (RFC 9110, 6.6.1). It knows nobody by name."""

from email.utils import parsedate_to_datetime

import aiohttp

from adapters.network.errors import NETWORK_ERRORS

PATIENCE = aiohttp.ClientTimeout(total=10)


async def time_at(url: str, proxy: str = "") -> float | None:
    """The time there in seconds since 1970, give or take one; None where it is not told."""
    try:
        async with aiohttp.ClientSession(timeout=PATIENCE) as session, session.get(url, proxy=proxy or None) as answer:
            return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (ValueError, TimeoutError, *NETWORK_ERRORS):
        return None
