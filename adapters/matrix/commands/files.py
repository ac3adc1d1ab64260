"""Files that come with a command: fetched whole, but never more than a bound, and decrypted. It looks inside of none.

What a file is said to be and how large comes from whoever sent it: only what is read counts.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError

from adapters.matrix.errors import PATIENCE
from adapters.matrix.heard import FileThere
from adapters.matrix.line import Line
from adapters.network.errors import NETWORK_ERRORS
from bot.errors import Refused

LIMIT = 16 * 1024 * 1024
"""Bytes of a file that a player may bring."""

TEXT_LIMIT = 256 * 1024
"""Bytes of a file with the text of a post or a summary: more than the longest of them takes in any script."""

PIECE = 64 * 1024
OK = 200

ADDRESS = re.compile(r"mxc://([A-Za-z0-9.:\[\]-]{1,255})/([A-Za-z0-9_-]{1,255})")
"""https://spec.matrix.org/v1.16/client-server-api/#matrix-content-mxc-uris"""

LOST = "The homeserver did not hand over the file; send the command again."
NO_ADDRESS = "The file's address is none that a homeserver knows; send it again."
BROKEN = "The file could not be decrypted; send it again."
NO_TEXT = "The file is no plain text in UTF-8; save it as a .txt file and send it again."


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches files. All raise Refused, and TryLater while there is no connection."""

    line: Line

    async def fetch(self, file: FileThere) -> bytes:
        """The bytes of a file, decrypted where it is encrypted. Raises Refused when it has more than are read."""
        return await self._fetch(file, LIMIT)

    async def fetch_text(self, file: FileThere) -> str:
        """The text in a file."""
        data = await self._fetch(file, TEXT_LIMIT)
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
        except UnicodeDecodeError:
            raise Refused(NO_TEXT) from None

    async def _fetch(self, file: FileThere, limit: int) -> bytes:
        if file.size > limit:
            raise Refused(_too_large(limit))
        data = await self._download(file.url, limit)
        return data if file.key is None else await asyncio.to_thread(decrypted, data, file.key)

    async def _download(self, url: str, limit: int) -> bytes:
        address = ADDRESS.fullmatch(url)
        if address is None:
            raise Refused(NO_ADDRESS)
        client = self.line.client
        path = f"/_matrix/client/v1/media/download/{address[1]}/{address[2]}"
        headers = {"Authorization": f"Bearer {client.access_token}"}
        read = bytearray()
        try:
            # Whoever stops in the middle closes the connection: the rest is never read.
            async with asyncio.timeout(PATIENCE), await client.send("GET", path, None, headers) as answer:
                if answer.status != OK:
                    raise Refused(LOST)
                async for piece in answer.content.iter_chunked(PIECE):
                    read += piece
                    if len(read) > limit:
                        raise Refused(_too_large(limit))
        except (*NETWORK_ERRORS, RuntimeError):
            raise Refused(LOST) from None
        return bytes(read)


def decrypted(data: bytes, key: Mapping[str, object]) -> bytes:
    """What was encrypted with the `file` object of a message. Raises Refused where that does not fit.

    https://spec.matrix.org/v1.16/client-server-api/#sending-encrypted-attachments
    """
    own, hashes, start = key.get("key"), key.get("hashes"), key.get("iv")
    secret = own.get("k") if isinstance(own, Mapping) else None
    digest = hashes.get("sha256") if isinstance(hashes, Mapping) else None
    if not (isinstance(secret, str) and isinstance(digest, str) and isinstance(start, str)):
        raise Refused(BROKEN)
    try:
        plain: bytes = decrypt_attachment(data, secret, digest, start)
    except (EncryptionError, ValueError, TypeError):
        raise Refused(BROKEN) from None
    return plain


def _too_large(limit: int) -> str:
    size = f"{limit // 1024 // 1024} MiB" if limit >= 1024 * 1024 else f"{limit // 1024} KiB"
    return f"The file is larger than {size}, the most that is read; bring a smaller one."
