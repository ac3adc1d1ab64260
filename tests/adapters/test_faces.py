"""What the faces of a house and its engine tell of themselves to whoever looks at it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters import faces, wiring
from adapters.discord.running import State as DiscordState
from adapters.matrix.running import State as MatrixState
from adapters.metrics import Connection
from adapters.wiring import house
from tests.adapters.test_wiring import configured, far, opened, using


def face(state: DiscordState | MatrixState) -> Any:
    return SimpleNamespace(supervisor=SimpleNamespace(state=state))


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (DiscordState((0, 1), "", 3), Connection(is_up=True, breaks=3, shards=2)),
        (DiscordState((), "", 0), Connection(is_up=False, shards=0)),
        (DiscordState((0,), "It broke.", 1), Connection(is_up=False, trouble="It broke.", breaks=1, shards=1)),
    ],
)
def test_discord_is_up_when_shards_are_connected_and_nothing_stands_against_it(state: DiscordState, seen: Connection) -> None:
    assert faces._on_discord(face(state))() == seen


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (MatrixState(is_connected=True, trouble="", errors=2, last_sync=7.0), Connection(is_up=True, breaks=2, heard=7.0)),
        (MatrixState(is_connected=False, trouble="Lost.", errors=0, last_sync=0.0), Connection(is_up=False, trouble="Lost.")),
    ],
)
def test_matrix_is_up_as_long_as_its_line_is(state: MatrixState, seen: Connection) -> None:
    assert faces._on_matrix(face(state))() == seen


async def test_the_engine_of_the_house_is_seen_on_the_page_of_the_house(tmp_path: Path) -> None:
    async with opened(configured(tmp_path)) as (built, _):
        page = (await built.instruments.page()).decode()
        assert await built.instruments.parts() == {"store": True, "engine": True}
    assert "\nunderstudy_engine_slots 4.0\n" in page
    assert "\nunderstudy_engine_process_open_fds " in page
    assert '\nunderstudy_connected{part="engine"} 1.0\n' in page


async def test_an_engine_elsewhere_has_a_page_of_its_own(tmp_path: Path) -> None:
    async with far() as address, house(using(tmp_path, address), ()) as built:
        assert b"understudy_engine_" not in await built.instruments.page()
        assert "understudy_engine_slots" in (await built.instruments.look()).engine


async def test_an_engine_that_is_away_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "ASKING_SECONDS", 0.1)
    async with house(using(tmp_path, f"unix:{tmp_path}/nobody"), ()) as built:
        assert await built.instruments.parts() == {"store": True, "engine": False}
        assert (await built.instruments.look()).engine == {}
