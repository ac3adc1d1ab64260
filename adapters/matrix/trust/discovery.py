"""Finds the homeserver of a user: by its own word in .well-known, or by its name. It logs nobody in.

https://spec.matrix.org/v1.16/client-server-api/#well-known-uris
"""

import asyncio
import re
from http import HTTPStatus

import aiohttp

from adapters.matrix.keeping import is_safe
from adapters.matrix.trust.asking import SECONDS, Denied, Homeserver, NoAnswer, read_content, shown, whole
from adapters.network.errors import NETWORK_ERRORS, meaning
from adapters.network.hosts import is_loopback
from bot.errors import Refused

WELL_KNOWN = "/.well-known/matrix/client"
SERVER = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>[0-9]{1,5}))?")
NAME_IT = "name the homeserver's address with --homeserver"


async def found(named: str, server: str, proxy: str = "") -> str:
    """The address of a homeserver that was named by its address or its name, else of the one that `server` says is its own.

    `server` is the part of a user's id behind the colon. Raises Refused.
    """
    address = named if "://" in named else await _well_known(named or server, proxy)
    if not is_safe(address):
        sentence = f"{shown(address)} cannot be used: a homeserver's address begins with https://"
        raise Refused(f"{sentence} (http:// is only for servers on this machine).")
    await versions(address, proxy)
    return address.rstrip("/")


async def versions(address: str, proxy: str = "") -> list[str]:
    """The versions of Matrix that a homeserver speaks. Raises Refused where there is none."""
    async with Homeserver(address, proxy=proxy) as home:
        try:
            spoken = (await home.ask("GET", "/_matrix/client/versions")).get("versions")
        except Denied as refusal:
            raise NoAnswer(f"At {shown(address)} there is no Matrix homeserver: {refusal}", may_pass=False) from None
    if not isinstance(spoken, list) or not spoken:
        raise NoAnswer(f"At {shown(address)} there is no Matrix homeserver: it names no versions.", may_pass=False)
    return [each for each in spoken if isinstance(each, str)]


async def _well_known(server: str, proxy: str) -> str:
    """Where a server's own word puts its homeserver; at the server itself where it has no word."""
    named = SERVER.fullmatch(server)
    if named is None:
        raise Refused(f"{shown(server)!r} is no server's name; {NAME_IT}.")
    host, port = named["host"], named["port"]
    is_here = is_loopback(host.strip("[]"))
    own = f"http://{server}" if is_here else f"https://{server}"
    # The word stands at the name without a port; but on this machine servers have nothing except ports.
    word = own if is_here or port is None else f"https://{host}"
    status, raw = await _fetched(word + WELL_KNOWN, proxy)
    if status == HTTPStatus.NOT_FOUND:
        return own
    content = read_content(raw) if status == HTTPStatus.OK else None
    told = content.get("m.homeserver") if content else None
    address = told.get("base_url") if isinstance(told, dict) else None
    if not isinstance(address, str) or not address:
        raise Refused(f"{word}{WELL_KNOWN} does not say where the homeserver is (it answers {status}); {NAME_IT}.")
    return address


async def _fetched(address: str, proxy: str) -> tuple[int, bytes]:
    """What stands at an address, with every way there as safe as the address. Raises Refused."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            aiohttp.ClientSession() as session,
            session.get(address, proxy=proxy or None, max_redirects=5) as answer,
        ):
            if not all(is_safe(str(each.url.with_query(None))) for each in (*answer.history, answer)):
                raise Refused(f"{address} leads to a server that does not speak TLS; {NAME_IT}.")
            return answer.status, await whole(answer)
    except NETWORK_ERRORS as error:
        raise Refused(f"{address} cannot be read: {meaning(error).reason}. Or {NAME_IT}.") from None
