"""The judgement of signatures: every link of the chain counts, and the canonical form is the specification's."""

from copy import deepcopy
from typing import Any

import pytest
import vodozemac

from tests.homeserver.identities import Identity
from tests.homeserver.trust import all_devices, canonical, has_signed, identity, signed_devices

ME, OTHER = "@mira:matrix.test", "@tobias:matrix.test"


def device_keys(user_id: str, device_id: str, other: dict[str, str] | None = None) -> dict[str, Any]:
    """The keys of a device with its own signature, as a client uploads them."""
    account = vodozemac.Account()
    public = account.ed25519_key.to_base64()
    keys = {
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
        "keys": {f"ed25519:{device_id}": public, f"curve25519:{device_id}": account.curve25519_key.to_base64()},
    } | (other or {})
    return keys | {"signatures": {user_id: {f"ed25519:{device_id}": account.sign(canonical(keys)).to_base64()}}}


@pytest.fixture
def mine() -> Identity:
    return Identity(ME)


@pytest.fixture
def answer(mine: Identity) -> dict[str, Any]:
    """What keys/query answers about Mira: a signed device and one that nobody vouches for."""
    return {
        "device_keys": {
            ME: {"SIGNED": mine.signed(device_keys(ME, "SIGNED"), "self_signing"), "BARE": device_keys(ME, "BARE")}
        },
        "master_keys": {ME: mine.described("master")},
        "self_signing_keys": {ME: mine.signed(mine.described("self_signing"), "master")},
    }


def test_a_device_counts_that_the_chain_reaches(answer: dict[str, Any]) -> None:
    assert all_devices(answer, ME) == {"SIGNED", "BARE"}
    assert signed_devices(answer, ME) == {"SIGNED"}
    assert identity(answer, ME) == next(iter(answer["master_keys"][ME]["keys"].values()))


def test_a_name_that_the_homeserver_adds_changes_nothing(answer: dict[str, Any]) -> None:
    answer["device_keys"][ME]["SIGNED"]["unsigned"] = {"device_display_name": "Understudy"}
    assert signed_devices(answer, ME) == {"SIGNED"}


def _without_a_master_key(answer: dict[str, Any]) -> None:
    del answer["master_keys"][ME]


def _with_another_master_key(answer: dict[str, Any]) -> None:
    answer["master_keys"][ME] = Identity(ME).described("master")


def _with_a_self_signing_key_that_nobody_signed(answer: dict[str, Any]) -> None:
    answer["self_signing_keys"][ME].pop("signatures")


def _with_another_self_signing_key(answer: dict[str, Any]) -> None:
    other = Identity(ME)
    answer["self_signing_keys"][ME] = other.signed(other.described("self_signing"), "master")


def _with_other_keys(answer: dict[str, Any]) -> None:
    answer["device_keys"][ME]["SIGNED"]["keys"]["curve25519:SIGNED"] = "A" * 43


def _with_the_keys_of_another_device(answer: dict[str, Any]) -> None:
    answer["device_keys"][ME]["BARE"] = answer["device_keys"][ME].pop("SIGNED")


def _without_the_devices_own_signature(answer: dict[str, Any]) -> None:
    answer["device_keys"][ME]["SIGNED"]["signatures"][ME].pop("ed25519:SIGNED")


def _with_a_signature_that_is_none(answer: dict[str, Any]) -> None:
    signatures = answer["device_keys"][ME]["SIGNED"]["signatures"][ME]
    signatures.update(dict.fromkeys(signatures, "no signature"))


def _with_nonsense(answer: dict[str, Any]) -> None:
    answer["self_signing_keys"] = []


@pytest.mark.parametrize(
    "break_it",
    [
        _without_a_master_key,
        _with_another_master_key,
        _with_a_self_signing_key_that_nobody_signed,
        _with_another_self_signing_key,
        _with_other_keys,
        _with_the_keys_of_another_device,
        _without_the_devices_own_signature,
        _with_a_signature_that_is_none,
        _with_nonsense,
    ],
    ids=lambda each: each.__name__.strip("_"),
)
def test_a_broken_chain_reaches_no_device(answer: dict[str, Any], break_it: Any) -> None:
    broken = deepcopy(answer)
    break_it(broken)
    assert signed_devices(broken, ME) == set()
    assert signed_devices(answer, ME) == {"SIGNED"}


def test_keys_of_somebody_else_vouch_for_nobody(answer: dict[str, Any]) -> None:
    moved = {kind: {OTHER: keys[ME]} for kind, keys in answer.items()}
    assert signed_devices(moved, OTHER) == set()
    assert identity(moved, OTHER) is None


@pytest.mark.parametrize("other", [{"user_id": OTHER}, {"device_id": "ANOTHER"}])
def test_a_device_that_says_it_is_another_is_none_though_all_sign_it(
    answer: dict[str, Any], mine: Identity, other: dict[str, str]
) -> None:
    answer["device_keys"][ME]["SIGNED"] = mine.signed(device_keys(ME, "SIGNED", other), "self_signing")
    assert signed_devices(answer, ME) == set()


def test_a_key_for_another_use_signs_no_devices(answer: dict[str, Any], mine: Identity) -> None:
    key = mine.described("self_signing")
    answer["self_signing_keys"][ME] = mine.signed(key | {"usage": ["user_signing"]}, "master")
    assert signed_devices(answer, ME) == set()


def test_the_signature_of_the_specifications_example_is_one() -> None:
    """From the appendices of the Matrix specification, "Cryptographic Test Vectors"."""
    public = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"
    signature = "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"
    signed = {"one": 1, "two": "Two", "signatures": {"domain": {"ed25519:1": signature}}}
    assert has_signed(signed, "domain", "1", public)
    assert not has_signed(signed | {"one": 2}, "domain", "1", public)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"b": "2", "a": {"d": [1, None, True], "c": "é\n"}}, '{"a":{"c":"é\\n","d":[1,null,true]},"b":"2"}'),
        ({"本": 2, "日": 1}, '{"日":1,"本":2}'),
        ({"a": 1, "signatures": {}, "unsigned": {}}, '{"a":1}'),
    ],
)
def test_the_canonical_form_is_the_shortest_in_order(value: Any, form: str) -> None:
    assert canonical(value).decode() == form
