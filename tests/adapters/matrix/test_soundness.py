"""Misshapen keys of one device take no other device with them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from nio import KeysClaimResponse, KeysQueryResponse
from nio.crypto import Olm, OlmDevice
from nio.store import SqliteMemoryStore

from adapters.matrix.publishing import device_keys, keys_to_upload
from adapters.matrix.soundness import sound_keys

MIRA = "@mira:matrix.test"


@pytest.fixture(scope="module")
def bot() -> Olm:
    return _olm("@bot:matrix.test", "BOT")


@pytest.fixture(scope="module")
def mira() -> Olm:
    return _olm(MIRA, "PHONE")


def _olm(user: str, device: str) -> Olm:
    return Olm(user, device, SqliteMemoryStore(user, device, "only for tests"))  # type: ignore[no-untyped-call]  # the library's


def _misshapen(good: dict[str, Any]) -> list[Any]:
    return [
        None,
        [],
        {},
        {**good, "user_id": "@other:matrix.test"},
        {**good, "device_id": "OTHER"},
        {**good, "algorithms": "none"},
        {**good, "algorithms": [5]},
        {**good, "keys": []},
        {**good, "keys": {}},
        {**good, "keys": {**good["keys"], "ed25519:PHONE": "zz"}},
        {**good, "keys": {**good["keys"], "ed25519:PHONE": 5}},
        {**good, "keys": {**good["keys"], "curve25519:PHONE": "zz"}},
        {**good, "keys": {**good["keys"], "curve25519:OTHER": 5}},
        {**good, "signatures": []},
        {**good, "signatures": {MIRA: []}},
        {**good, "signatures": {MIRA: {"ed25519:PHONE": "zz"}}},
        {**good, "signatures": {**good["signatures"], "@x:y": {"ed25519:A": 5}}},
        {**good, "unsigned": []},
        {**good, "unsigned": {"device_display_name": 5}},
        {**good, "more": "\ud800"},
        {**good, "more": 0.5},
    ]


def test_misshapen_devices_are_left_out_and_the_others_stay(bot: Olm, mira: Olm) -> None:
    good = device_keys(mira)
    for bad in _misshapen(good):
        found = sound_keys({"device_keys": {MIRA: {"PHONE": bad}, "@tobias:matrix.test": 5}, "failures": {}}, bot)
        assert found == {"device_keys": {MIRA: {}}, "failures": {}}, bad
    named = {**good, "unsigned": {"device_display_name": "Phone"}}
    whole = {"device_keys": {MIRA: {"PHONE": named}}, "master_keys": {}}
    assert sound_keys(json.loads(json.dumps(whole)), bot) == whole


def test_misshapen_one_time_keys_are_left_out_and_the_others_stay(bot: Olm, mira: Olm) -> None:
    own = mira.account.identity_keys
    bot.device_store.add(OlmDevice(MIRA, "PHONE", {"ed25519": own["ed25519"], "curve25519": own["curve25519"]}))
    name, good = next(iter(keys_to_upload(mira, with_fallback=False)["one_time_keys"].items()))
    bad: list[Any] = [
        None,
        {},
        {name: 5},
        {name: {**good, "key": "zz"}},
        {name: {**good, "key": 5}},
        {name: {"key": good["key"]}},
    ]
    for each in bad:
        assert sound_keys({"one_time_keys": {MIRA: {"PHONE": each}}}, bot) == {"one_time_keys": {MIRA: {}}}, each
    assert sound_keys({"one_time_keys": {MIRA: {"LAPTOP": {name: good}}}}, bot) == {"one_time_keys": {MIRA: {}}}
    whole = {"one_time_keys": {MIRA: {"PHONE": {name: good}}}}
    assert sound_keys(json.loads(json.dumps(whole)), bot) == whole


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20)
@given(odd=json_values, key=some.sampled_from(["keys", "signatures", "algorithms", "unsigned", "device_id", "more"]))
def test_whatever_a_device_publishes_the_library_can_take_what_is_left(odd: Any, key: str) -> None:
    bot, mira = _olm("@bot:matrix.test", "BOT"), _olm(MIRA, "PHONE")
    answer = {"device_keys": {MIRA: {"PHONE": {**device_keys(mira), key: odd}, "ODD": odd}}}
    response = KeysQueryResponse.from_dict(sound_keys(answer, bot))
    assert isinstance(response, KeysQueryResponse)
    bot.handle_response(response)  # type: ignore[no-untyped-call]  # the library's


@settings(max_examples=20)
@given(odd=json_values)
def test_whatever_is_claimed_the_library_can_take_what_is_left(odd: Any) -> None:
    bot, mira = _olm("@bot:matrix.test", "BOT"), _olm(MIRA, "PHONE")
    own = mira.account.identity_keys
    bot.device_store.add(OlmDevice(MIRA, "PHONE", {"ed25519": own["ed25519"], "curve25519": own["curve25519"]}))
    for each in (odd, {"signed_curve25519:A": odd}, {"signed_curve25519:A": {"key": odd, "signatures": odd}}):
        response = KeysClaimResponse.from_dict(sound_keys({"one_time_keys": {MIRA: {"PHONE": each}}}, bot))
        assert isinstance(response, KeysClaimResponse)
        bot.handle_response(response)  # type: ignore[no-untyped-call]  # the library's
