"""What holds for all tests: where everything is checked, a skipped test is a failure unless a short list allows it."""

import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

ALLOWED = Path(__file__).parent / "house" / "skips.toml"

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips-are-failures", action="store_true", help="fail every skipped test that tests/house/skips.toml does not allow"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _judged(report, item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _judged(report, collector.config)


def _judged(report: Report, config: pytest.Config) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--skips-are-failures"):
        allowed = tomllib.loads(ALLOWED.read_text(encoding="utf-8"))
        if not report.nodeid.startswith(tuple(allowed)):
            report.outcome = "failed"
            report.longrepr = f"skipped, and not listed in tests/house/skips.toml: {report.longrepr}"
    return report
