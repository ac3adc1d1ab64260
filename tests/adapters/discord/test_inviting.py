"""The link asks for exactly the permissions that the documents name, each with its reason."""

from urllib.parse import parse_qs, urlsplit

import discord

from adapters.discord.inviting import WANTED, invite_link
from tests.house.project import ROOT


def test_the_link_asks_for_the_bot_its_commands_and_what_it_needs() -> None:
    asked = parse_qs(urlsplit(invite_link(123)).query)
    assert asked["client_id"] == ["123"]
    assert set(asked["scope"][0].split()) == {"bot", "applications.commands"}
    assert discord.Permissions(int(asked["permissions"][0])) == discord.Permissions(**{each.flag: True for each in WANTED})


def test_the_page_for_operators_names_every_permission_with_its_reason() -> None:
    page = " ".join((ROOT / "docs" / "discord.md").read_text(encoding="utf-8").split())
    assert [each.name for each in WANTED if f"| {each.name} | {each.why} |" not in page] == []
