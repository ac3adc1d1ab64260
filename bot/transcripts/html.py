"""A book as one HTML file that needs nothing else: no script, no request, light and dark. It knows no chapter's inside."""

from bot.transcripts import pages
from bot.transcripts.book import Book

STYLE = """\
:root { color-scheme: light dark; --paper: #fbf9f4; --ink: #22201c; --faint: #7d766a; --line: #ddd6c8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #191816; --ink: #d9d4c9; --faint: #938c7f; --line: #3a3732; }
}
html { background: var(--paper); color: var(--ink); font: 1.125rem/1.6 "Iowan Old Style", Palatino, Georgia, serif; }
body { max-width: 36rem; margin: 0 auto; padding: 3rem 1.25rem 6rem; hyphens: auto; overflow-wrap: break-word; }
h1 { font-size: 2.2rem; line-height: 1.2; text-align: center; font-weight: normal; margin: 3rem 0 .5rem; hyphens: none; }
h2 { text-align: center; font-weight: normal; font-variant: small-caps; letter-spacing: .06em; margin: 5rem 0 2rem; }
.author, .part { text-align: center; color: var(--faint); font-style: italic; }
.part { margin: 6rem 0 -4rem; }
.scenario { margin: 2.5rem 2rem; font-style: italic; }
nav { margin: 3rem 0; text-align: center; }
nav ol { list-style: none; padding: 0; }
a { color: inherit; }
p { margin: 0; text-indent: 1.4em; }
.who, .who + p, .break, .break + p, .author, .part, blockquote p, .dice { text-indent: 0; }
.who { font-variant: small-caps; letter-spacing: .06em; color: var(--faint); margin: 1.6em 0 .2em; }
.who::before { content: "\\2014\\2002"; }
.break, .dice { text-align: center; color: var(--faint); margin: 1.6em 0; }
.dice { font-size: .9em; font-style: italic; margin: .8em 0; }
.aside { font-size: .85em; color: var(--faint); border-inline-start: 2px solid var(--line); padding-inline-start: 1em; }
blockquote { margin: 1em 0; padding-inline-start: 1em; border-inline-start: 2px solid var(--line); }
pre { white-space: pre-wrap; }
code, pre { font: .85em/1.5 ui-monospace, Menlo, Consolas, monospace; }
.spoiler { background: var(--line); color: transparent; border-radius: .2em; cursor: pointer; }
.spoiler:hover, .spoiler:focus, .spoiler:active { color: inherit; }
@media print { .spoiler { color: inherit; background: none; } h2 { break-before: page; } nav { display: none; } }
"""

# Should anything ever slip through the escaping, a browser still runs and fetches nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def to_html(book: Book) -> str:
    """The whole book as one HTML document."""
    chapters = "\n".join(
        f'<section id="chapter-{number}">\n{pages.body(chapter)}\n</section>' for number, chapter in enumerate(book.chapters, 1)
    )
    return f"""<!DOCTYPE html>
<html lang="{pages.language(book)}">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<title>{pages.words(book.title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
{pages.opening(book)}
</header>
{_contents(book)}<main>
{chapters}
</main>
</body>
</html>
"""


def _contents(book: Book) -> str:
    if len(book.chapters) < 2:  # noqa: PLR2004  one chapter needs no list
        return ""
    entries = "\n".join(
        f'<li><a href="#chapter-{number}">{pages.words(contents_title(chapter.part, chapter.title))}</a></li>'
        for number, chapter in enumerate(book.chapters, 1)
    )
    return f'<nav aria-label="Contents">\n<ol>\n{entries}\n</ol>\n</nav>\n'


def contents_title(part: str, title: str) -> str:
    """A chapter as a list of contents names it."""
    return f"{part}, {title}" if part else title
