"""The account is kept whole or not at all, for its owner alone, and shows its secrets to nobody."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.matrix.keeping import Account, Folder, Seeds, is_safe
from bot.errors import Refused

SECRETS = ("syt_secret_token", "pickled-secret", "seedseedseedseedseedseedseedseed")
OTHER = "another_secret_token"
ACCOUNT = Account(
    homeserver="https://matrix.example.org",
    user_id="@understudy:example.org",
    device_id="UNDERSTUDY",
    access_token=SECRETS[0],
    pickle_key=SECRETS[1],
    seeds=Seeds(self_signing=SECRETS[2].encode(), master=bytes(32)),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data" / "matrix")


def test_an_account_that_is_kept_is_read_back(folder: Folder) -> None:
    assert folder.account() is None
    for account in (ACCOUNT, replace(ACCOUNT, seeds=None)):
        folder.keep(account)
        assert folder.account() == account


def test_no_representation_shows_a_secret() -> None:
    shown = f"{ACCOUNT!r} {ACCOUNT} {ACCOUNT.seeds!r}"
    assert not any(secret in shown for secret in SECRETS)


def test_another_account_is_known_by_when_it_was_kept(folder: Folder) -> None:
    assert folder.changed_at() == 0
    folder.keep(ACCOUNT)
    before = folder.changed_at()
    assert before > 0
    os.utime(folder.account_file, ns=(before - 10, before - 10))
    folder.keep(ACCOUNT)
    assert folder.changed_at() != before - 10


def test_what_is_kept_is_for_its_owner_alone_whatever_the_umask_and_the_file_before(folder: Folder) -> None:
    old = os.umask(0)
    try:
        folder.keep(ACCOUNT)
        folder.account_file.chmod(0o666)
        folder.keep(ACCOUNT)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.account_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.path.parent.stat().st_mode) == 0o700


def test_a_writing_that_breaks_off_leaves_the_account_as_it_was(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.keep(ACCOUNT)

    def breaks(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", breaks)
    with pytest.raises(Refused, match="No space left") as refused:
        folder.keep(replace(ACCOUNT, access_token=OTHER))
    assert OTHER not in str(refused.value)
    monkeypatch.undo()
    assert folder.account() == ACCOUNT
    folder.keep(replace(ACCOUNT, device_id="OTHER"))
    assert folder.account() == replace(ACCOUNT, device_id="OTHER")


def changed(**changes: Any) -> str:
    kept = {
        "homeserver": "https://matrix.example.org",
        "user_id": "@understudy:example.org",
        "device_id": "UNDERSTUDY",
        "access_token": SECRETS[0],
        "pickle_key": SECRETS[1],
    }
    return json.dumps({name: value for name, value in {**kept, **changes}.items() if value is not None})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 5000,
        changed(homeserver="http://matrix.example.org"),
        changed(homeserver="https://user:password@example.org"),
        changed(user_id="understudy"),
        changed(device_id=""),
        changed(access_token=None),
        changed(access_token=5),
        changed(pickle_key="two words"),
        changed(seeds=[]),
        changed(seeds={}),
        changed(seeds={"self_signing": "c2hvcnQ="}),
        changed(seeds={"self_signing": 5}),
    ],
)
def test_a_damaged_file_is_refused_without_a_word_of_it(folder: Folder, text: str) -> None:
    folder.make()
    folder.account_file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=r"account.json is damaged.*understudy matrix login") as refused:
        folder.account()
    assert not any(secret in str(refused.value) for secret in SECRETS)


def test_a_file_of_today_passes_the_same_reading(folder: Folder) -> None:
    folder.make()
    folder.account_file.write_text(changed(), encoding="utf-8")
    assert folder.account() == replace(ACCOUNT, seeds=None)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be used"):
        Folder(tmp_path / "file" / "matrix").keep(ACCOUNT)


def test_no_id_of_a_device_leads_out_of_the_folder(folder: Folder) -> None:
    for strange in ("../../etc/passwd", "a/b", "..", "x" * 1000):
        store = folder.key_store(replace(ACCOUNT, device_id=strange))
        assert store.parent == folder.keys
        assert len(store.name) < 255


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://matrix.example.org", True),
        ("https://matrix.example.org:8448/", True),
        ("http://127.0.0.1:8008", True),
        ("http://[::1]:8008", True),
        ("http://localhost:8008", True),
        ("http://matrix.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("https://", False),
        ("https://name:word@example.org", False),
        ("https://example.org:0", False),
        ("https://example.org:99999", False),
        ("https://example.org?x", False),
        ("ftp://example.org", False),
        ("matrix.example.org", False),
    ],
)
def test_secrets_go_to_no_server_that_others_could_listen_to(address: str, safe: bool) -> None:  # noqa: FBT001  a table
    assert is_safe(address) is safe
