"""The Markdown of a book reads as the story did, and nothing that players wrote becomes more than words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.transcripts.book import Post, book_of
from bot.transcripts.markdown import to_markdown
from tests.transcripts.books import CREATED, HOSTILE, a_book, a_story, told

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OUR_TAGS = {"p", "em", "strong", "code", "pre", "br", "s", "blockquote", "hr", "h1", "h2"}


def test_a_book_reads_as_a_document() -> None:
    assert to_markdown(book_of(a_story(), told(), CREATED, title="The Inn", with_asides=True)) == (
        """# The Inn

*Tobias and Elin, with Understudy as Mira*

> A stranger asks for shelter in a rain-soaked inn.

## Chapter 1

**Mira**

"We close at *ten*," she said.

**Tobias**

He sat down.

* * *

> Closed

`key`

Then he slept.

*Tobias rolled 1d20 (7) = 7 (sleep)*

**Elin** (beside the story)

Back soon.
"""
    )


def test_parts_stand_above_chapters() -> None:
    book = a_book(Post("Mira", "Hm."))
    [chapter] = book.chapters
    part = type(chapter)(chapter.title, chapter.posts, "Part 1")

    assert "\n## Part 1\n\n### Chapter 1\n" in to_markdown(a_book(chapters=(part,)))


@pytest.mark.parametrize(
    "text", [HOSTILE, "> " + HOSTILE.replace("\n", "\n> "), f"`{HOSTILE}`", f"```\n{HOSTILE}\n```", f"*{HOSTILE}*"]
)
def test_what_players_wrote_is_words(text: str) -> None:
    page = PARSER.render(to_markdown(a_book(Post("# <b>Mira</b>", text), scenario=text, title=text, author_line=text)))

    assert set(re.findall(r"</?([a-z0-9]+)", page)) <= OUR_TAGS
    assert len(re.findall("<h[12]>", page)) == 2
    assert "tracker" not in "".join(re.findall("<[^>]*>", page))


@given(st.text(st.sampled_from("*_~|`\\ab1.)#-+=<>[]!& \n"), max_size=40))
def test_any_post_stays_one_post(text: str) -> None:
    page = PARSER.render(to_markdown(a_book(Post("Mira", f"a{text}"), Post("Tobias", "Last."))))

    assert set(re.findall(r"</?([a-z0-9]+)", page)) <= OUR_TAGS
    assert page.endswith("<p><strong>Tobias</strong></p>\n<p>Last.</p>\n")
    assert len(re.findall("<h[12]>", page)) == 2


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("*a* **b** ***c*** ~~d~~ `e`", "<em>a</em> <strong>b</strong> <em><strong>c</strong></em> <s>d</s> <code>e</code>"),
        ("1. one\n2) two", "1. one<br />\n2) two"),
        (r"1\. one", "1. one"),
        ("# no heading", "# no heading"),
        ("text\n===", "text<br />\n==="),
        ("Hello~ & bye! 3 < 4", "Hello~ &amp; bye! 3 &lt; 4"),
        ("``a ` b``", "<code>a ` b</code>"),
    ],
)
def test_a_reader_of_markdown_sees_what_the_players_saw(text: str, page: str) -> None:
    assert f"<p><strong>Mira</strong></p>\n<p>{page}</p>\n" in PARSER.render(to_markdown(a_book(Post("Mira", text))))
