"""An answer to a sync as values: what is misshapen is left out, and never what is beside it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.matrix.ears.synced import RoomNews, Synced, is_event, is_room, is_user, synced

ROOM = "!room:matrix.test"
SAID = {"type": "m.room.message", "event_id": "$1"}


def test_an_answer_is_read() -> None:
    answer = {
        "next_batch": "s2",
        "rooms": {
            "join": {
                ROOM: {
                    "state": {"events": [{"type": "m.room.name"}]},
                    "timeline": {"events": [SAID], "limited": True, "prev_batch": "t1"},
                }
            },
            "invite": {"!two": {"invite_state": {"events": [{"type": "m.room.member"}]}}},
            "leave": {"!three": {"timeline": {"events": [SAID]}}},
        },
        "to_device": {"events": [{"type": "m.room.encrypted"}]},
        "device_lists": {"changed": ["@mira:matrix.test"], "left": ["@aled:matrix.test"]},
        "device_one_time_keys_count": {"signed_curve25519": 0},
    }
    assert synced(answer) == Synced(
        "s2",
        {ROOM: RoomNews(({"type": "m.room.name"},), (SAID,), is_limited=True, before="t1")},
        {"!two": ({"type": "m.room.member"},)},
        {"!three": RoomNews((), (SAID,))},
        ({"type": "m.room.encrypted"},),
        ("@mira:matrix.test",),
        ("@aled:matrix.test",),
        0,
        {"device_one_time_keys_count": {"signed_curve25519": 0}},
    )


def test_a_misshapen_room_leaves_the_others_as_they_are() -> None:
    rooms: dict[str, Any] = {"!bad": 5, "no room": {}, ROOM: {"timeline": {"events": ["text", SAID, None]}}}
    assert synced({"next_batch": "s2", "rooms": {"join": rooms}}).joined == {"!bad": RoomNews(), ROOM: RoomNews((), (SAID,))}


@pytest.mark.parametrize("answer", [{}, {"next_batch": 5}, {"next_batch": ""}])
def test_an_answer_without_its_end_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="without its end"):
        synced(answer)


@pytest.mark.parametrize(("answer", "is_empty"), [({}, True), ({"to_device": {"events": [{}]}}, False)])
def test_it_is_known_whether_there_is_any_news(answer: dict[str, Any], *, is_empty: bool) -> None:
    assert synced({"next_batch": "s2", "device_one_time_keys_count": {"signed_curve25519": 50}, **answer}).is_empty is is_empty


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("!a:b", True),
        ("!abc", True),
        ("#a:b", False),
        ("!a/$b", False),
        ("!" + "a" * 255, False),
        ("!a\ud800", False),
        (5, False),
    ],
)
def test_ids_of_rooms_are_those_that_a_place_can_name(name: object, *, is_one: bool) -> None:
    assert is_room(name) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("$a+/b", True),
        ("$a:b", True),
        ("$", False),
        ("a", False),
        ("$a/$b", False),
        ("$a b", False),
        ("$a\n", False),
        (None, False),
    ],
)
def test_ids_of_events_are_those_that_a_place_can_name(name: object, *, is_one: bool) -> None:
    assert is_event(name) is is_one


@pytest.mark.parametrize(("name", "is_one"), [("@a:b", True), ("@a", False), ("a:b", False), ("@a b:c", False), ([], False)])
def test_ids_of_users_name_their_homeserver(name: object, *, is_one: bool) -> None:
    assert is_user(name) is is_one


KEYS = st.sampled_from(
    [
        "rooms",
        "join",
        "invite",
        "leave",
        "timeline",
        "state",
        "events",
        "limited",
        "prev_batch",
        "invite_state",
        ROOM,
        "to_device",
        "device_lists",
        "changed",
        "left",
        "device_one_time_keys_count",
        "signed_curve25519",
    ]
)
JSON = st.recursive(
    st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_no_answer_whatever_makes_it_raise(answer: dict[str, Any]) -> None:
    news = synced({**answer, "next_batch": "s2"})
    for each in (*news.joined.values(), *news.left.values()):
        assert all(isinstance(event, dict) for event in (*each.state, *each.timeline))
