"""What is made of an event as a homeserver hands it out, whatever it puts beside it. What stands in rooms is a contract."""

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.matrix.commands.past import understood
from adapters.matrix.commands.walls import Sealed
from adapters.matrix.heard import Said
from tests.homeserver.contents import edit, message

BLIND: Any = SimpleNamespace(olm=None)
"""A client without keys."""

EVENT = {
    "type": "m.room.message",
    "event_id": "$1",
    "sender": "@tobias:matrix.test",
    "origin_server_ts": 1000,
    "content": message("One."),
}
EDIT = EVENT | {"event_id": "$2", "content": edit("$1", message("Two."))}


def beside(what: object) -> dict[str, Any]:
    return EVENT | {"unsigned": {"m.relations": {"m.replace": what}}}


def text(event: dict[str, Any]) -> str:
    found = understood(BLIND, "!room", event)
    assert isinstance(found, Said)
    return found.text


def test_the_edit_that_lies_beside_a_message_is_what_it_says() -> None:
    assert text(EVENT) == "One."
    assert text(beside(EDIT)) == "Two."


@pytest.mark.parametrize(
    "what",
    [
        EDIT | {"sender": "@mirela:matrix.test"},
        EDIT | {"content": edit("$3", message("Two."))},
        EDIT | {"content": {}},
        EDIT | {"type": "m.room.encrypted"},
        EVENT,
        {"event_id": "$2", "sender": "@tobias:matrix.test", "origin_server_ts": 1000},
        "nothing",
        None,
    ],
)
def test_what_is_no_edit_of_it_by_its_author_changes_nothing(what: object) -> None:
    assert text(beside(what)) == "One."


@pytest.mark.parametrize("unsigned", ["nothing", {"m.relations": 5}, {"m.relations": {"m.replace": [EDIT]}}])
def test_what_has_no_shape_beside_a_message_changes_nothing(unsigned: object) -> None:
    assert text(EVENT | {"unsigned": unsigned}) == "One."


def test_without_a_key_it_is_told_where_and_when_a_message_was_sent() -> None:
    sealed = EVENT | {"type": "m.room.encrypted", "content": message("", thread="$0")}
    assert understood(BLIND, "!room", sealed) == Sealed("$1", "$0", 1.0)
