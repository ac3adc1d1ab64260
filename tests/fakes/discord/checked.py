"""Watches a loopback Discord: everything asked and answered, judged by Discord's own document and by the rules beside it."""

import pickle
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.fakes.discord.document import Document
from tests.fakes.discord.exchange import Exchange
from tests.fakes.discord.loopback import LoopbackDiscord
from tests.fakes.discord.rules import broken_rules


class Watchful:
    """Collects what happens on a loopback Discord; `faults` judges it. Without a document only the rules beside it are judged.

    What happens is copied at once and judged when somebody asks: a verdict takes longer than the answer itself, and would
    fall into every time that a test measures.
    """

    def __init__(self, document: Document | None) -> None:
        self._document = document
        self._exchanges: list[bytes] = []
        self._events: list[bytes] = []
        self._faults: list[str] = []

    def attach(self, discord: LoopbackDiscord) -> None:
        """Watch this loopback from now on."""
        discord.on_exchange.append(self.on_exchange)
        discord.on_event.append(self.on_event)

    def on_exchange(self, exchange: Exchange) -> None:
        """Take in a request and its answer."""
        self._exchanges.append(pickle.dumps(replace(exchange, headers={}, query=dict(exchange.query))))

    def on_event(self, name: str, data: Mapping[str, Any]) -> None:
        """Take in an event of the gateway."""
        self._events.append(pickle.dumps((name, data)))

    @property
    def faults(self) -> list[str]:
        """All that was wrong so far, each sentence once, in the order it was met."""
        exchanges, self._exchanges = self._exchanges, []
        events, self._events = self._events, []
        for each in exchanges:
            self._judge(pickle.loads(each))  # noqa: S301  our own, of this process
        for each in events if self._document else ():
            self._judge_event(*pickle.loads(each))  # noqa: S301  likewise
        self._faults = list(dict.fromkeys(self._faults))
        return self._faults

    def taken(self) -> list[str]:
        """The faults so far, which are then forgotten: for a test that provokes them."""
        faults, self._faults = self.faults, []
        return faults

    def _judge(self, exchange: Exchange) -> None:
        self._faults += broken_rules(exchange)
        if self._document:
            self._faults += self._document.faults_in(exchange)
            self._faults += self._document.strangers_in(exchange)

    def _judge_event(self, name: str, data: object) -> None:
        if self._document:
            self._faults += self._document.faults_in_event(name, data)


@asynccontextmanager
async def watched(watch: Watchful) -> AsyncGenerator[LoopbackDiscord, None]:
    """A loopback Discord for as long as the block. AssertionError at its end where anything was wrong, or asked for in vain."""
    async with LoopbackDiscord() as discord:
        watch.attach(discord)
        yield discord
    wrong = [f"{each.route}: there is no such route" for each in discord.strange] + watch.faults
    assert not wrong, "\n".join(wrong)
