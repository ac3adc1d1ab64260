"""Files that people send: fetched whole but never more than a bound, and decrypted. It does not look inside.

Nothing that the sender says about a file counts: not its size, its kind, nor its key before the hash has shown it to be right.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from nio import AsyncClient
from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError

from adapters.matrix.heard import FileThere
from adapters.matrix.line import Line
from adapters.network.errors import NETWORK_ERRORS
from bot.errors import Refused

LIMIT = 16 * 1024 * 1024
"""Bytes of a file that a player may bring."""

TEXT_LIMIT = 256 * 1024
"""Bytes of a file with the text of a post or a summary: more than the longest of them takes in any script."""

PATIENCE = 60.0
"""Seconds that a file may take."""

DOWNLOAD = "/_matrix/client/v1/media/download"
"""https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid"""

# A server of dots alone would lead to another call of the homeserver, with the account's token.
ADDRESS = re.compile(r"mxc://([0-9A-Za-z\[][0-9A-Za-z.:\[\]-]{0,254})/([0-9A-Za-z_-]{1,255})")

PIECE = 64 * 1024
OK = 200
NOT_FOUND = 404
LIMITED = 429

NO_ADDRESS = "The file has no address that can be read; send it again."
GONE = "The homeserver does not have the file, or not any more; send it again."
BUSY = "The homeserver is asked for too much at once; send the command again in a minute."
NOT_HANDED_OVER = "The homeserver did not hand over the file; send the command again."
NO_KEY = "The file is encrypted, and its key cannot be used; send it again, perhaps from another client."
NO_TEXT = "The file is no plain text in UTF-8; save it as a .txt file and send it again."
OTHER_FILE = "The file was changed or broken on its way; send it again."


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches files. All raise Refused, and TryLater while there is no connection."""

    line: Line

    async def fetch(self, file: FileThere, limit: int = LIMIT) -> bytes:
        """The bytes of a file, decrypted. Refused when it is larger than `limit` bytes, or cannot be had or decrypted."""
        if not (address := ADDRESS.fullmatch(file.url)):
            raise Refused(NO_ADDRESS)
        path = "/".join([DOWNLOAD, *(quote(part, safe="") for part in address.groups())])
        try:
            async with asyncio.timeout(PATIENCE):
                data = await _downloaded(self.line.client, path, limit)
        except NETWORK_ERRORS:
            raise Refused(NOT_HANDED_OVER) from None
        except RuntimeError as error:
            # The HTTP client's way to say that the connection was closed under the call. Any other is a defect.
            if str(error) != "Session is closed":
                raise
            raise Refused(NOT_HANDED_OVER) from None
        return data if file.key is None else await asyncio.to_thread(_decrypted, data, file.key)

    async def fetch_text(self, file: FileThere) -> str:
        """The text in a file."""
        data = await self.fetch(file, TEXT_LIMIT)
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
        except UnicodeDecodeError:
            raise Refused(NO_TEXT) from None


async def _downloaded(client: AsyncClient, path: str, limit: int) -> bytes:
    """What lies there, as it comes."""
    if client.client_session is None:
        raise Refused(NOT_HANDED_OVER)
    # A compressed answer may be small on its way and without end here; and a redirection, which nobody asked for, would
    # take the token to wherever it likes.
    headers = {"Authorization": f"Bearer {client.access_token}", "Accept-Encoding": "identity"}
    call = client.client_session.get(
        client.homeserver + path, headers=headers, ssl=client.ssl is not False, allow_redirects=False
    )
    async with call as answer:
        if answer.status != OK:
            raise Refused({NOT_FOUND: GONE, LIMITED: BUSY}.get(answer.status, NOT_HANDED_OVER))
        data = bytearray()
        async for piece in answer.content.iter_chunked(PIECE):
            data += piece
            if len(data) > limit:
                raise Refused(f"The file is larger than {_size(limit)}, the most that is read; bring a smaller one.")
        return bytes(data)


def _decrypted(data: bytes, key: Mapping[str, object]) -> bytes:
    """What an encrypted file holds (https://spec.matrix.org/v1.16/client-server-api/#sending-encrypted-attachments)."""
    secret, start, wanted = _text(key.get("key"), "k"), key.get("iv"), _text(key.get("hashes"), "sha256")
    if not (secret and isinstance(start, str) and wanted):
        raise Refused(NO_KEY)
    try:
        plain = decrypt_attachment(data, secret, wanted, start)
    except EncryptionError as error:
        raise Refused(OTHER_FILE if "SHA-256" in str(error) else NO_KEY) from None
    except (ValueError, OverflowError):
        # What is no base64, or a counter too large to count.
        raise Refused(NO_KEY) from None
    return bytes(plain)


def _text(value: object, name: str) -> str:
    inside = value.get(name) if isinstance(value, Mapping) else None
    return inside if isinstance(inside, str) else ""


def _size(count: int) -> str:
    return f"{count // 1024 // 1024} MiB" if count >= 1024 * 1024 else f"{count // 1024} KiB"
