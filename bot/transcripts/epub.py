"""A book as an EPUB 3 file: the same input gives the same bytes. It knows no chapter's inside and reads no clock.

Source of the format: EPUB 3.3 (W3C). The container's first entry is `mimetype`, stored and without extra fields.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.transcripts import pages
from bot.transcripts.book import Book
from bot.transcripts.html import contents_title

MEDIA_TYPE = "application/epub+zip"
XML = '<?xml version="1.0" encoding="utf-8"?>\n'
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
"""Before this, the container's format knows no dates."""

LATEST = datetime(2107, 12, 31, tzinfo=UTC)
"""And after this."""

CONTAINER = f"""{XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""

# Sizes, colours and margins are the reader's choice: a book says only what makes it readable.
STYLE = """\
body { line-height: 1.5; hyphens: auto; overflow-wrap: break-word; }
h1, h2 { text-align: center; font-weight: normal; hyphens: none; }
h1 { margin: 4em 0 .5em; }
h2 { font-variant: small-caps; margin: 3em 0 2em; }
.author, .part { text-align: center; font-style: italic; }
.scenario { margin: 2.5em 2em; font-style: italic; }
p { margin: 0; text-indent: 1.4em; }
.who, .who + p, .break, .break + p, .author, .part, blockquote p, .dice { text-indent: 0; }
.who { font-variant: small-caps; letter-spacing: .06em; margin: 1.4em 0 .2em; break-after: avoid; }
.who::before { content: "\\2014\\2002"; }
.break, .dice { text-align: center; margin: 1.4em 0; }
.dice { font-style: italic; margin: .8em 0; }
.aside { font-size: .85em; margin-inline-start: 1.5em; }
blockquote { margin: 1em 1.5em; }
pre { white-space: pre-wrap; }
.spoiler { border-bottom: 1px dotted; }
"""


def to_epub(book: Book, identifier: str) -> bytes:
    """The whole book as an EPUB file. `identifier` names it among all books (an URN, say), new editions of it alike."""
    moment = min(max(book.created.astimezone(UTC), EARLIEST), LATEST)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in _files(book, identifier, moment):
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.create_system = 3  # else it would be that of this machine
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode(), compresslevel=9)
    return packed.getvalue()


def _files(book: Book, identifier: str, moment: datetime) -> Iterator[tuple[str, str]]:
    yield "mimetype", MEDIA_TYPE
    yield "META-INF/container.xml", CONTAINER
    yield "EPUB/package.opf", _package(book, identifier, moment)
    yield "EPUB/nav.xhtml", _document(book, "Contents", _contents(book))
    yield "EPUB/style.css", STYLE
    yield "EPUB/title.xhtml", _document(book, book.title, f"<section>\n{pages.opening(book)}\n</section>")
    for number, chapter in enumerate(book.chapters, 1):
        body = f"<section>\n{pages.body(chapter)}\n</section>"
        yield f"EPUB/{_file(number)}", _document(book, chapter.title, body)


def _file(number: int) -> str:
    return f"chapter-{number:04}.xhtml"


def _document(book: Book, title: str, body: str) -> str:
    language = pages.language(book)
    return f"""{XML}<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="{language}" xml:lang="{language}">
<head>
<title>{pages.words(title) or "Story"}</title>
<link rel="stylesheet" type="text/css" href="style.css"/>
</head>
<body>
{body}
</body>
</html>
"""


def _contents(book: Book) -> str:
    titles = [contents_title(chapter.part, chapter.title) for chapter in book.chapters]
    entries = [("title.xhtml", book.title), *((_file(number), title) for number, title in enumerate(titles, 1))]
    listed = "\n".join(f'<li><a href="{file}">{pages.words(title) or "Story"}</a></li>' for file, title in entries)
    return f'<nav epub:type="toc" id="toc">\n<h2>Contents</h2>\n<ol>\n{listed}\n</ol>\n</nav>'


def _package(book: Book, identifier: str, moment: datetime) -> str:
    chapters = [(f"chapter-{number}", _file(number)) for number in range(1, len(book.chapters) + 1)]
    documents = [("title", "title.xhtml"), *chapters]
    manifest = "\n".join(f'<item id="{key}" href="{file}" media-type="application/xhtml+xml"/>' for key, file in documents)
    spine = "\n".join(f'<itemref idref="{key}"/>' for key, _ in documents)
    return f"""{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">{pages.words(identifier)}</dc:identifier>
<dc:title>{pages.words(book.title) or "Story"}</dc:title>
<dc:creator>{pages.words(book.author_line) or "Understudy"}</dc:creator>
<dc:language>{pages.language(book)}</dc:language>
<meta property="dcterms:modified">{moment.strftime("%Y-%m-%dT%H:%M:%SZ")}</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
