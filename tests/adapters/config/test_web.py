"""What is configured of the page: where it is, and the operator's token."""

from pathlib import Path

from adapters.config import Errand, taken
from tests.adapters.config.test_reading import config_of, mistakes_in

TOKEN = "a-word-that-nobody-guesses"  # noqa: S105 a made-up one


def test_the_environment_sets_the_token_and_goes_before_the_file(tmp_path: Path) -> None:
    config = config_of(tmp_path, '[web]\noperator_token = "0123456789abcdef"\n', UNDERSTUDY_WEB_OPERATOR_TOKEN=TOKEN)
    assert config.web.operator_token == TOKEN


def test_the_token_shows_up_nowhere(tmp_path: Path) -> None:
    config = config_of(tmp_path, "", UNDERSTUDY_WEB_OPERATOR_TOKEN=TOKEN)
    assert TOKEN not in repr(config)
    line = Errand(config=config, log_level=20).line
    assert TOKEN.encode() not in line
    assert taken(line).config.web.operator_token == ""


def test_with_a_token_the_page_may_be_anywhere(tmp_path: Path) -> None:
    text = '[web]\nhost = "0.0.0.0"\n'
    assert config_of(tmp_path, text, UNDERSTUDY_WEB_OPERATOR_TOKEN=TOKEN).web.host == "0.0.0.0"  # noqa: S104  with a token
    assert "set operator_token too" in mistakes_in(tmp_path, text)[0]


def test_the_log_can_be_json(tmp_path: Path) -> None:
    assert config_of(tmp_path, "").logs.format == "text"
    assert config_of(tmp_path, '[logs]\nformat = "json"\n').logs.format == "json"
    assert mistakes_in(tmp_path, '[logs]\nformat = "xml"\n') == (
        "line 2: [logs] format is \"xml\"; it must be one of 'text' or 'json'.",
    )


def test_traces_go_to_an_address(tmp_path: Path) -> None:
    assert config_of(tmp_path, "").logs.traces is None
    assert config_of(tmp_path, '[logs]\ntraces = "http://127.0.0.1:4318"\n').logs.traces == "http://127.0.0.1:4318"
    for wrong in ("collector:4318", "unix:/tmp/x", "http://:4318", "http://me:hunter2@host:4318"):
        (mistake,) = mistakes_in(tmp_path, f'[logs]\ntraces = "{wrong}"\n')
        assert "is no address of a collector" in mistake
        assert "hunter2" not in mistake
