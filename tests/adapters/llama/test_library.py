import logging
import os

import pytest

from adapters.llama import library


def test_a_failed_assertion_of_the_library_starts_no_debugger() -> None:
    assert os.environ["GGML_NO_BACKTRACE"]


def test_an_error_of_the_library_is_seen_by_the_operator_unless_somebody_collects_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        library._log(library.ERROR, b"cache on fire\n", None)
        with library.complaints() as lines:
            library._log(library.ERROR, b"cut short\n", None)
            library._log(library.ERROR - 1, b"a hint\n", None)
            library._log(library.ERROR, None, None)
    assert list(lines) == ["cut short"]
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.WARNING, "cache on fire"),
        (logging.DEBUG, "cut short"),
        (logging.DEBUG, "a hint"),
    ]
