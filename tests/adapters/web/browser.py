"""A browser without a screen or scripts: it keeps cookies, reads the forms of a page, and sends them."""

import asyncio
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from tests.adapters.web.stage import Stage

HIDDEN = re.compile(r'<input type="hidden" name="(token|nonce)" value="([^"]*)"')
PATIENCE = 5.0


@dataclass(slots=True)
class Browser:
    """Looks at one stage."""

    stage: Stage
    http: aiohttp.ClientSession
    hidden: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str = "") -> str:
        """Read a page, and what its forms hide."""
        async with self.http.get(self.stage.address + path) as answer:
            text = await answer.text()
        self.hidden = dict(HIDDEN.findall(text))
        return text

    async def send(
        self, path: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None, scripted: bool = False
    ) -> tuple[int, str]:
        """Send a form with what the page hides in it; `scripted` asks as the page's script does."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        if scripted:
            sent["Accept"] = "application/json"
        form = io.BytesIO(urlencode({**self.hidden, **fields}).encode())
        async with self.http.post(self.stage.address + path, data=form, headers=sent, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def bring(
        self,
        path: str,
        fields: Mapping[str, str],
        file: bytes | None = b"{}",
        *,
        name: str = "card.json",
        scripted: bool = False,
    ) -> tuple[int, str]:
        """Send a form with a file behind its fields, as a browser does."""
        form = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
        for field_name, value in {**self.hidden, **fields}.items():
            form.add_field(field_name, value)
        if file is not None:
            form.add_field("file", io.BytesIO(file), filename=name, content_type="application/octet-stream")
        sent = {"Accept": "application/json"} if scripted else {}
        async with self.http.post(self.stage.address + path, data=form, headers=sent, allow_redirects=False) as answer:
            return answer.status, await answer.text()


async def events_until(answer: aiohttp.ClientResponse, wanted: str) -> str:
    """Read a stream of changes until an event holds `wanted`; returns what that event printed."""
    async with asyncio.timeout(PATIENCE):
        while line := await answer.content.readline():
            html: str = json.loads(line[len(b"data: ") :]) if line.startswith(b"data: ") else ""
            if wanted in html:
                return html
    raise AssertionError(f"the stream ended without {wanted!r}")
