"""A book as an EPUB file: well-formed, complete, consistent with itself, and the same bytes for the same story."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transcripts.book import Book, Chapter, Post, book_of
from bot.transcripts.epub import to_epub
from tests.transcripts.books import CREATED, HOSTILE, a_book, a_story, told

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
XHTML = "{http://www.w3.org/1999/xhtml}"
OPS = "{http://www.idpf.org/2007/ops}"
ID = "urn:uuid:9a5f6f0e-6f0e-4c57-9d3e-3f8f5d1b2c3d"


def files(book: Book) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(to_epub(book, ID))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def parsed(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314  our own documents


def two_chapters() -> Book:
    first = Chapter("Chapter 1", (Post("Mira", "Hm."),), "Part 1")
    return a_book(chapters=(first, Chapter("Chapter 2", (Post("Tobias", "Well?"),))))


def test_the_container_begins_with_its_type_as_readers_expect_it() -> None:
    data = to_epub(two_chapters(), ID)

    assert data[30:58] == b"mimetypeapplication/epub+zip"
    assert data[8:10] == b"\0\0"
    assert data[28:30] == b"\0\0"


def test_the_container_names_the_package() -> None:
    [root] = parsed(files(two_chapters())["META-INF/container.xml"]).iter(
        "{urn:oasis:names:tc:opendocument:xmlns:container}rootfile"
    )

    assert root.attrib == {"full-path": "EPUB/package.opf", "media-type": "application/oebps-package+xml"}


def test_the_package_says_what_the_book_is() -> None:
    package = parsed(files(two_chapters())["EPUB/package.opf"])

    assert package.attrib == {"version": "3.0", "unique-identifier": "book"}
    [identifier] = package.iter(f"{DC}identifier")
    assert (identifier.attrib["id"], identifier.text) == ("book", ID)
    assert [each.text for each in package.iter(f"{DC}title")] == ["Ten & <One>"]
    assert [each.text for each in package.iter(f"{DC}creator")] == ["Tobias"]
    assert [each.text for each in package.iter(f"{DC}language")] == ["en"]
    assert [each.text for each in package.iter(f"{OPF}meta")] == ["2026-11-24T20:15:42Z"]


def test_manifest_spine_and_contents_name_every_document_once() -> None:
    held = files(two_chapters())
    package = parsed(held["EPUB/package.opf"])
    items = {item.attrib["id"]: item.attrib for item in package.iter(f"{OPF}item")}
    spine = [items[each.attrib["idref"]]["href"] for each in package.iter(f"{OPF}itemref")]
    links = [link.attrib["href"] for link in parsed(held["EPUB/nav.xhtml"]).iter(f"{XHTML}a")]

    assert {f"EPUB/{item['href']}" for item in items.values()} | {
        "mimetype",
        "META-INF/container.xml",
        "EPUB/package.opf",
    } == set(held)
    assert spine == ["title.xhtml", "chapter-0001.xhtml", "chapter-0002.xhtml"]
    assert links == spine
    assert [item["href"] for item in items.values() if item.get("properties") == "nav"] == ["nav.xhtml"]
    assert {item["media-type"] for item in items.values()} == {"application/xhtml+xml", "text/css"}


def test_the_contents_are_a_table_of_contents() -> None:
    [nav] = parsed(files(two_chapters())["EPUB/nav.xhtml"]).iter(f"{XHTML}nav")

    assert nav.attrib[f"{OPS}type"] == "toc"
    assert ["".join(link.itertext()) for link in nav.iter(f"{XHTML}a")] == ["Ten & <One>", "Part 1, Chapter 1", "Chapter 2"]


def test_every_document_is_well_formed_with_a_title_and_text_that_was_escaped() -> None:
    post = Post(HOSTILE, HOSTILE, rolls=(HOSTILE,))
    book = a_book(
        title=HOSTILE, author_line=HOSTILE, scenario=HOSTILE, language=HOSTILE, chapters=(Chapter(HOSTILE, (post,), HOSTILE),)
    )
    documents = [parsed(data) for name, data in files(book).items() if name.endswith((".xhtml", ".opf", ".xml"))]

    assert len(documents) == 5
    assert all(not element.tag.endswith(("script", "img")) for document in documents for element in document.iter())
    assert all(title.text for document in documents for title in document.iter(f"{XHTML}title"))


@given(st.text(max_size=60))
def test_any_text_is_well_formed(text: str) -> None:
    for name, data in files(a_book(Post(text, f"{text}\n\n*{text}*\n> {text}"), title=text)).items():
        if name.endswith(".xhtml"):
            parsed(data)


def test_the_same_story_gives_the_same_bytes() -> None:
    book = book_of(a_story(), told(), CREATED)
    elsewhere = replace(book, created=CREATED.astimezone(timezone(timedelta(hours=-5))))

    assert to_epub(book, ID) == to_epub(book, ID) == to_epub(elsewhere, ID)


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_a_date_that_the_container_cannot_hold_does_no_harm(year: int) -> None:
    assert to_epub(a_book(created=datetime(year, 6, 1, tzinfo=UTC)), ID)


def test_documents_are_in_the_books_language() -> None:
    chapter = parsed(files(a_book(Post("Mira", "Tja."), language="de"))["EPUB/chapter-0001.xhtml"])

    assert chapter.attrib["lang"] == "de"
