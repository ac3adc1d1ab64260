"""The gateway's events are what Discord's own types say: the judge finds what is planted, and the loopback gives it nothing."""

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.discord.gateway_types import SOURCES, GatewayTypes, TypesMissingError
from tests.fakes.discord.loopback import LoopbackDiscord
from tests.fakes.discord.tour import tour

USER = {"id": "80351110224678912", "username": "nelly", "discriminator": "0", "global_name": None, "avatar": None, "flags": 65}
MESSAGE = {
    "id": "1100000000000000002",
    "channel_id": "1100000000000000001",
    "author": USER,
    "content": "The plank // creaks.",
    "timestamp": "2026-01-02T03:04:05.000000+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "type": 19,
    "flags": 4160,
    "components": [
        {"type": 1, "id": 1, "components": [{"type": 2, "id": 2, "style": 2, "custom_id": "retry", "label": "Retry"}]}
    ],
}
READY = {
    "v": 10,
    "user": USER,
    "guilds": [{"id": "1100000000000000006", "unavailable": True}],
    "session_id": "s",
    "resume_gateway_url": "wss://gateway.discord.gg",
    "shard": [0, 1],
    "application": {"id": "1100000000000000005", "flags": 0, "flags_new": "0"},
}
GOOD = [("MESSAGE_CREATE", MESSAGE), ("MESSAGE_CREATE", MESSAGE), ("READY", READY), ("RESUMED", {})]

PLANTED: list[tuple[str, str, dict[str, Any]]] = [
    ('at "id": 1', "MESSAGE_CREATE", {**MESSAGE, "id": 1}),
    ('at "mood": "glad"', "MESSAGE_UPDATE", {**MESSAGE, "mood": "glad"}),
    ('at "type": 99', "MESSAGE_CREATE", {**MESSAGE, "type": 99}),
    ('at "shard": null', "READY", {**READY, "shard": None}),
    ("'session_id' is missing", "READY", {key: value for key, value in READY.items() if key != "session_id"}),
    ("no exported member", "MESSAGE_EATEN", {}),
]
SEEN = {
    "CHANNEL_CREATE",
    "CHANNEL_DELETE",
    "CHANNEL_UPDATE",
    "GUILD_CREATE",
    "GUILD_DELETE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_UPDATE",
    "INTERACTION_CREATE",
    "MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "MESSAGE_UPDATE",
    "READY",
    "RESUMED",
    "THREAD_CREATE",
    "THREAD_DELETE",
    "THREAD_UPDATE",
    "TYPING_START",
    "WEBHOOKS_UPDATE",
}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_is_planted_in_events_is_found_and_the_rest_passes(gateway_types: GatewayTypes) -> None:
    assert gateway_types.complaints(GOOD) == []
    found = gateway_types.complaints([*GOOD, *((name, data) for _, name, data in PLANTED)])
    assert [words for words, name, _ in PLANTED if not any(each.startswith(name) and words in each for each in found)] == []
    assert len(found) == len(PLANTED)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_every_event_of_the_loopback_is_what_its_type_says(gateway_types: GatewayTypes) -> None:
    events: list[tuple[str, Any]] = []
    async with LoopbackDiscord() as discord:
        discord.on_event.append(lambda name, data: events.append((name, copy.deepcopy(data))))
        await tour(discord)

    assert {name for name, _ in events} == SEEN
    assert gateway_types.complaints(events) == []


def test_the_types_are_pinned_by_their_hashes_and_name_no_place() -> None:
    text = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert "://" not in text
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert wanted == {re.sub("^node_modules/", "", name): entry["version"] for name, entry in packages.items()}


def test_without_node_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(TypesMissingError, match="install the packages nodejs and npm"):
        GatewayTypes.installed(tmp_path)


def test_types_that_cannot_be_installed_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = shutil.which("false")
    monkeypatch.setattr(shutil, "which", lambda _: fails)
    with pytest.raises(TypesMissingError, match="could not install"):
        GatewayTypes.installed(tmp_path)
    assert [*tmp_path.iterdir()] == []
