"""What the benchmarks take for granted: models that write for as long as they are asked to, and the count of new tokens."""

from pathlib import Path

import pytest

from bot.story.session import Session
from bot.story.settings import Length
from tests.bench import models, stories
from tests.bench.bare import Bare
from tests.models import DEMO_MODEL

IDS = tuple(range(300, 340))


@pytest.fixture(scope="module")
def counter() -> stories.Counter:
    return stories.counter(DEMO_MODEL)


def test_a_random_model_writes_words_and_comes_to_no_end(tmp_path: Path) -> None:
    words = models.made_words()
    bare = Bare(models.model_file("tiny", tmp_path, words), slots=2, context=256, threads=1, gpu_layers=0)
    try:
        rows = bare.write([[1, 400, 500], [1, 600]], 100)
    finally:
        bare.close()
    assert [len(row) for row in rows] == [2] * 100
    assert all(words.plain[token] for row in rows for token in row)


def grown(length: Length | None) -> tuple[Session, Session]:
    """A story with a post and a reply by ids, as it was asked for, and with the next post."""
    asked = stories.posted(stories.opened(1, length, 600), "post")
    return asked, stories.posted(stories.answered(asked, " He waited.", IDS), "next post")


def new_tokens(counter: stories.Counter, session: Session) -> int:
    return counter.new_tokens(session, stories.prompt_of(session))


def test_without_a_modifier_new_tokens_are_all_that_stands_behind_the_last_reply(counter: stories.Counter) -> None:
    before, after = (stories.prompt_of(session) for session in grown(None))
    grew = counter.tokens(after.segments) - counter.tokens(before.segments)
    assert new_tokens(counter, grown(None)[1]) == grew - len(IDS)


def test_with_a_modifier_in_the_newest_header_the_last_reply_is_new_again(counter: stories.Counter) -> None:
    before, after = (stories.prompt_of(session) for session in grown(Length.SHORT))
    grew = counter.tokens(after.segments) - counter.tokens(before.segments)
    assert new_tokens(counter, grown(Length.SHORT)[1]) == grew + counter.tokens(before.tail)


def test_a_reply_that_is_kept_as_text_is_counted_like_one_by_ids(counter: stories.Counter) -> None:
    asked, by_ids = grown(None)
    by_text = stories.posted(stories.answered(asked, "He waited."), "next post")
    assert new_tokens(counter, by_text) == new_tokens(counter, by_ids)
