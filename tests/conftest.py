"""What holds for all tests: where everything is checked, a skipped test is a failure unless a short list allows it.

What wants a whole server or a browser is slow. It also lends databases and homeservers: PostgreSQL and Synapse start
when the first test wants one, and end with the test session. Element's SDK is installed once.
"""

import asyncio
import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from storage.store import open_store
from tests.homeserver.element_sdk import ElementSdk, SdkMissingError
from tests.homeserver.server import Synapse
from tests.homeserver.server import running as running_synapse
from tests.postgres import Postgres, running

BIG = frozenset({"homeserver", "strict_homeserver", "chromium"})
"""What takes seconds to start, and as long again to do things with: whoever wants a Synapse or a browser is slow."""

ALLOWED = Path(__file__).parent / "house" / "skips.toml"

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips-are-failures", action="store_true", help="fail every skipped test that tests/house/skips.toml does not allow"
    )


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if BIG.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


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


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres, None, None]:
    with running() as server:
        yield server


@pytest.fixture
def empty_postgres(postgres: Postgres) -> Generator[str, None, None]:
    """The address of a PostgreSQL database with nothing in it."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    name = postgres.create()

    async def migrate() -> None:
        await (await open_store(postgres.url(name))).close()

    asyncio.run(migrate())
    return name


@pytest.fixture
def migrated_postgres(postgres: Postgres, migrated_template: str) -> Generator[str, None, None]:
    """The address of a PostgreSQL database with the tables and nothing in them."""
    name = postgres.create(migrated_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def homeserver() -> Generator[Synapse, None, None]:
    """A Synapse without limits on how much is sent."""
    with running_synapse() as server:
        yield server


@pytest.fixture(scope="session")
def strict_homeserver() -> Generator[Synapse, None, None]:
    """A Synapse with the limits that it has where nobody changes them."""
    with running_synapse(default_limits=True) as server:
        yield server


@pytest.fixture(scope="session")
def element(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ElementSdk:
    """Element's SDK, installed once and kept with pytest's cache; without it the test is skipped."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    keep: Path = cache.mkdir("element-sdk") if cache else tmp_path_factory.mktemp("element-sdk")
    try:
        return ElementSdk.installed(keep)
    except SdkMissingError as missing:
        pytest.skip(str(missing))
