"""What the doctor says: of each trouble what to do, and nothing where all is well. No server is asked for it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nio.crypto.sessions import IdentityKeys

from adapters.findings import Grade
from adapters.matrix.ears.synced import RoomNews, Synced
from adapters.matrix.keeping import Account, Seeds
from adapters.matrix.trust.bootstrap import FOREIGN, NO_IDENTITY
from adapters.matrix.trust.findings import MOST_ROOMS, NOT_PUBLISHED, Facts, findings
from adapters.matrix.trust.identity import Standing, new_seeds, standing
from tests.adapters.matrix.trust.test_identity import answered
from tests.homeserver.test_trust import ME, OTHER, device_keys

SEEDS = new_seeds()
ANSWER = answered(SEEDS)
KEYS = ANSWER["device_keys"][ME]["BOT"]["keys"]
OWN: IdentityKeys = {"ed25519": KEYS["ed25519:BOT"], "curve25519": KEYS["curve25519:BOT"]}
ACCOUNT = Account(
    homeserver="https://matrix.test",
    user_id=ME,
    device_id="BOT",
    access_token="secret-token",  # noqa: S106  of no account
    pickle_key="secret-key",
    seeds=SEEDS,
)
ROOM = "!tavern:matrix.test"
UNUSED = {"device_unused_fallback_key_types": ["signed_curve25519"]}


def state(kind: str, content: dict[str, Any], sender: str = OTHER) -> dict[str, Any]:
    return {"type": kind, "state_key": "", "sender": sender, "content": content}


CREATED = state("m.room.create", {"room_version": "12"})
CLOSED = (
    state("m.room.join_rules", {"join_rule": "invite"}),
    state("m.room.history_visibility", {"history_visibility": "shared"}),
)
OPEN = (
    state("m.room.join_rules", {"join_rule": "public"}),
    state("m.room.history_visibility", {"history_visibility": "shared"}),
)
NAMED = state("m.room.name", {"name": "Tavern"})
ENCRYPTED = state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
MUTED = state("m.room.power_levels", {"events_default": 50, "users": {ME: 10}})


def news(*events: dict[str, Any], **more: Any) -> Synced:
    return Synced("s1", joined={ROOM: RoomNews((CREATED, *events))}, one_time_keys=50, own_keys=UNUSED, **more)


WELL = Facts(
    folder=Path("/data/matrix"),
    account=ACCOUNT,
    versions=("v1.1", "v1.16"),
    who=(ME, "BOT"),
    own=OWN,
    there=standing(ANSWER, ME, "BOT"),
    news=news(NAMED, ENCRYPTED, *CLOSED),
)
BARE = standing({**ANSWER, "device_keys": {ME: {"BOT": device_keys(ME, "BOT")}}}, ME, "BOT")
UNSIGNED = standing({**ANSWER, "device_keys": {ME: {"BOT": {**ANSWER["device_keys"][ME]["BOT"], "signatures": {}}}}}, ME, "BOT")


def found(facts: Facts, about: str) -> tuple[Grade, str]:
    [each] = [(each.grade, each.sentence) for each in findings(facts) if each.about == about]
    return each


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    assert {each.grade for each in findings(WELL)} == {Grade.OK}
    assert found(WELL, ROOM) == (Grade.OK, "'Tavern' is encrypted.")
    assert "speaks Matrix up to v1.16" in found(WELL, "homeserver")[1]
    assert "cannot be seen from here" in found(WELL, "other devices")[1]


def test_no_secret_is_told() -> None:
    told = " ".join(each.sentence for each in findings(WELL))
    assert "secret" not in told


def test_without_an_account_nothing_else_is_said() -> None:
    [only] = findings(Facts(folder=Path("/data/matrix")))
    assert (only.about, only.grade) == ("account", Grade.WRONG)
    assert "/data/matrix yet: run `understudy matrix login`" in only.sentence
    [only] = findings(Facts(folder=Path("/data/matrix"), account_trouble="It is damaged."))
    assert only.sentence == "It is damaged."


@pytest.mark.parametrize(
    ("about", "changes", "sentence"),
    [
        (
            "files",
            {"open_files": ("/data/matrix/account.json",)},
            "can read /data/matrix/account.json.*chmod -R go= /data/matrix",
        ),
        ("key store", {"own": None, "store_trouble": "It is missing."}, "It is missing."),
        ("homeserver", {"versions": (), "homeserver_trouble": "Nothing answers."}, "Nothing answers."),
        ("login", {"who": None, "login_trouble": "It is gone."}, "It is gone."),
        ("login", {"who": (ME, "OTHER")}, f"one of {ME} as the device OTHER: run `understudy matrix login`"),
        ("device", {"there": replace(BARE, device=None)}, NOT_PUBLISHED[:40]),
        ("device", {"there": BARE}, "backup that is too old"),
        ("identity", {"there": Standing(ME, "BOT", BARE.device, None, None)}, NO_IDENTITY[:40]),
        ("trust", {"there": UNSIGNED}, "does not vouch for the device yet: start Understudy"),
        ("trust", {"there": UNSIGNED, "account": replace(ACCOUNT, seeds=None)}, FOREIGN[:40]),
        ("one-time keys", {"news": replace(news(), one_time_keys=0, own_keys={})}, "cannot write to it. Start Understudy"),
        ("one-time keys", {"news": replace(news(), one_time_keys=None, own_keys={})}, "cannot write to it"),
        (ROOM, {"news": news(NAMED, MUTED)}, "'Tavern' is not encrypted.*level is 10, and posting takes 50.*administrator"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(about: str, changes: dict[str, Any], sentence: str) -> None:
    grade, said = found(replace(WELL, **changes), about)
    assert grade is Grade.WRONG
    assert re.search(sentence, said), said


@pytest.mark.parametrize(
    ("about", "changes", "sentence"),
    [
        ("identity", {"account": replace(ACCOUNT, seeds=Seeds(self_signing=bytes(32)))}, "made anew since the last login"),
        ("key store", {"own": None, "store_trouble": "A start mends it.", "is_store_unfinished": True}, "A start mends it."),
        ("one-time keys", {"news": replace(news(), one_time_keys=0)}, "share its fallback key"),
        ("rooms", {"news": replace(news(), joined={})}, "in no room: invite it"),
        (ROOM, {"news": news(NAMED, *OPEN), "for_adults": frozenset({ROOM})}, "marked for adults, but others can come in"),
        (ROOM, {"news": news(state("m.room.tombstone", {"replacement_room": "!new"}))}, "It is over, and !new took its place"),
    ],
)
def test_what_may_surprise_is_a_warning(about: str, changes: dict[str, Any], sentence: str) -> None:
    grade, said = found(replace(WELL, **changes), about)
    assert grade is Grade.WARNING
    assert sentence in said


@pytest.mark.parametrize(
    ("about", "changes", "sentence"),
    [
        ("identity", {"account": replace(ACCOUNT, seeds=None)}, "made elsewhere; no key of it is kept here"),
        ("trust", {"account": replace(ACCOUNT, seeds=None)}, "vouches for the device"),
        (
            ROOM,
            {"news": news(NAMED, *CLOSED), "for_adults": frozenset({ROOM})},
            "'Tavern' is not encrypted, and for adults only.",
        ),
        (
            ROOM,
            {"news": news(*OPEN), "for_adults": frozenset({ROOM}), "adults_in_public": True},
            "It is not encrypted, and for adults",
        ),
        (ROOM, {"news": news(*OPEN)}, "It is not encrypted."),
        (ROOM, {"news": news(MUTED, ENCRYPTED, state("m.room.create", {"room_version": "12"}, ME))}, "is encrypted."),
    ],
)
def test_what_is_as_it_may_be_is_no_trouble(about: str, changes: dict[str, Any], sentence: str) -> None:
    grade, said = found(replace(WELL, **changes), about)
    assert grade is Grade.OK
    assert sentence in said


def test_a_room_with_an_open_history_is_not_for_adults_even_where_public_ones_are() -> None:
    open_book = state("m.room.history_visibility", {"history_visibility": "world_readable"})
    facts = replace(WELL, news=news(open_book), for_adults=frozenset({ROOM}), adults_in_public=True)
    assert found(facts, ROOM)[0] is Grade.WARNING


def test_an_invitation_is_told_with_who_sent_it_and_when_it_is_taken() -> None:
    invited = (
        state("m.room.name", {"name": "Cellar\x1b[2J"}),
        {"type": "m.room.member", "state_key": ME, "sender": OTHER, "content": {"membership": "invite"}},
    )
    facts = replace(WELL, news=news(invited={"!cellar:matrix.test": invited, "!bare:matrix.test": ()}))
    grade, said = found(facts, "!cellar:matrix.test")
    assert grade is Grade.WARNING
    assert f"{OTHER} invites the bot to 'Cellar?[2J'" in said
    assert "Somebody invites the bot." in found(facts, "!bare:matrix.test")[1]


def test_of_many_rooms_without_trouble_the_rest_is_counted_and_those_with_trouble_stay() -> None:
    rooms = {f"!room{number}:matrix.test": RoomNews((CREATED,)) for number in range(MOST_ROOMS + 5)}
    rooms["!muted:matrix.test"] = RoomNews((CREATED, MUTED))
    facts = replace(WELL, news=replace(news(), joined=rooms))
    told = [each for each in findings(facts) if each.about.startswith("!")]
    assert len(told) == MOST_ROOMS + 1
    assert told[0].about == "!muted:matrix.test"
    assert found(facts, "rooms") == (Grade.OK, "In 5 more, nothing is amiss.")


def test_where_the_login_is_gone_nothing_is_said_of_what_could_not_be_asked() -> None:
    facts = replace(WELL, who=None, login_trouble="It is gone.", there=None, news=None)
    assert [each.about for each in findings(facts)] == ["account", "files", "key store", "homeserver", "login"]
