"""How many wrong tokens may come from where, so that guessing leads nowhere. It knows no token."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

from adapters.web.safety import NotAllowed

log = logging.getLogger(__name__)

TRIES = 10
"""Wrong tokens from one address within WINDOW; after that none is looked at."""

WINDOW = 60.0
"""Seconds."""

ADDRESSES = 1_000
"""How many addresses are told apart; all others are taken for one, so that no number of them fills the memory."""

OTHERS = "others"
NETWORK = 64
"""Bits of an address of IPv6 that name a household: within them it can choose as many as it likes (RFC 6177)."""


class TooManyTries(NotAllowed):
    """So many tokens were wrong that none is looked at for now."""

    def __init__(self, seconds: int) -> None:
        super().__init__(429, f"Too many wrong tokens came from your address; try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(slots=True)
class Tries:
    """The wrong tokens of the last minute. Behind a proxy, all come from its address, and count together."""

    ticks: Callable[[], float] = time.monotonic
    _wrong: dict[str, deque[float]] = field(default_factory=dict)

    def check(self, address: str | None) -> None:
        """Raises TooManyTries where no token is looked at."""
        wrong = self._wrong.get(self._known(address))
        if wrong and len(wrong) == TRIES and (left := wrong[0] + WINDOW - self.ticks()) > 0:
            raise TooManyTries(math.ceil(left))

    def was_wrong(self, address: str | None) -> None:
        """Count a wrong token."""
        now, known = self.ticks(), self._known(address)
        wrong = self._wrong.setdefault(known, deque(maxlen=TRIES))
        wrong.append(now)
        if len(wrong) == TRIES and wrong[0] > now - WINDOW:
            log.warning("wrong tokens of the operator came again and again", extra={"action": "close_login", "seconds": WINDOW})

    def _known(self, address: str | None) -> str:
        """What an address is told apart by."""
        name = _household(address or OTHERS)
        if name in self._wrong or len(self._wrong) < ADDRESSES:
            return name
        old = [each for each, wrong in self._wrong.items() if wrong[-1] <= self.ticks() - WINDOW]
        for each in old:
            del self._wrong[each]
        return name if old else OTHERS


def _household(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return OTHERS
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, NETWORK), strict=False))
    return address
