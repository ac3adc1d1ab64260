"""The hub as it answers: what a file of it is, and its bytes from a place on. It writes no file and waits for nothing.

Bytes come over plain HTTP and not over the hub's chunk store: only so can a download go on where the last one ended, and
only so does every mirror and every proxy serve it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

# Must stand in the environment before the library loads: it would ask the hub who else may be running this program.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, get_session, get_token, hf_hub_url
from huggingface_hub.errors import (
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # exported lazily

from adapters import __version__
from bot.errors import Refused

LIBRARY = "understudy"
CHECKSUMS = {64: "sha256", 40: "git"}
"""What an etag of so many hexadecimal digits is: of a large file its SHA-256, of a small one git's name for its content."""

COME_BACK = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_WAIT = 120.0

REFUSALS: tuple[tuple[type[HfHubHTTPError], str], ...] = (
    (
        GatedRepoError,
        "{repository} asks for its terms to be accepted: do so at {page}, and set HF_TOKEN to a token of that account.",
    ),
    (DisabledRepoError, "The hub has closed {repository} to everybody; choose another repository."),
    (RevisionNotFoundError, "{repository} has no branch, tag or commit {revision!r}; leave out --revision for the newest."),
    (RemoteEntryNotFoundError, "There is no {address}; look at {page}/tree/{revision} for its files."),
    (RepositoryNotFoundError, "The hub shows us no {repository}: check its name, or set HF_TOKEN where it is a private one."),
)
"""What the hub's refusals mean to whoever asked; the first that fits counts, the most special ones stand first."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is: a repository ("owner/name"), its path there, and a branch, tag or commit."""

    repository: str
    file: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"{self.file} in {self.repository}"


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the hub says of a file's content: its SHA-256, or git's name for it."""

    kind: Literal["sha256", "git"]
    digest: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it. `commit` pins what is fetched to what was looked up."""

    address: Address
    commit: str
    size: int
    checksum: Checksum | None


class BrokenOff(Exception):
    """The bytes ended too early, or the hub asks to come back; worth another try after `seconds`, where it says so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Hub:
    """The hub of `HF_ENDPOINT`, or the public one, with the token of `HF_TOKEN` (or of `hf auth login`) where there is one."""

    def __init__(self) -> None:
        self.endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        if "@" in self.endpoint:
            raise Refused("HF_ENDPOINT holds a password, which would be shown; take it out, and give a token by HF_TOKEN.")
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", self.endpoint):
            raise Refused(f"HF_ENDPOINT is {self.endpoint!r}; it must be the address of a hub, such as https://huggingface.co.")
        self._token = get_token()
        if self._token and not re.fullmatch(r"[!-~]+", self._token):
            raise Refused("HF_TOKEN must be ASCII without spaces, as it stands in a header; copy it anew.")

    def look_up(self, address: Address) -> RemoteFile:
        """What the hub says of a file. Raises Refused: it is not there, not for us, or the hub cannot be reached."""
        with self._translated(address):
            answer = get_hf_file_metadata(
                self._url(address, address.revision),
                token=self._token or False,
                timeout=constants.HF_HUB_ETAG_TIMEOUT,
                library_name=LIBRARY,
                library_version=__version__,
                endpoint=self.endpoint,
            )
        if not answer.commit_hash or answer.size is None:
            raise Refused(
                f"{self.endpoint} does not answer as a hub does; check HF_ENDPOINT and what stands between it and you."
            )
        if answer.size > constants.MAX_HTTP_DOWNLOAD_SIZE:
            raise Refused(
                f"{address} is too large for plain HTTP; fetch it with: hf download {address.repository} {address.file}"
            )
        return RemoteFile(address, answer.commit_hash, answer.size, _checksum(answer.etag or ""))

    @contextmanager
    def opened(self, remote: RemoteFile, offset: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """The bytes of a file, and where they begin: at `offset`, or at 0 where the hub can serve it whole only.

        Raises BrokenOff, also out of the block while the bytes are taken; Refused as `look_up` does.
        """
        headers = build_hf_headers(token=self._token or False, library_name=LIBRARY, library_version=__version__)
        headers |= {"accept-encoding": "identity", "range": f"bytes={offset}-"}
        url = self._url(remote.address, remote.commit)
        with (
            self._translated(remote.address, bytes_began=True),
            # A redirect to another host, where the hub keeps its large files, is followed without the token.
            get_session().stream("GET", url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as response,
        ):
            hf_raise_for_status(response)
            yield _first_byte(response), response.iter_bytes()

    def _url(self, address: Address, revision: str) -> str:
        try:
            return hf_hub_url(address.repository, address.file, revision=revision, endpoint=self.endpoint)
        except HFValidationError:
            raise Refused(f"{address.repository!r} is no repository of a hub; name one as OWNER/NAME.") from None

    @contextmanager
    def _translated(self, address: Address, *, bytes_began: bool = False) -> Iterator[None]:
        try:
            yield
        except OfflineModeIsEnabled:
            raise Refused("HF_HUB_OFFLINE forbids to ask the hub; unset it to fetch a model.") from None
        except (httpx2.TransportError, httpx2.TooManyRedirects, httpx2.InvalidURL) as error:
            if bytes_began and isinstance(error, httpx2.TransportError):
                raise BrokenOff(_reason(error)) from error
            sentence = f"The hub at {self.endpoint} cannot be reached ({_reason(error)}); check the network and HF_ENDPOINT."
            raise Refused(sentence) from error
        except FileMetadataError as error:
            raise Refused(f"{self.endpoint} does not answer as a hub does; check HF_ENDPOINT.") from error
        except HfHubHTTPError as error:
            if bytes_began and error.response.status_code in COME_BACK:
                raise BrokenOff(f"the hub answers {error.response.status_code}", _patience(error)) from error
            raise Refused(self._refusal(error, address)) from error

    def _refusal(self, error: HfHubHTTPError, address: Address) -> str:
        for kind, sentence in REFUSALS:
            if isinstance(error, kind):
                page = f"{self.endpoint}/{address.repository}"
                return sentence.format(address=address, repository=address.repository, revision=address.revision, page=page)
        status = error.response.status_code
        if status == HTTPStatus.UNAUTHORIZED and self._token:
            return "The hub does not accept the token of HF_TOKEN; make a new one, or unset it for files that are open to all."
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return f"The hub does not give {address} to us ({status}); set HF_TOKEN to a token that may read it."
        if status in COME_BACK:
            return f"The hub at {self.endpoint} cannot answer now ({status}); try again later."
        return f"The hub at {self.endpoint} has no answer for {address} ({status}); check the names and HF_ENDPOINT."


def _checksum(etag: str) -> Checksum | None:
    match CHECKSUMS.get(len(etag)) if re.fullmatch(r"[0-9a-fA-F]+", etag) else None:
        case "sha256":
            return Checksum("sha256", etag.lower())
        case "git":
            return Checksum("git", etag.lower())
        case _:
            return None


def _first_byte(response: httpx2.Response) -> int:
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return 0
    stated = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    if not stated:
        raise BrokenOff("the hub does not say which bytes it sends")
    return int(stated[1])


def _patience(error: HfHubHTTPError) -> float | None:
    asked = error.response.headers.get("retry-after", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
