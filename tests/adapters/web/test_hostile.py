"""What the page bears from whoever can reach it: every answer is an honest refusal, and the next honest request is answered."""

import gzip
import io
import json
import logging
import re
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import pytest

from adapters.network.serving import Bounds
from adapters.web import forms
from tests.adapters.web.stage import a_stage
from tests.rawhttp import Reply, ask, connected

TOKEN = "the operator's own token"  # noqa: S105 - a secret of this test
EVERYWHERE = "0.0.0.0"  # noqa: S104  what is asked of a page that others can reach
FORM = "application/x-www-form-urlencoded"
NONCE = "n" * 16


@dataclass(slots=True)
class Sender:
    """Sends to a page what it likes, with what the page hides in its forms."""

    address: str
    host: str
    cookie: str
    token: str

    def request(self, line: str, *headers: str, body: bytes = b"", length: int | None = None) -> bytes:
        head = [f"{line} HTTP/1.1", f"Host: {self.host}", f"Cookie: {self.cookie}", "Accept: application/json", *headers]
        if line.startswith("POST") and not any(each.lower().startswith("transfer-encoding") for each in headers):
            head.append(f"Content-Length: {len(body) if length is None else length}")
        return "\r\n".join((*head, "", "")).encode("utf-8", "surrogateescape") + body

    def form(self, **fields: str) -> bytes:
        return urlencode({"token": self.token, "nonce": NONCE, **fields}).encode()

    def parts(self, *parts: tuple[str, bytes]) -> bytes:
        """A form in parts: each its headers and its content."""
        sent = b"".join(b"--B\r\n" + head.encode("latin-1") + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
        return sent + b"--B--\r\n"

    @property
    def fields(self) -> list[tuple[str, bytes]]:
        """The parts that stand before a file."""
        return [_field("token", self.token.encode()), _field("nonce", NONCE.encode()), _field("text", b"character import")]

    async def post(self, path: str, body: bytes, kind: str = FORM, *headers: str) -> Reply:
        return await ask(self.address, self.request(f"POST {path}", f"Content-Type: {kind}", *headers, body=body))

    async def upload(self, *parts: tuple[str, bytes], kind: str = "multipart/form-data; boundary=B") -> Reply:
        return await self.post("/upload", self.parts(*parts), kind)

    async def is_served(self) -> bool:
        """Whether an honest request is answered at once, and a form of the page is taken."""
        page = await ask(self.address, self.request("GET /"))
        taken = await self.post("/post", self.form(text="Hello?"))
        return (page.status, taken.status) == (200, 200)


@asynccontextmanager
async def a_sender(bounds: Bounds | None = None, *, host: str = "127.0.0.1") -> AsyncIterator[Sender]:
    async with a_stage(*["Yes."] * 500, operator_token=TOKEN, whole=True, bounds=bounds or Bounds(), host=host) as stage:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        where = stage.address.replace(EVERYWHERE, "127.0.0.1")
        async with aiohttp.ClientSession() as http, http.get(where, headers=headers) as page:
            (token,) = set(re.findall(r'name="token" value="([^"]*)"', await page.text()))
            cookie = "; ".join(f"{name}={each.value}" for name, each in page.cookies.items())
        yield Sender(where, where.removeprefix("http://").rstrip("/"), cookie, token)


@pytest.fixture
async def sender(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Sender]:
    """A page that has answered everything without a failure of its own."""
    async with a_sender() as opened:
        yield opened
        assert await opened.is_served()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("path", ["/post", "/act", "/command", "/stop", "/new", "/operator/login"])
async def test_a_form_that_is_too_large_is_refused_whether_it_says_so_or_not(sender: Sender, path: str) -> None:
    huge = b"text=" + b"a" * forms.BODY_LIMIT
    chunked = b"%x\r\n%s\r\n" % (len(huge), huge) + b"0\r\n\r\n"
    assert (await sender.post(path, huge)).status == 413
    async with connected(sender.address) as raw:
        await raw.send(sender.request(f"POST {path}", f"Content-Type: {FORM}", "Transfer-Encoding: chunked", body=chunked))
        assert (await raw.reply()).status == 413


async def test_who_has_not_logged_in_is_read_little_of(sender: Sender) -> None:
    assert (await sender.post("/operator/login", b"text=" + b"a" * forms.LOGIN_LIMIT)).status == 413
    chunked = b"5\r\ntext=\r\n0\r\n\r\n"
    raw = sender.request("POST /operator/login", f"Content-Type: {FORM}", "Transfer-Encoding: chunked", body=chunked)
    assert (await ask(sender.address, raw)).status == 413


async def test_a_file_that_says_it_is_too_large_is_refused_unread(sender: Sender) -> None:
    kind = "Content-Type: multipart/form-data; boundary=B"
    async with connected(sender.address) as raw:
        await raw.send(sender.request("POST /upload", kind, length=1 << 40))
        assert (await raw.reply()).status == 413


@pytest.mark.parametrize("path", ["/post", "/operator/login"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nonsense"])
async def test_a_packed_form_is_refused_unread(sender: Sender, path: str, coding: str) -> None:
    bomb = gzip.compress(b"text=" + b"a" * (64 << 20)) if coding == "gzip" else zlib.compress(b"text=" + b"a" * (64 << 20))
    assert (await sender.post(path, bomb[:8000], FORM, f"Content-Encoding: {coding}")).status in {400, 415}


@pytest.mark.parametrize("path", ["/post", "/operator/login", "/upload"])
async def test_a_form_that_trickles_is_waited_for_only_so_long(path: str) -> None:
    kind = "multipart/form-data; boundary=B" if path == "/upload" else FORM
    async with a_sender(Bounds(body_seconds=0.03)) as sender:
        async with connected(sender.address) as raw:
            await raw.send(sender.request(f"POST {path}", f"Content-Type: {kind}", length=4000))
            answered = await raw.trickle()
        assert answered.startswith(b"HTTP/1.1 408")
        assert await sender.is_served()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Authorization: Bearer"],
        ["Authorization: Bearer wrong"],
        ["Authorization: Bearer " + "x" * 8000],
        ["Authorization: Bearer tök\udcffen"],
        ["Authorization: Basic " + TOKEN],
        ["Authorization: " + TOKEN],
        ["Authorization: Bearer wrong", "Authorization: Bearer " + TOKEN],
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/metrics", "/operator"])
async def test_a_wrong_token_opens_nothing(sender: Sender, path: str, headers: list[str]) -> None:
    reply = await ask(sender.address, sender.request(f"GET {path}", *headers))
    assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Bearer realm="Understudy"')


@pytest.mark.parametrize("text", ["", "wrong", "ü" * 2000, "\0", TOKEN + "\0"])
async def test_a_wrong_token_does_not_log_in(sender: Sender, text: str) -> None:
    assert (await sender.post("/operator/login", sender.form(text=text))).status == 401


@pytest.mark.parametrize("host", ["", "elsewhere", "127.0.0.1", "127.0.0.1:80:80", "[::1", "ü", "\udcff", "a" * 8000])
async def test_another_host_is_not_answered(sender: Sender, host: str) -> None:
    raw = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("utf-8", "surrogateescape")
    assert (await ask(sender.address, raw)).status in {400, 421}
    assert (await ask(sender.address, b"GET / HTTP/1.0\r\n\r\n")).status == 421


@pytest.mark.parametrize(
    "origin", ["null", "http://elsewhere", "http://[", "http://[::1", "\udcff", "//", "http://" + "a" * 8000]
)
@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
async def test_a_form_from_elsewhere_is_refused(origin: str, host: str) -> None:
    async with a_sender(host=host) as sender:
        reply = await sender.post(
            "/post", sender.form(text="Hello?"), FORM, f"Origin: {origin}", f"Authorization: Bearer {TOKEN}"
        )
    assert reply.status == 403


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("", 415),
        ("text/plain", 415),
        ("application/json", 415),
        (f"{FORM}; charset=nonsense", 415),
        (f"{FORM}; charset=utf-7", 415),
        (f"{FORM}; charset=unicode_escape", 415),
        (f"{FORM}; charset=zip", 415),
        (f"{FORM}; charset=" + "a" * 8000, 415),
        (f"{FORM}; charset=UTF-8", 200),
        ("multipart/form-data", 415),
    ],
)
async def test_what_is_no_form_in_utf_8_is_refused(sender: Sender, kind: str, status: int) -> None:
    body = sender.form(text="") + b"+2AA-\\ud800"
    assert (await sender.post("/post", body, kind)).status == status


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"text=%ED%A0%80", b"text=%00", b"&" * 100_000, b"=" * 1000, b"a=b&" * 100_000, b"token=\xff", b"%"]
)
@pytest.mark.parametrize("path", ["/post", "/act", "/new", "/operator/login"])
async def test_a_form_without_sense_is_refused(sender: Sender, path: str, body: bytes) -> None:
    assert (await sender.post(path, body)).status in {403, 413, 422}
    assert (
        await sender.post(path, sender.form(text="\0", act="edit", turn="0", character="\0") + b"&" + body[:9000])
    ).status < 500


@pytest.mark.parametrize("turn", ["-1", "1e3", "²", "٣", " 1", "1_0", "9" * 5000, "0x1", "999999999"])
async def test_no_turn_that_there_is_not_can_be_changed(sender: Sender, turn: str) -> None:
    before = await ask(sender.address, sender.request("GET /"))
    assert (await sender.post("/act", sender.form(act="delete", turn=turn))).status in {200, 422}
    assert b"Mira looked up" in before.body
    assert b"Mira looked up" in (await ask(sender.address, sender.request("GET /"))).body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e%2fserver.py",
        "/static/..%2f..%2fremote%2fwire.py",
        "/static/%00",
        "/static/page.css%00.js",
        "/static//etc/passwd",
        "/file/../../etc/passwd",
        "/file/%2e%2e%2f%00",
        "/t/%2e%2e",
        "/t/" + "a" * 65,
        "/t/a%00b",
        "//elsewhere/",
        "/%ff%fe",
        "/\udcff",
        "/?before=%00",
        "/?before=-1",
        "/?before=" + "9" * 5000,
        "*",
        "http://elsewhere/etc/passwd",
    ],
)
async def test_no_address_leads_out_of_the_page(sender: Sender, path: str) -> None:
    assert (await ask(sender.address, sender.request(f"GET {path}"))).status in {400, 404}


def _field(name: str, data: bytes, *headers: str) -> tuple[str, bytes]:
    return "\r\n".join((f'Content-Disposition: form-data; name="{name}"', *headers)), data


def _file(data: bytes, name: str = "card.json", *headers: str) -> tuple[str, bytes]:
    return "\r\n".join((f'Content-Disposition: form-data; name="file"; filename="{name}"', *headers)), data


ODD_PARTS = {
    "a charset of its own": [_field("_charset_", b"utf-7")],
    "a huge charset": [_field("_charset_", b"x" * 5000)],
    "no name": [("Content-Disposition: form-data", b"x")],
    "no disposition": [("Content-Type: text/plain", b"x")],
    "no headers": [("", b"x")],
    "a broken disposition": [('Content-Disposition: form-data; name="a', b"x")],
    "a broken name": [("Content-Disposition: form-data; name*=utf-8''%ff%fe", b"x")],
    "parts in a part": [_field("a", b"--C\r\n\r\nx\r\n--C--", "Content-Type: multipart/mixed; boundary=C")],
    "parts without a border": [_field("a", b"x", "Content-Type: multipart/mixed")],
    "no utf-8": [_field("text", b"\xff\xfe")],
    "a length below nothing": [_field("text", b"x", "Content-Length: -1")],
    "a length that is none": [_field("text", b"x", "Content-Length: x")],
    "a length that is too long": [_field("text", b"x", "Content-Length: 999999")],
    "a coding that is none": [_field("text", b"x", "Content-Transfer-Encoding: nonsense")],
    "packed": [_field("text", gzip.compress(b"x" * 10_000_000), "Content-Encoding: gzip")],
    "a huge field": [_field("text", b"x" * (forms.FIELD_LIMIT + 1))],
    "huge headers": [_field("text", b"x", "X: " + "y" * 100_000)],
    "many headers": [_field("text", b"x", *(f"X-{each}: y" for each in range(1000)))],
    "many fields": [_field(f"f{each}", b"x") for each in range(1000)],
}


@pytest.mark.parametrize("odd", ODD_PARTS.values(), ids=ODD_PARTS)
async def test_odd_parts_of_a_form_are_refused_or_passed_over(sender: Sender, odd: list[tuple[str, bytes]]) -> None:
    for parts in (
        [*odd, *sender.fields, _file(b"{}")],
        [*sender.fields, *odd, _file(b"{}")],
        [*sender.fields, _file(b"{}"), *odd],
    ):
        assert (await sender.upload(*parts)).status in {400, 403, 413, 422}


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 71,
        "multipart/form-data; boundary=ü",
        'multipart/form-data; boundary="B',
        "multipart/form-data; boundary=C",
        "multipart/form-data; boundary=B; boundary=C",
    ],
)
async def test_odd_borders_of_a_form_are_refused(sender: Sender, kind: str) -> None:
    assert (await sender.upload(*sender.fields, _file(b"{}"), kind=kind)).status in {403, 422}


async def test_of_fields_that_come_twice_one_counts_and_a_wrong_token_never_helps(sender: Sender) -> None:
    wrong = _field("token", b"wrong")
    assert (await sender.upload(*sender.fields, wrong, _file(b"{}"))).status == 403
    assert (await sender.upload(wrong, _file(b"{}"), *sender.fields)).status == 403
    twice = sender.form(text="Hello?") + b"&token=wrong&nonce=" + b"m" * 16
    assert (await sender.post("/post", twice)).status in {200, 403}


@pytest.mark.parametrize("name", ["../../card.json", "\\\\x\\card.json", "a\0b.json", "\u202excod.json", "a" * 5000, ""])
async def test_a_file_may_have_any_name(sender: Sender, name: str) -> None:
    assert (await sender.upload(*sender.fields, _file(b"{}", name.encode().decode("latin-1")))).status == 422


def _zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", b" " * (512 << 20))
    return packed.getvalue()


def _picture_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (1 << 30).to_bytes(4, "big")
    packed = zlib.compress(b" " * (256 << 20))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + size + b"\x08\x06\0\0\0")
        + chunk(b"zTXt", b"chara\0\0" + packed)
        + chunk(b"IEND", b"")
    )


BOMBS = {
    "a zip": (_zip_bomb, "card.charx"),
    "a picture": (_picture_bomb, "card.png"),
    "deep JSON": (lambda: b"[" * (4 << 20), "card.json"),
    "wide JSON": (lambda: json.dumps({"data": {"name": ["x"] * 1_000_000}}).encode(), "card.json"),
    "a long number": (lambda: b'{"spec":' + b"9" * 1_000_000 + b"}", "card.json"),
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_file_that_is_a_bomb_is_refused(sender: Sender, bomb: str) -> None:
    make, name = BOMBS[bomb]
    assert (await sender.upload(*sender.fields, _file(make(), name))).status in {413, 422}
