"""The identity of an account: what it vouches for is known by every link of the chain, as another opinion sees it too."""

from copy import deepcopy
from typing import Any

import pytest

from adapters.matrix.keeping import Seeds
from adapters.matrix.trust.identity import Standing, canonical, is_signed, new_seeds, public_key, published, signed, standing
from tests.homeserver.identities import Identity
from tests.homeserver.test_trust import ME, OTHER, device_keys
from tests.homeserver.trust import canonical as canonical_elsewhere
from tests.homeserver.trust import has_signed, identity, signed_devices

# RFC 8032, section 7.1, test 1.
RFC_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def answered(seeds: Seeds, device: str = "BOT") -> dict[str, Any]:
    """What /keys/query answers about an account with an identity that vouches for one device."""
    made = published(seeds, ME)
    return {
        "device_keys": {ME: {device: signed(device_keys(ME, device), seeds.self_signing, ME)}},
        "master_keys": {ME: made["master_key"]},
        "self_signing_keys": {ME: made["self_signing_key"]},
    }


def test_a_public_key_is_the_one_of_its_seed() -> None:
    assert public_key(RFC_SEED) == RFC_PUBLIC


def test_what_we_make_another_opinion_holds_for_an_identity_that_vouches_for_the_device() -> None:
    seeds = new_seeds()
    answer = answered(seeds)
    assert signed_devices(answer, ME) == {"BOT"}
    assert seeds.master is not None
    assert identity(answer, ME) == public_key(seeds.master)
    user_signing = published(seeds, ME)["user_signing_key"]
    assert has_signed(user_signing, ME, public_key(seeds.master), public_key(seeds.master))


def test_what_others_make_we_hold_for_one() -> None:
    mine = Identity(ME)
    answer = {
        "device_keys": {ME: {"BOT": mine.signed(device_keys(ME, "BOT"), "self_signing"), "BARE": device_keys(ME, "BARE")}},
        "master_keys": {ME: mine.described("master")},
        "self_signing_keys": {ME: mine.signed(mine.described("self_signing"), "master")},
    }
    there = standing(answer, ME, "BOT")
    assert (there.master_key, there.self_signing_key, there.is_signed) == (
        mine.public("master"),
        mine.public("self_signing"),
        True,
    )
    assert not there.is_identity_of(new_seeds())
    assert not there.is_identity_of(None)
    assert not standing(answer, ME, "BARE").is_signed
    assert not standing(answer, ME, "NONE").is_signed


def test_its_own_keys_are_known_with_and_without_the_master_key() -> None:
    seeds = new_seeds()
    there = standing(answered(seeds), ME, "BOT")
    assert there.is_identity_of(seeds)
    assert there.is_identity_of(Seeds(self_signing=seeds.self_signing))
    assert not there.is_identity_of(Seeds(self_signing=seeds.self_signing, master=bytes(32)))
    assert not there.is_identity_of(Seeds(self_signing=bytes(32), master=seeds.master))


def test_a_device_is_known_by_both_of_its_keys() -> None:
    answer = answered(new_seeds())
    keys = answer["device_keys"][ME]["BOT"]["keys"]
    there = standing(answer, ME, "BOT")
    assert there.is_device_of(keys["ed25519:BOT"], keys["curve25519:BOT"])
    assert not there.is_device_of(keys["ed25519:BOT"], "other")
    assert not there.is_device_of("other", keys["curve25519:BOT"])


@pytest.mark.parametrize(
    ("link", "path", "value"),
    [
        ("master", ("master_keys", ME, "usage"), ["self_signing"]),
        ("master", ("master_keys", ME, "user_id"), OTHER),
        ("master", ("master_keys", ME, "keys"), {}),
        ("master", ("master_keys", ME, "keys"), {"ed25519:a": "b"}),
        ("master", ("master_keys", ME), "text"),
        ("master", ("master_keys",), []),
        ("self_signing", ("self_signing_keys", ME, "signatures"), {}),
        ("self_signing", ("self_signing_keys", ME, "signatures"), {ME: "text"}),
        ("self_signing", ("self_signing_keys", ME, "usage"), ["self_signing", "more"]),
        ("self_signing", ("self_signing_keys", ME), published(new_seeds(), ME)["self_signing_key"]),
        ("device", ("device_keys", ME, "BOT", "signatures"), {ME: {}}),
        ("device", ("device_keys", ME, "BOT", "signatures"), 5),
        ("device", ("device_keys", ME, "BOT", "keys"), {"ed25519:BOT": "another"}),
        ("device", ("device_keys", ME, "BOT"), 5),
    ],
)
def test_a_broken_link_breaks_the_chain(link: str, path: tuple[str, ...], value: Any) -> None:
    answer = deepcopy(answered(new_seeds()))
    holder = answer
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    there = standing(answer, ME, "BOT")
    assert not there.is_signed
    assert bool(there.master_key) == (link != "master")
    assert bool(there.self_signing_key) == (link == "device")


def test_a_signature_stays_beside_others_and_what_only_the_homeserver_adds_goes() -> None:
    seeds = new_seeds()
    device = {**device_keys(ME, "BOT"), "unsigned": {"device_display_name": "Bot"}}
    vouched = signed(device, seeds.self_signing, ME)
    assert "unsigned" not in vouched
    assert len(vouched["signatures"][ME]) == 2
    assert is_signed(vouched, ME, "BOT", device["keys"]["ed25519:BOT"])
    assert vouched["signatures"] != device["signatures"]


@pytest.mark.parametrize("signature", [None, 5, "", "é", "AAAA", "!" * 86])
def test_what_is_no_signature_signs_nothing(signature: Any) -> None:
    public = public_key(RFC_SEED)
    assert not is_signed({"a": 1, "signatures": {ME: {f"ed25519:{public}": signature}}}, ME, public, public)
    assert not is_signed(signed({"a": 1}, RFC_SEED, ME), ME, public, "é")


def test_the_canonical_form_is_the_specifications() -> None:
    # From the specification's own examples of canonical JSON.
    examples: list[tuple[dict[str, Any], str]] = [
        ({}, "{}"),
        ({"one": 1, "two": "Two"}, '{"one":1,"two":"Two"}'),
        ({"b": "2", "a": "1"}, '{"a":"1","b":"2"}'),
        ({"a": "日本語"}, '{"a":"日本語"}'),
        ({"本": 2, "日": 1}, '{"日":1,"本":2}'),
        ({"a": "\u65e5"}, '{"a":"日"}'),
        ({"a": None}, '{"a":null}'),
        ({"a": -0, "b": 10000000000}, '{"a":0,"b":10000000000}'),
    ]
    for content, text in examples:
        assert canonical({**content, "signatures": {}, "unsigned": 1}) == text.encode() == canonical_elsewhere(content)


def test_nothing_is_published_that_was_only_unlocked() -> None:
    with pytest.raises(ValueError, match="unlocked"):
        published(Seeds(self_signing=bytes(32)), ME)


def test_an_empty_answer_is_an_account_without_anything() -> None:
    assert standing({}, ME, "BOT") == Standing(ME, "BOT", None, None, None)
