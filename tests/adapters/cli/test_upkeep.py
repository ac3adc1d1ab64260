"""`understudy backup`, `restore` and `db` as an operator calls them."""

import asyncio
import json
import signal
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.backup import new_one
from adapters.cli import main, upkeep
from adapters.cli.commands import INTERRUPTED
from adapters.config.settings import DATABASE
from adapters.matrix.client import first_client
from adapters.matrix.keeping import Folder
from adapters.matrix.settings import Settings
from bot.ports.store import Change
from storage.dialects import Database
from storage.migrate import bring_up_to_date
from storage.store import open_store, sqlite_url
from tests.adapters.cli.conftest import Ended
from tests.adapters.matrix.test_keeping import ACCOUNT, SECRETS
from tests.builders import a_session
from tests.storage.test_migrate import HEAD, a_newer_history, migrated

pytestmark = pytest.mark.usefixtures("quiet_logs")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a story."""
    folder = tmp_path / "data"
    folder.mkdir()

    async def keep() -> None:
        store = await open_store(sqlite_url(folder / DATABASE))
        await store.save(Change(None, a_session()))
        await store.close()

    asyncio.run(keep())
    return folder


def test_a_backup_says_what_is_in_it_and_what_to_think_of(ended: Ended, data: Path, tmp_path: Path) -> None:
    code, out, err = ended("backup", "mine.zip", "--data", data)
    assert (code, err) == (0, "")
    assert out.startswith("Wrote mine.zip: 3 rows. Who is forgotten later stays in this backup")
    assert stat.S_IMODE((tmp_path / "mine.zip").stat().st_mode) == 0o600
    assert ended("backup", "mine.zip", "--data", data)[::2] == (
        2,
        "error: mine.zip is there already and stays as it is; name another file.\n",
    )


def test_a_backup_that_only_a_newer_program_can_restore_says_so(ended: Ended, data: Path, tmp_path: Path) -> None:
    async def migrate() -> None:
        await (await migrated(sqlite_url(data / DATABASE), a_newer_history(tmp_path))).close()

    asyncio.run(migrate())
    code, out, _ = ended("backup", "mine.zip", "--data", data)
    assert code == 0
    assert out.splitlines()[1:] == [
        "A newer Understudy made the schema of this database, 9999: only one that knows it can restore the backup."
    ]


def test_a_folder_of_backups_loses_those_that_are_too_old_once_there_is_a_new_one(
    ended: Ended, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old, young = (new_one(folder, datetime.now(UTC) - timedelta(days=days)) for days in (8, 6))
    for path in (old, young):
        path.touch()
    keys = folder / f".{old.name}-x"
    keys.mkdir()
    (keys / "keys.db").touch()
    assert ended("backup", folder, "--keep-days", "7", "--data", tmp_path / "none")[0] == 2
    assert old.exists(), "there is no new one"
    code, out, _ = ended("backup", folder, "--keep-days", "7", "--data", data)
    assert code == 0
    assert f"Deleted {old}, which was older than 7 days." in out
    assert len(list(folder.iterdir())) == 2
    assert young.exists()
    assert "needs a folder" in ended("backup", "x.zip", "--keep-days", "7", "--data", data)[2]


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP])
def by(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that ends a process, also where the tests run under nohup."""
    before = signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    signal.signal(request.param, before)


@pytest.mark.parametrize("named", ["", "/mnt/no/disk/"])
def test_a_target_that_can_only_be_a_folder_and_is_none_is_said(ended: Ended, data: Path, named: str) -> None:
    code, _, err = ended("backup", named, "--data", data)
    assert (code, "There is no folder" in err) == (2, True)


def test_a_backup_that_is_ended_by_a_signal_leaves_no_half_of_it(
    data: Path, tmp_path: Path, by: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object, count: int) -> None:
        assert (tmp_path / "mine.zip.part").exists()
        assert count > 0
        signal.raise_signal(by)

    monkeypatch.setattr(upkeep.ProgressBar, "advance", end)
    with pytest.raises(SystemExit) as ended:
        main(["backup", str(tmp_path / "mine.zip"), "--data", str(data)])
    assert signal.getsignal(by) is signal.SIG_DFL
    assert ended.value.code == INTERRUPTED
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_restore_says_what_is_there_again_and_what_to_do_with_old_keys(ended: Ended, data: Path, tmp_path: Path) -> None:
    folder = Folder(data / "matrix")
    folder.keep(ACCOUNT)

    async def make_keys() -> None:
        await first_client(ACCOUNT, folder, Settings(folder=folder.path)).close()

    asyncio.run(make_keys())
    code, out, _ = ended("backup", "mine.zip", "--data", data)
    assert "3 rows and the keys on Matrix." in out
    code, out, err = ended("restore", "mine.zip", "--data", "new")
    assert (code, err) == (0, "")
    assert out.startswith("Restored 3 rows from 20")
    assert "has to ask once more (privacy forget)" in out
    assert f"The keys of {ACCOUNT.user_id} on Matrix are those of" in out
    assert "`understudy matrix login`" in out
    assert not any(secret in out for secret in SECRETS)
    assert Folder(tmp_path / "new" / "matrix").account() == ACCOUNT
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / DATABASE).stat().st_mode) == 0o600
    code, _, err = ended("restore", "mine.zip", "--data", "new")
    assert code == 2
    assert "so that nothing is mixed" in err


def test_what_is_no_backup_is_one_sentence(ended: Ended, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no")
    code, out, err = ended("restore", "x.zip", "--data", "new")
    assert (code, out) == (2, "")
    assert err.startswith("error: x.zip is no backup of Understudy")
    assert not (tmp_path / "new").exists() or [path.name for path in (tmp_path / "new").iterdir()] in ([], ["understudy.lock"])


def test_a_check_tells_the_schema_and_whether_all_is_well(ended: Ended, data: Path) -> None:
    code, out, _ = ended("db", "check", "--data", data)
    assert code == 0
    assert out.splitlines() == [
        f"The database (sqlite) has the schema {HEAD}; this program wants {HEAD}.",
        "Its tables are as they should be.",
    ]
    told = json.loads(ended("db", "check", "--data", data, "--json")[1])
    assert told["ok"] is True
    assert told["schema"]["steps"] == []


def test_an_older_database_is_told_and_brought_up_to_date(ended: Ended, tmp_path: Path) -> None:
    async def make() -> None:
        database = Database(sqlite_url(tmp_path / DATABASE))
        async with database.writing() as connection:
            await connection.run_sync(lambda each: bring_up_to_date(each, to="0004"))
        await database.close()

    asyncio.run(make())
    code, out, _ = ended("db", "check", "--data", tmp_path)
    assert code == 0
    assert "`understudy db upgrade` now:\n  0005: What adapters took in" in out
    code, out, _ = ended("db", "upgrade", "--data", tmp_path)
    assert code == 0
    assert out.startswith("  0005: What adapters took in")
    assert out.endswith(f"The schema is {HEAD}.\n")
    assert ended("db", "upgrade", "--data", tmp_path)[1] == f"Nothing to do: the schema is {HEAD} already.\n"


def test_damage_is_told_with_what_to_do(ended: Ended, data: Path) -> None:
    async def harm() -> None:
        database = Database(sqlite_url(data / DATABASE))
        async with database.writing() as connection:
            await connection.exec_driver_sql("DROP TABLE bookmarks")
        await database.close()

    asyncio.run(harm())
    code, out, _ = ended("db", "check", "--data", data)
    assert code == 2
    assert "Wrong: missing: table bookmarks" in out
    assert "restore the newest backup" in out
    assert ended("db", "check", "--data", data, "--json")[0] == 2
