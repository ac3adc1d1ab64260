"""The account of the bot and the trust in it: logging in, vouching for its device, and telling how all that stands."""

from adapters.matrix.trust.asking import Denied, NoAnswer
from adapters.matrix.trust.bootstrap import VOUCHED, ensure
from adapters.matrix.trust.doctor import examine
from adapters.matrix.trust.findings import Facts, findings
from adapters.matrix.trust.login import log_in
from adapters.matrix.trust.wishes import Asker, Wish

__all__ = [
    "VOUCHED",
    "Asker",
    "Denied",
    "Facts",
    "NoAnswer",
    "Wish",
    "ensure",
    "examine",
    "findings",
    "log_in",
]
