"""The section [discord]: bounds, shards that make sense, and a token that is never shown nor handed on."""

from pathlib import Path

import pytest

from adapters.config import Errand, taken
from tests.adapters.config.test_reading import config_of, mistakes_in


def test_the_token_comes_from_the_environment_first_and_is_never_shown_nor_handed_to_a_child(tmp_path: Path) -> None:
    config = config_of(tmp_path, '[discord]\ntoken = "from-the-file"\n', UNDERSTUDY_DISCORD_TOKEN="hunter2")  # noqa: S106 a made-up one
    assert config.discord.token == "hunter2"  # noqa: S105 likewise
    line = Errand(config=config, log_level=30).line
    assert not any(secret in f"{config!r} {line!r}" for secret in ("hunter2", "from-the-file"))
    assert taken(line).config.discord.token == ""


def test_shards_are_some_of_all(tmp_path: Path) -> None:
    assert config_of(tmp_path, "[discord]\nshard_count = 2\nshards = [1]\n").discord.shards == (1,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shards = [0]", "needs shard_count"),
        ("shard_count = 2\nshards = [2]", "needs shard_count"),
        ("shard_count = 2\nshards = [1, 1]", "none twice"),
        ("shard_count = 2\nshards = []", "at least one shard"),
        ('guilds = ["123"]', "whole number"),
        ("start_roles = [0]", "1"),
        ("join_seconds = 0", "0.5"),
        ('http_proxy = "socks5://me:hunter2@host"', "no address of a proxy"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    [mistake] = mistakes_in(tmp_path, f"[discord]\n{text}\n")
    assert sentence in mistake
    assert "[discord" in mistake
    assert "hunter2" not in mistake
