"""Secret storage opens with the key that made it, and with nothing else. What stands here was made by Element's own SDK."""

import base64
from typing import Any

import pytest

from adapters.matrix.trust.secrets import MOST_ROUNDS, WrongKey, is_key_of, opened, opening_key, recovery_key

KEY = "EsT6 LGpN geZQ PLDt RzLB SGff wSbh LUsQ soyX Bdjn b89b NYLd"
PASSPHRASE = "a passphrase"  # noqa: S105  of no account
OTHER_KEY = "EsTS PZho hpVU zru8 UguU Yz24 B5QK nTSv 5ZTE 7mkK xZjZ UEE6"
NAME = "m.cross_signing.self_signing"
DESCRIPTION: dict[str, Any] = {
    "algorithm": "m.secret_storage.v1.aes-hmac-sha2",
    "passphrase": {"algorithm": "m.pbkdf2", "iterations": 500000, "salt": "dg1Oypd5w9fWugoG5XGJfZqF6M4xVPo6"},
    "iv": "m6RSYH26RnlsFNMuJrE1xQ==",
    "mac": "aa8/Z60A7gunbBF8yaYy8e1/zLgknHj1OkuGDfD8gL4=",
}
SEALED = {
    "iv": "41FlXesfs2hKf9ezDuqVgw==",
    "ciphertext": "O/okBzPY8xibfNaiazCDX9YYlxKpBlROevAGB3DRNdUeZ9EbMGziSRw5JQ==",
    "mac": "yO4WXZu9cM3w9q3RBzw9WcjIJFsCNrmris9ZNuym4mo=",
}


@pytest.mark.parametrize("typed", [KEY, KEY.replace(" ", ""), f"  {KEY}\n", PASSPHRASE])
def test_the_recovery_key_and_the_passphrase_open_the_same(typed: str) -> None:
    seed = opened(NAME, opening_key(typed, DESCRIPTION), SEALED)
    assert len(base64.b64decode(seed + b"=")) == 32


@pytest.mark.parametrize(
    "typed",
    [
        "",
        OTHER_KEY,
        KEY[:-1] + "e",
        KEY[:-4],
        KEY + " KEY",
        "another passphrase",
        "1" * 100_000,
        "é",
        "0OIl",
        "Es",
    ],
)
def test_anything_else_opens_nothing_and_stands_in_no_sentence(typed: str) -> None:
    quick = {**DESCRIPTION, "passphrase": {**DESCRIPTION["passphrase"], "iterations": 1}}
    with pytest.raises(WrongKey) as wrong:
        opening_key(typed, quick)
    assert not typed or typed not in str(wrong.value)


def test_a_mistyped_letter_of_a_recovery_key_is_noticed() -> None:
    assert recovery_key(OTHER_KEY) is not None
    word = KEY.replace(" ", "")
    changed = (word[:place] + ("2" if letter != "2" else "3") + word[place + 1 :] for place, letter in enumerate(word))
    # One byte of parity lets one in 256 through, and those open nothing.
    assert len([each for each in changed if recovery_key(each) is not None]) <= 1


def test_a_recovery_key_of_another_kind_is_none() -> None:
    # Right in length and parity, but with another head.
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, word = int.from_bytes(b"\x8b\x02" + bytes(32) + b"\x89"), ""
    while number:
        number, digit = divmod(number, 58)
        word = digits[digit] + word
    assert recovery_key(word) is None


@pytest.mark.parametrize("part", ["iv", "ciphertext", "mac"])
@pytest.mark.parametrize("value", [None, 5, "", "zz", "!", base64.b64encode(bytes(32)).decode()])
def test_a_secret_that_was_changed_is_refused(part: str, value: object) -> None:
    key = opening_key(KEY, DESCRIPTION)
    with pytest.raises(WrongKey, match="cannot be opened"):
        opened(NAME, key, {**SEALED, part: value})


def test_a_secret_does_not_pass_for_one_of_another_name() -> None:
    with pytest.raises(WrongKey, match="cannot be opened"):
        opened("m.cross_signing.master", opening_key(KEY, DESCRIPTION), SEALED)


def test_without_a_note_of_how_to_tell_any_key_is_tried_and_a_wrong_one_opens_no_secret() -> None:
    bare = {name: value for name, value in DESCRIPTION.items() if name not in {"iv", "mac"}}
    other = opening_key(OTHER_KEY, bare)
    with pytest.raises(WrongKey):
        opened(NAME, other, SEALED)
    assert opened(NAME, opening_key(KEY, bare), SEALED)


@pytest.mark.parametrize(
    "description",
    [
        {},
        {**DESCRIPTION, "algorithm": "m.secret_storage.v2"},
        {**DESCRIPTION, "iv": 5},
        {**DESCRIPTION, "iv": "AAAA"},
        {**DESCRIPTION, "iv": "!"},
        {**DESCRIPTION, "mac": None},
        {**DESCRIPTION, "mac": "AAAA"},
        {**DESCRIPTION, "mac": "é"},
    ],
)
def test_a_storage_of_another_kind_or_shape_is_opened_by_nothing(description: dict[str, Any]) -> None:
    description = {name: value for name, value in description.items() if name != "passphrase"}
    with pytest.raises(WrongKey):
        opening_key(KEY, description)


@pytest.mark.parametrize(
    "how",
    [
        None,
        [],
        {},
        {"algorithm": "m.pbkdf2", "iterations": MOST_ROUNDS + 1, "salt": "s"},
        {"algorithm": "m.pbkdf2", "iterations": 2**62, "salt": "s"},
        {"algorithm": "m.pbkdf2", "iterations": 0, "salt": "s"},
        {"algorithm": "m.pbkdf2", "iterations": "1", "salt": "s"},
        {"algorithm": "m.pbkdf2", "iterations": 1, "salt": 5},
        {"algorithm": "m.pbkdf2", "iterations": 1, "salt": "s", "bits": 2**40},
        {"algorithm": "m.other", "iterations": 1, "salt": "s"},
    ],
)
def test_a_passphrase_costs_no_more_work_than_is_bearable(how: object) -> None:
    with pytest.raises(WrongKey):
        opening_key(PASSPHRASE, {**DESCRIPTION, "passphrase": how})
    assert opening_key(KEY, {**DESCRIPTION, "passphrase": how})


def test_a_key_is_told_from_another_in_constant_time_by_its_check_alone() -> None:
    key = recovery_key(KEY)
    assert key is not None
    assert is_key_of(key, DESCRIPTION)
    assert not is_key_of(bytes(32), DESCRIPTION)
