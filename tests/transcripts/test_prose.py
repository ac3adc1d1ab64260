"""The marks of posts mean what people expect, marks that are not closed are words, and no text takes long to read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transcripts.prose import Block, Kind, Mark, Spelling, blocks, inline

SHOWN = Spelling(
    text=lambda text, _: text,
    code=lambda text: f"[{text}]",
    marks={
        Mark.EMPHASIS: ("<e>", "</e>"),
        Mark.STRONG: ("<b>", "</b>"),
        Mark.STRUCK: ("<s>", "</s>"),
        Mark.SPOILER: ("<h>", "</h>"),
    },
    line_break="/",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a *b* c", "a <e>b</e> c"),
        ("a _b_ c", "a <e>b</e> c"),
        ("**b**", "<b>b</b>"),
        ("***b***", "<b><e>b</e></b>"),
        ("**a *b* c**", "<b>a <e>b</e> c</b>"),
        ("||b *c*||", "<h>b <e>c</e></h>"),
        ("~~b~~", "<s>b</s>"),
        ("`*b*` *c*", "[*b*] <e>c</e>"),
        ("``a ` b``", "[a ` b]"),
        ('"*Hm,*" he said', '"<e>Hm,</e>" he said'),
        ("snake_case_name", "snake_case_name"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("*open", "*open"),
        ("*a *b* c*", "*a <e>b</e> c*"),
        ("open*", "open*"),
        ("`open", "`open"),
        ("*a **b* c**", "<e>a **b</e> c**"),
        (r"\*a\* \\", r"*a* \\"[:-1]),
        ("a ~ b ~~~ c ****d****", "a ~ b ~~~ c ****d****"),
        ("one\ntwo", "one/two"),
        ("*one\ntwo*", "<e>one/two</e>"),
        ("", ""),
    ],
)
def test_marks_mean_what_people_expect(text: str, shown: str) -> None:
    assert inline(text, SHOWN) == shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("one\ntwo\n\nthree", [Block(Kind.PARAGRAPH, "one\ntwo"), Block(Kind.PARAGRAPH, "three")]),
        ("one\n***\ntwo", [Block(Kind.PARAGRAPH, "one"), Block(Kind.BREAK), Block(Kind.PARAGRAPH, "two")]),
        ("> a\n> b\nc", [Block(Kind.QUOTE, "a\nb"), Block(Kind.PARAGRAPH, "c")]),
        (">>> a\n\nb", [Block(Kind.QUOTE, "a\n\nb")]),
        ("```py\na *b*\n\n```\nc", [Block(Kind.CODE, "a *b*\n"), Block(Kind.PARAGRAPH, "c")]),
        ("```\nnever closed", [Block(Kind.PARAGRAPH, "```\nnever closed")]),
        ("**", [Block(Kind.PARAGRAPH, "**")]),
        ("\n \n", []),
    ],
)
def test_lines_are_what_they_look_like(text: str, found: list[Block]) -> None:
    assert list(blocks(text)) == found


@given(st.text(st.sampled_from("*_~|`\\ab \n>-"), max_size=60))
def test_marks_never_cross_and_are_always_closed(text: str) -> None:
    nested: list[str] = []
    spelled = Spelling(
        text=lambda text, _: text.replace("<", ""),
        code=lambda _: "",
        marks={mark: (f"<{mark}>", f"</{mark}>") for mark in Mark},
        line_break="",
    )
    for piece in inline(text, spelled).split("<")[1:]:
        tag = piece.split(">")[0]
        if tag.startswith("/"):
            assert nested.pop() == tag[1:]
        else:
            nested.append(tag)
    assert not nested


@pytest.mark.parametrize(
    "text",
    [
        *("*a " * 60_000, "*a* " * 40_000, "`a" * 90_000, "".join("`" * (n % 400) + "a" for n in range(900)), "||" * 90_000),
        *("*_**__~~||" * 18_000, "> " * 90_000, "```\n" * 40_001, "```a\n~~~\n" * 20_000, "\\" * 180_000, "_a" * 90_000),
        *("*a " * 30_000 + "a** " * 30_000, "* " * 90_000, "- \n" * 60_000, ">>> " * 40_000),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    for block in blocks(text):
        inline(block.text, SHOWN)
    assert time.process_time() - started < 5
