"""What an error of the HTTP client means: a reason to show, and whether it may pass. It knows no address."""

from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True, slots=True)
class NetworkTrouble:
    """Why a call failed, as the end of a sentence; `may_pass` says whether the same call may work later."""

    reason: str
    may_pass: bool


NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
"""What a call of the HTTP client may raise, apart from mistakes in how it is used."""

_MEANINGS: tuple[tuple[type[BaseException], NetworkTrouble], ...] = (
    (aiohttp.ClientConnectorCertificateError, NetworkTrouble("its certificate is not trusted on this machine", may_pass=False)),
    (aiohttp.ClientSSLError, NetworkTrouble("it does not speak TLS as expected: check http or https", may_pass=False)),
    (aiohttp.InvalidURL, NetworkTrouble("that is no address", may_pass=False)),
    (aiohttp.ClientConnectorDNSError, NetworkTrouble("its name cannot be found", may_pass=True)),
    (aiohttp.ServerTimeoutError, NetworkTrouble("it did not answer in time", may_pass=True)),
    (TimeoutError, NetworkTrouble("it did not answer in time", may_pass=True)),
    (aiohttp.ClientConnectorError, NetworkTrouble("nothing answers there", may_pass=True)),
    (aiohttp.ServerDisconnectedError, NetworkTrouble("it closed the connection", may_pass=True)),
    (aiohttp.ClientPayloadError, NetworkTrouble("it broke off in the middle of its answer", may_pass=True)),
    (aiohttp.ClientResponseError, NetworkTrouble("it does not speak HTTP as expected", may_pass=False)),
    (aiohttp.ClientOSError, NetworkTrouble("the connection broke", may_pass=True)),
    (ConnectionError, NetworkTrouble("the connection broke", may_pass=True)),
)
"""Most specific first: the first class that fits an error tells its meaning."""

_UNKNOWN = NetworkTrouble("the connection failed", may_pass=True)


def meaning(error: BaseException) -> NetworkTrouble:
    """What this error of the HTTP client means."""
    return next((trouble for kind, trouble in _MEANINGS if isinstance(error, kind)), _UNKNOWN)


def was_reached(error: BaseException) -> bool:
    """Whether the other side may have got the call: it was lost later than while connecting."""
    return not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
