"""What is backed up comes back: whole, from one kind of database into the other, and never over anything."""

import json
import random
import resource
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backup import back_up, restore
from adapters.matrix.client import first_client
from adapters.matrix.keeping import Account, Folder
from adapters.matrix.key_store import device_account
from adapters.matrix.settings import Settings
from adapters.wiring import claimed
from bot.errors import Refused, StoreUnavailable
from bot.ids import AuthorId, CardId
from bot.ports.reports import Report
from bot.ports.store import Change
from bot.story.library import LibraryCard
from storage import dialects, upkeep
from storage.store import SqlStore, open_store
from tests.adapters.backup.conftest import Noting, Places, left_in, make, url_of
from tests.adapters.matrix.test_keeping import ACCOUNT
from tests.builders import HERE, MIRA, a_post, a_session
from tests.contracts.stories import queued, shown, whole
from tests.house.project import ROOT
from tests.storage.test_migrate import a_newer_history, migrated

KINDS = ("sqlite", "postgres")
FACE = bytes(range(256)) * 40
STRANGE = 'A \x00 zero, half a \ud83d pair, a \x1a, "quotes"\r\n and \u2028 a line.'


async def some_of_everything(store: SqlStore) -> None:
    session = whole()
    await store.lease(HERE)
    await store.save(Change(None, replace(session, scenario=STRANGE)))
    await store.keep_card(LibraryCard(CardId("mira"), AuthorId("ann"), MIRA, FACE, "image/png"))
    await queued(store, shown("on its way"))
    await store.receive(a_post(STRANGE, "waits"))
    await store.keep_report(Report(HERE, AuthorId("ann"), "Not nice.", "Mira: Hm.", 12.5))
    await store.drop_report(await store.keep_report(Report(HERE, AuthorId("ann"), "Nice.", "", 0.0)))
    await store.bookmark(HERE, "mark")


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_everything_comes_back_also_in_the_other_kind_of_database(
    all_places: Places, kind: str, to: str, tmp_path: Path
) -> None:
    source, target, file = all_places.new(kind), all_places.new(to), tmp_path / "backup.zip"
    make(source)
    store, noting = await open_store(url_of(source)), Noting()
    await some_of_everything(store)
    before = await store.session_at(HERE)
    made = await back_up(source, file, noting)
    waiting = await store.waiting()
    await store.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert noting.stages == [("stories", sum(made.rows.values()))]
    assert noting.done == [noting.stages[0][1]]

    assert (await restore(target, file, Noting())).manifest == made
    back = await open_store(url_of(target))
    assert await back.session_at(HERE) == before
    assert before is not None
    assert before.scenario == STRANGE
    assert await back.waiting() == waiting
    card = await back.card(CardId("mira"))
    assert card is not None
    assert (card.face, card.card) == (FACE, MIRA)
    delivery = await back.claim(HERE, 0.0)
    assert delivery is not None
    assert delivery.uncertain, "it may have arrived after the backup"
    assert [each.number for each in await back.reports()] == [1]
    assert await back.keep_report(Report(HERE, AuthorId("bo"), "Hm.", "", 0.0)) == 3, "no number is given out twice"
    assert await back.bookmarks(HERE.platform) == {HERE.channel: "mark"}
    await back.close()


class Slow(Noting):
    """As a slow disk, or rows full of pictures, hold the program up between two questions to the database."""

    def advance(self, count: int) -> None:
        super().advance(count)
        threading.Event().wait(0.3)


@pytest.mark.slow
async def test_postgres_does_not_give_up_on_a_backup_or_a_restore_that_takes_its_time(
    all_places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(upkeep, "AT_A_TIME", 1)
    source, target = all_places.new("postgres"), all_places.new("postgres")
    make(source)
    store = await open_store(url_of(source))
    for text in ("Nice.", "Not nice."):
        await store.keep_report(Report(HERE, AuthorId("ann"), text, "", 0.0))
    await store.close()
    await back_up(source, tmp_path / "backup.zip", Slow())
    await restore(target, tmp_path / "backup.zip", Slow())
    back = await open_store(url_of(target))
    assert len(await back.reports()) == 2
    await back.close()


async def test_a_backup_of_an_older_program_is_brought_up_to_date(places: Places, tmp_path: Path) -> None:
    config, file = places.new(), tmp_path / "backup.zip"
    make(config)
    database = await migrated(url_of(config))
    await database.close()
    made = await back_up(config, file, Noting())
    as_of("0004", file, without=("streams", "arrivals"))
    target = places.new()
    await restore(target, file, Noting())
    store = await open_store(url_of(target))
    assert await store.read_up_to(HERE.platform) == ""
    await store.close()
    assert made.revision > "0004"


async def test_a_backup_holds_what_a_newer_program_added_and_only_that_one_restores_it(places: Places, tmp_path: Path) -> None:
    config, file = places.new(), tmp_path / "backup.zip"
    make(config)
    await (await migrated(url_of(config), a_newer_history(tmp_path))).close()
    made = await back_up(config, file, Noting())
    assert "moods" in made.rows
    with pytest.raises(Refused, match="only a newer version of Understudy knows"):
        await restore(places.new(), file, Noting())


async def test_the_keys_on_matrix_come_back_as_they_are(places: Places, tmp_path: Path) -> None:
    config, target, file = places.new(), places.new(), tmp_path / "backup.zip"
    folder = Folder(config.matrix_folder)
    make(config)
    await (await open_store(url_of(config))).close()
    folder.keep(ACCOUNT)
    folder.faces.write_text("{}")
    client = first_client(ACCOUNT, folder, Settings(folder=folder.path))
    own = client.keys.account.identity_keys
    made = await back_up(config, file, Noting())  # beside the client that has the store open
    await client.close()
    assert made.has_matrix
    assert sorted(tmp_path.iterdir()) == [file, tmp_path / "data-1"], "nothing of the keys is left beside it"  # noqa: ASYNC240  nothing else runs

    target.matrix_folder.joinpath("keys").mkdir(parents=True)
    target.matrix_folder.joinpath("keys", "lock").touch()
    done = await restore(target, file, Noting())
    back = Folder(target.matrix_folder)
    assert done.account == ACCOUNT.user_id
    assert back.account() == ACCOUNT
    assert back.faces.read_text() == "{}"
    assert device_account(back, ACCOUNT).identity_keys == own
    assert {stat.S_IMODE(path.stat().st_mode) for path in back.path.rglob("*")} == {0o600, 0o700}
    assert left_in(target) >= {"understudy.db", "matrix"}
    assert "matrix.restoring" not in left_in(target)


async def test_keys_that_do_not_fit_their_account_are_not_restored_and_nothing_else_is(places: Places, tmp_path: Path) -> None:
    config, target, file = places.new(), places.new(), tmp_path / "backup.zip"
    folder = Folder(config.matrix_folder)
    make(config)
    await (await open_store(url_of(config))).close()
    folder.keep(ACCOUNT)
    await first_client(ACCOUNT, folder, Settings(folder=folder.path)).close()
    folder.keep(replace(ACCOUNT, pickle_key="another"))
    await back_up(config, file, Noting())
    with pytest.raises(Refused, match="pickle key"):
        await restore(target, file, Noting())
    assert left_in(target) == set()


async def test_a_lost_key_store_is_told_when_it_is_to_be_backed_up(places: Places, tmp_path: Path) -> None:
    config = places.new()
    make(config)
    await (await open_store(url_of(config))).close()
    Folder(config.matrix_folder).keep(ACCOUNT)
    with pytest.raises(Refused, match="is missing"):
        await back_up(config, tmp_path / "backup.zip", Noting())
    assert not list(tmp_path.glob("backup.zip*"))  # noqa: ASYNC240  nothing else runs


async def a_backup(places: Places, file: Path) -> None:
    config = places.new()
    make(config)
    store = await open_store(url_of(config))
    await some_of_everything(store)
    await store.close()
    await back_up(config, file, Noting())


async def test_a_backup_never_takes_the_place_of_a_file(places: Places, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    file.write_text("mine")
    with pytest.raises(Refused, match="stays as it is"):
        await a_backup(places, file)
    assert file.read_text() == "mine"


async def test_a_backup_of_nothing_is_one_sentence(places: Places, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no stories"):
        await back_up(places.new(), tmp_path / "backup.zip", Noting())
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  nothing else runs


async def test_a_backup_that_cannot_be_written_leaves_nothing(places: Places, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="its folder is not there"):
        await a_backup(places, tmp_path / "no" / "folder.zip")


@pytest.mark.parametrize("room", [100_000, 700_000, 1_500_000])
async def test_a_disk_that_gets_full_is_not_taken_for_trouble_with_the_database(
    places: Places, tmp_path: Path, room: int
) -> None:
    config, dice = places.new(), random.Random(7)  # noqa: S311  no secret
    make(config)
    store = await open_store(url_of(config))
    for number in range(8):
        await store.keep_card(LibraryCard(CardId(f"{number}"), AuthorId("ann"), MIRA, dice.randbytes(1 << 18), "image/png"))
    await store.close()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        with pytest.raises(Refused, match=r"full\.zip cannot be written"):
            await back_up(config, tmp_path / "full.zip", Noting())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert [path.name for path in tmp_path.iterdir()] == ["data-1"]  # noqa: ASYNC240  nothing else runs


async def test_nothing_is_restored_over_anything_or_under_a_running_bot(all_places: Places, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    await a_backup(all_places, file)
    for kind in KINDS:
        target = all_places.new(kind)
        make(target)
        await (await open_store(url_of(target))).close()
        with pytest.raises(Refused, match="so that nothing is mixed"):
            await restore(target, file, Noting())
    running = all_places.new()
    with claimed(running), pytest.raises(Refused, match="Another Understudy is using"):
        await restore(running, file, Noting())
    assert left_in(running) == set()


async def test_an_account_that_is_there_is_left_alone(places: Places, tmp_path: Path) -> None:
    config, file = places.new(), tmp_path / "backup.zip"
    folder = Folder(config.matrix_folder)
    make(config)
    await (await open_store(url_of(config))).close()
    folder.keep(ACCOUNT)
    await first_client(ACCOUNT, folder, Settings(folder=folder.path)).close()
    await back_up(config, file, Noting())
    target = places.new()
    other: Account = replace(ACCOUNT, device_id="OTHER")
    Folder(target.matrix_folder).keep(other)
    with pytest.raises(Refused, match="an account on Matrix already"):
        await restore(target, file, Noting())
    assert Folder(target.matrix_folder).account() == other
    assert not target.storage.file.exists()


async def test_a_restore_that_fails_at_the_last_moment_leaves_nothing(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, file, target = places.new(), tmp_path / "backup.zip", places.new()
    folder = Folder(config.matrix_folder)
    make(config)
    await (await open_store(url_of(config))).close()
    folder.keep(ACCOUNT)
    await first_client(ACCOUNT, folder, Settings(folder=folder.path)).close()
    await back_up(config, file, Noting())

    def in_the_way(*_: object) -> None:
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(Path, "rename", in_the_way_of(target.matrix_folder, in_the_way))
    with pytest.raises(Refused, match="is in the way"):
        await restore(target, file, Noting())
    monkeypatch.undo()
    assert left_in(target) == set()
    await restore(target, file, Noting())


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from adapters.backup import restore
from adapters.matrix.copying import PutBack
from tests.adapters.backup.conftest import Noting, configured

finish = PutBack.finish

def killed(self):
    finish(self)
    os.kill(os.getpid(), signal.SIGKILL)

PutBack.finish = killed
asyncio.run(restore(configured(Path(sys.argv[1])), Path(sys.argv[2]), Noting()))
"""


async def a_backup_with_keys(places: Places, file: Path) -> None:
    config = places.new()
    make(config)
    await (await open_store(url_of(config))).close()
    Folder(config.matrix_folder).keep(ACCOUNT)
    await first_client(ACCOUNT, Folder(config.matrix_folder), Settings(folder=config.matrix_folder)).close()
    await back_up(config, file, Noting())


@pytest.mark.slow
async def test_a_restore_that_was_killed_can_be_made_again(places: Places, tmp_path: Path) -> None:
    file, target = tmp_path / "backup.zip", places.new()
    await a_backup_with_keys(places, file)
    command = [sys.executable, "-c", KILLED, target.storage.directory, str(file)]
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: ASYNC221, S603  our own, and nothing else runs
    assert done.returncode == -signal.SIGKILL
    assert Folder(target.matrix_folder).account() == ACCOUNT, "the keys were in their place, and the stories were not"

    assert (await restore(target, file, Noting())).account == ACCOUNT.user_id
    assert "matrix.restoring" not in left_in(target)
    assert device_account(Folder(target.matrix_folder), ACCOUNT)
    await (await open_store(url_of(target))).close()


async def test_keys_that_were_used_since_are_not_taken_for_those_of_a_killed_restore(places: Places, tmp_path: Path) -> None:
    file, target = tmp_path / "backup.zip", places.new()
    await a_backup_with_keys(places, file)
    await restore(target, file, Noting())
    target.storage.file.unlink()
    newer = replace(ACCOUNT, access_token="another")  # noqa: S106  a made-up one
    Folder(target.matrix_folder).keep(newer)
    with pytest.raises(Refused, match="an account on Matrix already"):
        await restore(target, file, Noting())
    assert Folder(target.matrix_folder).account() == newer
    assert not target.storage.file.exists()


def in_the_way_of(path: Path, fails: object) -> object:
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if target == path and callable(fails):
            fails()
        return real(self, target)

    return rename


def as_of(revision: str, file: Path, without: tuple[str, ...] = ()) -> None:
    """Make a backup look as one that an older program made."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(parts.pop("manifest.json"))
    about["revision"] = revision
    for table in without:
        del about["rows"][table], about["parts"][f"tables/{table}.jsonl"], parts[f"tables/{table}.jsonl"]
        about["counters"].pop(table, None)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**parts, "manifest.json": json.dumps(about).encode()}.items():
            archive.writestr(name, content)


async def test_a_session_in_a_backup_is_no_more_than_its_rows(places: Places, tmp_path: Path) -> None:
    """The file is meant to be read in ten years, by other programs."""
    file = tmp_path / "backup.zip"
    await a_backup(places, file)
    with zipfile.ZipFile(file) as archive:
        columns, row = map(json.loads, archive.read("tables/sessions.jsonl").splitlines())
    assert dict(zip(columns, row, strict=True))["id"] == a_session().id
