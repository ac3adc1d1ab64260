"""What an engine's client can tell of its server's figures: all of our own, nothing of others, and no failure."""

from adapters.remote.server import serve
from adapters.remote.settings import EngineServerSettings
from tests.adapters.remote.stage import ServedScript, a_stage
from tests.adapters.remote.test_client import to_ours


async def test_our_own_servers_figures_can_be_read_once_it_is_known() -> None:
    async with a_stage() as stage, to_ours(stage.address) as engine:
        assert await engine.figures() == ""
        await engine.capabilities()
        assert "\nunderstudy_engine_cached_tokens_total 7.0\n" in await engine.figures()


async def test_a_server_that_is_gone_tells_nothing() -> None:
    async with a_stage() as stage, to_ours(stage.address) as engine:
        await engine.capabilities()
        await stage.server.close()
        assert await engine.figures() == ""


async def test_an_engine_that_went_away_while_nobody_played_is_seen_by_who_looks_and_seen_to_be_back() -> None:
    async with a_stage() as stage, to_ours(stage.address) as engine:
        await engine.capabilities()
        await stage.server.close()
        await engine.figures()
        assert "cannot be reached" in engine.trouble
        again = EngineServerSettings(port=int(stage.address.rpartition(":")[2]))
        async with serve(ServedScript([]), again):
            assert await engine.figures()
            assert engine.trouble == ""
