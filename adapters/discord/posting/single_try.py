"""One call of Discord, tried once. It does not know what is called for what.

The trap avoided: discord.py repeats a call up to five times where Discord answers with trouble of its own. A webhook's post and
a new thread bear no nonce, so a repetition of one that had taken effect stands there twice. Whoever calls must read back first.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import aiohttp
import discord
from discord.http import Route, json_or_text
from discord.webhook.async_ import AsyncWebhookAdapter

TROUBLE = 500
PATIENCE = 429
RETRIED_BY_THE_LIBRARY = frozenset({54, 10054})
"""Numbers of "connection reset" on other systems: on those the library would repeat the call."""


class SingleTry(AsyncWebhookAdapter):
    """The library's own requests of webhooks, but each goes out once: what it would repeat raises HTTPException at once.

    It keeps the library's order and its waiting for a used-up budget, webhook by webhook.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's own has no types

    async def request(self, route: Route, session: aiohttp.ClientSession, **options: Any) -> Any:  # noqa: ANN401  the library's
        """Ask once. Raises discord.HTTPException and what the HTTP client raises."""
        return await self._request(route, _Session(session, {}), **options)

    async def _request(self, route: Route, session: "_Session", **options: Any) -> Any:  # noqa: ANN401  likewise
        return await super().request(route, cast("aiohttp.ClientSession", session), **options)

    async def ask(
        self, client: discord.Client, route: Route, payload: dict[str, Any], params: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401  whatever the route answers
        """Ask once as the bot itself, for what bears no nonce."""
        http = client.http
        return await self._request(
            route,
            _Session(session_of(client), {"User-Agent": http.user_agent}),
            payload=payload,
            params=params,
            proxy=http.proxy,
            proxy_auth=http.proxy_auth,
            auth_token=http.token,
        )


class _Session:
    """Stands in for the client's session in one call, and adds headers: whoever asks as a bot must say which library it is."""

    def __init__(self, session: aiohttp.ClientSession, headers: Mapping[str, str]) -> None:
        self._session = session
        self._headers = headers

    def request(
        self,
        method: str,
        url: str,
        **options: Any,  # noqa: ANN401  the library's own
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The session's own request, whose answer is looked at before the library does."""
        options["headers"] = {**options["headers"], **self._headers}
        return _looked_at(self._session.request(method, url, **options))


@asynccontextmanager
async def _looked_at(asking: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> AsyncIterator[aiohttp.ClientResponse]:
    try:
        async with asking as response:
            if response.status >= TROUBLE:
                raise discord.DiscordServerError(response, await json_or_text(response))
            if response.status == PATIENCE:
                raise discord.HTTPException(response, await json_or_text(response))
            yield response
    except OSError as error:
        if error.errno in RETRIED_BY_THE_LIBRARY:
            raise aiohttp.ServerDisconnectedError from error
        raise


def session_of(client: discord.Client) -> aiohttp.ClientSession:
    """The client's session. The library lends it to webhooks only, so one that is never used asks for it."""
    return discord.Webhook.partial(1, "unused", client=client).session
