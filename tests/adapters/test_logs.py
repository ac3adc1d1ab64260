"""Log records as lines: facts beside the sentence, and nothing in them that could forge another line."""

import io
import json
import logging

import pytest

from adapters import logs
from tests.builders import HERE


@pytest.fixture
def written(quiet_logs: None) -> io.StringIO:  # noqa: ARG001  it puts everything back afterwards
    stream = io.StringIO()
    logs.set_up(logging.INFO, stream)
    return stream


def test_facts_stand_behind_the_sentence(written: io.StringIO) -> None:
    logging.getLogger("bot.flow").info("a turn was written", extra={"action": "turn", "place": "web main", "seconds": 1.5})
    assert written.getvalue().endswith(' INFO bot.flow a turn was written action=turn place="web main" seconds=1.5\n')


def test_a_secret_is_in_no_line_and_in_no_traceback(written: io.StringIO) -> None:
    logs.hide(("hunter2-and-more", "hunter2", "", "abc"))
    try:
        raise ConnectionError("refused hunter2-and-more@host")  # noqa: TRY301  it is about the traceback
    except ConnectionError:
        logging.getLogger("bot.flow").exception("no hunter2 at abc", extra={"url": "postgresql://me:hunter2@host"})
    assert "hunter2" not in written.getvalue()
    assert written.getvalue().count("[secret]") == 4, "the error's line of code is in its traceback too"
    assert "Traceback" in written.getvalue()
    assert "at abc" in written.getvalue(), "too short to be told from a word"


def test_a_secret_is_hidden_in_other_clothes_too(written: io.StringIO) -> None:
    secret = "hunter\\2 ü\n"  # noqa: S105  a made-up one
    logs.hide((secret,))
    logging.getLogger("bot.flow").info("no %r and %s", secret, json.dumps(secret))
    assert "hunter" not in written.getvalue()


def test_less_than_the_level_is_not_written(written: io.StringIO) -> None:
    logging.getLogger("bot.flow").debug("a detail")
    assert written.getvalue() == ""


def test_a_library_never_tells_its_details(written: io.StringIO) -> None:
    logs.set_up(logging.DEBUG, written)
    logging.getLogger("aiosqlite").debug("executing with what a player wrote")
    logging.getLogger("storage.store").debug("ours")
    assert [line.split(" ", 2)[2] for line in written.getvalue().splitlines()] == ["storage.store ours"]


def test_what_a_player_wrote_cannot_forge_a_line_or_steer_a_terminal(written: io.StringIO) -> None:
    logging.getLogger("bot.flow").info("ignored: %s", "x\n2026 ERROR fake", extra={"name_of": "\x1b[2J\u202e"})
    assert written.getvalue().count("\n") == 1
    assert written.getvalue().isascii()
    assert "\x1b" not in written.getvalue()


def test_as_json_each_record_is_one_object_and_its_numbers_are_numbers(quiet_logs: None) -> None:  # noqa: ARG001  as above
    stream = io.StringIO()
    logs.set_up(logging.INFO, stream)
    logs.take_shape("json")
    facts = {"action": "turn", "place": HERE, "finished": 1.5, "level": 3, "lag": float("nan")}
    logging.getLogger("bot.flow").info("ignored: %s", 'a "quote"\nand \ud83d', extra=facts)
    line, rest = stream.getvalue().split("\n")
    told = json.loads(line)
    assert rest == ""
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "INFO",
        "logger": "bot.flow",
        "message": 'ignored: a "quote"\nand \ud83d',
        "action": "turn",
        "place": str(HERE),
        "finished": 1.5,
        "fact_level": 3,
        "lag": "nan",
    }


def test_as_json_a_failure_is_a_part_of_its_object(quiet_logs: None) -> None:  # noqa: ARG001  as above
    stream = io.StringIO()
    logs.set_up(logging.INFO, stream, "json")
    try:
        int("x")
    except ValueError:
        logging.getLogger("bot").exception("it failed")
    assert "ValueError: invalid literal" in json.loads(stream.getvalue())["exception"]


def test_a_failure_shows_where_it_came_from(written: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        logging.getLogger("bot").exception("it failed")
    assert "ValueError: invalid literal" in written.getvalue()


def test_what_an_error_quotes_cannot_forge_a_line_or_steer_a_terminal(written: io.StringIO) -> None:
    try:
        raise ConnectionError("x\n2026-11-25T17:33:53.095Z ERROR bot.flow fake\r\x1b[2J\u2028y")  # noqa: TRY301  as above
    except ConnectionError:
        logging.getLogger("bot.flow").exception("it failed")
    first, *traceback = written.getvalue().splitlines()
    assert first.endswith("it failed")
    assert all(line.startswith("  ") for line in traceback)
    assert written.getvalue().replace("\n", "").isprintable()
