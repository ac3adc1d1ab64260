"""How limits are configured."""

from pathlib import Path

import pytest

from adapters.config import defaults, read
from bot.errors import ConfigMistakes
from bot.limits import Limits, Share


def configured(folder: Path, text: str) -> Limits:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return read(file, {}).limits.limits


def test_by_default_everybody_has_a_share_and_no_community_fills_the_engines_queue_alone() -> None:
    config = defaults({})
    limits = config.limits.limits
    assert limits.player == Share(20, 5, 2_000_000)
    assert limits.player.waiting < limits.place.waiting < limits.community.waiting < config.engine.queue
    assert limits.player.turns_a_minute < limits.place.turns_a_minute < limits.community.turns_a_minute


def test_each_limit_is_set_by_its_key_and_switched_off_by_nought(tmp_path: Path) -> None:
    text = """
        [limits.player]
        turns_a_minute = 1
        waiting = 2
        tokens_a_day = 3
        [limits.place]
        turns_a_minute = 4
        waiting = 5
        tokens_a_day = 6
        [limits.community]
        turns_a_minute = 0
        waiting = 0
        tokens_a_day = 0
    """
    assert configured(tmp_path, text) == Limits(Share(1, 2, 3), Share(4, 5, 6), Share())


@pytest.mark.parametrize("value", ["-1", "1.5", "true", '"many"', "100001"])
def test_what_is_no_number_of_turns_is_a_mistake_with_its_line(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigMistakes, match=r"line 2.*turns_a_minute"):
        configured(tmp_path, f"[limits.player]\nturns_a_minute = {value}\n")
